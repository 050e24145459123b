"""Telling a taste from a reaction: "I like your second idea", "I hate to bother you"."""

from __future__ import annotations

import re

from habitus.memory.extraction.grammar import Cue

_REACTION = re.compile(
    # "the ..." points at something in the conversation, but for what the senses give ("the smell of rain").
    r"^\s*(?:(?:in|of|for|with|and|from)\b.*|the\b(?!\s+(?:smell|taste|feel(?:ing)?|look|sight"
    r"|thrill)\s+of\s+(?!that|this"
    r"|these|those|the|it|your)).*"
    r"|(?:(?:your|his|her|their|its|that|this|these|those|it|them|both|how|what)\b"
    r"|all\s+(?:of\s+)?(?:these|those|the)"
    r"|to\s+(?:know|see|hear|learn|get|try|say|add|help|think|ask|start|have|find|go"
    r"|make|create|take|read\s+more|be\s+able|meet|do|use|visit|explore|discuss|thank)\b"
    r"|any(?=\s*(?:$|[.,;!?])|\s+(?:of\s+(?:it|the|them|these|those|this|that|your|my|what)|ones?"
    r"|options?|choices"
    r"|alternatives|more|others?|results?|places?)\b)"
    r"|some\b|a\s+(?:recommendation|suggestion|list|few|lot)|if\b|for\s+you)"
    r"|(?:the\s+|any\s+of\s+the\s+|all\s+the\s+)?[\w-]+\s+(?:that\s+)?you\s+(?:just\s+)?(?:gave|made"
    r"|suggested|mentioned|listed|wrote|proposed|sent)\b.*"
    r"|(?:number|option|#)\s*\d|\w+ing\s+(?:\w+\s+)?(?:it|them|these|those)\b"
    r"|(?:\w+\s+){1,3}(?:all\s+)?(?:these|those)\s+\w+"
    r"|(?:\w+\s+){0,4}(?:idea|ideas|suggestion|suggestions|recommendations?|concept|answer|response"
    r"|reply|help|tips|advice|explanation|plan|breakdown|list|feedback|point|metaphor|analogy|joke"
    r"|poem|story|version|title|line|name)\b(?!\s+(?:\w+ing|of))|the\s+idea\s+of\s+(?!\w+ing))",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"\s*to\s+(?:say|admit|bother|ask|break\s+it|interrupt|nag|disappoint|be\s+(?:an?|that|the|rude|picky"
    r"|difficult))\b",
    re.IGNORECASE,
)
"""After "I hate": manners, not taste."""
_IDEA = re.compile(
    r"\s*the\s+(?:idea|thought|prospect)\s+of\b(?!\s+(?:this|that|these|those))", re.IGNORECASE
)
_PLACE = re.compile(r"\s*the\b[^.;]*\s(?:in|at|of|on|by|near)\s+(?:the\s+)?[A-Z]\w")
_POINTS = re.compile(r"\b(?:you|your|that|this|these|those|idea|option|suggestion)s?\b", re.IGNORECASE)
_FERVENT = re.compile(r"\b(?:adores?|loves?|hates?|in\s+love\s+with)\s*$", re.IGNORECASE)
_SOFT_VERBS = re.compile(
    r"\b(?:likes?|loves?|enjoys?|adores?|appreciates?|values?|into|believes?\s+in|dig|drawn\s+to|fan"
    r"\s+of)\s*$",
    re.IGNORECASE,
)


def is_reaction(match: re.Match[str], cue: Cue, words: str) -> bool:
    """Tell whether `words`, the object of a cue, show that it only reacts to what was said."""
    if cue.stance not in ("like", "dislike"):
        return False
    if _POLITE.match(words):
        return True
    if cue.stance == "dislike" and _IDEA.match(words):
        return False
    if _FERVENT.search(match.group()) and _PLACE.match(words) and not _POINTS.search(words):
        return False
    return _SOFT_VERBS.search(match.group()) is not None and _REACTION.match(words) is not None
