// What a reply rests on.

import { call, part } from "./api.js";
import { button, counted, make, when } from "./dom.js";

const SHOWN = 4;

function notMe(applied) {
  return button("Not me", async (pressed) => {
    await call(`/preferences/${part(applied.preference_id)}/reject`, { method: "POST" });
    const item = pressed.closest("li");
    item.classList.add("ended");
    item.append(make("span", { class: "facts", role: "status" }, " Taken back."));
    pressed.remove();
  }, { class: "small", "aria-label": `Not me: ${applied.statement}` });
}

function block(title, items) {
  return items.length ? [make("h3", {}, title), make("ul", { class: "plain" }, items)] : [];
}

function memory(one) {
  const words = one.text.length > 280 ? `${one.text.slice(0, 280).trimEnd()} …` : one.text;
  return make("li", {}, words, make("div", { class: "facts" }, one.role === "user" ? "You, " : "Reply, ", when(one.at), ` · ${one.why}`));
}

// The best first, the rest on demand.
function memories(all) {
  const sorted = [...all].sort((a, b) => b.score - a.score);
  const parts = block("Memories looked at", sorted.slice(0, SHOWN).map(memory)), rest = sorted.slice(SHOWN);
  if (rest.length) parts.push(make("details", {}, make("summary", {}, `${rest.length} more`), make("ul", { class: "plain" }, rest.map(memory))));
  return parts;
}

export function why(reply, open) {
  const parts = [
    block("Kept in mind", reply.applied.map((one) => make("li", { class: `kept ${one.stance}` },
      make("a", { class: "statement", href: `#preferences/${part(one.preference_id)}` }, one.statement), notMe(one),
      make("div", { class: "facts" }, one.reason)))),
    memories(reply.memories),
    block("Learnt from your message", reply.learnt.map((one) => make("li", {}, one.statement,
      one.status === "active" ? "" : make("div", { class: "facts" }, one.status)))),
  ].flat();
  const told = [
    reply.applied.length && counted(reply.applied.length, "preference"),
    reply.memories.length && counted(reply.memories.length, "memory", "memories"),
    reply.learnt.length && `${reply.learnt.length} learnt`,
  ].filter(Boolean).join(", ");
  if (!parts.length) parts.push(make("p", { class: "facts" }, "Nothing in memory bore on this."));
  return make("details", { class: "why", open }, make("summary", {}, told ? `Why: ${told}` : "Why this reply?"),
    make("div", { class: "reasons" }, parts));
}
