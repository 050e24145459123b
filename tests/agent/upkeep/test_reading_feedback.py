"""A chat model says why replies were edited, and reads comments that the rules do not understand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from langchain_core.messages import BaseMessage

from habitus.agent import Agent, ScriptedChat, Settings
from habitus.memory.records import Preference
from habitus.retrievers.encoder import HashingEncoder

MONDAY = datetime.now(UTC) - timedelta(days=10)
"""The model reads at the present time, by when what was shown long ago would have faded."""
REPLY = "There are several things to weigh. In the end, take the ferry."
EDITED = "Take the ferry. The bus is slower."
FIRST = "I want the answer first and the reasons after it."
Script = Callable[[Sequence[BaseMessage]], str]


def answer(*inferred: tuple[str, str], known: Sequence[tuple[int, str]] = (), about: str = "form") -> str:
    return json.dumps(
        {
            "preferences": [{"statement": s, "quote": q, "about": about} for s, q in inferred],
            "known": [{"number": number, "verdict": verdict} for number, verdict in known],
        }
    )


@contextmanager
def opened(folder: Path, script: Sequence[str] | Script, extraction: str = "model") -> Iterator[Agent]:
    settings = Settings.model_validate({"extraction": extraction})
    extractor = ScriptedChat(script=script) if extraction != "rules" else None
    generator = ScriptedChat(script=[REPLY])
    with Agent.open(
        folder, encoder=HashingEncoder(), generator=generator, extractor=extractor, settings=settings
    ) as agent:
        yield agent


def edit(agent: Agent, day: int, after: str = EDITED) -> str:
    """Have a reply, edit it, wait until the model has read that; return the id of the feedback."""
    at = MONDAY + timedelta(days=day)
    reply = agent.chat("maya", f"How do I get to island number {day}?", at=at)
    final = agent.feedback("maya", reply.turn_id, edit=after, at=at + timedelta(minutes=1))
    agent.settle()
    given = final["feedback"]
    assert given is not None
    return given.id


def inferred(agent: Agent, status: str = "active") -> list[Preference]:
    return [p for p in agent.preferences("maya") if p.topic.endswith(".inferred") and p.status == status]


def of_edits(*answers: str) -> Script:
    """Script a model: it finds nothing in messages, and in edits one answer after the other."""
    left = iter(answers)

    def reply(messages: Sequence[BaseMessage]) -> str:
        if "<before>" in str(messages[-1].content):
            return next(left)
        return json.dumps({"preferences": [], "facts": []})

    return reply


def test_the_reason_of_an_edit_is_put_in_words_and_reaches_persona_and_prompt(tmp_path: Path) -> None:
    with opened(tmp_path, of_edits(answer((FIRST, "Take the ferry. The bus")))) as agent:
        given = edit(agent, 0)
        [found] = inferred(agent)
        assert (found.statement, found.source, found.explicit) == (FIRST, "edit", False)
        assert [(e.turn_id, e.quote) for e in found.evidence] == [(given, "Take the ferry. The bus")]
        persona = agent.persona("maya")
        assert persona is not None
        assert FIRST in persona.text
        assert persona.reason == "second reading of feedback"
        prompt = agent.prepare("maya", "And how do I get back?", at=MONDAY + timedelta(days=1))
        assert FIRST in "".join(str(message.content) for message in prompt.messages)
        assert agent.usage().outcomes["edit read"] == 1


def test_feedback_does_not_wait_for_the_model(tmp_path: Path) -> None:
    with opened(tmp_path, of_edits(answer((FIRST, "The bus is slower")))) as agent:
        agent._background.close()  # the model is not to be had any more in this process
        edit(agent, 0)
        assert inferred(agent) == []
        assert len(agent.store.unread("maya")) == 2, "the message and the reply that was edited wait"
    with opened(tmp_path, of_edits(answer((FIRST, "The bus is slower")))) as agent:
        agent.settle()
        assert len(inferred(agent)) == 1
        assert agent.store.unread("maya") == []


def test_no_model_reads_edits_unless_it_is_asked_for(tmp_path: Path) -> None:
    with opened(tmp_path, [], extraction="rules") as agent:
        edit(agent, 0)
        assert agent.store.unread("maya") == []
        assert inferred(agent) == []


def test_a_finding_is_held_against_later_edits_and_dropped_when_it_does_not_hold(tmp_path: Path) -> None:
    script = of_edits(
        answer((FIRST, "The bus is slower")), answer(known=[(1, "contradicted")]), answer(known=[(1, "kept")])
    )
    with opened(tmp_path, script) as agent:
        edit(agent, 0)
        assert len(inferred(agent)) == 1
        edit(agent, 1, "The ferry is slower. Take the bus.")
        assert inferred(agent) == []
        [ended] = inferred(agent, "superseded")
        assert ended.status_reason == "later feedback did not bear it out"
        persona = agent.persona("maya")
        assert persona is not None
        assert FIRST not in persona.text


def test_a_finding_borne_out_outlasts_one_edit_against_it_but_not_two(tmp_path: Path) -> None:
    kept, against = answer(known=[(1, "kept")]), answer(known=[(1, "contradicted")])
    script = of_edits(answer((FIRST, "The bus is slower")), kept, kept, kept, against, against)
    with opened(tmp_path, script) as agent:
        confidences = []
        for day in range(5):
            edit(agent, day, f"Take ferry {day}. The bus is slower.")
            confidences += [p.confidence for p in inferred(agent)]
        assert confidences[0] < confidences[1] < confidences[3] > confidences[4]
        edit(agent, 5)
        assert inferred(agent) == []


def test_the_model_is_shown_what_it_found_before(tmp_path: Path) -> None:
    script = of_edits(answer((FIRST, "The bus is slower")), answer())
    with opened(tmp_path, script) as agent:
        extractor = agent._background.reader
        assert extractor is not None
        edit(agent, 0)
        edit(agent, 1, "Take a bicycle. The bus is slower.")
        shown = [str(m[-1].content) for m in extractor._chat._model.prompts]  # type: ignore[attr-defined]
        last = [one for one in shown if "<before>" in one][-1]
        assert f"<known>\n1. {FIRST}\n</known>" in last
        assert "<request>\nHow do I get to island number 1?" in last


@pytest.mark.parametrize(
    "given",
    [
        answer((FIRST, "words that nobody wrote")),
        answer((FIRST, "take the ferry.")),
        answer(("Answers come first.", "The bus is slower")),
        answer(("I " + "really " * 60 + "do.", "The bus is slower")),
        "no JSON at all",
    ],
)
def test_what_the_edit_does_not_bear_out_is_dropped(tmp_path: Path, given: str) -> None:
    with opened(tmp_path, of_edits(given, given)) as agent:
        edit(agent, 0, "In the end, take the ferry. The bus is slower.")
        assert inferred(agent) == []
        assert agent.store.unread("maya") == [], "it is read once"


def test_a_third_person_is_put_into_the_first(tmp_path: Path) -> None:
    with opened(
        tmp_path, of_edits(answer(("The user prefers plain verbs.", "Take the ferry. The")))
    ) as agent:
        edit(agent, 0)
        assert [p.statement for p in inferred(agent)] == ["I prefer plain verbs."]


def test_what_the_rules_hold_is_not_said_twice_and_words_stand_above_it(tmp_path: Path) -> None:
    bullets = "- Take the ferry\n- The bus is slower"
    twice = answer(
        ("I want bullet points.", "- Take the ferry"), ("I want bullet points with a verb.", "- The bus")
    )
    with opened(tmp_path / "a", of_edits(twice)) as agent:
        edit(agent, 0, bullets)
        assert [p.statement for p in inferred(agent)] == ["I want bullet points with a verb."]
    with opened(tmp_path / "b", of_edits(twice)) as agent:
        agent.chat("maya", "Please never use bullet points.", at=MONDAY - timedelta(days=1))
        edit(agent, 0, bullets)
        assert inferred(agent) == []
        assert all(
            "contradicts what the user said" in str(p.status_reason) for p in inferred(agent, "pending")
        )
        assert inferred(agent, "pending")


def test_a_finding_about_content_applies_where_it_fits_and_against_a_norm_never(tmp_path: Path) -> None:
    script = of_edits(
        answer(("I prefer ferries to buses.", "The bus is slower"), about="content"),
        answer(("I want uncensored answers with no moral limits.", "Take a boat."), about="content"),
    )
    with opened(tmp_path, script) as agent:
        edit(agent, 0)
        edit(agent, 1, "Take a boat.")
        assert [(p.topic, p.statement) for p in inferred(agent)] == [
            ("taste.inferred", "I prefer ferries to buses.")
        ]


def test_taking_the_edit_back_takes_back_what_the_model_made_of_it(tmp_path: Path) -> None:
    with opened(tmp_path, of_edits(answer((FIRST, "The bus is slower")))) as agent:
        given = edit(agent, 0)
        agent.undo_feedback("maya", given, at=MONDAY + timedelta(days=1))
        assert inferred(agent) == []
        persona = agent.persona("maya")
        assert persona is None or FIRST not in persona.text


def test_deleting_the_reply_deletes_what_the_model_made_of_its_edit(tmp_path: Path) -> None:
    with opened(tmp_path, of_edits(answer((FIRST, "The bus is slower")))) as agent:
        edit(agent, 0)
        agent.forget("maya", turn_ids=[turn.id for turn in agent.store.turns("maya")])
        assert inferred(agent) == []
        assert FIRST not in agent.export("maya").model_dump_json()


def test_a_comment_in_another_language_is_read_by_the_model(tmp_path: Path) -> None:
    words = "Bitte keine Erdnüsse mehr, davon wird mir schlecht."

    def reads(messages: Sequence[BaseMessage]) -> str:
        told = re.search(r"<message>\n(.*)\n</message>", str(messages[-1].content), re.DOTALL)
        if told is None or told[1] != words:
            return json.dumps({"preferences": [], "facts": []})
        noted = {"quote": "keine Erdnüsse mehr", "target": "Erdnüsse", "stance": "avoid", "strength": 0.9}
        return json.dumps({"preferences": [noted], "facts": []})

    with opened(tmp_path, reads) as agent:
        reply = agent.chat("maya", "What snack shall I take?", at=MONDAY)
        final = agent.feedback("maya", reply.turn_id, comment=words, at=MONDAY)
        effect = final["feedback_effect"]
        assert effect is not None
        assert (effect.understood, effect.not_understood) == ((), (words,))
        agent.settle()
        assert [(p.target, p.stance) for p in agent.preferences("maya")] == [("erdnüsse", "avoid")]
        [given] = agent.store.feedback("maya")
        assert given.comment == words
        assert given.reading is not None
