"""LongMemEval's files: what is read, in which order, and what is said of files that are something else."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.evals.longmemeval import json_array
from habitus.evals.longmemeval.files import DatasetError, Sample, SampleReader, parse_date

Make = Callable[..., dict[str, Any]]
Write = Callable[..., Path]

DATA = Path(__file__).parents[3] / ".." / "shared" / "data" / "longmemeval"


def read(path: Path) -> list[Sample]:
    with SampleReader(path) as reader:
        return list(reader)


@pytest.mark.parametrize("name", ["data.json", "data.json.gz"])
def test_reads_plain_and_gzipped_files(name: str, record: Make, write: Write) -> None:
    records = [record(), record(question_id="q2_abs", answer=7)]
    first, second = read(write(records, name))
    assert (first.id, first.answer, first.is_abstention) == ("q1", "green tea", False)
    assert (second.id, second.answer, second.is_abstention) == ("q2_abs", "7", True)
    assert first.at == datetime(2023, 5, 30, 20, 42, tzinfo=UTC)


def test_sessions_are_in_order_of_date(record: Make, write: Write) -> None:
    (sample,) = read(write([record()]))
    assert [session.id for session in sample.sessions] == ["answer_1", "middle", "late"]
    assert [turn.text for turn in sample.sessions[1].turns] == ["A poem, please.", "Roses."]


def test_sessions_of_one_minute_stay_in_the_order_of_the_file(record: Make, write: Write) -> None:
    dates = ["2023/05/29 (Mon) 10:00"] * 3
    (sample,) = read(write([record(haystack_dates=dates)]))
    assert [session.id for session in sample.sessions] == ["late", "answer_1", "middle"]


def test_both_copies_of_a_repeated_session_are_kept(record: Make, write: Write) -> None:
    (sample,) = read(write([record(haystack_session_ids=["twice", "answer_1", "twice"])]))
    assert [session.id for session in sample.sessions] == ["answer_1", "twice", "twice"]


def test_evidence_turns_count_from_one_over_both_roles(record: Make, write: Write) -> None:
    (sample,) = read(write([record()]))
    assert sample.evidence_turn_ids() == {"answer_1_3"}
    assert sample.user_turn_ids() == {"late_1", "answer_1_1", "answer_1_3", "middle_1"}


def test_evidence_of_the_assistant_is_no_evidence_of_the_user(record: Make, write: Write) -> None:
    sessions = record()["haystack_sessions"]
    sessions[1][1]["has_answer"], sessions[1][2]["has_answer"] = True, False
    (sample,) = read(write([record(haystack_sessions=sessions)]))
    assert sample.evidence_turn_ids() == {"answer_1_2"}
    assert sample.evidence_turn_ids(user_only=True) == frozenset()
    assert sample.user_evidence_session_ids() == frozenset()


def test_marked_turns_outside_evidence_sessions_do_not_count(record: Make, write: Write) -> None:
    (sample,) = read(write([record(answer_session_ids=["middle", "elsewhere"])]))
    assert sample.evidence_session_ids == {"middle"}
    assert sample.evidence_turn_ids() == frozenset()


@given(st.datetimes(min_value=datetime(1000, 1, 1)))
def test_every_date_that_the_format_can_write_is_read_back(at: datetime) -> None:
    assert parse_date(at.strftime("%Y/%m/%d (%a) %H:%M")) == at.replace(second=0, microsecond=0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "2023-05-30", "2023/02/30 (Thu) 01:13", "2023/05/30 (Tue) 24:00"])
def test_what_is_no_date_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date") as caught:
        parse_date(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("name", ["question", "question_date", "haystack_sessions", "answer_session_ids"])
def test_a_missing_field_is_named_with_its_record(name: str, record: Make, write: Write) -> None:
    broken = record(question_id="q2")
    del broken[name]
    with pytest.raises(DatasetError, match=rf"record 2 \(question_id 'q2'\) has no field '{name}'"):
        read(write([record(), broken]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question": 5}, "question is a number"),
        ({"answer": None}, "answer is null"),
        ({"question_date": "yesterday"}, "question_date: 'yesterday' is not a date"),
        ({"haystack_dates": ["2023/05/29 (Mon) 10:00"]}, r"differ in length \(1, 3, 3\)"),
        (
            {"haystack_dates": ["2023/05/29 (Mon) 10:00", None, ""]},
            r"haystack_dates\[1\]: 'None' is not a date",
        ),
        (
            {"haystack_sessions": [[], [], [{"role": "user"}]]},
            "session 'middle', turn 0 has no field 'content'",
        ),
        (
            {"haystack_sessions": [[], [], [{"role": "system", "content": "x"}]]},
            "role is 'system', expected 'user' or 'assistant'",
        ),
        ({"haystack_sessions": [[], [], ["x"]]}, "turn 0 is a string, expected an object"),
        ({"haystack_sessions": [[], [], "x"]}, "session 2 has no id that is a string, or no list of turns"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], message: str, record: Make, write: Write) -> None:
    with pytest.raises(DatasetError, match=message):
        read(write([record(**changes)]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"[]", "holds no questions"),
        (b"hello", "expected a JSON array"),
        (b'{"question_id": "q1"}', "expected a JSON array"),
        (b"[1]", "record 1 is a number, expected an object"),
        (b"[{]", "not JSON"),
        (b'[{"question_id": "q', "the file ends inside a record"),
        (b"\xff\xfe\x00[", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"\x1f\x8bnonsense", "damaged"),
    ],
)
def test_a_file_that_is_something_else_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no such file: .*nowhere.json"):
        read(tmp_path / "nowhere.json")


@pytest.mark.parametrize("tail", [b" x", b"[]"])
def test_text_after_the_array_is_refused(tail: bytes, record: Make, tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(json.dumps([record()]).encode() + tail)
    with pytest.raises(DatasetError, match="more text after the end"):
        read(path)


def test_two_records_without_a_comma_are_refused(record: Make, tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text(f"[{json.dumps(record())} {json.dumps(record(question_id='q2'))}]")
    with pytest.raises(DatasetError, match="expected ',' or ']' after a record"):
        read(path)


def test_a_question_id_must_not_come_twice(record: Make, write: Write) -> None:
    with pytest.raises(DatasetError, match="record 2 repeats the question_id 'q1'"):
        read(write([record(), record()]))


@pytest.mark.parametrize("name", ["data.json", "data.json.gz"])
def test_records_before_the_place_where_a_file_is_cut_off_are_read(
    name: str, record: Make, write: Write
) -> None:
    filler = [{"role": "user", "content": " ".join(map(str, range(50_000)))}]
    records = [record(question_id=f"q{n}", haystack_sessions=[filler, [], []]) for n in range(8)]
    path = write(records, name)
    path.write_bytes(path.read_bytes()[:-20_000])
    found = []
    with pytest.raises(DatasetError, match="download it again"), SampleReader(path) as reader:
        for sample in reader:
            found.append(sample.id)
    assert found[:2] == ["q0", "q1"]


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
def test_where_the_text_is_cut_into_chunks_changes_nothing(
    chunk: int, record: Make, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [record(answer=-1.5e3, question='“ü” \\ " é'), record(question_id="q2", answer=12)]
    path = write(records)
    expected = read(path)
    monkeypatch.setattr(json_array, "CHUNK_CHARS", chunk)
    assert read(path) == expected


def test_memory_does_not_grow_with_the_file(record: Make, write: Write) -> None:
    filler = [{"role": "user", "content": "word " * 100_000}]

    def peak(n_records: int) -> int:
        records = [record(question_id=f"q{n}", haystack_sessions=[filler, [], []]) for n in range(n_records)]
        path = write(records, "data.json.gz")
        tracemalloc.start()
        try:
            with SampleReader(path) as reader:
                assert sum(1 for _ in reader) == n_records
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(80) < 1.5 * peak(20)


def test_the_fraction_grows_to_one(record: Make, write: Write) -> None:
    path = write([record(question_id=f"q{n}") for n in range(3)])
    with SampleReader(path) as reader:
        assert reader.fraction == 0.0
        assert len(list(reader)) == 3
        assert reader.fraction == 1.0


def test_gzip_is_told_by_content_not_by_name(record: Make, tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(gzip.compress(json.dumps([record()]).encode()))
    assert [sample.id for sample in read(path)] == ["q1"]


@pytest.mark.data
def test_the_development_half_is_read_whole() -> None:
    path = DATA / "longmemeval_oracle_dev.json.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not there; the benchmark's files are not part of the repository")
    samples = read(path)
    assert len(samples) == 249
    assert sum(sample.is_abstention for sample in samples) == 15
    answerable = [sample for sample in samples if not sample.is_abstention]
    assert all(sample.evidence_turn_ids() for sample in answerable)
    assert sum(bool(sample.evidence_turn_ids(user_only=True)) for sample in answerable) == 208
