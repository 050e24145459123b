"""A chat model reads turns beside the rules: during the turn, or after it."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from habitus.agent import Agent, Conversation, Message, ScriptedChat, Settings
from habitus.agent.upkeep.metering import Meter, structured
from habitus.agent.upkeep.reading import BackgroundReader, TurnReader
from habitus.memory.errors import InvalidInputError
from habitus.memory.known.norms import DEFAULT_NORMS
from habitus.memory.records import Changes, Turn
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.tokens import estimate_tokens
from habitus.memory.usage import Price, Usage
from habitus.retrievers.encoder import HashingEncoder

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
LATER = Settings(extraction="model")
IN_TURN = Settings(extraction="model_in_turn")
FIGS = "For me figs beat dates."
MakeTurns = Callable[..., tuple[Turn, ...]]


def answer(*items: tuple[str, str, str]) -> str:
    noted = [{"quote": quote, "target": target, "stance": stance} for quote, target, stance in items]
    return json.dumps({"preferences": noted, "facts": []})


def told(prompt: Sequence[BaseMessage]) -> str:
    """Return the user's words in a prompt to the extractor."""
    found = re.search(r"<message>\n(.*)\n</message>", str(prompt[-1].content), re.DOTALL)
    assert found is not None
    return found[1]


def reader_of(text: str) -> Callable[[Sequence[BaseMessage]], str]:
    """Script a model that finds a taste for figs wherever `text` is said."""

    def reply(messages: Sequence[BaseMessage]) -> str:
        return answer(("figs beat dates", "figs", "like")) if text in told(messages) else answer()

    return reply


@contextmanager
def opened(
    folder: Path, extractor: ScriptedChat | None = None, settings: Settings = LATER, **more: Any
) -> Iterator[Agent]:
    generator = ScriptedChat(script=["ok"])
    with Agent.open(
        folder,
        encoder=HashingEncoder(),
        generator=generator,
        extractor=extractor,
        settings=settings,
        **more,
    ) as agent:
        yield agent


def targets(agent: Agent, user: str = "maya") -> list[str]:
    return [p.target for p in agent.preferences(user)]


def test_no_model_reads_unless_it_is_asked_for(tmp_path: Path) -> None:
    generator = ScriptedChat(script=["ok"])
    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=generator) as agent:
        agent.chat("maya", FIGS, at=MONDAY)
        agent.settle()
        assert len(generator.prompts) == 1
        assert agent.store.unread("maya") == []
        assert agent.usage().total == Usage()


def test_a_reply_does_not_wait_for_the_model_and_the_model_reads_later(tmp_path: Path) -> None:
    go_on = Event()

    def slow(messages: Sequence[BaseMessage]) -> str:
        go_on.wait(30)
        return answer(("figs beat dates", "figs", "like"), ("I love strong coffee", "coffee", "like"))

    with opened(tmp_path, ScriptedChat(script=slow)) as agent:
        reply = agent.chat("maya", f"I love strong coffee. {FIGS}", at=MONDAY)
        assert [p.target for p in reply.preferences] == ["strong coffee"]
        [before] = agent.preferences("maya")
        assert len(agent.store.unread("maya")) == 1
        go_on.set()
        agent.settle()
        assert agent.store.unread("maya") == []
        assert sorted(targets(agent)) == ["figs", "strong coffee"]
        [coffee] = [p for p in agent.preferences("maya") if p.target == "strong coffee"]
        assert coffee.confidence > before.confidence
        persona = agent.persona("maya")
        assert persona is not None
        assert persona.reason == "second reading"
        assert "Figs beat dates" in persona.text
        assert "Figs beat dates" in str(agent.profile("maya"))


def test_in_the_turn_the_reply_already_knows_what_the_model_found(tmp_path: Path) -> None:
    extractor = ScriptedChat(script=[answer(("figs beat dates", "figs", "like"))])
    with opened(tmp_path, extractor, IN_TURN) as agent:
        reply = agent.chat("maya", FIGS, at=MONDAY)
        assert [(p.target, p.status) for p in reply.preferences] == [("figs", "active")]
        assert reply.reading is not None
        assert reply.reading.usage.n_calls == 1
        assert "Figs beat dates" in "\n".join(reply.persona_diff())
        assert agent.store.unread("maya") == []


