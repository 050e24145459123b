import { call, chat, find, newSession, part, session, setSession } from "./api.js";
import { button, counted, field, form, make, notify, one } from "./dom.js";
import { why } from "./why.js";

const log = one("#log");
const STRENGTHS = { 0: "not at all", 0.25: "a little", 0.5: "in part", 0.75: "mostly", 1: "fully" };
const BEGINNINGS = ["I can't stand loud places, and I'm allergic to shellfish.", "I prefer short answers.",
  "Where could I take my parents for dinner?", "What do you know about me?"];
let running = null;
let drawing = 0;
let newest = null;

function append(element) {
  log.append(element);
  log.scrollTop = log.scrollHeight;
}

function said(role, text) {
  const bubble = make("div", { class: "bubble" }, make("p", { class: "words" }, text));
  return make("article", { class: `said ${role}`, "aria-label": role === "user" ? "You" : "Reply" }, bubble);
}

// -- what one can do with a reply

async function tell(article, turnId, given) {
  const taken = await call("/feedback", { method: "POST", body: { turn_id: turnId, ...given } });
  one(".noted", article)?.remove();
  one(".bubble", article).append(make("p", { class: "noted facts", role: "status" }, `Noted: ${taken.reason}`));
}

function editor(article, turnId) {
  if (one("form", article)) return;
  const words = one(".words", article);
  const area = make("textarea", { rows: 5 });
  area.value = words.textContent;
  const editing = form(async () => {
    await tell(article, turnId, { edit: area.value });
    words.textContent = area.value;
    editing.remove();
  }, { class: "fields" }, field("The reply as you would have it", area), make("div", { class: "tools" },
    make("button", { class: "main" }, "Save"), button("Cancel", () => { editing.remove(); one(".edit", article).focus(); })));
  one(".bubble", article).append(editing);
  area.focus();
}

function tools(article, turnId) {
  const rate = (rating, label, icon) => button(label, async (pressed) => {
    await tell(article, turnId, { rating });
    for (const other of article.querySelectorAll("[aria-pressed]")) other.setAttribute("aria-pressed", "false");
    pressed.setAttribute("aria-pressed", "true");
  }, { icon, "aria-label": label, "aria-pressed": "false", title: label });
  return make("div", { class: "tools" }, rate(1, "Good reply", "up"), rate(-1, "Bad reply", "down"),
    button("Edit", () => editor(article, turnId), { class: "edit", "aria-label": "Edit this reply" }));
}

// -- talking

async function ask(text, signal) {
  one(".nothing", log)?.remove();
  const mine = said("user", text), article = said("assistant", "");
  append(mine);
  append(article);
  const words = one(".words", article);
  article.setAttribute("aria-busy", "true");
  try {
    for await (const piece of chat(text, { strength: one("#strength").value, signal })) {
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
      if (piece.text) words.textContent += piece.text;
      if (piece.reply) {
        newest = piece.reply.turn_id;
        words.textContent = words.textContent.trim();
        one(".bubble", article).append(tools(article, piece.reply.turn_id));
        for (const other of log.querySelectorAll("details[open]")) other.open = false;
        article.append(why(piece.reply, matchMedia("(min-width: 64rem)").matches));
      }
      // What was asked stays in sight, however long the reasons are.
      if (atEnd) log.scrollTop = Math.min(log.scrollHeight, mine.offsetTop - log.offsetTop);
    }
  } catch (error) {
    mine.remove();
    article.remove();
    if (!log.children.length) greet();
    throw error;
  } finally {
    article.removeAttribute("aria-busy");
  }
}

async function submit() {
  const area = one("#text"), send = one("#ask .main"), text = area.value;
  if (running) return running.abort();
  if (!text.trim()) return area.focus();
  area.value = "";
  drawing += 1;
  running = new AbortController();
  send.textContent = "Stop";
  notify("");
  try {
    await ask(text, running.signal);
    await list();
  } catch (error) {
    if (!area.value) area.value = text;
    if (error.name !== "AbortError") notify(error.message, true);
    if (error.name === "AbortError" || error.status === 0) lookAgain(text).catch((failed) => notify(failed.message, true));
  } finally {
    running = null;
    send.textContent = "Send";
    area.focus();
  }
}

// A turn that ended before the server knew that nobody listens any more is stored, and then it is shown.
async function lookAgain(text) {
  const mine = drawing, area = one("#text"), turns = await stored({ wait: true });
  if (mine !== drawing || (turns.at(-1)?.id ?? null) === newest) return;
  draw(turns);
  if (area.value === text) area.value = "";
  notify("The reply was complete before it could be stopped; it is kept.");
  await list();
}

// -- conversations

function greet() {
  const begin = (text) => button(text, () => { one("#text").value = text; one("#text").focus(); });
  log.replaceChildren(make("div", { class: "nothing" }, make("p", {}, make("strong", {}, "Talk as you would to anybody.")),
    make("p", {}, "What you tell of your tastes is remembered, and beside each reply stands what it rests on."),
    make("div", { class: "tools" }, BEGINNINGS.map(begin))));
}

function lazily(article, turnId) {
  const made = make("details", { class: "why" }, make("summary", {}, "Why this reply?"));
  made.addEventListener("toggle", async () => {
    try {
      made.replaceWith(why(await call(`/replies/${part(turnId)}/why`), true));
    } catch (error) {
      made.append(make("p", { class: "facts" }, error.status === 404 ? "That is known of the latest replies only." : error.message));
    }
  }, { once: true });
  return made;
}

function again(turn) {
  const article = said(turn.role, turn.text);
  if (turn.role === "assistant") {
    one(".bubble", article).append(tools(article, turn.id));
    article.append(lazily(article, turn.id));
  }
  return article;
}

async function list() {
  const known = (await call("/sessions")).sort((a, b) => (a.last_at < b.last_at ? 1 : -1));
  const chooser = one("#conversation");
  const label = (one) => `${new Date(one.last_at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}, ${counted(one.n_turns, "message")}`;
  const current = session();
  const options = known.map((one) => make("option", { value: one.id, selected: one.id === current }, label(one)));
  if (!known.some((one) => one.id === current)) options.unshift(make("option", { value: current, selected: true }, "New conversation"));
  chooser.replaceChildren(...options);
  one("#conversations").hidden = !known.length;
}

const stored = (more) => find("/turns", { session_id: session(), limit: 1000, newest: true, ...more });

function draw(turns) {
  newest = turns.at(-1)?.id ?? null;
  if (turns.length) log.replaceChildren(...turns.map(again));
  else greet();
  log.scrollTop = log.scrollHeight;
}

export async function show(wanted) {
  if (running) return;
  if (wanted) setSession(wanted);
  drawing += 1;
  const mine = drawing;
  const turns = await stored();
  // Meanwhile something was said, or another conversation was opened.
  if (mine !== drawing) return;
  draw(turns);
  await list();
}

export function setUp() {
  const slider = one("#strength"), area = one("#text");
  const say = () => {
    one("#strength-says").textContent = STRENGTHS[Number(slider.value)];
    slider.setAttribute("aria-valuetext", STRENGTHS[Number(slider.value)]);
  };
  slider.addEventListener("input", say);
  say();
  const open = async (id) => {
    running?.abort();
    running = null;
    setSession(id);
    history.replaceState(null, "", "#chat");
    await show().catch((error) => notify(error.message, true));
  };
  one("#new").addEventListener("click", async () => { await open(newSession()); area.focus(); });
  one("#conversation").addEventListener("change", (event) => open(event.target.value));
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!running) submit();
    }
  });
  one("#ask").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}
