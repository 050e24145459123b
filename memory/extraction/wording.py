"""The words of a statement: one sentence in the first person, without what only led up to it."""

from __future__ import annotations

import re

from habitus.retrievers.analysis import lowered

_LEAD_IN = re.compile(
    r"^(?:(?:as\s+(?:i|we)(?:'ve|\s+have)?\s+(?:already\s+|just\s+)?(?:said|mentioned|told\s+you|explained)"
    r"(?:\s+(?:before|earlier|already))?|and|but|so(?!\s+far\b)|because|since|as(?=\s+(?:i|we)\b)|also|well|oh|hey|hi|hello|yes|yeah"
    r"|no(?=,)"
    r"|anyway|though|although|while|plus|btw|by\s+the\s+way|so\s+far|honestly|personally|actually"
    r"|speaking\s+of\s+which"
    r"|on\s+(?:a|another|that)\s+(?:\w+\s+)?note|to\s+be\s+honest|(?:it\s+)?turns\s+out(?:\s+that)?|remember"
    r"\s+that|note\s+that"
    r"|keep\s+in\s+mind\s+that|that)\b[\s,:;-]*)+",
    re.IGNORECASE,
)
_WHO = re.compile(
    r"^(?:as|being|i'm|i\s+am)\s+(?P<who>someone|somebody|one|an?\s+[\w-]+(?:\s+[\w-]+)?"
    r"|the\s+(?:type|kind|sort)\s+of\s+person)\s+who(?P<short>'s|'ve)?\s+(?P<rest>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_ANYBODY = re.compile(
    r"^(?:someone|somebody|one|the\s+\w+\s+of\s+person|a\s+(?:\w+\s+)?(?:person|guy|girl|man|woman))$", re.I
)
_TRAIT = re.compile(
    r"^(?:as|being)\s+(?:someone|somebody)\s+(?P<with>with\s+)?(?P<rest>.+)$", re.IGNORECASE | re.DOTALL
)
_ROLE = re.compile(r"^(?:as|being)\s+(?P<rest>\w.+)$", re.IGNORECASE | re.DOTALL)
_PARTICIPLE = re.compile(r"^(?P<verb>on|following|having)\s+(?P<rest>.+)$", re.IGNORECASE | re.DOTALL)
_OPENINGS = {"on": "I am on", "following": "I follow", "having": "I have"}
_IRREGULAR = {
    "is": "am",
    "isn't": "am not",
    "has": "have",
    "hasn't": "haven't",
    "does": "do",
    "doesn't": "don't",
    "goes": "go",
}
_NOT_VERBS = frozenset({"always", "sometimes", "perhaps", "as", "this", "at"})
_ADVERB = re.compile(
    r"(?:\w+ly|always|often|never|sometimes|also|still|just|even|very|much|at|times|generally|so|too)$", re.I
)
_LINKED = re.compile(
    r"(?<=\band\s|\bbut\s)(?P<adverbs>(?:\w+ly\s+|also\s+|always\s+)*)(?P<verb>isn't|doesn't|has|is|prefers"
    r"|likes|loves|enjoys|hates|dislikes|avoids|needs|values|wants|finds|tends|refuses|appreciates"
    r"|follows|detests|despises|adores)\b",
    re.IGNORECASE,
)

_COMMA = re.compile(r",(?=I\b)")
_BEFORE_STOP = re.compile(r"\s+(?=[.,;!?](?:\s|$))")


def tidy(clause: str) -> str:
    """Return a clause as a sentence: no lead-in ("by the way, ..."), a capital first, a full stop last."""
    # Between a condition in front and "I" the blank was made a comma.
    clause = _BEFORE_STOP.sub("", _COMMA.sub(", ", " ".join(clause.split())))
    kept = _LEAD_IN.sub("", clause).strip(' ,;:-–—"“”') or clause
    kept = kept[0].upper() + kept[1:]
    return kept if kept[-1] in ".!?…" else kept + "."


def in_first_person(clause: str) -> str:
    """Return "as someone who hates queues" as "I hate queues"; other clauses as they are."""
    clause = " ".join(clause.split()).replace("’", "'").strip(" ,;:-–—")
    clause = _LEAD_IN.sub("", clause) or clause
    found = _WHO.match(clause)
    if found is not None:
        verb = {"'s": "is ", "'ve": "have "}.get(found["short"] or "", "")
        if _ANYBODY.match(found["who"]):
            return "I " + _conjugated(verb + found["rest"])
        return f"I am {found['who']} who {verb}{found['rest']}"
    found = _TRAIT.match(clause)
    if found is not None:
        return ("I have " if found["with"] else "I am ") + found["rest"]
    found = _ROLE.match(clause)
    if found is not None:
        return "I am " + found["rest"]
    found = _PARTICIPLE.match(clause)
    return f"{_OPENINGS[lowered(found['verb'])]} {found['rest']}" if found is not None else clause


def _conjugated(words: str) -> str:
    """Put the verbs of a relative clause into the first person ("dislikes" to "dislike")."""
    kept = words.split()
    for place, word in enumerate(kept):
        if not _ADVERB.match(word):
            kept[place] = _first_person(word)
            break
    return _LINKED.sub(lambda match: match["adverbs"] + _first_person(match["verb"]), " ".join(kept))


def _first_person(verb: str) -> str:
    lower = verb.lower()
    if lower in _IRREGULAR:
        return _IRREGULAR[lower]
    if lower in _NOT_VERBS or not lower.endswith("s") or lower.endswith("ss"):
        return verb
    if lower.endswith("ies") and len(lower) > 4:
        return verb[:-3] + "y"
    if lower.endswith(("sses", "shes", "ches", "xes", "zes")):
        return verb[:-2]
    return verb[:-1]
