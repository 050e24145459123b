"""The profile: prose linked to records, versioned."""

from __future__ import annotations

from datetime import UTC, datetime

from habitus.memory.known.profile import is_stale, summarise
from habitus.memory.records import Fact, Preference

AT = datetime(2025, 3, 1, tzinfo=UTC)


def preference(statement: str, stance: str, **fields: object) -> Preference:
    return Preference.model_validate(
        {
            "id": statement,
            "user_id": "u",
            "statement": statement,
            "topic": "general",
            "target": statement.lower(),
            "stance": stance,
            "valid_from": AT,
            "learnt_at": AT,
        }
        | fields
    )


def fact(subject: str, attribute: str, value: str) -> Fact:
    return Fact(
        id=f"{subject}-{attribute}-{value}",
        user_id="u",
        statement=f"{subject} {attribute} {value}",
        subject=subject,
        attribute=attribute,
        value=value,
        valid_from=AT,
        learnt_at=AT,
    )


LIKE = preference("I love marzipan.", "like")
AVOID = preference("I am allergic to latex.", "avoid")
STYLE = preference("Keep it short.", "require", topic="style.length")
FACTS = [fact("user", "lives_in", "Turku"), fact("sister", "name", "Ines")]


def test_every_section_names_the_records_it_was_made_from() -> None:
    profile = summarise("u", [LIKE, AVOID, STYLE], FACTS, previous=None, at=AT)

    linked = {section.title: section.record_ids for section in profile.sections}
    assert linked == {
        "About the user": (FACTS[0].id,),
        "People": (FACTS[1].id,),
        "Needs and limits": (AVOID.id,),
        "Likes": (LIKE.id,),
        "How to reply": (STYLE.id,),
    }
    assert "lives in Turku" in profile.text
    assert "sister's name is Ines" in profile.text


def test_the_same_records_give_the_same_text() -> None:
    one = summarise("u", [LIKE, AVOID], FACTS, previous=None, at=AT)
    other = summarise("u", [AVOID, LIKE], FACTS[::-1], previous=None, at=AT)

    assert one.text == other.text


def test_a_version_is_made_only_when_something_changed() -> None:
    first = summarise("u", [LIKE], [], previous=None, at=AT)

    assert summarise("u", [LIKE], [], previous=first, at=AT) is first
    assert summarise("u", [LIKE, AVOID], [], previous=first, at=AT).version == 2


def test_it_is_stale_as_soon_as_it_would_read_differently() -> None:
    profile = summarise("u", [LIKE], [], previous=None, at=AT)

    assert not is_stale(profile, [LIKE], [], AT)
    assert is_stale(profile, [LIKE.model_copy(update={"status": "retracted"})], [], AT)
    assert is_stale(None, [LIKE], [], AT)
    assert not is_stale(None, [], [], AT)