def test_both_ways_come_to_the_same(tmp_path: Path) -> None:
    texts = [f"I love strong coffee. {FIGS}", "I hate strong coffee.", "I no longer like figs."]
    found: list[list[tuple[str, str, str, float]]] = []
    for settings in (LATER, IN_TURN):
        extractor = ScriptedChat(script=reader_of("figs beat dates"))
        with opened(tmp_path / settings.extraction, extractor, settings) as agent:
            for day, text in enumerate(texts):
                agent.chat("maya", text, at=MONDAY + timedelta(days=day))
                agent.settle()
            records = agent.preferences("maya")
            found.append(sorted((p.target, p.stance, p.status, p.confidence) for p in records))
    assert found[0] == found[1]
    assert ("figs", "like", "retracted", 0.6) in found[0]


def test_what_the_rules_found_stands_where_the_model_talks_nonsense(tmp_path: Path) -> None:
    for name, script in {
        "refusal": "I'm sorry, I can't help with that.",
        "empty": "",
        "shape": '{"preferences": [1, 2]}',
    }.items():
        with opened(tmp_path / name, ScriptedChat(script=[script]), IN_TURN) as agent:
            agent.chat("maya", "I love strong coffee.", at=MONDAY)
            assert targets(agent) == ["strong coffee"]
            assert agent.usage().outcomes == {"unreadable": 1}
            assert agent.usage().extraction.n_calls == 2
            assert agent.store.unread("maya") == []


def test_tokens_money_and_what_was_dropped_are_counted(tmp_path: Path) -> None:
    extractor = ScriptedChat(script=["no json", answer(("I adore oysters", "oysters", "like"))])
    settings = Settings(extraction="model", price=Price(input_per_million=1.0, output_per_million=100.0))
    with opened(tmp_path, extractor, settings) as agent:
        agent.chat("maya", FIGS, at=MONDAY)
        agent.settle()
        usage = agent.usage()
    assert usage.outcomes == {"repaired": 1, "dropped: not in the turn": 1}
    assert usage.extraction.n_calls == usage.extraction.n_estimated == 2
    assert usage.cost == pytest.approx(
        (usage.total.input_tokens + 100 * usage.total.output_tokens) / 1_000_000
    )
    assert usage.currency == "USD"


def test_without_a_price_only_tokens_are_told(tmp_path: Path) -> None:
    with opened(tmp_path, ScriptedChat(script=[answer()])) as agent:
        agent.chat("maya", FIGS, at=MONDAY)
        agent.settle()
        assert agent.usage().cost is None
        assert agent.usage().extraction.input_tokens > 100


def test_a_turn_that_the_model_failed_on_is_read_later(tmp_path: Path) -> None:
    failures = iter([ConnectionError("down"), TimeoutError("slow")])

    def shaky(messages: Sequence[BaseMessage]) -> str:
        for error in failures:
            raise error
        return answer(("figs beat dates", "figs", "like"))

    with opened(tmp_path, ScriptedChat(script=shaky), IN_TURN) as agent:
        reply = agent.chat("maya", FIGS, at=MONDAY)
        assert reply.text == "ok"
        assert reply.reading is None
        agent.settle()
        assert targets(agent) == ["figs"]
        assert agent.usage().outcomes == {"failed": 2, "read": 1, "added": 1}


def test_closing_gives_up_the_call_and_the_next_opening_reads_the_turn(tmp_path: Path) -> None:
    asked, never = Event(), Event()

    def hang(messages: Sequence[BaseMessage]) -> str:
        asked.set()
        never.wait(60)
        return ""

    with opened(tmp_path, ScriptedChat(script=hang)) as agent:
        agent.chat("maya", FIGS, at=MONDAY)
        asked.wait(30)
    never.set()
    with opened(tmp_path, ScriptedChat(script=reader_of("figs"))) as agent:
        agent.settle()
        assert targets(agent) == ["figs"]


