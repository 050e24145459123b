"""Explicit preferences: what the user says they like, need, dislike or avoid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from habitus.memory.extraction.comparisons import replacements_in, without_rejected
from habitus.memory.extraction.cues import ALLOWED_BEFORE, CUES, SUBJECT, WHILE_IT_LASTS
from habitus.memory.extraction.grammar import DAILY, EATER, Cue
from habitus.memory.extraction.guards import is_hypothetical, is_reported
from habitus.memory.extraction.outcome import make_preference
from habitus.memory.extraction.reactions import is_reaction
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.targets import clean_target, is_anaphor, object_span, scope_of
from habitus.memory.extraction.wording import in_first_person, tidy
from habitus.memory.learning.features import trait_called
from habitus.memory.records import Preference, SourceKind, Turn

MAX_PER_SENTENCE = 6
_STRONG = re.compile(
    r"\b(?:strictly|absolutely|never|always|severe(?:ly)?|strong(?:ly)?|refuse|must|cannot|can't"
    r"|hate|despise|detest|loathe|love|adore|extremely|deadly"
    r"|deeply|utterly|completely|totally|exclusively|entirely|at\s+all|passionate(?:ly)?"
    r"|intense(?:ly)?|vehemently|firmly|under\s+no|deal-?breaker)\b",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"\b(?:somewhat|a\s+bit|a\s+little|slightly|not\s+really|kind\s+of|sort\s+of|generally|usually"
    r"|mostly|tend|if\s+possible|sometimes|occasionally|often|ideally|rather|at\s+the\s+moment"
    r"|right\s+now|today|tonight)\b",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"(?:(?:also|really|absolutely|personally|honestly)[,\s]+)?(?:(?P<verb>love|prefer|dislike"
    r"|hate|can'?t\s+(?:stand|eat|have)|cannot\s+(?:stand|eat|have)"
    r"|don'?t\s+(?:like|eat|drink|enjoy|want\s+any)|never\s+(?:liked|eat|drink|wear|use))"
    r"|(?P<state>(?:not\s+(?:a\s+|an\s+|really\s+|too\s+|very\s+|much\s+)*(?:big\s+|huge\s+)?(?:fan"
    r"|into|keen|fond|interested)|(?:severely\s+)?allergic|big\s+fan"
    rf"|(?:strict\s+)?(?:vegan|{EATER})\s+here|never\s+been\s+(?:a\s+fan|into|fond|keen))))\b",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"\b(?:i|is|are|was|were|has|have|had|will|would|does|did|makes?|gives?)\b(?!\s+to\b)", re.IGNORECASE
)
_EVENT = re.compile(r"\s*it\s+when(?:ever)?\s+(?!(?:you|we|i)\b)(?P<event>[^.,;:!?()]{3,80})", re.IGNORECASE)
_STATE = re.compile(
    r"\s*(?:'m|am|have(?!\s+(?:heard|seen|read|had|gone|done|\w+ed)\b)|live|suffer|grew|come|work)\b(?!"
    r"\s+(?:(?:\w+ly|also|just|still)\s+)?(?:to"
    r"|been|going|trying"
    r"|looking|planning|thinking|about|wondering|considering|hoping|excited|sure|not))",
    re.IGNORECASE,
)
_CLAUSE_START = re.compile(
    r"(?:[;:(]|\s[-–—]\s|,\s+(?:but|and|so|though|although|since|because|while|as)\b|\bbut\b"
    r"|\band\b(?=\s+i\b)|\b(?:because|since|although|though|while|whereas)\b)\s*",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"(?:[;()]|\s[-–—]\s|,?\s+but\s+(?=i\b|i'|do\b|can\b|what\b|(?:my|his|her|our)\s+\w+\s|he\b|she\b|they\b)|\s+and\s+(?=i\b)|,\s+(?:so"
    r"|and)\s+(?=i\b|i'|can\b|do\b|please\b|what\b|could\b|any\b)"
    r"|,\s*(?=(?:any|can|could|what|do|please|which|where|how)\b)|\s+so\s+(?=(?:please|can|could"
    r"|what|any|do)\b))",
    re.IGNORECASE,
)

_ASIDE_END = re.compile(
    r"[;()]|\s[-–—]\s|,(?=\s)|\s+(?:so|but)\s+(?=i\b|i'|can\b|what\b|please\b)", re.IGNORECASE
)
_SPLICE = re.compile(
    # "I'm planning a trip, I hate crowds": a main clause of its own before the one that tells the taste.
    r"(?!(?:when|whenever|if|while|unless|because|since|as|given|due|although|though|for|on|at|in|during|with"
    r"|after|before|being|having|by)\b)(?:(?:and|so|hi|hey|hello)\b[\s,!]*)*(?:i|we)\b[^,]*,\s+$",
    re.IGNORECASE,
)
_FREE_CHOICE = re.compile(
    r"(?:if|when(?:ever)?)\s+(?:i\s+(?:have|had|get)\s+(?:the|a)\s+choice|i\s+can|i\s+could\s+choose"
    r"|possible|given\s+(?:the|a)\s+choice"
    r"|it(?:'s|\s+is)\s+up\s+to\s+me|at\s+all\s+possible)|given\s+the\s+choice",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"(?:as\s+a\s+rule|(?:nine|9|eight)\s+times\s+out\s+of\s+(?:ten|10)|more\s+often\s+than\s+not|most\s+of"
    r"\s+the\s+time"
    r"|(?:most|all)\s+(?:days|mornings|evenings|nights|weekends)|every\s+(?:single\s+)?(?:day|morning"
    r"|evening|night|weekend|\w+day)"
    r"|by\s+default|without\s+fail)",
    re.IGNORECASE,
)
_DAILY = Cue(
    re.compile(
        rf"\s+(?:{DAILY}|go\s+for|opt\s+for|choose|pick)(?=\s)(?!\s+(?:it|this|that|these)\b)", re.IGNORECASE
    ),
    "like",
    0.55,
    0.6,
    habit=True,
)
"""Behaviour, told after words of frequency that stand before the subject ("Most days I cycle")."""
_INTRANSITIVE = re.compile(
    r"\b(?:go|travel|ride|drive|cycle|bike|walk|run|swim|commute|fly|sleep|get\s+up|wake\s+up|pay|shop|work"
    r"|stay|sit|exercise|train)$",
    re.IGNORECASE,
)
_MANNER = re.compile(
    r"\s+(?P<rest>(?:in|at|on|with|by|to|from|before|after|through|without|near|under|early|late|alone"
    r"|barefoot)\b[^.,;:!?()]{0,50}?)"
    r"(?=\s*(?:$|\b(?:because|since|as|so|and|but|when|if|whenever|unless)\b))",
    re.IGNORECASE,
)
_BUT_NOT = re.compile(
    r",?\s+but\s+(?:not|no|never)\s+(?!(?:if|when|at|on|in|during|for|after|before|so|too|that|as|to|always"
    r"|the|my|really|necessarily)\b)",
    re.IGNORECASE,
)
_EXCEPTED = Cue(re.compile(r"(?!)"), "dislike", 0.6, 0.7)
"""Stands for "but not ...": found by `_left_out`."""
_ONLY = re.compile(r"\bonly\b", re.IGNORECASE)
"""With an occasion it narrows when, not what: "I only drink coffee on weekends"."""
REPLACES = Cue(re.compile(r"(?!)"), "like", 0.7, 0.75)
"""Stands for "I switched from ... to ...": found by `replacements_in`, not by its pattern."""


@dataclass(frozen=True)
class Found:
    """A taste found in a sentence; the offsets are those of the clause within it.

    `aside` is true for "as someone who ...", which is no sentence yet.
    """

    cue: Cue
    target: str
    words: str
    start: int
    end: int
    said: int
    aside: bool = False


def preferences_in(turn: Turn, sentence: Sentence, *, source: SourceKind = "statement") -> list[Preference]:
    """Return the preferences stated in one sentence of the user's own."""
    found: list[Preference] = []
    for taste in [*_tastes(sentence), *_elided(sentence), *_replaced(sentence)]:
        told = _record(turn, sentence, taste, source)
        if all(not _repeats(told, other) for other in found) and len(found) < MAX_PER_SENTENCE:
            found.append(told)
    return found


