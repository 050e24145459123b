"""Whatever is written, the rules read it: no error, and every record quotes what was said."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from pkgutil import iter_modules

from hypothesis import given
from hypothesis import strategies as st

from habitus.memory import extraction
from habitus.memory.extraction import extract
from habitus.memory.extraction.edits import changed_sentences, complaint
from habitus.memory.extraction.offers import contrast, offered, option_named
from habitus.memory.records import Fact, Preference, Turn
from tests.strategies import bounded, sayings, storable

AT = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
RULES = [import_module(f"{extraction.__name__}.{one.name}") for one in iter_modules(extraction.__path__)]
TEXTS = storable(sayings(*RULES))


def said(text: str, index: int) -> Turn:
    return Turn(
        id=f"t{index}",
        user_id="u",
        session_id="s",
        index=index,
        role="assistant" if index % 2 else "user",
        text=text,
        at=AT,
    )


@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
@bounded(25)
def test_records_quote_what_the_user_said(texts: list[str]) -> None:
    *before, turn = [said(text, index) for index, text in enumerate(texts, len(texts) % 2 + 1)]
    found = extract(turn, context=before)
    records: list[Preference | Fact] = [*found.preferences, *found.facts]
    for record in records:
        assert record.evidence
        assert all(one.quote in turn.text for one in record.evidence if one.turn_id == turn.id)
        assert record.statement.strip()
    assert extract(turn, context=before) == found


@given(before=TEXTS, after=TEXTS)
@bounded(20)
def test_changes_of_a_reply_are_its_own_words(before: str, after: str) -> None:
    gone, new = changed_sentences(before, after)
    assert all(word in before for word in gone.split())
    assert all(word in after for word in new.split())
    assert (gone, new) == ("", "") or before != after
    complaint(after)


@given(reply=TEXTS, named=TEXTS)
@bounded(20)
def test_an_option_is_one_that_was_offered(reply: str, named: str) -> None:
    options = offered(reply)
    assert all(option.strip() for option in options)
    place = option_named(named, options)
    assert place is None or 0 <= place < len(options)
    if options:
        contrast(options[0], options[1:])
