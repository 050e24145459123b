"""A chat model that plays the user: what it is told, and what it may not leave out."""

from __future__ import annotations

import pytest

from habitus.agent.generators.scripted import ScriptedChat
from habitus.evals.lifelong.generating import scenario
from habitus.evals.lifelong.scenarios import Step
from habitus.evals.lifelong.simulator import MAX_TRIES, ModelVoice, SimulatorError, scripted

LIFE = scenario("update", 0)
STEP = Step(minute=0, text="I live in Oslo.", intent="tell where you live: Oslo", names=("Oslo",))


def test_rules_say_the_generated_words() -> None:
    assert scripted(LIFE, STEP, "a reply") == "I live in Oslo."


def test_a_model_is_asked_again_when_it_leaves_a_name_out() -> None:
    model = ScriptedChat(script=["I live up north.", '"My home is OSLO."'])
    assert ModelVoice(model)(LIFE, STEP, "") == "My home is OSLO."
    assert len(model.prompts) == 2


def test_a_model_that_never_says_it_is_an_error() -> None:
    model = ScriptedChat(script=["I live up north."])
    with pytest.raises(SimulatorError, match="left out Oslo"):
        ModelVoice(model)(LIFE, STEP, "")
    assert len(model.prompts) == MAX_TRIES


def test_a_model_sees_the_reply_before_and_never_the_profile() -> None:
    model = ScriptedChat(script=["Oslo it is."])
    ModelVoice(model)(LIFE, STEP, "Where do you live?")
    prompt = "\n".join(str(message.content) for message in model.prompts[0])
    assert "Where do you live?" in prompt
    assert not [line for line in LIFE.profile if line in prompt]


def test_buttons_are_pressed_without_a_model() -> None:
    model = ScriptedChat(script=["Oslo"])
    forget = STEP.model_copy(update={"how": "forget"})
    assert ModelVoice(model)(LIFE, forget, "") == "I live in Oslo."
    assert model.prompts == []
