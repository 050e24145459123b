"""What a taste is about: target, condition and topic, read off the words that follow a cue."""

from __future__ import annotations

import re

MAX_TARGET_WORDS = 14

_CONJUNCTIONS = (
    r"but|because|since|due\s+to|owing\s+to|although|though|even\s+(?:if|though)|given|thanks\s+to|however"
    r"|which|while|whereas|whenever|when|if|unless|except|despite|especially|particularly|regardless"
    r"|rather\s+than|instead\s+of|as\s+opposed\s+to|in\s+place\s+of|no\s+longer|no\s+more(?!\s+than)"
    r"|(?<!nothing\s)(?<!anything\s)(?:(?:far|much|way|even|a\s+lot|so\s+much)\s+)?(?:more"
    r"|better)\s+than(?!\s+(?:\d|an?\s|one\b))|so\s+(?:that|i|we|please"
    r"|any|can|do|if|it|an?|the|no|not|maybe|perhaps|let's|you|they|he|she|my|our|there|this|these|those"
    r"|some\w*|nothing|avoid|skip|leave|keep|make|try|find|pick|choose|give|show|suggest|recommend|only"
    r"|rather"
    r"|ideally|preferably|don't|never|always|(?:[\w-]+\s+){1,5}please)|for\s+(?:\w+\s+){0,2}reasons?"
    r"|(?:as|so)\s+long\s+as|provided|(?<!long\s)as\s+(?:it|they|i|this|that|we|he|she|my)|(?:do|can|could"
    r"|would|what|any)\s+you"
)
_NEXT_PREDICATE = (
    r"i|i'\w+|my|he|she|it|they|prefer|avoid|dislike|hate|love|enjoy|refuse|find|only|would|strictly"
    r"|strongly|tend"
    r"|always|never|can't|cannot|don't|didn't|need|want"
)
_OVER = (
    r"(?<!\bare\s)(?<!\bis\s)(?<!\bwell\s)over\b"
    r"(?!\s+(?:\d|one|two|three|four|five|ten|an?\s|\w+\s+(?:hours|years|minutes|pages)))"
)
_BOUNDARY = re.compile(
    rf"\s*(?:(?<!\bdr)(?<!\bmr)(?<!\bms)(?<!\bst)(?<!\bmrs)(?<!\bprof)\.|[;!?…()\[\]]|:(?=\s+(?![A-Z]))"
    rf"|\s[-–—]+\s|—|,?\s+\b(?:(?:{_CONJUNCTIONS})\b|{_OVER}"
    rf"|and\s+(?:{_NEXT_PREDICATE})(?!\w)|and\s+(?=(?:the|it|that|this)\b[^.,;]{{0,40}}\b(?:is|has|was|are"
    rf"|had)\b))"
    r"|,\s+not\s|,\s+(?:and|so|or)\s+(?:i|we|it|that|this|they)\b|,\s*(?:please|thanks|thank|i|we|can"
    r"|could|do"
    r"|does|would|will"
    r"|should|looking|planning|thinking|trying|hoping|wondering|is|are|what|which|how|it|they|as|so|like\s+i|just|let's)\b)",
    re.IGNORECASE,
)
_SCOPE = re.compile(
    r"\b(?:(?P<condition>when(?:ever)?|until|till|while|unless|except(?:\s+(?:for|when|on|in|at|with))?"
    r"|(?:as|so)\s+long\s+as|provided(?:\s+that)?|providing|if|during|other\s+than|apart\s+from|outside"
    r"\s+of)\s+(?P<rest>(?:[^.,;:!?()]|(?<=\d)[:.](?=\d)){2,80})"
    r"|(?P<phrase>at\s+(?:work|home|school|night|the\s+office|weekends)|on\s+(?:weekends?|weekdays?"
    r"|weeknights?|holidays?|vacations?|the\s+road|(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|work\s*days?|trips?|business\s+trips?)"
    r"|in\s+(?:the\s+)?(?:mornings?|afternoons?|evenings?|summer|winter|spring|autumn|fall|public"
    r"|meetings|bed(?=\W*$)|the\s+office)"
    r"|with\s+(?:my|the|our)\s+(?:\w+\s+)?(?:kids?|children|family|friends|colleagues|parents"
    r"|partner|wife|husband|son|daughter|team|coworkers)"
    r"|(?:most|all)\s+(?:mornings|evenings|nights|weekends|weeks)|every\s+(?:(?:mon|tues|wednes|thurs|fri"
    r"|satur|sun)day|morning|evening"
    r"|night|weekend|week|month"
    r"|summer|winter)"
    r"|(?:after|before)\s+(?:work|school|bed|bedtime|dinner|lunch|breakfast|noon|[\w']+ing)"
    r"|on\s+my\s+own|for\s+work)\b)",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"(?:(?:and|but|so|also)\s+)?(?P<occasion>(?:when(?:ever)?|while|if|during|at|on|in|with|after|before"
    r"|for|every|most)\b"
    r"[^.,;:!?()]{2,40})(?:,\s+|\s+[-–—]+\s+)",
    re.IGNORECASE,
)
_NOT_THERE = re.compile(r"(?:,|\b(?:but|just|though|only))\s+(?:just\s+)?not\s+$", re.IGNORECASE)
"""Before an occasion: "I like it, but not at work"."""
_LEADING = re.compile(
    r"^(?:(?:to|be|being|actually|probably|definitely|a|an|the|any|anything|all|most|every|my|our"
    r"|some|certain|both|very|really"
    r"|too|of|such|with|using|use|eating|eat(?!\s+(?:out|in)\b)|wearing|wear"
    r"|watching|watch|playing|play|having|have|going|go|consuming|consume|buying|buy|purchasing"
    r"|purchase|drinking|drink|reading|read|seeing"
    r"|see|doing|do|get|getting|taking|take|that|which|who|is|are|listening|listen|involving"
    r"|containing|engaging|engage|in|participating|participate|attending|attend"
    r"|products?\s+(?:with|containing|that\s+contain)|foods?\s+(?:with|containing|that\s+contain)"
    r"|kinds?\s+of|types?\s+of|sorts?\s+of|forms?\s+of|idea\s+of|look\s+of|lot\s+of|related|around"
    r"|on|at|for|from|into|by|it|when|there's|there\s+is|there\s+are|it's)\b[\s,]*)+",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    r"(?:(?:^|[\s,]+)(?:every\s+(?:single\s+)?day|most\s+days|daily|lately|recently|right\s+now|these\s+days"
    r"|nowadays|now|either|though|too|anyway"
    r"|as\s+well|in\s+general|at\s+all"
    r"|like\s+the\s+plague|any\s?more|any\s+longer|by\s+far|any\s?day|after\s+all|then|again|after\s+all"
    r"|if\s+possible|tonight|today|at\s+the\s+moment|a\s+lot"
    r"|much|very"
    r"\s+much|so\s+much|entirely"
    r"|altogether|and|or|the|of))+$",
    re.IGNORECASE,
)
_HEAD_END = re.compile(
    r"\s+(?:that|which|who|with|without|in|of|for|to|like|such|including|containing|involving|from"
    r"|on|at|by|made|tested|and|or|over|as|set|based|than|during|after|before|where|about|around|due"
    r"|rather)\b|,",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_ANAPHOR = re.compile(
    r"^(?:neither\s+of\s+(?:them|those|these|the)\b|(?:an?\s+)?(?:mix|mixture|combination|blend|bit)\s+of\s+(?:both|the\s+two)\b"
    r"|all\s+(?:of\s+)?the\b|it|its|his|her|their|i|we|us|this|that|these|those|them|they|him|her|you|your"
    r"|yours|he|she"
    r"|me|myself|ourselves|yourself|both|either"
    r"|so|what|how|why|where|who|there|here"
    r"|(?:(?:any|some|all|most|none|many|both|each|one)\s+)?(?:of\s+)?(?:it|this|that|these|those"
    r"|them|your)|\w+ing\b[\w\s]{0,16}\s(?:it|them|these|those)$|(?:ones?|much|more|most|less)(?=\s*$|"
    r"\s+(?:of|than|and|or|about|to|in|for|if"
    r"|when)\b)|(?:anything"
    r"|anyone|everything|something|nothing)(?!\s+\w))(?![-\w])",
    re.IGNORECASE,
)


def object_span(text: str, start: int) -> tuple[int, int]:
    """Return where the object of a cue begins and ends; `start` is where the cue ended."""
    found = _BOUNDARY.search(text, start)
    end = found.start() if found else len(text)
    return start, end


def clean_target(words: str) -> str:
    """Return what the taste is about in lower case: no articles, no verbs of use, no condition."""
    words = re.sub(r"[\"“”]", "", _SCOPE.sub("", words))
    words = _LEADING.sub("", words.strip(" ,'\"“”’"))
    words = _TRAILING.sub("", words.strip(" ,.;:'\"“”-"))
    kept = ["or" if word.lower() == "nor" else word for word in words.split()[:MAX_TARGET_WORDS]]
    return " ".join(kept).strip(" ,.;:'\"“”-").lower()


def is_anaphor(words: str) -> bool:
    """Tell whether the object only points at something said before ("it", "those ideas", "your plan")."""
    return _ANAPHOR.match(words.strip()) is not None


def scope_of(clause: str) -> str | None:
    """Return the condition under which the taste holds, in lower case but for "I", or None for always."""
    found = _SCOPE.search(clause)
    if found is None:
        return None
    if found["phrase"]:
        words = found["phrase"]
    else:
        rest = re.split(r"\s(?:i|we|because|but|so)\b(?!\s+am\b)", found["rest"], flags=re.IGNORECASE)[0]
        words = f"{found['condition']} {rest}"
    scope = re.sub(r"\bi\b", "I", " ".join(words.lower().split()))
    return f"except {scope}" if _NOT_THERE.search(clause, 0, found.start()) else scope


def opening_occasion(text: str) -> tuple[str, int] | None:
    """Return the occasion that a sentence opens with and where the sentence goes on; None without one.

    "With my kids, nothing beats board games", "At work herbal tea suits me".
    """
    found = _OPENING.match(text)
    if found is None:
        return None
    occasion = scope_of(found["occasion"])
    return (occasion, found.end()) if occasion is not None else None


def topic_of(target: str) -> str:
    """Return a dotted topic from the head of the target: `spicy food` gives `food.spicy`."""
    head = _HEAD_END.split(target, maxsplit=1)[0]
    words = [word.lower() for word in _WORD.findall(head)]
    if not words:
        words = [word.lower() for word in _WORD.findall(target)][:1]
    if not words:
        return "general"
    return ".".join(reversed(words[-2:]))
