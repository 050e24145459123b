"""Pieces of English that attitudes are told with, as regular expressions, and what a cue is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from habitus.memory.records import Stance

ADVERB = (
    r"(?:\w+ly|always|often|very\s+much|very|pretty|super|much|also|still|just|quite|rather|kind\s+of|sort"
    r"\s+of|do|does|so|too"
    r"|even|well|have\s+always|has\s+always|have\s+long|sometimes|at\s+times|for\s+the\s+most\s+part|now"
    r"|all(?:\s+that)?"
    r"|that(?=\s+(?:keen|fond|into|big|crazy|much|interested|comfortable|enthusiastic|excited)\b)|a\s+(?:bit"
    r"|little|tad)|kinda"
    r"|ever|tends?\s+(?:\w+ly\s+)?to|try\s+to|tries\s+to|find\s+myself|myself|as\s+a\s+rule|far|only"
    r"|somewhat)"
)
ADVERBS = rf"(?:{ADVERB}\s+)*"
LESS = (
    r"(?:cut(?:ting)?\s+(?:down|back)\s+on|cut(?:ting)?\s+out|stay(?:ing)?\s+off|lay(?:ing)?\s+off"
    r"|keep(?:ing)?\s+off"
    r"|get(?:ting)?\s+away\s+from|move\s+away\s+from|wean\s+myself\s+off|eas(?:e|ing)\s+off|swear\s+off"
    r"|giv(?:e|ing)\s+up"
    r"|(?:eat|drink|us|buy|watch|consum|smok|read|play|order|wear)(?:e|ing)?\s+(?:less|fewer)|spend\s+less"
    r"\s+time\s+(?:on|with|in|at))"
)
"""To do less of a thing, or without it."""
DAILY = (
    r"(?:eat|drink|use|wear|buy|watch|read|listen\s+to|play|order|cook|bake|take|go(?!\s+(?:back|over"
    r"|through|wrong|into|to)\b)"
    r"|go\s+to|travel|ride|drive|cycle|bike|walk|run|swim|commute|fly|sleep|get\s+up|wake\s+up|pay|shop"
    r"|work(?!ed|s\b)|stay|sit"
    r"|book|visit|bring|carry|wash|dress|exercise|train|meditate|study)"
)
"""What people do day by day, to their taste."""
HABIT = (
    r"(?:(?:usually|typically|generally|normally|always|often|mostly|mainly|primarily|exclusively|only|solely"
    r"|consistently|invariably|tends?\s+(?:\w+\s+)?to|make\s+(?:sure|a\s+point)\s+(?:to|of)|strictly|purely"
    r"|try\s+to|tries\s+to|strive\s+to|aim\s+to|strives\s+to|aims\s+to)\s+)"
)
BE = (
    r"(?:am|'m|(?<=\bi)m|is|'s|are|'re|have\s+(?:always\s+)?been|'ve\s+(?:always\s+)?been|being|was\s+always)"
)
HAVE = r"(?:have|has|having|'ve\s+got|have\s+got|'ve|suffer\s+from|experience|with|live\s+with)"
NOT = r"(?:don't|do\s+not|doesn't|does\s+not|dont|doesnt|didn't\s+ever)"
CANNOT = (
    r"(?:can't|cannot|can\s+not|cant|could\s+never|can\s+never|can\s+hardly|(?:am|'m)\s+(?:un"
    r"|not\s+)able\s+to)"
)
NEVER = (
    r"(?:never|won't|will\s+not|would\s+never|will\s+never|wouldn't|'d\s+never|'ll\s+never|rarely"
    r"|seldom|hardly\s+ever)"
)
USE = (
    r"(?:eat(?:ing)?|drink(?:ing)?|consum(?:e|ing)|us(?:e|ing)|wear(?:ing)?|buy(?:ing)?|purchas(?:e|ing)"
    r"|shop(?:ping)?|watch(?:ing)?|read(?:ing)?|listen(?:ing)?|play(?:ing)?|cook(?:ing)?|own(?:ing)?"
    r"|driv(?:e|ing)|rid(?:e|ing)|visit(?:ing)?|stay(?:ing)?|din(?:e|ing)|travel(?:l?ing)?|fly(?:ing)?"
    r"|feed(?:ing)?|choos(?:e|ing)|consider(?:ing)?|tak(?:e|ing)|order(?:ing)?|smok(?:e|ing)"
    r"|touch(?:ing)?|attend(?:ing)?|practi[cs](?:e|ing)|follow(?:ing)?|sleep(?:ing)?|sit(?:ting)?"
    r"|select(?:ing)?|support(?:ing)?|book(?:ing)?|pick(?:ing)?|go(?:ing)?|wash(?:ing)?|apply(?:ing)?)"
)
KEEP = (
    r"(?:eat|drink|consume|smoke|wear|cook|buy|watch|read|listen\s+to|play|drive|ride|fly|own|do|keep|travel)"
)
EATER = r"(?:vege|egge|pesca|pesce|flexi|reduce|fruit|pollo)\w*tarian"
"""Who is named for what they eat; others end alike: libertarian, humanitarian."""
DEGREE = (
    r"(?:(?:an?|any|some|the|no|such|this|my)\s+)?(?:(?:\w+ly|strong|severe|big|huge|deep(?:-\w+)?"
    r"|great|intense|serious|real|extreme|acute|mild|bad|general|personal|particular|clear|slight"
    r"|lifelong|genuine|chronic|moral|ethical|definite|certain|little|massive|major|total|complete"
    r"|profound|marked|terrible)(?:,)?\s+)*"
)
_PREFIXED = (
    r"(?:dis|un|in|im|ir)(?!teres|spir|trig|cred|press|tui|tera|form|nova|mers|tern|port|divid|iqu"
    r"|derst|tegr|dian|dustr|door)"
    r"\w{3,}(?:ing|ed|able|ible|ive|ful|ic|al|ent|ant|ny|ly|tal|cal)(?=\s*(?:[.,;!?]|$|(?:and|or"
    r"|because|since|as|to|for)\b))"
)
UNPLEASANT = (
    r"(?:boring|tedious|dull|annoying|irritating|distracting|tiring|tiresome|exhausting|overwhelming"
    r"|frustrating"
    r"|off-putting|cruel|stressful|confusing|pointless|disgusting|gross|awful|terrible|horrible"
    r"|dreadful|repulsive"
    r"|upsetting|nauseating|pretentious|depressing|wasteful|tacky|ugly|draining|monotonous|creepy|scary"
    r"|ridiculous|painful)"
)
POOR = rf"(?:{UNPLEASANT}|{_PREFIXED}|too\s+\w+|overly\s+\w+)"
FINE = (
    r"(?:relaxing|enjoyable|comforting|soothing|fun|fascinating|delightful|rewarding|refreshing|motivating"
    r"|therapeutic|appealing|calming|satisfying|engaging|wonderful|lovely|brilliant|delicious"
    r"|irresistible|charming|beautiful|amazing|more\s+\w+|easier|most\s+\w+|best)"
)
UNWELL = (
    r"(?:nauseous|sick|dizzy|anxious|uncomfortable|uneasy|nervous|motion\s+sick|carsick|seasick|disoriented"
    r"|overwhelmed|claustrophobic|ill|restless|tense|bored|distracted|stressed|panicky|queasy"
    r"|headaches?|migraines?|hives|motion\s+sickness|nausea|vertigo|anxiety|panic\s+attacks)"
)


@dataclass(frozen=True)
class Cue:
    """A predicate of attitude.

    Attributes:
        pattern: matched at the place where the subject ends; what it is about begins where it ends,
            or is the group `target`.
        stance: the attitude.
        strength: 0 is a leaning, 1 must never be crossed.
        confidence: how surely the words state a lasting taste.
        habit: True when behaviour is told rather than taste.
        bare: True when the object may be left out or refer back ("I'm vegan").
    """

    pattern: re.Pattern[str]
    stance: Stance
    strength: float
    confidence: float = 0.9
    habit: bool = False
    bare: bool = False


def cue(
    pattern: str,
    stance: Stance,
    strength: float,
    confidence: float = 0.9,
    *,
    habit: bool = False,
    bare: bool = False,
) -> Cue:
    """Compile a predicate; it must end at the end of a word."""
    compiled = re.compile(rf"\s*{pattern}(?=[\s,.;:!?)]|$)", re.IGNORECASE)
    return Cue(compiled, stance, strength, confidence, habit, bare)