def _repeats(told: Preference, other: Preference) -> bool:
    """Tell whether one sentence says a taste twice; of what it says against itself the last word holds."""
    favours = ("like", "require")
    return told.target == other.target and (told.stance in favours) == (other.stance in favours)


def _tastes(sentence: Sentence) -> Iterator[Found]:
    spoken = False  # "and prefer ..." belongs to the user only after a subject of theirs
    covered = 0
    for subject in SUBJECT.finditer(sentence.plain):
        if subject.start() < covered or not _is_user(sentence, subject, spoken=spoken):
            continue
        taste = _taste_at(sentence, subject)
        if taste is not None:
            covered = taste.said
            spoken = True
            yield taste
            yield from _left_out(sentence, taste)
        elif not subject["linked"]:
            # "I have sensitive skin and can only use ...": a state may lead to a taste, a plan does not.
            spoken = _STATE.match(sentence.plain, subject.end()) is not None


def _left_out(sentence: Sentence, taste: Found) -> Iterator[Found]:
    """Find what is excepted from a liking by name ("I like dogs but not cats"); an occasion is its scope."""
    match = _BUT_NOT.search(sentence.plain, taste.said, taste.end + 60)
    if match is None or taste.cue.stance not in ("like", "require", "neutral"):
        return
    start, end = object_span(sentence.plain, match.end())
    words = sentence.plain[start:end]
    target = clean_target(words)
    if len(words.split()) > 5 or not re.search(r"\w{2}", target) or is_anaphor(words) or scope_of(words):
        return
    yield Found(_EXCEPTED, target, match.group(), taste.start, end, end)


