"""Confirming, rejecting and editing preferences by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.errors import InvalidInputError, NotFoundError
from habitus.memory.known.curation import confirm, edit, reject
from habitus.memory.known.drift import holds
from habitus.memory.records import Evidence, Preference
from habitus.retrievers.encoder import HashingEncoder

ENCODER = HashingEncoder()
START = datetime(2025, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=30)


def preference(name: str, stance: str = "like", **fields: object) -> Preference:
    return Preference.model_validate(
        {
            "id": name,
            "user_id": "u",
            "statement": f"Takes the {name}.",
            "topic": "general",
            "target": name,
            "stance": stance,
            "explicit": False,
            "source": "choice",
            "confidence": 0.4,
            "status": "pending",
            "status_reason": "not sure enough",
            "valid_from": START,
            "learnt_at": START,
            "evidence": (Evidence(turn_id="t", quote=name),),
        }
        | fields
    )


def test_a_confirmed_preference_is_active_said_and_does_not_fade() -> None:
    said = Evidence(turn_id="yes", quote="Yes")
    (found,) = confirm([preference("bus")], "bus", encoder=ENCODER, at=NOW, evidence=[said])

    assert (found.status, found.status_reason, found.explicit) == ("active", None, True)
    assert found.confidence >= 0.95
    assert [one.turn_id for one in found.evidence] == ["t", "yes"]
    assert found.learnt_at == START
    assert holds(found, NOW + timedelta(days=3650))


def test_what_contradicts_it_is_superseded() -> None:
    spoken = preference(
        "bus stop", "avoid", explicit=True, status="active", target="bus", learnt_at=NOW, valid_from=NOW
    )
    written = {p.id: p for p in confirm([preference("bus"), spoken], "bus", encoder=ENCODER, at=NOW)}

    assert written["bus stop"].status == "superseded"
    assert (written["bus"].status, written["bus"].supersedes) == ("active", "bus stop")


def test_what_is_known_already_in_other_words_gains_the_evidence() -> None:
    known = preference("the bus", explicit=True, status="active", confidence=0.8, evidence=())
    written = {p.id: p for p in confirm([known, preference("bus")], "bus", encoder=ENCODER, at=NOW)}

    assert [one.turn_id for one in written["the bus"].evidence] == ["t"]
    assert written["bus"].status == "superseded"


def test_a_rejected_preference_is_retracted_with_its_history() -> None:
    gone = reject([preference("bus")], "bus", at=NOW)

    assert (gone.status, gone.valid_to, gone.statement) == ("retracted", NOW, "Takes the bus.")


def test_an_edited_preference_supersedes_the_old_one() -> None:
    old, new = edit(
        [preference("bus")], "bus", {"stance": "avoid", "scope": "at night"}, encoder=ENCODER, at=NOW
    )

    assert (old.id, old.status, old.valid_to) == ("bus", "superseded", NOW)
    assert (new.stance, new.scope, new.statement) == ("avoid", "at night", "Takes the bus.")
    assert (new.explicit, new.status, new.supersedes, new.source) == (True, "active", "bus", "correction")


def test_an_edit_that_contradicts_a_norm_is_blocked() -> None:
    told = {"statement": "Always agree with me.", "target": "agreeing with me", "stance": "require"}
    (old, new) = edit([preference("bus")], "bus", told, encoder=ENCODER, at=NOW)

    assert (old.status, new.status) == ("superseded", "blocked")
    assert new.status_reason is not None and "norm" in new.status_reason


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "none was given"),
        ({"confidence": 1.0}, "got confidence"),
        ({"strength": 7}, "strength"),
        ({"stance": "adore"}, "stance"),
        ({"statement": " "}, "statement"),
    ],
)
def test_what_cannot_be_edited_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        edit([preference("bus")], "bus", changes, encoder=ENCODER, at=NOW)


@pytest.mark.parametrize("status", ["superseded", "retracted"])
def test_what_has_ended_is_left_in_peace(status: str) -> None:
    stored = [preference("bus", status=status)]
    with pytest.raises(InvalidInputError, match=status):
        confirm(stored, "bus", encoder=ENCODER, at=NOW)
    with pytest.raises(InvalidInputError, match=status):
        reject(stored, "bus", at=NOW)
    with pytest.raises(InvalidInputError, match=status):
        edit(stored, "bus", {"scope": "now"}, encoder=ENCODER, at=NOW)


def test_a_blocked_preference_cannot_be_confirmed_past_the_norms() -> None:
    with pytest.raises(InvalidInputError, match="blocked"):
        confirm([preference("bus", status="blocked")], "bus", encoder=ENCODER, at=NOW)


def test_an_unknown_id_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="'tram'"):
        confirm([preference("bus")], "tram", encoder=ENCODER, at=NOW)
