"""Questions back on what is to be deleted: what a reply offered, and what the next message says to that.

The offer stands in `meta` of the reply, so it holds in every process and after a restart, and is gone with
what it names. It holds for the next message of the session; whatever is neither yes nor a choice means no.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from habitus.agent.state import Command
from habitus.memory.records import Turn

_KEY = "offered_to_forget"
MAX_OFFERED = 3

_THEM = r"(?:it|that|this|them|those|these|that\s+one|those\s+ones?)"
_DO = (
    rf"(?:(?:do|delete|forget|erase|remove|drop)\s+(?:{_THEM}|both|all(?:\s+(?:of\s+)?{_THEM})?)"
    r"|go\s+(?:ahead|on)|do\s+so)"
)
_MORE = (
    rf"(?:[\s,.!-]+(?:please|{_DO}|that(?:'s|\s+is)\s+(?:it|the\s+one|right|correct|what\s+i\s+mean)|i\s+do"
    r"|thanks?|thank\s+you))*"
)
_YES = re.compile(
    r"\W*(?:yes|yeah|yep|yup|ya|aye|sure|ok|okay|correct|right|exactly|indeed|precisely|definitely|absolutely|of\s+course"
    rf"|i\s+do|please\s+do|please|that(?:'s|\s+is)\s+(?:it|the\s+one|right|correct|what\s+i\s+(?:mean|meant))|{_DO}){_MORE}\W*",
    re.IGNORECASE,
)
_NO = re.compile(
    r"\W*(?:no|nope|nah|none|neither|not\s+that(?:\s+one)?|don't|do\s+not|never\s?mind|keep\s+(?:it|them|that))"
    r"(?:[\s,.!-]+(?:thanks?|thank\s+you|please|of\s+(?:them|those|these)|it's\s+fine|leave\s+it|keep\s+(?:it|them)|don't))*\W*",
    re.IGNORECASE,
)
_ALL = re.compile(
    rf"\W*(?:(?:yes|ok(?:ay)?|please)[\s,]+)*(?:both|all|every\s+one)(?:\s+of\s+{_THEM}|\s+(?:two|three))?{_MORE}\W*",
    re.I,
)
_ORDINALS = (
    r"(?:first|1st|one|1)",
    r"(?:second|2nd|two|2)",
    r"(?:third|3rd|three|3)",
)
_WHICH = tuple(
    re.compile(
        rf"\W*(?:(?:yes|ok(?:ay)?|please|i\s+mean|just|only|delete|forget)[\s,]+)*(?:the\s+|number\s+|no\.?\s*|#)?{one}"
        rf"(?:\s+one|\s+of\s+{_THEM})?{_MORE}\W*",
        re.IGNORECASE,
    )
    for one in _ORDINALS
)
_LAST = re.compile(
    rf"\W*(?:(?:yes|ok(?:ay)?|please|just|only)[\s,]+)*the\s+last(?:\s+one)?{_MORE}\W*", re.IGNORECASE
)
_MAX_ANSWER_CHARS = 80


def question_of(offered: Sequence[str]) -> str:
    """Return how the user is asked what of the offered they mean."""
    if len(offered) == 1:
        return f"I deleted nothing. Do you mean “{offered[0]}”? If you say yes, I delete that for good."
    shown = "\n".join(f"{number}. “{one}”" for number, one in enumerate(offered, start=1))
    return f"I deleted nothing. Do you mean one of these? Say which, and I delete it for good.\n{shown}"


def meta_of(offered: Sequence[str]) -> dict[str, Any]:
    """Return what the reply that asks carries."""
    return {_KEY: list(offered)} if offered else {}


def answer_to(reply: Turn | None, text: str) -> Command | None:
    """Return the command by which a message answers the offer of the reply before it; None if it does not."""
    offered = reply.meta.get(_KEY) if reply is not None else None
    if not offered or len(text) > _MAX_ANSWER_CHARS:
        return None
    plain = text.replace("’", "'")
    if _NO.fullmatch(plain):
        return Command(kind="keep", words="")
    meant = _meant(list(offered), plain)
    return Command(kind="forget", words="", said=tuple(meant)) if meant else None


def _meant(offered: list[str], text: str) -> list[str]:
    if _ALL.fullmatch(text) and len(offered) > 1:
        return offered
    if _LAST.fullmatch(text):
        return offered[-1:]
    for one, pattern in zip(offered, _WHICH, strict=False):
        if pattern.fullmatch(text):
            return [one]
    # Of several a bare yes names none.
    return offered if len(offered) == 1 and _YES.fullmatch(text) else []
