"""Records as HTML in a notebook's cell: what matters is there, and words cannot become markup."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from habitus.memory.html import changes
from habitus.memory.records import Evidence, Fact, Persona, PersonaLine, Preference, Profile, ProfileSection

AT = datetime(2026, 3, 2, tzinfo=UTC)
ATTACK = '<script>alert(1)</script> & "quotes"'
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;"

RECORDS = [
    Preference(
        user_id="maya",
        statement=ATTACK,
        topic=ATTACK,
        target="figs",
        stance="avoid",
        scope=ATTACK,
        status_reason=ATTACK,
        evidence=(Evidence(turn_id="t", quote=ATTACK),),
        valid_from=AT,
        learnt_at=AT,
    ),
    Fact(
        user_id="maya",
        statement=ATTACK,
        subject=ATTACK,
        attribute="has",
        value="figs",
        evidence=(Evidence(turn_id="t", quote=ATTACK),),
        valid_from=AT,
        learnt_at=AT,
    ),
    Profile(
        user_id=ATTACK,
        version=1,
        made_at=AT,
        sections=(ProfileSection(title=ATTACK, text=ATTACK, record_ids=("a", "b")),),
    ),
    Persona(
        user_id=ATTACK,
        version=3,
        made_at=AT,
        reason=ATTACK,
        lines=(PersonaLine(text=ATTACK, preference_id="p"),),
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_words_stay_words(record: Preference | Fact | Profile | Persona) -> None:
    html = record._repr_html_()
    assert "<script" not in html
    assert html.count(ESCAPED) >= 3


def test_a_preference_shows_how_far_it_holds() -> None:
    preference = RECORDS[0]
    assert isinstance(preference, Preference)
    html = preference.model_copy(update={"strength": 0.9, "valid_to": AT.replace(month=5)})._repr_html_()
    for shown in ("avoid", "width:90%", "since 2026-03-02 until 2026-05-02", "statement, confidence 1.00"):
        assert shown in html


def test_a_preference_that_took_the_place_of_another_says_so() -> None:
    preference = RECORDS[0]
    assert isinstance(preference, Preference)
    newer = preference.model_copy(update={"supersedes": "older"})
    assert "in place of" not in preference._repr_html_()
    assert "since 2026-03-02, in place of an earlier one" in newer._repr_html_()


def test_an_empty_profile_says_so() -> None:
    assert "nothing" in Profile(user_id="maya", version=1, made_at=AT)._repr_html_()


def test_a_line_of_a_persona_shows_its_kind() -> None:
    line = PersonaLine(text="Never: I'm allergic to figs.", preference_id="p")
    html = Persona(user_id="maya", version=1, made_at=AT, reason="r", lines=(line,))._repr_html_()
    assert ">Never</span> I&#x27;m allergic to figs." in html


def test_a_diff_shows_what_came_and_went_without_its_heads() -> None:
    html = changes(["--- version 1", "+++ version 2", "@@ -1 +1 @@", " - kept", "-- gone <b>", "+- came"])
    assert "version" not in html and "@@" not in html
    assert re.findall(r"color:(#?\w+)\">(.*?)</div>", html) == [
        ("inherit", "  kept"),
        ("#b3261e", "− gone &lt;b&gt;"),
        ("#1a7f4b", "+ came"),
    ]
