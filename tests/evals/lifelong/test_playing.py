"""Lives played to Habitus: what is said reaches memory, and a leak that is planted is found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from langchain_core.messages import BaseMessage

from habitus.agent.agent import Agent
from habitus.agent.generators.scripted import ScriptedChat
from habitus.evals.lifelong.generating import scenario
from habitus.evals.lifelong.options import Skill
from habitus.evals.lifelong.playing import HabitusPlayer
from habitus.evals.lifelong.scenarios import (
    AnswerProbe,
    Check,
    GoneProbe,
    LeakProbe,
    Scenario,
    Step,
    StyleProbe,
    TruthProbe,
)
from habitus.evals.lifelong.scoring import passes
from habitus.memory.records import Turn
from habitus.retrievers.encoder import HashingEncoder

ENCODER = HashingEncoder(32)


def life(*steps: Step, probe: object, derived: bool = False) -> Scenario:
    return Scenario.model_validate(
        {
            "id": "update-familiar-0000",
            "type": "update",
            "profile": (),
            "steps": steps,
            "checks": [Check.model_validate({"minute": 90, "probe": probe})],
            "derived": derived,
        }
    )


def said(text: str, minute: int = 0, **more: object) -> Step:
    return Step.model_validate({"minute": minute, "text": text, "intent": text, **more})


def test_chat_observe_feedback_and_forgetting_reach_memory(tmp_path: Path) -> None:
    play = HabitusPlayer(ENCODER, tmp_path)
    played = play(
        life(
            said("I love ferries."),
            said("I hate cable cars.", 1, how="observe"),
            said("Shorter, please.", 2, how="comment"),
            probe=TruthProbe(holds=((True, "ferries", None), (False, "cable cars", None))),
        )
    )
    (found,) = played.findings
    assert found is not None
    assert {(True, "ferries", None), (False, "cable cars", None)} <= set(found.tastes)
    assert any("short" in style for style in found.styles)
    assert played.said == ("I love ferries.", "I hate cable cars.", "Shorter, please.")
    assert not list(tmp_path.iterdir())


def test_a_question_comes_back_with_the_answer_and_what_was_retrieved(tmp_path: Path) -> None:
    probe = AnswerProbe(question="What is my dog called?", right="Pepper")
    model = ScriptedChat(script=["Fine.", "Pepper."])
    played = HabitusPlayer(ENCODER, tmp_path, generator=model)(
        life(said("My dog is called Pepper."), probe=probe)
    )
    (found,) = played.findings
    assert found is not None
    assert found.answer == "Pepper."
    assert any("My dog is called Pepper." in memory for memory in found.retrieved)
    assert found.why


def test_what_was_forgotten_is_looked_for_in_every_way_and_in_the_files(tmp_path: Path) -> None:
    probe = GoneProbe(needles=("Leeds",), questions=("Where do I live?",))
    kept = HabitusPlayer(ENCODER, tmp_path)(life(said("I live in Leeds."), probe=probe)).findings[0]
    gone = HabitusPlayer(ENCODER, tmp_path)(
        life(said("I live in Leeds."), said("I live in Leeds.", 5, how="forget"), probe=probe)
    ).findings[0]
    assert kept is not None
    assert gone is not None
    assert {"memories", "export", "recall", "prepare", "chat", "stream", "tool recall"} <= set(kept.leaks)
    assert any(name.startswith("file ") for name in kept.leaks)
    assert gone.leaks == {}
    assert gone.n_read == kept.n_read > 15


@pytest.mark.parametrize("derived", [False, True])
def test_another_users_memory_is_not_read(derived: bool, tmp_path: Path) -> None:
    leak = LeakProbe(reader="ann", owner="Ann", needles=("zorrak77",), questions=("What is the code?",))
    steps = (said("The code is zorrak77.", user="Ann"), said("I love ferries.", 1, user="ann"))
    found = HabitusPlayer(ENCODER, tmp_path)(life(*steps, probe=leak, derived=derived)).findings[0]
    assert found is not None
    assert found.leaks == {}
    assert found.n_read > 25


def test_a_way_that_mixes_users_up_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mixed(self: Agent, user_id: str, *, session_id: str | None = None) -> list[Turn]:
        return [turn for user in self.store.users() for turn in self.store.turns(user)]

    monkeypatch.setattr(Agent, "memories", mixed)
    leak = LeakProbe(reader="ann", owner="Ann", needles=("zorrak77",), questions=("What is the code?",))
    steps = (said("The code is zorrak77.", user="Ann"), said("I love ferries.", 1, user="ann"))
    found = HabitusPlayer(ENCODER, tmp_path)(life(*steps, probe=leak)).findings[0]
    assert found is not None
    assert "memories" in found.leaks
    assert not passes(leak, found)


def test_a_lasting_wish_for_length_is_read_from_the_records(tmp_path: Path) -> None:
    probe = StyleProbe(wants="shorter")
    found = HabitusPlayer(ENCODER, tmp_path)(
        life(said("Hello."), said("Shorter, please.", 1, how="comment"), probe=probe)
    ).findings[0]
    assert found is not None
    assert passes(probe, found)


def test_a_model_may_play_the_user(tmp_path: Path) -> None:
    from habitus.evals.lifelong.simulator import ModelVoice

    seen: list[str] = []

    def speak(messages: Sequence[BaseMessage]) -> str:
        seen.append(str(messages[-1].content))
        return "Honestly, ferries make my day."

    play = HabitusPlayer(ENCODER, tmp_path, voice=ModelVoice(ScriptedChat(script=speak)))
    step = Step(minute=0, text="I love ferries.", intent="say that you like ferries", names=("ferries",))
    played = play(life(step, probe=TruthProbe()))
    assert played.said == ("Honestly, ferries make my day.",)
    assert "say that you like ferries" in seen[0]
    assert "I love ferries." not in seen[0]


def test_generated_lives_can_be_played(tmp_path: Path) -> None:
    skills: tuple[Skill, ...] = ("drift", "scope", "forgetting")
    for skill in skills:
        generated = scenario(skill, 0)
        played = HabitusPlayer(ENCODER, tmp_path)(generated)
        assert len(played.findings) == len(generated.checks)
        assert None not in played.findings
