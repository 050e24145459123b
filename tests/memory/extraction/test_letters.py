from __future__ import annotations

import pytest

from habitus.memory.extraction.segmentation import own_sentences


def _own(text: str) -> str:
    return " ".join(sentence.text for sentence in own_sentences(text))


@pytest.mark.parametrize(
    "text",
    [
        "Here is the mail I got, can you answer it?\n\nHi,\nI hate jazz.\nBest,\nNora",
        "Here is the mail I got:\n\nHello,\nI hate jazz.\nRegards,\nTom",
        "My aunt wrote me this.\n\nHey,\nI hate jazz.\nLove,\nJo",
        "Please answer this mail:\n\nI hate jazz.\n\nRegards\nTom",
        "Dear Sir or Madam,\n\nI hate jazz.\n\nYours faithfully,\nJ. Smith\n\nPlease check it.",
        "From: Tom\nSubject: Friday\n\nI hate jazz.",
        "---------- Forwarded message ---------\nI hate jazz.",
        "A colleague sent me this: I hate jazz.",
        "I found this review: I hate jazz.",
    ],
)
def test_a_letter_without_quotation_marks_is_not_the_users(text: str) -> None:
    assert "jazz" not in _own(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hi,\nI hate jazz. Any ideas?",
        "Hi Habitus,\nI hate jazz.\nCan you suggest a club?\nThanks,\nTom",
        "Here's the thing: I hate jazz.",
        "I read your message. I hate jazz.",
        "Thanks for the note!\nI hate jazz.",
        "I can't stand long mails. Keep this short.\nI hate jazz.",
        "My aunt wrote me this.\n\nHey,\nI love rock.\nLove,\nJo\n\nI hate jazz, what shall I say?",
        "On Mon, 3 Mar 2025 Tom wrote:\n> I love rock.\n\nI hate jazz though.",
    ],
)
def test_what_stands_around_a_letter_is_the_users(text: str) -> None:
    own = _own(text)

    assert "I hate jazz" in own
    assert "I love rock" not in own
