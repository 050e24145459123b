"""Presets on what the generator reads: each puts something else into the prompt than the defaults do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from langchain_core.messages import BaseMessage

from habitus.agent import Agent, ScriptedChat, Settings
from habitus.agent.prompting.prompt import PromptParts
from habitus.memory.known.norms import DEFAULT_NORMS
from habitus.memory.records import Norm

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)
Opened = Callable[..., Agent]
Prompted = Callable[..., PromptParts]
Reader = Callable[..., ScriptedChat]
OF_THE_USER = {"persona", "profile", "preferences", "corrections", "examples", "writing", "memories"}


def told(agent: Agent, *texts: str) -> str:
    """Say something each day; return the id of the last reply."""
    turn_id = ""
    for number, text in enumerate(texts):
        turn_id = agent.chat("maya", text, at=MONDAY + (number - len(texts)) * DAY).turn_id
    return turn_id


def set_right(agent: Agent) -> None:
    reply = told(agent, "I'm allergic to walnuts.", "How far is the ferry harbour?")
    agent.feedback("maya", reply, comment="No, it's 3 km, not 5 km.", at=MONDAY - DAY + timedelta(minutes=1))


def of_the_user(parts: PromptParts) -> set[str]:
    return set(parts.sections) & OF_THE_USER


def test_memprompt_leaves_corrections_alone_in_the_prompt(opened: Opened, prompted: Prompted) -> None:
    found = {}
    for name in (None, "memprompt"):
        agent = opened(name)
        set_right(agent)
        found[name] = prompted(agent, "How far is the ferry harbour from here?")
    assert of_the_user(found[None]) > {"corrections", "memories"}
    assert of_the_user(found["memprompt"]) == {"corrections"}
    assert "3 km" in found["memprompt"].sections["corrections"]


def test_teachme_retrieves_what_was_taught_and_nothing_else(opened: Opened, prompted: Prompted) -> None:
    found = {}
    for name in (None, "teachme"):
        agent = opened(name)
        set_right(agent)
        told(agent, "The ferry harbour is busy.", "I work at the ferry harbour.")
        found[name] = prompted(agent, "How far is the ferry harbour from here?").sections
    assert all("3 km" in parts["corrections"] for parts in found.values())
    assert "busy" in found[None]["memories"]
    assert "busy" not in found["teachme"]["memories"]
    assert "I work at the ferry harbour" in found["teachme"]["memories"]


LIKES = ("I love jazz.", "I love sailing.", "I love mussels.")
WORDED = "The user likes jazz, sailing and mussels."


def test_pag_puts_the_summary_before_a_quarter_of_the_evidence(
    opened: Opened, prompted: Prompted, reader: Reader
) -> None:
    found = {}
    said = [f"On day {number} I took the ferry to the island of number {number}." for number in range(40)]
    for name in (None, "pag"):
        agent = opened(name, extractor=reader(profile=WORDED))
        told(agent, *LIKES, *said)
        agent.settle()
        found[name] = prompted(agent, "Which island did I take the ferry to?")
    assert of_the_user(found["pag"]) == {"profile", "memories"}
    assert WORDED in found["pag"].sections["profile"]
    assert WORDED not in found[None].sections["profile"]
    n_lines = {name: parts.sections["memories"].count("\n") for name, parts in found.items()}
    assert n_lines["pag"] < 0.4 * n_lines[None]


def test_gpg_answers_questions_in_place_of_evidence(
    opened: Opened, prompted: Prompted, reader: Reader
) -> None:
    found, asked = {}, {}
    for name in (None, "gpg"):
        model = reader(profile=WORDED)
        agent = opened(name, extractor=model)
        told(agent, *LIKES)
        agent.settle()
        found[name] = prompted(agent, "Do I love sailing?")
        asked[name] = [str(prompt[-1].content) for prompt in model.prompts]
    assert asked[None] == []
    assert "What does this user like, and what do these likings have in common?" in asked["gpg"][-1]
    assert WORDED in found["gpg"].sections["profile"]
    assert "memories" in found[None].sections
    assert "memories" not in found["gpg"].sections


def noting(messages: Sequence[BaseMessage]) -> str:
    return "They are tired." if "Do not answer the message yet" in str(messages[-1].content) else "Rest."


def test_cue_cot_notes_the_users_state_before_the_reply(opened: Opened) -> None:
    calls = {}
    for name in (None, "cue-cot"):
        model = ScriptedChat(script=noting)
        agent = opened(name, generator=model)
        assert agent.chat("maya", "Everything is too much today.", at=MONDAY).text == "Rest."
        calls[name] = [str(prompt[-1].content) for prompt in model.prompts]
        agent.chat("maya", "Everything is too much today.", at=MONDAY, strength=0.0)
        assert (
            len(model.prompts) == len(calls[name]) + 1
        )  # where nothing of the user counts, nothing is asked
    [plain] = calls[None]
    first, second = calls["cue-cot"]
    assert "cues" not in plain
    assert all(cue in first for cue in Settings.preset("cue-cot").cues)
    assert "<cues>\nThey are tired.\n</cues>" in second


def test_prime_thinks_over_episodes_and_beliefs_before_the_reply(opened: Opened, reader: Reader) -> None:
    model = ScriptedChat(script=noting)
    agent = opened("prime", generator=model, extractor=reader(profile=WORDED))
    told(agent, *LIKES)
    agent.settle()
    n_calls = len(model.prompts)
    agent.chat("maya", "Which of the things I love could I do on Sunday?", at=MONDAY)
    thought, reply = (
        "\n\n".join(str(message.content) for message in prompt) for prompt in model.prompts[n_calls:]
    )
    assert Settings.preset("prime").cues[0] in thought
    for prompt in (thought, reply):  # both memories stand in both
        assert WORDED in prompt
        assert "I love sailing." in prompt[prompt.index("<memories>") :]
        assert "<preferences>" not in prompt


def test_urial_shows_replies_in_one_style_and_the_users_take_their_places(
    opened: Opened, prompted: Prompted
) -> None:
    assert "demonstrations" not in prompted(opened(None), "What is dew?").sections
    agent = opened("urial")
    given = Settings.preset("urial").demonstrations
    before = prompted(agent, "What is dew?").sections["demonstrations"]
    assert before == prompted(agent, "Who was Ada Lovelace?").sections["demonstrations"]
    assert all(one.request in before for one in given)
    reply = agent.chat("maya", "How do I tie a bowline?", at=MONDAY - DAY)
    agent.feedback("maya", reply.turn_id, edit="Loop, through, around, back.", at=MONDAY - DAY)
    after = prompted(agent, "What is dew?").sections["demonstrations"]
    assert after.startswith("Message: How do I tie a bowline?\nReply: Loop, through, around, back.")
    assert [one.request in after for one in given] == [True, True, False]


def test_opo_brings_the_nearest_rules_into_each_prompt(opened: Opened, prompted: Prompted) -> None:
    deposit = Norm(id="deposit", text="A rent deposit is at most three months of rent.", always=False)
    parking = Norm(id="parking", text="Parking on a pavement is forbidden.", always=False)
    found = {}
    for name in (None, "opo"):
        agent = opened(name, norms=[*DEFAULT_NORMS, deposit, parking])
        asked = "My landlord wants six months of rent as a deposit."
        found[name] = prompted(agent, asked).sections.get("applicable-norms", "")
    assert found[None] == ""
    assert found["opo"].startswith(f"- {deposit.text}")
    assert len(found["opo"].splitlines()) == 2
    assert parking.text not in found["opo"]


WRITTEN = (
    "cheers, any idea where to moor my dinghy?",
    "cheers, is the tide any good tomorrow?",
    "my dinghy leaks again... any idea?",
    "cheers! any idea how to dry a sail?",
    "my dinghy is dry again, cheers",
    "any idea what the tide does to my mooring?",
)


LONG = (
    "There are several options that you might want to consider carefully before you decide anything at all."
)


def test_ap_bots_tells_how_the_user_writes(opened: Opened, prompted: Prompted) -> None:
    found = {}
    for name in (None, "ap-bots"):
        agent = opened(name, generator=ScriptedChat(script=[LONG]))
        told(agent, *WRITTEN)
        reply = agent.chat("maya", "Any idea what my dinghy costs?", at=MONDAY - timedelta(hours=2))
        agent.feedback("maya", reply.turn_id, edit="Some 900 euros.", at=MONDAY - timedelta(hours=2))
        found[name] = prompted(agent, "Any idea what my dinghy costs now?").sections
    assert "writing" not in found[None]
    writing = found["ap-bots"]["writing"]
    assert "words a message" in writing
    assert "no capital at the beginning" in writing
    theirs = writing[writing.index("Words that are theirs") :]
    assert all(word in theirs for word in ("cheers", "dinghy", "idea"))
    assert "options" not in theirs  # the assistant's
    assert "instead of" not in found[None]["examples"]
    assert f"'Some 900 euros.', instead of '{LONG}'" in found["ap-bots"]["examples"]


def test_authorpred_finds_summarises_and_names_key_words(
    opened: Opened, prompted: Prompted, reader: Reader
) -> None:
    found = {}
    for name in (None, "authorpred"):
        agent = opened(name, generator=ScriptedChat(script=[LONG]), extractor=reader(profile=WORDED))
        told(agent, *LIKES, *WRITTEN)
        agent.settle()
        found[name] = prompted(agent, "Write to the harbour about my dinghy.")
    assert of_the_user(found["authorpred"]) == {"profile", "writing", "memories"}
    assert WORDED in found["authorpred"].sections["profile"]
    assert "dinghy" in found["authorpred"].sections["writing"]
    assert "writing" not in found[None].sections