def _elided(sentence: Sentence) -> Iterator[Found]:
    """Find what a note without a subject tells ("Can't stand coriander.", "Allergic to bees.")."""
    opening = _NOTE.match(sentence.plain)
    if (
        opening is None
        or sentence.is_question
        or len(sentence.plain.split()) > 9
        or _FINITE.search(sentence.plain)
    ):
        return
    # The cues expect what follows "I": a verb or, for "not a fan" and "allergic", a form of "be".
    lead = "am " if opening["state"] else ""
    told = f" {lead}{sentence.plain}"
    shift = len(lead) + 1
    for cue in CUES:
        match = cue.pattern.match(told)
        if match is None:
            continue
        start, end = object_span(told, match.end())
        words = (match.groupdict().get("target") or told[start:end]).strip()
        target = clean_target(words)
        if re.search(r"\w{2}", target) and not is_anaphor(words) and not is_reaction(match, cue, words):
            yield Found(cue, target, match.group(), 0, len(sentence.text), max(match.end() - shift, 0))
        return


def _replaced(sentence: Sentence) -> Iterator[Found]:
    for found in replacements_in(sentence.plain):
        if not is_hypothetical(sentence, found.start) and not is_reported(sentence, found.start):
            words = sentence.plain[found.start : found.end]
            yield Found(REPLACES, found.target, words, found.start, found.end, found.end)


def _is_user(sentence: Sentence, subject: re.Match[str], *, spoken: bool) -> bool:
    if subject["linked"]:
        return spoken
    before = sentence.plain[: subject.start()]
    if subject["first"] and not (ALLOWED_BEFORE.search(before) or _is_occasion(before)):
        return False
    return not is_hypothetical(sentence, subject.start()) and not is_reported(sentence, subject.start())


def _is_occasion(before: str) -> bool:
    """Tell whether a sentence opens with no more than an occasion ("On weekends I like ...")."""
    opening = re.sub(r"^(?:and|but|so)\b", "", before.rpartition(",")[2].strip().lower()).strip()
    if _is_rule(opening):
        return True
    return len(opening.split()) <= 4 and scope_of(opening) == opening


def _taste_at(sentence: Sentence, subject: re.Match[str]) -> Found | None:
    text, place = sentence.plain, subject.end()
    if subject["as"]:
        place = subject.start()
    for cue in (*CUES, *WHILE_IT_LASTS) if sentence.is_bounded else CUES:
        match = cue.pattern.match(text, place)
        if match is None:
            continue
        return _found(sentence, subject, cue, match)
    opening = text[: subject.start()].rpartition(",")[0] or text[: subject.start()]
    habit = _DAILY.pattern.match(text, place) if subject["first"] and _is_rule(opening.strip()) else None
    return _found(sentence, subject, _DAILY, habit) if habit else None


