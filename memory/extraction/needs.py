"""Cues of what is required: diets, needs, what one cannot do without."""

from __future__ import annotations

from habitus.memory.extraction.grammar import ADVERBS, BE, CANNOT, DEGREE, EATER, USE, Cue, cue

_AID = (
    r"(?:wheelchair|walking\s+(?:frame|stick|aid)|walker|rollator|crutches|cane|mobility\s+scooter|prosthe\w+"
    r"|hearing\s+aids?|cochlear\s+implant|screen\s+reader|guide\s+dog|service\s+dog|braille|sign\s+language)"
)
_IMPAIRED = (
    r"(?:deaf|blind|hard\s+of\s+hearing|partially\s+sighted|visually\s+impaired|hearing\s+impaired"
    r"|housebound|paraplegic|colou?r-?\s?blind)"
)

NEEDS: tuple[Cue, ...] = (
    cue(
        rf"{ADVERBS}(?:uses?|using|needs?|relies\s+on|rely\s+on|have|has|{BE}\s+in)\s+(?:an?\s+|my\s+)?"
        rf"(?P<target>(?:[\w-]+\s+)?{_AID})(?!\s+\w)",
        "require",
        0.95,
        0.9,
        bare=True,
    ),
    cue(rf"{ADVERBS}{BE}\s+{ADVERBS}(?P<target>{_IMPAIRED})", "require", 0.95, 0.9, bare=True),
    cue(
        # A need in the form of its word: "step-free", "wheelchair accessible", "dog-friendly".
        r"\s*(?:\w+ly\s+)?needs?(?!\s+(?:to|help|more|some|advice|you|your|it)\b)"
        r"(?=\s+(?:[\w-]+\s+){0,3}?(?:[\w-]+\s+accessible|accessible|\w+-(?:free|friendly|accessible))\s+\w)",
        "require",
        0.8,
        0.75,
    ),
    cue(
        r"\s+need\s+(?P<target>(?!complete|total|absolute|help|time|you|it|to|a|my)\w+)\s+to\s+(?:read"
        r"|concentrate|focus"
        r"|sleep|work|think|relax|study)",
        "require",
        0.75,
        0.8,
        bare=True,
    ),
    cue(
        rf"{ADVERBS}(?:follows?|following|keeps?(?:\s+to)?|sticks?\s+to|adheres?\s+to|observes?"
        rf"|maintains?|on|{BE}\s+on|eats?|eating)\s+(?:an?|the|my)\s+"
        r"(?P<target>(?:[\w-]+,?\s+){1,5}?(?:diets?|lifestyle|regimen|regime))",
        "require",
        0.95,
        0.95,
        bare=True,
    ),
    cue(rf"{ADVERBS}keeps?\s+(?P<target>kosher|halal)", "require", 0.95, 0.95, bare=True),
    cue(
        rf"(?:{ADVERBS}(?:{BE}|as|and)|(?:\s*'ve|\s+have)?\s+(?:recently\s+|just\s+)?(?:went|gone|turned"
        rf"|became|become))"
        rf"\s+{ADVERBS}(?:an?\s+)?{DEGREE}(?:strict\s+|committed"
        rf"\s+)?(?P<target>{EATER}|vegan|(?:pure[\s-]+)?veg"
        rf"|teetotal(?:l?er)?"
        rf"|celiac|coeliac|diabetic)",
        "require",
        0.95,
        0.95,
        bare=True,
    ),
    cue(
        rf"{ADVERBS}(?:insists?\s+on|requires?(?!\s+(?:\d|one|two|three|four|five|an?)\b)"
        rf"|must\s+(?:always\s+)?have(?!\s+(?:been|got"
        rf"|had|done|made|lost|left|read|seen|come|put|\w+(?:ed|en)\b))|(?:{CANNOT}|could(?:n't|\s+not))"
        rf"\s+(?:live"
        rf"|do|go|work|sleep|function|be)\s+without|(?:have|'ve\s+got)\s+to\s+have(?=\s+(?:my|an?)\b))",
        "require",
        0.9,
        0.85,
    ),
    cue(
        rf"(?:{ADVERBS})?(?:always|really|absolutely|definitely|usually|strictly"
        rf"|generally)\s+needs?(?!\s+(?:to|help|more|some|advice|you|your|it)\b)",
        "require",
        0.8,
        0.75,
    ),
    cue(
        rf"(?:{ADVERBS})?(?:can\s+|will\s+)?(?:only|exclusively|solely"
        rf"|strictly)\s+(?:ever\s+)?(?:{USE}|eats|drinks"
        rf"|uses|wears|buys|purchases|watches|reads|plays|stays|dines|travels|drives|shops"
        rf"|want\s+to(?:\s+(?:own|use|buy|wear|eat|watch|feed|adopt|drive|play|read|have))?|want)",
        "require",
        0.85,
        0.85,
    ),
    cue(
        # "so I need": a need with its reason, not a shopping list.
        r"(?<=so\si)\s+(?:\w+ly\s+)?needs?(?!\s+to\b)(?=\s+(?:an?\s+|my\s+)?[\w\s-]{2,40}\b(?:with|without"
        r"|that"
        r"|which)\b)",
        "require",
        0.7,
        0.7,
    ),
    cue(
        r"\s*(?:\w+ly\s+)?needs?(?!\s+(?:to|help|more|some|advice|you|your"
        r"|it)\b)(?=\s+[\w\s-]{2,50}\b(?:to\s+(?:be\s+able\s+to\s+)?"
        r"(?:concentrate|focus|sleep|work|think|function|relax|study|learn|feel|breathe|fall)"
        r"|wherever|everywhere|at\s+all\s+times|no\s+matter)\b)",
        "require",
        0.8,
        0.8,
    ),
    cue(
        r"\s*(?:\w+ly\s+)?needs?(?!\s+(?:to|help|more|some|advice|you|your|it)\b)"
        r"(?=\s+[\w\s-]{2,50}\b(?:because\s+(?:of\s+)?my|due\s+to\s+my|owing\s+to\s+my|on\s+account\s+of"
        r"\s+my)\b)",
        "require",
        0.8,
        0.75,
    ),
    cue(
        rf"{ADVERBS}never\s+(?:leave|go|travel|start|do)\b[^.,;!?]{{0,40}}?\swithout(?!\s+\w+ing\b)",
        "require",
        0.75,
        0.75,
    ),
    cue(rf"{ADVERBS}{BE}\s+{ADVERBS}(?:particular|picky|fussy|choosy)\s+about", "require", 0.6, 0.75),
)
