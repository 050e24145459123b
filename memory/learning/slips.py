"""Slips of spelling in an edit: they are put right, and tell nothing of the user's taste."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache

from habitus.memory.records import Edit

_TOKENS = re.compile(r"\s+|\S+")
_WORD = re.compile(r"^(\W*)((?:[^\W\d_]|['’](?=\w))+)(\W*)")
_TELLING = re.compile(r"(?:n?one|n?ever|n?either|n?or|not?w?|k?ein\w*)", re.IGNORECASE)
"""Words that one letter turns into their contrary."""
LEAST_LETTERS = 3


def as_meant(edit: Edit) -> Edit:
    """Return an edit with its slips of spelling in the text before as they are in the text after.

    What then still differs was changed on purpose. A slip is one letter in a word (put in, left out,
    exchanged, or two swapped): "resturant", "isnt". No slips are a digit, a letter in a word with a capital
    (a name), punctuation, a word that one letter turns into its contrary, and words of two letters.
    """
    return Edit(before=_put_right(edit.before, edit.after), after=edit.after)


def only_spelling(edit: Edit) -> bool:
    """Tell whether an edit put the spelling right and changed nothing else but white space."""
    return edit.before.split() != edit.after.split() and _same(as_meant(edit))


def _same(edit: Edit) -> bool:
    return edit.before.split() == edit.after.split()


@lru_cache(maxsize=512)
def _put_right(before: str, after: str) -> str:
    old, new = _TOKENS.findall(before), _TOKENS.findall(after)
    words_old = [place for place, token in enumerate(old) if not token.isspace()]
    words_new = [token for token in new if not token.isspace()]
    matcher = SequenceMatcher(a=[old[place] for place in words_old], b=words_new, autojunk=False)
    for kind, start, end, other, other_end in matcher.get_opcodes():
        if kind == "replace" and end - start == other_end - other:
            for place, word in zip(words_old[start:end], words_new[other:other_end], strict=True):
                if is_slip(old[place], word):
                    old[place] = word
    return "".join(old)


def is_slip(one: str, other: str) -> bool:
    """Tell whether two words are one, misspelt in one of the two; of each the punctuation is the same."""
    left, right = _WORD.fullmatch(one), _WORD.fullmatch(other)
    if left is None or right is None or (left[1], left[3]) != (right[1], right[3]):
        return False
    a, b = left[2], right[2]
    if min(len(a), len(b)) < LEAST_LETTERS or _TELLING.fullmatch(a) or _TELLING.fullmatch(b):
        return False
    may_be_name = not (a[0].islower() and b[0].islower())
    if may_be_name and _without_apostrophe(a) != _without_apostrophe(b):
        return False
    return _one_letter_apart(a, b)


def _without_apostrophe(word: str) -> str:
    return word.replace("'", "").replace("’", "")


def _one_letter_apart(a: str, b: str) -> bool:
    """Tell whether the Damerau-Levenshtein distance is 1."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    if len(a) != len(b):
        longer, shorter = (a, b) if len(a) > len(b) else (b, a)
        return longer[start + 1 :] == shorter[start:]
    swapped = a[start : start + 2] == b[start : start + 2][::-1] and a[start + 2 :] == b[start + 2 :]
    return swapped or a[start + 1 :] == b[start + 1 :]
