"""A judge behind a real server that speaks the OpenAI protocol on loopback, and what such servers do."""

from __future__ import annotations

import json

import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from habitus.evals.judges.judging import Case, Judge, Judgement
from tests.evals.loopback import Server, Step

CASE = Case(instructions="Is it right?", data="<reply>tea</reply>", labels=("yes", "no"))
VERDICT = json.dumps({"reason": "It is.", "verdict": "yes"})


def ask(server: Server, *steps: Step, max_retries: int = 2, timeout: float = 30.0) -> Judgement:
    server.faults = list(steps[:-1])
    server.script = lambda request: steps[-1]
    model = ChatOpenAI(
        model="judge",
        base_url=server.url,
        api_key=SecretStr("none"),
        max_retries=max_retries,
        timeout=timeout,
        temperature=0.0,
    )
    return Judge(model, name="judge", timeout_seconds=60.0).judge(CASE)


def test_a_verdict_comes_back_with_the_tokens_the_server_counted(server: Server) -> None:
    found = ask(server, VERDICT)
    assert (found.label, found.votes[0].reason) == ("yes", "It is.")
    assert (found.usage.input_tokens, found.usage.output_tokens, found.usage.n_estimated) == (40, 9, 0)


def test_malformed_json_of_the_judge_is_mended(server: Server) -> None:
    found = ask(server, '{"verdict": "yes', VERDICT)
    assert (found.label, found.votes[0].repaired) == ("yes", True)
    assert found.usage.input_tokens == 80


@pytest.mark.parametrize("fault", [429, 500, 503, "cut"])
def test_a_passing_fault_is_tried_again(server: Server, fault: int | str) -> None:
    found = ask(server, fault, VERDICT)
    assert found.label == "yes"
    assert len(server.requests) == 2


def test_a_request_that_times_out_is_tried_again(server: Server) -> None:
    assert ask(server, "hang", VERDICT, timeout=0.3).label == "yes"
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", [400, 401, 429, 500, "cut", "broken", "hang"])
def test_a_lasting_fault_is_counted_and_never_a_score(server: Server, fault: int | str) -> None:
    found = ask(server, fault, max_retries=0, timeout=0.3 if fault == "hang" else 30.0)
    assert (found.label, found.outcome) == (None, "failed")
