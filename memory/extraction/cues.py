"""The language of taste: how English speakers say that they like, need, dislike or avoid something.

Each cue is a predicate that follows its subject ("I", "someone who"). Cues are words of attitude,
negation, frequency and modality; what the taste is about is never listed.
"""

from __future__ import annotations

import re

from habitus.memory.extraction.abstaining import ABSTAINING
from habitus.memory.extraction.aversions import AVERSIONS
from habitus.memory.extraction.grammar import ADVERBS, BE, EATER, Cue, cue
from habitus.memory.extraction.likings import LIKINGS
from habitus.memory.extraction.needs import NEEDS

CUES: tuple[Cue, ...] = (*ABSTAINING, *AVERSIONS, *NEEDS, *LIKINGS)
"""In order of precedence: at one subject the first that matches counts."""

WHILE_IT_LASTS: tuple[Cue, ...] = (
    cue(
        rf"{ADVERBS}{BE}\s+{ADVERBS}(?:(?:eating|going|being|turning|cooking)\s+)?"
        rf"(?P<target>{EATER}|vegan|keto|paleo|kosher|halal|teetotal|plant-based|(?:[\w-]+-)free)",
        "require",
        0.9,
        0.9,
        bare=True,
    ),
    cue(
        rf"{ADVERBS}{BE}\s+{ADVERBS}(?:avoiding|skipping|cutting\s+out|staying\s+(?:off|away\s+from)|giving\s+up"
        r"|steering\s+clear\s+of|doing\s+without|abstaining\s+from|laying\s+off|boycotting)",
        "avoid",
        0.8,
        0.85,
    ),
    cue(
        rf"{ADVERBS}(?:{BE}\s+not|isn't|aren't)\s+{ADVERBS}(?!going\s+to\b)"
        rf"(?:(?:eat|drink|tak|hav|us|wear|buy|watch|order|accept|do|cook|smok|read|play|spend)(?:t|d)?ing)",
        "avoid",
        0.8,
        0.85,
    ),
    cue(
        rf"{ADVERBS}{BE}\s+(?:only|exclusively|just)\s+(?:eat|drink|tak|hav|us|wear|buy|watch|order|accept|do|cook"
        r"|read|play)ing",
        "require",
        0.8,
        0.8,
    ),
    cue(
        r"(?:won't|'ll\s+not|\s+will\s+not)\s+(?:be\s+)?(?:eat|drink|tak|us|wear|buy|watch|order)(?:e|ing)?",
        "avoid",
        0.8,
        0.8,
    ),
)
"""What people do or leave for a time only; without words for how long it is an event of the moment."""

SUBJECT = re.compile(
    r"(?<![\w'.\-/])(?:(?P<someone>(?:as|being|i'm"
    r"|i\s+am)\s+(?:someone|somebody|a\s+\w+(?:\s+\w+)?|the\s+(?:type|kind|sort)\s+of\s+person|one"
    r"|an\s+\w+(?:\s+\w+)?)\s+who|(?:as|being)\s+(?:someone|somebody)(?=\s+(?:with\b|(?:\w+ly\s+)?(?:allergic"
    r"|intolerant|sensitive|averse)\s+to\b)))\b"
    r"|(?P<first>i|we)(?=[\s']|(?<=\bi)m\s)(?!\.e)|(?P<linked>,(?=\s+(?:avoiding|preferring|disliking|hating|loving"
    r"|favou?ring)\b)"
    r"|(?:,\s*)?\b(?:and|but|or|yet|so)(?=\s)(?:\s+(?:that|then|therefore|hence|thus"
    r"|as\s+such))?)|(?P<as>(?:^|(?<=[,.;!?]\s)|\band\s+)(?:as\s+an?|being|on|following"
    r"|having)(?=\s)))",
    re.IGNORECASE,
)
"""Who feels it: the speaker, "as someone who", a predicate linked to one before, "as a", "being"."""

ALLOWED_BEFORE = re.compile(
    r"(?:^|[,;:(.!?…—–]|\s-|\b(?:turns\s+out(?:\s+that)?|and|but|or|because|cause|cuz|since|as|so|although"
    r"|though|while"
    r"|whereas|however|anyway"
    r"|also|plus|honestly|personally|usually|generally|typically|normally|sometimes|actually|yes|no"
    r"|well|btw|basically"
    r"|yet|these\s+days|nowadays|today|then|oh|hey|now|fact|like|mostly|lately|think|guess|feel|find|say"
    r"|know|mention|mentioned"
    r"|remember|note|said|given|told\s+you|(?:of|like)\s+how|(?:that's|that\s+is|is)\s+why"
    r"|(?:know|note|fact|remember|mention|mind|aware|consider|considering|guess|believe|say|admit"
    r"|given|is|so|realized|realised|think|means|told\s+you|you|said)\s+that))\s*[\"“(]*$",
    re.IGNORECASE,
)
