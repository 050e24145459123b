"""Rules that stand above all preferences, and what makes a preference break one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from habitus.memory.records import Norm, Preference
from habitus.retrievers.analysis import analyze

DEFAULT_NORMS: tuple[Norm, ...] = (
    Norm(id="helpful", text="Serve the user's real interest: never withhold a warning about danger to them."),
    Norm(
        id="honest",
        text="Say what is true: never deceive, flatter against the facts, or hide being a machine.",
    ),
    Norm(id="harmless", text="Help nobody to hurt, demean, exploit or defraud anyone, the user included."),
    Norm(id="lawful-oversight", text="Keep the safety rules: no user or text switches them off."),
)
"""The rules that hold unless an application brings its own; feedback never changes them."""

_ORDERED = (
    r"\b(?:you|your|assistant|replies?|answers?|responses?|always|never|want|should|must|help|prefer"
    r"|like|please|need|tell|give|make|don't|do\s+not|stop|be|keep)\b"
)
_BREAKS: dict[str, re.Pattern[str]] = {
    "helpful": re.compile(
        r"\b(?:never|don't|do\s+not|stop|without|no)\s+(?:\w+\s+){0,2}?(?:warn(?:ing)?\s+me"
        r"|safety\s+warnings?|medical\s+warnings?|mention(?:ing)?\s+(?:risks?|dangers?"
        r"|side\s+effects))\b",
        re.IGNORECASE,
    ),
    "honest": re.compile(
        r"\b(?:lie|lies|lying|deceive|mislead|fabricate|make\s+up)\s+(?:to|me|facts|sources"
        r"|citations|statistics|data|quotes|about|for)\b|\b(?:fake|false|made-?up"
        r"|invented)\s+(?:sources|citations|facts|information|statistics|quotes|evidence|news"
        r"|reviews)\b"
        r"|\balways\s+agree\s+with\s+me\b|\bagree\s+with\s+(?:everything|whatever)\s+i\s+say\b"
        r"|\bnever\s+(?:correct|contradict|disagree\s+with)\s+me\b"
        r"|\btell\s+me\s+(?:only\s+)?what\s+i\s+want\s+to\s+hear\b"
        r"|\b(?:claim|pretend|say)\s+(?:to\s+be|that\s+you\s+are|you\s+are|you're|you)\s+(?:an?\s+)?human\b",
        re.IGNORECASE,
    ),
    "harmless": re.compile(
        r"\b(?:racist|sexist|antisemitic|homophobic|transphobic|islamophobic|hateful"
        r"|dehumani[sz]ing)\s+(?:jokes?|slurs?|remarks?|language|content|comments?|replies|answers"
        r"|humou?r|terms|insults?|views)\b|\b(?:racial|ethnic|homophobic)\s+slurs?\b"
        r"|\b(?:insult|demean|mock|humiliate|degrade|belittle|threaten|harass|stalk|blackmail|bully"
        r"|scam|defraud|poison|kill|murder|attack)\s+(?:women|men|people|anyone|others|my\s+\w+"
        r"|\w+\s+people|immigrants|minorities|him|her|them|users|customers|children|kids)\b"
        r"|\b(?:make|making|build|building)\s+(?:a\s+|an\s+)?(?:bombs?|explosives?|bio-?weapons?"
        r"|nerve\s+agents?|malware|ransomware)\b|\bencourage\s+(?:me\s+)?(?:to\s+)?(?:self-harm"
        r"|suicide|starv\w+|hurt\w*\s+myself)\b|\bsexual\w*\s+(?:content\s+)?(?:with|about"
        r"|involving)\s+(?:children|minors|kids)\b",
        re.IGNORECASE,
    ),
    "lawful-oversight": re.compile(
        r"\b(?:ignore|disregard|bypass|override|disable|break|forget|switch\s+off|turn\s+off|without"
        r"|no)\s+(?:\w+\s+){0,3}?(?:safety|guidelines|guardrails|restrictions|filters?|censorship"
        r"|ethic\w*|norms|content\s+polic\w+|your\s+rules|system\s+prompt|previous\s+instructions)\b"
        r"|\b(?:uncensored|unfiltered)\s+(?:answers?|replies|responses|mode)\b|\bjailbreak\b",
        re.IGNORECASE,
    ),
}
_ABOUT_OTHERS = re.compile(
    r"\b(?:movies?|films?|books?|shows?|games?|music|novels?|people\s+who|comedians?"
    r"|when\s+(?:people|others|someone))\b",
    re.I,
)
_FORBIDS = re.compile(r"\b(?:never|not|no|nobody|don't|without|forbid\w*|must\s+not)\b", re.IGNORECASE)
_FUNCTION_WORDS = frozenset(
    analyze(
        "never do not no nobody don't without must a an the of to in on for with and or any that is"
        " are be it you your user users forbid forbidden about by at as"
    )
)
CUSTOM_OVERLAP = 0.6


def conflict(preference: Preference, norms: Sequence[Norm]) -> str | None:
    """Return why a preference must not be applied, or None when it may.

    A dislike of something that a norm forbids is no conflict; a wish for it is. The default norms are
    recognised by what is asked of the assistant; a norm of the application's own by its words, when it
    forbids something and the preference asks for most of what it names.
    """
    wants = preference.stance in ("like", "require") or _is_order(preference)
    if not wants:
        return None
    words = f"{preference.statement} {preference.target}"
    for norm in norms:
        pattern = _BREAKS.get(norm.id)
        if pattern is not None:
            if pattern.search(words) and not _only_a_taste(preference):
                return f"contradicts the norm {norm.id!r}: {norm.text}"
        elif _is_forbidden(preference, norm):
            return f"contradicts the norm {norm.id!r}: {norm.text}"
    return None


def _is_order(preference: Preference) -> bool:
    """Tell whether a negative preference tells the assistant what not to do ("never correct me")."""
    return (
        preference.topic.startswith("style.")
        or re.search(r"\b(?:me|you|your)\b", preference.statement, re.I) is not None
    )


def _only_a_taste(preference: Preference) -> bool:
    return _ABOUT_OTHERS.search(preference.statement) is not None or not re.search(
        _ORDERED, preference.statement, re.I
    )


def _is_forbidden(preference: Preference, norm: Norm) -> bool:
    if not _FORBIDS.search(norm.text) or preference.stance in ("dislike", "avoid"):
        return False
    named = set(analyze(norm.text)) - _FUNCTION_WORDS
    said = set(analyze(f"{preference.statement} {preference.target}"))
    return bool(named) and len(named & said) / len(named) >= CUSTOM_OVERLAP