def _is_rule(opening: str) -> bool:
    return (_RULE.fullmatch(opening) or _FREE_CHOICE.fullmatch(opening)) is not None


def _found(sentence: Sentence, subject: re.Match[str], cue: Cue, match: re.Match[str]) -> Found | None:
    text = sentence.plain
    start, end = object_span(text, match.end())
    rest = without_rejected(match.group(), text[start:end])
    event = _EVENT.match(text, match.end())
    if event is not None:
        (start, end), rest = event.span("event"), event["event"]
    named = (match.groupdict().get("target") or "").strip()
    if named:
        words = (
            named if cue.bare or not rest.strip() else f"{named} {rest}" if is_part(named, rest) else named
        )
    else:
        words = rest
    if named and not cue.bare and is_anaphor(named):
        return None
    if not named and (is_anaphor(words) or (event is None and is_reaction(match, cue, words))):
        return None
    target = clean_target(words) or (words.lower() if cue.bare else "")
    if not named and (verb := _INTRANSITIVE.search(match.group())) is not None:
        # "I usually get up before six": without its verb the rest says nothing.
        manner = _MANNER.match(text[match.end() : end])
        rest = manner["rest"] if manner else ""
        target = " ".join(f"{verb.group()} {rest}".lower().split()) if manner or not target else target
    if re.search(r"\ball\s+(?:these|those|this|that)\b", words, re.IGNORECASE):
        return None
    if not re.search(r"\w{2}", target) or (is_anaphor(target) and not cue.bare) or target.startswith("that "):
        return None
    clause_start, clause_end = _clause(text, subject, max(end, match.end()))
    aside = bool(subject["someone"] or subject["as"])
    return Found(cue, target, match.group(), clause_start, clause_end, match.end(), aside)


def is_part(named: str, rest: str) -> bool:
    """Tell whether the words after a named target still belong to it ("nut allergy to ...")."""
    return bool(re.match(r"\s+(?:to|of|from)\b", rest)) and bool(named)


def _clause(text: str, subject: re.Match[str], end: int) -> tuple[int, int]:
    if subject["someone"] or subject["as"]:
        stop = _ASIDE_END.search(text, end)
        return subject.start(), stop.start() if stop else len(text)
    place = subject.start()
    starts = [match.end() for match in _CLAUSE_START.finditer(text, 0, place)]
    start = starts[-1] if starts and place - starts[-1] < 60 else 0
    if place - start > 90 or (subject["first"] and _SPLICE.match(text[start:place])):
        start = place
    stop = _CLAUSE_END.search(text, end)
    return start, stop.start() if stop else len(text)


def _record(turn: Turn, sentence: Sentence, taste: Found, source: SourceKind) -> Preference:
    quote = sentence.quote(taste.start, taste.end)
    clause = sentence.text[taste.start : taste.end]
    statement = tidy(in_first_person(clause) if taste.aside else clause)
    strength = taste.cue.strength
    if _STRONG.search(quote):
        strength += 0.1
    elif _WEAK.search(quote):
        strength -= 0.15
    scope = _scope(quote, taste.target)
    narrows = scope is not None and taste.cue.stance == "require" and _ONLY.search(taste.words) is not None
    trait = trait_called(taste.target)
    return make_preference(
        turn,
        statement=statement,
        quote=quote,
        topic=trait.topic if trait is not None and trait.is_of_replies_alone else None,
        target=taste.target,
        stance="like" if narrows else taste.cue.stance,
        strength=strength,
        confidence=taste.cue.confidence,
        scope=scope,
        source="behaviour" if taste.cue.habit and source == "statement" else source,
        explicit=not taste.cue.habit,
    )


def _scope(quote: str, target: str) -> str | None:
    scope = scope_of(quote)
    # In "I hate it when the music is loud" the occasion is the object.
    return None if scope is not None and target in scope else scope
