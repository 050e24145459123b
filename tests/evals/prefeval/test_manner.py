from collections.abc import Callable
from pathlib import Path
from typing import Any

from habitus.evals.longmemeval.files import SampleReader
from habitus.evals.prefeval.manner import infer


def sessions(*texts: str) -> dict[str, Any]:
    return {"haystack_sessions": [[{"role": "user", "content": text} for text in texts] for _ in range(3)]}


def test_users_and_their_manners_are_counted_and_repeated_messages_once(
    record: Callable[..., Any], write: Callable[..., Path]
) -> None:
    chatty = sessions("hey whats up??", "lol ok thx", "im new to chess", "gonna try it", "nope!!")
    plain = sessions(
        "I'm an expert in chess.", "The valve at the back of the heating seems to be stuck again."
    )
    path = write(
        [
            record(question_id="a", answer_session_ids=[], **chatty),
            record(question_id="b", answer_session_ids=[], **chatty),
            record(question_id="c", answer_session_ids=[], **plain),
        ]
    )
    with SampleReader(path) as samples:
        found = infer(samples)
    assert (found.n_users, found.n_messages) == (3, 7)
    assert found.manners == {"Writes informally and briefly.": 2}
    assert found.levels == [("Knows chess well: technical terms are fine.", "I'm an expert in chess.")]