def test_closing_with_flush_reads_what_waits(tmp_path: Path) -> None:
    extractor = ScriptedChat(script=reader_of("figs"))
    with opened(tmp_path, extractor) as agent:
        agent.chat("maya", FIGS, at=MONDAY)
        agent.close(flush=True)
    with EmbeddedStore.open(tmp_path, HashingEncoder()) as store:
        assert store.unread("maya") == []
        assert [p.target for p in store.preferences("maya")] == ["figs"]


def test_turns_of_a_user_are_read_in_order_and_each_once(tmp_path: Path) -> None:
    extractor = ScriptedChat(script=[answer()])
    with opened(tmp_path, extractor) as agent:
        for n in range(6):
            for user in ("maya", "omar"):
                agent.chat(user, f"{user} says number {n}.", at=MONDAY)
        agent.settle()
    read = [told(prompt) for prompt in extractor.prompts]
    for user in ("maya", "omar"):
        assert [text for text in read if user in text] == [f"{user} says number {n}." for n in range(6)]


def test_conversations_brought_in_are_read_too(tmp_path: Path) -> None:
    said = Conversation(
        id="old",
        at=MONDAY,
        messages=(
            Message(role="user", text=FIGS),
            Message(role="assistant", text="Do they? I adore oysters."),
            Message(role="user", text="Indeed."),
        ),
    )
    extractor = ScriptedChat(script=reader_of("figs"))
    with opened(tmp_path, extractor) as agent:
        agent.ingest("maya", [said])
        agent.ingest("omar", [said], learn=False)
        agent.settle()
        assert targets(agent) == ["figs"]
        assert targets(agent, "omar") == []
    assert [told(prompt) for prompt in extractor.prompts] == [FIGS, "Indeed."]
    assert "adore oysters" in str(extractor.prompts[1][-1].content)


def test_what_is_forgotten_while_it_is_read_does_not_come_back(tmp_path: Path) -> None:
    asked, go_on = Event(), Event()

    def wait(messages: Sequence[BaseMessage]) -> str:
        asked.set()
        go_on.wait(30)
        return reader_of("figs")(messages)

    with opened(tmp_path, ScriptedChat(script=wait)) as agent:
        agent.chat("maya", FIGS, at=MONDAY)
        asked.wait(30)
        agent.delete_user("maya")
        go_on.set()
        agent.settle()
        assert agent.store.users() == []


def test_a_part_forgotten_while_it_is_read_is_read_without_it(tmp_path: Path) -> None:
    asked, go_on = Event(), Event()

    def wait(messages: Sequence[BaseMessage]) -> str:
        asked.set()
        go_on.wait(30)
        return reader_of("figs")(messages)

    with opened(tmp_path, ScriptedChat(script=wait)) as agent:
        agent.chat("maya", f"{FIGS} My locker holds a trombone.", at=MONDAY)
        asked.wait(30)
        agent.forget_about("maya", "figs")
        go_on.set()
        agent.settle()
        assert targets(agent) == []
        assert agent.store.unread("maya") == []
        assert [turn.text for turn in agent.memories("maya")][0] == "My locker holds a trombone."


def test_a_request_to_forget_is_not_shown_to_the_model(tmp_path: Path) -> None:
    extractor = ScriptedChat(script=[answer()])
    with opened(tmp_path, extractor) as agent:
        agent.chat("maya", "Forget that I live in Ghent.", at=MONDAY)
        agent.settle()
    assert extractor.prompts == []


def test_the_generator_reads_where_no_extractor_is_given(tmp_path: Path) -> None:
    generator = ScriptedChat(script=["ok", answer(("figs beat dates", "figs", "like"))])
    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=generator, settings=LATER) as agent:
        agent.chat("maya", FIGS, at=MONDAY)
        agent.settle()
        assert targets(agent) == ["figs"]


