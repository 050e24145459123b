"""Whatever a message holds, it is routed, asked and answered from without an error."""

from __future__ import annotations

from datetime import date, datetime
from importlib import import_module
from pkgutil import iter_modules

from hypothesis import given
from hypothesis import strategies as st

from habitus.agent import routing
from habitus.agent.generators import extractive
from habitus.agent.generators.extractive.asked import read
from habitus.agent.generators.extractive.dates import happened
from habitus.agent.generators.extractive.evidence import Said
from habitus.agent.prompting.delimiting import as_data, as_written, one_line, visible
from habitus.agent.routing import find_command, find_routes
from habitus.memory.masking import MASKED, mask
from habitus.memory.retrieval import question, timing
from tests.strategies import bounded, instants, sayings, storable

ANSWERING = [import_module(f"{extractive.__name__}.{one.name}") for one in iter_modules(extractive.__path__)]

TEXTS = storable(sayings(routing, question, timing, *ANSWERING))


@given(text=TEXTS)
@bounded(25)
def test_a_message_is_routed_and_kept_apart(text: str) -> None:
    command = find_command(text)
    routes = find_routes(text, command=command, is_feedback=False)
    assert routes
    assert ("command" in routes) == (command is not None)
    assert one_line(one_line(text)) == one_line(text)
    assert as_written(as_data(text)) == visible(text)


@given(text=TEXTS, at=st.none() | instants())
@bounded(25)
def test_a_question_is_read(text: str, at: datetime | None) -> None:
    asked = read(text, at)
    assert asked.text == text
    assert asked.unit in (None, "day", "week", "month", "year")
    assert all(asked.options) or asked.kind in ("ago", "between")


@given(text=TEXTS, day=st.none() | st.dates())
@bounded(25)
def test_a_sentence_dates_its_event_on_a_day(text: str, day: date | None) -> None:
    told = happened(Said(text=text, day=day, by_user=True, message=0, place=0))
    assert (told is None) == (day is None)


@given(text=TEXTS)
@bounded(25)
def test_what_is_masked_stays_masked(text: str) -> None:
    masked = mask(text, tuple(MASKED))
    assert mask(masked.text, tuple(MASKED)).text == masked.text
    assert bool(masked.kinds) == (masked.text != text)
