from datetime import UTC, datetime, timedelta
from pathlib import Path

from habitus.agent import Agent
from habitus.agent.nodes.command import FORGOTTEN_REQUEST
from habitus.agent.routing import CONFIRMATION

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_what_is_asked_to_be_forgotten_is_gone_everywhere(agent: Agent, tmp_path: Path) -> None:
    agent.chat("maya", "I adore xylophonequartz.", at=MONDAY)
    agent.chat("maya", "I can't stand crowded places.", at=MONDAY)
    reply = agent.chat("maya", "Forget that I adore xylophonequartz.", at=MONDAY + DAY)
    assert reply.outcome is not None
    assert reply.outcome.forgotten is not None
    assert len(reply.outcome.forgotten.preference_ids) == 1
    assert "xylophonequartz" not in agent.export("maya").model_dump_json()
    assert "crowded places" in agent.export("maya").model_dump_json()
    agent.close()
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not [path.name for path in files if b"xylophonequartz" in path.read_bytes().lower()]


def test_a_message_keeps_what_was_not_to_be_forgotten(agent: Agent) -> None:
    agent.chat("maya", "Hi! My name is Maya, I live in Lisbon and I work as a nurse.", at=MONDAY)
    reply = agent.chat("maya", "Please forget that I work as a nurse.", at=MONDAY)
    assert reply.outcome is not None
    assert reply.outcome.forgotten is not None
    assert reply.outcome.forgotten.turn_ids == ()
    assert agent.memories("maya")[0].text == "Hi! My name is Maya, I live in Lisbon."
    assert sorted(fact.statement for fact in agent.facts("maya")) == ["I live in Lisbon.", "My name is Maya."]


def test_the_request_to_forget_is_not_kept_in_words(agent: Agent) -> None:
    agent.chat("maya", "Forget that I adore xylophonequartz.", at=MONDAY)
    assert agent.memories("maya")[0].text == FORGOTTEN_REQUEST


def test_forget_that_means_the_last_exchange(agent: Agent) -> None:
    agent.chat("maya", "My bicycle is parked behind the library.", at=MONDAY)
    agent.chat("maya", "I adore opera.", at=MONDAY)
    agent.chat("maya", "Forget that.", at=MONDAY)
    kept = agent.export("maya").model_dump_json()
    assert "opera" not in kept
    assert "library" in kept


def test_nothing_to_forget_is_said(agent: Agent) -> None:
    agent.chat("maya", "I adore opera.", at=MONDAY)
    reply = agent.chat("maya", "Forget that I like submarines.", at=MONDAY)
    assert reply.text == "I found nothing stored about that."
    assert len(agent.preferences("maya")) == 1


def test_forgotten_words_do_not_come_back_through_the_session(agent: Agent) -> None:
    agent.chat("maya", "My code word is zinnia.", at=MONDAY)
    agent.chat("maya", "Forget my code word zinnia.", at=MONDAY)
    reply = agent.chat("maya", "What is my code word?", at=MONDAY)
    assert "zinnia" not in reply.text


def test_what_is_known_is_shown(agent: Agent) -> None:
    agent.chat("maya", "I can't stand crowded places.", at=MONDAY)
    reply = agent.chat("maya", "What do you know about me?", at=MONDAY)
    assert "crowded places" in reply.text
    assert "2026-03-02" in reply.text


def test_a_stranger_is_told_that_nothing_is_known(agent: Agent) -> None:
    assert "don't know anything" in agent.chat("maya", "What do you know about me?", at=MONDAY).text


def test_an_export_comes_with_the_reply(agent: Agent) -> None:
    agent.chat("maya", "I can't stand crowded places.", at=MONDAY)
    reply = agent.chat("maya", "Please export my data.", at=MONDAY)
    assert reply.outcome is not None
    assert reply.outcome.exported is not None
    assert reply.outcome.exported.turns[0].text == "I can't stand crowded places."


def test_a_correction_supersedes(agent: Agent) -> None:
    agent.chat("maya", "I prefer window seats.", at=MONDAY)
    agent.chat("maya", "Correction: I dislike window seats.", at=MONDAY + DAY)
    by_status = {p.status: p.stance for p in agent.preferences("maya")}
    assert by_status == {"superseded": "like", "active": "dislike"}


def test_a_correction_that_says_nothing_is_asked_again(agent: Agent) -> None:
    reply = agent.chat("maya", "Correction: hmm.", at=MONDAY)
    assert "could not tell what to correct" in reply.text


def test_a_command_beside_a_request_answers_both(agent: Agent) -> None:
    agent.chat("maya", "I can't stand crowded places. I adore opera.", at=MONDAY)
    reply = agent.chat(
        "maya", "Forget that I adore opera. Can you suggest places, crowded or not?", at=MONDAY + DAY
    )
    assert reply.text.startswith("Forgotten:")
    assert "command" in reply.routes
    assert "generalization" in reply.routes


def test_everything_is_deleted_only_after_a_confirmation(agent: Agent, tmp_path: Path) -> None:
    agent.chat("maya", "I adore xylophonequartz.", at=MONDAY)
    asked = agent.chat("maya", "Delete all my data.", at=MONDAY)
    assert CONFIRMATION in asked.text
    assert len(agent.preferences("maya")) == 1
    done = agent.chat("maya", CONFIRMATION, at=MONDAY)
    assert done.text.startswith("Everything is deleted for good")
    kept = agent.export("maya")
    assert [turn.text for turn in kept.turns] == [FORGOTTEN_REQUEST, done.text]
    assert kept.preferences == ()
    agent.close()
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not [path.name for path in files if b"xylophonequartz" in path.read_bytes().lower()]


def test_corrections_and_edits_go_with_what_is_forgotten(agent: Agent) -> None:
    reply = agent.chat("maya", "Recommend me a walk near the Zanzibarium clinic.", at=MONDAY)
    agent.feedback("maya", reply.turn_id, edit="Walk along the Zanzibarium wall.", at=MONDAY)
    agent.chat("maya", "Forget everything I told you about the Zanzibarium.", at=MONDAY)
    assert "zanzibarium" not in agent.export("maya").model_dump_json().lower()