def test_preparing_asks_no_model_and_observing_does(tmp_path: Path) -> None:
    extractor = ScriptedChat(script=[answer(("figs beat dates", "figs", "like"))])
    with opened(tmp_path, extractor, IN_TURN) as agent:
        agent.prepare("maya", FIGS, at=MONDAY)
        assert extractor.prompts == []
        assert [p.target for p in agent.observe("maya", FIGS, "I see.", at=MONDAY).preferences] == ["figs"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"settings": LATER}, "needs a language model"),
        ({"extractor": ScriptedChat(script=["x"])}, "only rules are to read"),
        ({"extractor": "gpt", "settings": LATER}, "extractor must be a LangChain chat model"),
    ],
)
def test_an_extractor_that_cannot_work_is_refused_at_once(
    tmp_path: Path, parts: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Agent.open(tmp_path, encoder=HashingEncoder(), **parts)
    Agent.open(tmp_path, encoder=HashingEncoder()).close()


# -- the background reader on a store of its own


@contextmanager
def background(store: EmbeddedStore, script: Any) -> Iterator[tuple[BackgroundReader, Meter]]:
    meter = Meter()

    @contextmanager
    def turn_of(user_id: str) -> Iterator[None]:
        yield

    reader = BackgroundReader(
        store,
        TurnReader(structured(ScriptedChat(script=script), LATER, estimate_tokens), meter),
        turn_of=turn_of,
        settings=LATER,
        norms=DEFAULT_NORMS,
        count_tokens=estimate_tokens,
        when_written=lambda user_id, at: None,
        backoff_seconds=0.0,
    )
    try:
        yield reader, meter
    finally:
        reader.close()


@pytest.fixture
def waiting(tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns) -> Iterator[EmbeddedStore]:
    """A store in which four turns of one user wait."""
    with EmbeddedStore.open(tmp_path, encoder) as store:
        turns = make_turns(
            "ann", "s", "alpha is one", "r", "beta is two", "r", "gamma is three", "r", "delta"
        )
        said = tuple(turn.id for turn in turns if turn.role == "user")
        store.commit("ann", Changes(turns=turns, unread=said))
        yield store


def test_when_the_provider_is_down_nothing_is_lost_and_few_calls_are_made(waiting: EmbeddedStore) -> None:
    is_down = True

    def script(messages: Sequence[BaseMessage]) -> str:
        if is_down:
            raise ConnectionError
        return answer()

    with background(waiting, script) as (reader, meter):
        reader.settle()
        n_failed = meter.read().outcomes["failed"]
        assert n_failed in (6, 12)  # two turns, three tries each; once more if the first pass was over
        assert len(waiting.unread("ann")) == 4
        is_down = False
        reader.settle()
        assert waiting.unread("ann") == []
        assert meter.read().outcomes == {"failed": n_failed, "read": 4}


def test_one_turn_that_cannot_be_read_does_not_hold_up_the_others(waiting: EmbeddedStore) -> None:
    def script(messages: Sequence[BaseMessage]) -> str:
        if "beta" in told(messages):
            raise ValueError("too long")
        return answer()

    with background(waiting, script) as (reader, meter):
        reader.settle()
        assert [turn.text for turn in waiting.turns("ann", ids=waiting.unread("ann"))] == ["beta is two"]
        assert meter.read().outcomes["read"] == 3


def test_an_error_of_our_own_is_logged_without_the_users_words(
    waiting: EmbeddedStore, caplog: pytest.LogCaptureFixture
) -> None:
    with background(waiting, [answer()]) as (reader, _):
        waiting.close()
        reader.settle()
    assert "alpha" not in caplog.text


KILLED = """
import sys, time
from habitus.agent import Agent, ScriptedChat, Settings
from habitus.retrievers.encoder import HashingEncoder

def hang(messages):
    print("asked", flush=True)
    time.sleep(600)

agent = Agent.open(
    sys.argv[1],
    encoder=HashingEncoder(),
    generator=ScriptedChat(script=["ok"]),
    extractor=ScriptedChat(script=hang),
    settings=Settings(extraction="model"),
)
agent.chat("maya", "I love strong coffee. For me figs beat dates.")
time.sleep(600)
"""


def test_killed_in_the_middle_of_a_call_the_turn_is_read_at_the_next_opening(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as output:
        assert next(output) == "asked\n"
        process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    given = answer(("figs beat dates", "figs", "like"), ("love strong coffee", "strong coffee", "like"))
    for n_added in (1, 0):
        with opened(tmp_path, ScriptedChat(script=[given])) as agent:
            agent.settle()
            assert sorted(targets(agent)) == ["figs", "strong coffee"]
            assert agent.store.unread("maya") == []
            assert agent.usage().outcomes.get("added", 0) == n_added
