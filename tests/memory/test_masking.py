"""Secrets are told from what looks like them, and masking twice is masking once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.memory.masking import DEFAULT, MASKED, MaskKind, mask, mask_all, told

ALL: tuple[MaskKind, ...] = ("cards", "keys", "passwords")
CARD, KEY, PASSWORD = MASKED["cards"], MASKED["keys"], MASKED["passwords"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("My card is 4242 4242 4242 4242, exp 12/27.", f"My card is {CARD}, exp 12/27."),
        ("4242424242424242 12/29", f"{CARD} 12/29"),
        ("Amex 3782-822463-10005!", f"Amex {CARD}!"),
        ("5555555555554444 and 6011 1111 1111 1117", f"{CARD} and {CARD}"),
        ("Take ghp_" + "a1B2" * 9 + ", it is mine.", f"Take {KEY}, it is mine."),
        ("The id is AKIAIOSFODNN7EXAMPLE.", f"The id is {KEY}."),
        ("Use sk-ant-api03-" + "Ab1_" * 8, f"Use {KEY}"),
        ("postgresql://bob:s3cret@db.example/x", f"postgresql://bob:{KEY}@db.example/x"),
        ("a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0 b", f"a {KEY} b"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nbye", f"{KEY}\nbye"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut off", KEY),
        ("My password is hunter2.", f"My password is {PASSWORD}."),
        ('The wifi password: "correct horse"', f'The wifi password: "{PASSWORD}"'),
        ("passcode = p@ssword", f"passcode = {PASSWORD}"),
        ("The PIN code for my locker is 0815, ok?", f"The PIN code for my locker is {PASSWORD}, ok?"),
    ],
)
def test_secrets_are_masked(said: str, kept: str) -> None:
    assert mask(said, ALL).text == kept


@pytest.mark.parametrize(
    "said",
    [
        "Order 4111111111111112 has not come.",  # the check digit is wrong
        "Call +49 30 1234567890 or 0170 1234567.",
        "It was 1700000000000000 microseconds after 1970, on 2025-05-01 at 10:00.",
        "ISBN 978-3-16-148410-0 costs 4.242424242424242 euros.",
        "My password is too short, and I pinned it: is that 100 % wrong?",
        "See https://example.com/a/very/long/path/that/goes/on and /usr/lib/python3/dist-packages",
        "The commit is 3c84f0f8a1b2c3d4e5f60718293a4b5c6d7e8f90.",
        "1. **Strong passwords:** use long ones.\n2. Change your password:\n\n1. often",
        "",
    ],
)
def test_what_looks_like_a_secret_stays(said: str) -> None:
    assert mask(said, ALL).text == said
    assert mask(said, ALL).kinds == ()


def test_only_the_kinds_asked_for_are_masked() -> None:
    said = "My PIN is 4711, my card 4242424242424242."
    assert mask(said).text == f"My PIN is 4711, my card {CARD}."
    assert mask(said).kinds == ("cards",)
    assert mask(said, ("passwords",)).kinds == ("passwords",)
    assert mask(said, ()).text == said
    assert "passwords" not in DEFAULT


def test_values_are_masked_however_deep_and_stay_json() -> None:
    value = {"a": ["4242424242424242", {"b": ("x", 1, None, True)}]}
    assert mask_all(value) == {"a": [CARD, {"b": ["x", 1, None, True]}]}
    json.dumps(mask_all(value))


def test_users_are_told_in_words() -> None:
    assert told(("cards", "keys")).startswith("I have masked a card number and a key in your message")


PARTS = st.sampled_from(
    ["4242 4242 4242 4242", "AKIAIOSFODNN7EXAMPLE", "password is a1!", "s://u:p4@h", " ", "-", "4", "PIN: 1"]
)


@given(st.lists(st.one_of(PARTS, st.text(max_size=8)), max_size=12).map("".join))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text, ALL).text
    assert mask(once, ALL).text == once
    if not mask(text, ALL).kinds:
        assert once == text
