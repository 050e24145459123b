"""`habitus chat`: a conversation in the terminal, and commands that begin with a slash."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from habitus.agent.commands.exits import Exit
from habitus.agent.commands.options import GeneratorName, Place, PresetName, User, console, opened

if TYPE_CHECKING:
    from rich.console import Console

    from habitus.agent.agent import Agent
    from habitus.agent.reply import Reply


def chat(
    user: User = "me",
    folder: Place = None,
    generator: GeneratorName = None,
    preset: PresetName = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Read a message a line, print a JSON object a line.")
    ] = False,
) -> None:
    """Talk to the agent; /help lists what else it does. Arrow keys bring back what was typed before."""
    with opened(folder, create=True, generator=generator, preset=preset) as agent:
        if as_json:
            failed = _converse_in_json(agent, user)
        else:
            failed = False
            _Conversation(agent, user, console()).run()
    if failed:
        raise typer.Exit(Exit.FAILED)


@dataclass(frozen=True)
class _SlashCommand:
    usage: str
    does: str
    run: Callable[[_Conversation, str], None]


class _Conversation:
    """One sitting: whom the agent talks to, the last reply, and the dial."""

    def __init__(self, agent: Agent, user: str, out: Console) -> None:
        self.agent = agent
        self.user = user
        self.out = out
        self.last: Reply | None = None
        self.strength = 1.0
        self.session: str | None = None

    def run(self) -> None:
        self.out.print("[dim]/help lists the commands, /quit leaves[/dim]")
        for text in self._typed():
            name, _, rest = text.partition(" ")
            if not text.startswith("/"):
                self._answer(text)
            elif name in COMMANDS:
                self._guarded(lambda n=name, r=rest: COMMANDS[n].run(self, r.strip()))  # type: ignore[misc]
            else:
                self.say(f"There is no command {name}; /help lists them.")

    def say(self, text: str, style: str | None = None) -> None:
        self.out.print(text, style=style, markup=False, highlight=False)

    def _typed(self) -> Iterator[str]:
        # Typed lines come back with the arrow keys, for as long as this runs: a file of them would be a
        # second record of what was said, which nobody deletes.
        if sys.stdin.isatty():
            import readline  # noqa: F401
        while True:
            try:
                text = self.out.input("[bold]you>[/bold] ").strip()
            except (EOFError, KeyboardInterrupt):
                return
            if text == "/quit":
                return
            if text:
                yield text

    def _answer(self, text: str) -> None:
        from habitus.agent.reply import Reply

        def turn() -> None:
            for part in self.agent.stream(self.user, text, session_id=self.session, strength=self.strength):
                if isinstance(part, Reply):
                    self.out.print()
                    self.last, self.session = part, part.session_id
                else:
                    self.out.print(part, end="", markup=False, highlight=False)

        self._guarded(turn)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do something that may go wrong without ending the conversation."""
        from habitus.agent.errors import AgentError
        from habitus.memory.errors import MemoryStoreError

        try:
            work()
        except (AgentError, MemoryStoreError) as error:
            self.say(str(error), style="red")


def _help(one: _Conversation, rest: str) -> None:
    width = max(len(command.usage) for command in COMMANDS.values())
    for command in COMMANDS.values():
        one.say(f"{command.usage.ljust(width)}  {command.does}")


def _why(one: _Conversation, rest: str) -> None:
    one.say(one.last.why() if one.last else "Nothing has been said yet.")


def _memory(one: _Conversation, rest: str) -> None:
    from habitus.agent.prompting.rendering import preference_table

    if rest:
        one.say(one.agent.recall(one.user, rest).packed.text or "Nothing in memory bears on that.")
    else:
        one.out.print(preference_table(one.agent.preferences(one.user)))


def _forget(one: _Conversation, rest: str) -> None:
    gone = one.agent.forget_about(one.user, rest)
    n_records = len(gone.preference_ids) + len(gone.fact_ids)
    n_messages = len(gone.turn_ids) + len(gone.rewritten_ids)
    one.say(f"Deleted for good: {n_records} records, and what {n_messages} messages said of it.")


_RATINGS = {"good": 1.0, "bad": -1.0, "+": 1.0, "-": -1.0}


def _rate(one: _Conversation, rest: str) -> None:
    if one.last is None:
        one.say("Nothing has been said yet.")
        return
    try:
        rating = _RATINGS[rest] if rest in _RATINGS else float(rest)
    except ValueError:
        one.say("Rate with good, bad, or a number from -1 to 1.")
        return
    _tell(one, rating=rating)


def _edit(one: _Conversation, rest: str) -> None:
    if one.last is None or not rest:
        one.say("After a reply: /edit and the reply as you would have it.")
        return
    _tell(one, edit=rest)


def _tell(one: _Conversation, *, rating: float | None = None, edit: str | None = None) -> None:
    assert one.last is not None
    final = one.agent.feedback(one.user, one.last.turn_id, rating=rating, edit=edit)
    effect = final["feedback_effect"]
    one.say(effect.reason if effect else "Noted.")


def _strength(one: _Conversation, rest: str) -> None:
    try:
        strength = float(rest) if rest else one.strength
    except ValueError:
        strength = -1.0
    if not 0.0 <= strength <= 1.0:
        one.say("Give a number from 0 (nothing of what is known of you counts) to 1 (all of it).")
        return
    one.strength = strength
    one.say(f"Strength is {strength:g}.")


def _new(one: _Conversation, rest: str) -> None:
    from habitus.memory.records import new_id

    if one.session is not None:
        one.agent.end_session(one.user, one.session)
    one.session, one.last = new_id(), None
    one.say("A new conversation begins; what was said is remembered.")


COMMANDS = {
    "/why": _SlashCommand("/why", "explain the last reply", _why),
    "/memory": _SlashCommand(
        "/memory [QUESTION]", "show your preferences, or what memory holds on a question", _memory
    ),
    "/forget": _SlashCommand("/forget WORDS", "delete for good what the words speak of", _forget),
    "/rate": _SlashCommand("/rate good|bad|-1..1", "rate the last reply", _rate),
    "/edit": _SlashCommand("/edit TEXT", "give the last reply as you would have it", _edit),
    "/strength": _SlashCommand("/strength 0..1", "how much of what is known of you counts", _strength),
    "/new": _SlashCommand("/new", "end this conversation and begin another", _new),
    "/help": _SlashCommand("/help", "list these commands", _help),
    "/quit": _SlashCommand("/quit", "leave", lambda one, rest: None),
}


def _converse_in_json(agent: Agent, user: str) -> bool:
    """Answer each line of standard input by a JSON object, the reply or an error; tell whether any failed."""
    from habitus.agent.errors import AgentError
    from habitus.memory.errors import MemoryStoreError

    failed = False
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            reply = agent.chat(user, line.rstrip("\n"))
            told: dict[str, object] = {
                "reply": reply.text,
                "turn_id": reply.turn_id,
                "session_id": reply.session_id,
            }
            told |= {"routes": sorted(reply.routes), "why": reply.why()}
        except (AgentError, MemoryStoreError) as error:
            failed = True
            told = {"error": str(error)}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    return failed
