"""Presets on what feedback teaches: each learns, or shows, something else than the defaults do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from habitus.agent import Agent, ScriptedChat
from habitus.agent.prompting.prompt import PromptParts
from habitus.memory.records import Preference

NOW = datetime.now(UTC)
"""A model reads edits at the present time."""
MONDAY = NOW - timedelta(days=9)
DAY = timedelta(days=1)
Opened = Callable[..., Agent]
Prompted = Callable[..., PromptParts]
Reader = Callable[..., ScriptedChat]

BULLETS = "- take the ferry\n- change at the pier"
PLAIN = "Take the ferry and change at the pier."
SCRIPTED = ScriptedChat(script=[BULLETS])
FERRY = "How do I get to the northern island by ferry?"
SOUP = "What goes into a soup of lentils?"
ORDER = "I want the order of steps to be kept."


def edited(agent: Agent, request: str, *, day: int, after: str = PLAIN) -> str:
    """Have a reply, rewrite it, wait until a model has read that; return what the user is told of it."""
    at = MONDAY + day * DAY
    reply = agent.chat("maya", request, at=at)
    final = agent.feedback("maya", reply.turn_id, edit=after, at=at + timedelta(minutes=1))
    agent.settle()
    effect = final["feedback_effect"]
    assert effect is not None
    return effect.reason


def shown(agent: Agent, target: str = "bullet points") -> Preference:
    [found] = [p for p in agent.preferences("maya") if p.target == target]
    return found


def persona_of(agent: Agent) -> str:
    persona = agent.persona("maya")
    return persona.text if persona is not None else ""


def test_cipher_applies_an_edit_to_requests_like_the_one_it_was_made_on(
    opened: Opened, prompted: Prompted, reader: Reader
) -> None:
    near, far = {}, {}
    for name in (None, "cipher"):
        agent = opened(name, generator=SCRIPTED, extractor=reader((ORDER, "and change")))
        edited(agent, FERRY, day=0)
        near[name] = prompted(agent, "How do I get to the southern island by ferry?", at=NOW)
        far[name] = prompted(agent, SOUP, at=NOW)
        if name:
            assert (shown(agent).status, persona_of(agent)) == ("pending", "")
            assert "requests like those" in str(shown(agent).status_reason)
    without_bullets = "I do not want bullet points."
    assert without_bullets in near[None].sections["preferences"]
    assert without_bullets in far[None].sections["preferences"]  # the defaults hold it for everything
    assert without_bullets in near["cipher"].sections["preferences"]
    assert ORDER in near["cipher"].sections["preferences"]
    assert "preferences" not in far["cipher"].sections


def test_prose_waits_for_a_second_edit(opened: Opened, reader: Reader) -> None:
    after_one, after_two = {}, {}
    for name in (None, "prose"):
        model = reader((ORDER, "and change"), (ORDER, "and change"))
        agent = opened(name, generator=SCRIPTED, extractor=model)
        told = edited(agent, FERRY, day=0)
        word = "seen" if name else "now"
        assert f"{word}: I do not want bullet points" in told
        after_one[name] = (shown(agent).status, persona_of(agent))
        told = edited(agent, SOUP, day=1)
        after_two[name] = (shown(agent).status, "bullet points" in persona_of(agent))
        if name:
            assert "now: I do not want bullet points" in told
            assert shown(agent, ORDER.lower().rstrip(".")).status == "active"
    assert after_one[None][0] == "active"
    assert after_one["prose"] == ("pending", "")
    assert after_two == {None: ("active", True), "prose": ("active", True)}


def test_prose_drops_what_a_second_edit_goes_against(opened: Opened, reader: Reader) -> None:
    agent = opened("prose", generator=SCRIPTED, extractor=reader((ORDER, "and change"), (ORDER, "- salt")))
    edited(agent, FERRY, day=0)
    edited(agent, SOUP, day=1, after=f"{BULLETS}\n- salt")  # keeps the bullets that the first took out
    edited_again = [p for p in agent.preferences("maya") if p.target == "bullet points"]
    assert all(p.status != "active" for p in edited_again)
    assert "bullet points" not in persona_of(agent)


def test_ticl_explains_the_users_version_against_the_failed_one(opened: Opened, prompted: Prompted) -> None:
    lines = {}
    for name in (None, "ticl"):
        agent = opened(name, generator=SCRIPTED)
        edited(agent, FERRY, day=0)
        lines[name] = prompted(agent, FERRY, at=NOW).sections["examples"]
    assert PLAIN in lines[None]
    assert "instead of" not in lines[None]
    assert lines["ticl"].startswith(f"- liked, asked {FERRY!r}: {PLAIN!r}, instead of '- take the ferry")
    assert "it shows: " in lines["ticl"]
    assert "I do not want bullet points." in lines["ticl"]


def test_fermi_shows_where_replies_missed_and_keeps_it_to_their_kind(
    opened: Opened, prompted: Prompted, reader: Reader
) -> None:
    near, far = {}, {}
    for name in (None, "fermi"):
        agent = opened(name, generator=SCRIPTED, extractor=reader((ORDER, "and change")))
        edited(agent, FERRY, day=0)
        near[name] = prompted(agent, FERRY, at=NOW).sections
        far[name] = prompted(agent, SOUP, at=NOW).sections
    assert "instead of" in near["fermi"]["examples"]
    assert ORDER in near["fermi"]["preferences"]
    assert "instead of" not in near[None]["examples"]
    assert "preferences" in far[None]
    assert not {"preferences", "examples"} & set(far["fermi"])


def test_ppt_shows_preferred_beside_rejected_and_chooses_by_it(opened: Opened) -> None:
    said, prompts = {}, {}
    for name in (None, "ppt"):
        drafts = [BULLETS, PLAIN, BULLETS, BULLETS]
        model = ScriptedChat(script=drafts)
        agent = opened(name, generator=model)
        for day in range(3):
            reply = agent.observe("maya", FERRY, BULLETS, at=MONDAY + day * DAY)
            at = reply.at + timedelta(minutes=1)
            agent.feedback("maya", reply.turn_id, choice=(PLAIN, [BULLETS]), at=at)
        said[name] = agent.chat("maya", FERRY, at=NOW).text
        prompts[name] = str(model.prompts[-1][-1].content)
    assert said == {None: BULLETS, "ppt": PLAIN}
    assert f"{PLAIN!r}, instead of {BULLETS!r}" in prompts["ppt"]
    assert "instead of" not in prompts[None]
    assert "disliked" in prompts[None]


def test_personaagent_puts_the_difference_in_words_and_into_the_persona(
    opened: Opened, prompted: Prompted, reader: Reader
) -> None:
    personas, parts = {}, {}
    for name in (None, "personaagent"):
        agent = opened(name, generator=SCRIPTED, extractor=reader((ORDER, "and change")))
        edited(agent, FERRY, day=0)
        personas[name] = persona_of(agent)
        parts[name] = prompted(agent, SOUP, at=NOW).sections
        if name:
            assert [one.reason for one in agent.personas("maya")][-1] == "second reading of feedback"
    assert ORDER in personas["personaagent"]
    assert ORDER not in personas[None]
    assert ORDER in parts["personaagent"]["persona"]
    assert "preferences" in parts[None]
    assert "preferences" not in parts["personaagent"]
