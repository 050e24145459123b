"""Cues that follow the object of a taste ("crowds drain me"), or hold it ("my nut allergy")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from habitus.memory.extraction.grammar import BE, NOT, POOR
from habitus.memory.records import Stance

_ADVERBS = (
    r"(?:(?:\w+ly|just|quite|so|too|also|always|often|tends?\s+to|would|can|do|does|ever|exactly"
    r"|much|all\s+that|a\s+bit|all|not\s+really)\s+)*"
)
_UNWELL = (
    r"(?:(?:feel|get)\s+)?(?:\w+ly\s+|very\s+|so\s+|too\s+)?(?:nauseous|sick|dizzy|anxious"
    r"|uncomfortable|uneasy|nervous|motion\s+sick|disoriented|overwhelmed"
    r"|claustrophobic|ill|restless|tense|queasy|itchy?|cringe|bloated|sneeze|panic\w*|jittery|miserable|sad"
    r"|shudder|gag|sleepy|angry|swell(?:\s+up)?|burn|ache|water|crawl|hurt|break\s+out|throw\s+up|spin|upset"
    r"|lose\s+focus)"
)
_WELL = (
    r"(?:feel\s+|so\s+|very\s+|really\s+)*"
    r"(?:happy|happier|smile|relax(?:ed)?|calm(?:er)?|alive|good|great|at\s+home|laugh)"
)
_AILMENT = (
    r"(?:\w+\s+)?(?:headaches?|migraines?|anxiety|nausea|vertigo|hives|rash(?:es)?|the\s+creeps"
    r"|nightmares|heartburn|acne|indigestion|motion\s+sickness|pain)"
)


@dataclass(frozen=True)
class ObjectCue:
    """The object of a taste stands before `regex`, or is its group `target`."""

    regex: re.Pattern[str]
    stance: Stance
    strength: float
    confidence: float


def _pattern(text: str, stance: Stance, strength: float, confidence: float = 0.8) -> ObjectCue:
    return ObjectCue(re.compile(text, re.IGNORECASE), stance, strength, confidence)


_ATTRIBUTE = (
    r"(?!(?:part|thing|one|moment)\b)(?:(?!(?:in|about|this|that|the|is|are)\b)[\w'-]+\s+){0,5}?[\w'-]+"
)
OBJECT_FIRST: tuple[ObjectCue, ...] = (
    _pattern(
        r"(?<=\s)never\s+(?:fails?|ceases?)\s+to\s+(?:annoy|irritate|bore|depress|upset|stress|disgust|frustrate"
        r"|drain|disappoint|get\s+on)\s+(?:me|my)\b",
        "dislike",
        0.75,
    ),
    _pattern(
        r"(?<=\s)never\s+(?:fails?|ceases?)\s+to\s+(?!surprise|confuse|puzzle|annoy|irritate|bore|depress|upset|stress"
        r"|disgust|frustrate|drain|disappoint|get)\w+\s+(?:me|my\s+(?:mood|spirits|day|heart))\b",
        "like",
        0.75,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+{_ADVERBS}(?:everything|a\s+priority)\s+(?:to|for)"
        rf"\s+me\b",
        "require",
        0.75,
        0.75,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:hurts?|irritates?|strains?)\s+my\s+(?:eyes|ears|skin|back|head|feet|nose"
        rf"|throat|stomach)\b",
        "dislike",
        0.75,
        0.8,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}helps?\s+me\s+(?:to\s+)?(?:concentrate|focus|sleep|relax|unwind|think|fall"
        rf"\s+asleep|wind\s+down|calm\s+down)\b",
        "like",
        0.65,
        0.7,
    ),
    _pattern(
        r"\b(?:what|the\s+(?:one\s+)?thing|if\s+there's\s+one\s+thing)\s+i\s+(?:(?:really\s+|absolutely"
        r"\s+)*(?:hate|dislike|detest)(?:\s+(?:the\s+)?most)?"
        r"|can't\s+(?:stand|bear)(?:\s+(?:the\s+)?most)?)\s*(?:is|are|,\s*it's)"
        r"\s+(?P<target>[^.;:!?,()]{2,50})",
        "dislike",
        0.85,
        0.85,
    ),
    _pattern(
        r"\b(?:you\s+can|it's\s+easy\s+to)\s+(?:always\s+)?(?:win\s+me\s+over|tempt\s+me|bribe\s+me)"
        r"\s+with\s+(?P<target>[^.;:!?,()]{2,50})",
        "like",
        0.75,
        0.8,
    ),
    _pattern(
        r"^(?P<target>[\w' -]{2,40}?)\s+(?:has|have)\s+replaced\s+[^.;:!?,()]{2,50}?\s+for"
        r"\s+me\b",
        "like",
        0.7,
        0.75,
    ),
    _pattern(
        r"\b(?:(?:please\s+)?(?:don't|do\s+not|never|stop|avoid|no\s+need\s+to|quit)|i\s+(?:don't|do\s+not)"
        r"\s+want\s+you\s+to)\s+(?:ever\s+)?"
        r"(?:suggest|recommend|propose|offer)(?:ing)?\s+(?:me\s+|to\s+me\s+)?(?:any\s+|anything\s+(?:with"
        r"|containing|involving|that\s+(?:has|involves|contains))\s+)?"
        r"(?P<target>(?!(?:me|to|it|that|this|these|those|anything|something|them)\b)[^.;:!?,()]{2,50}?)(?:"
        r"\s+to\s+me)?(?=\s*(?:[.,;!]|$|any\s?more|again|please))",
        "avoid",
        0.85,
        0.8,
    ),
    _pattern(
        r"^(?:please\s+|and\s+|also\s+)*always\s+(?:suggest|recommend|propose|offer)\s+(?:me"
        r"\s+)?(?P<target>[^.;:!?,()]{2,50}?)(?:\s+to\s+me|\s+first)?(?=\s*(?:[.,;!]|$))",
        "require",
        0.75,
        0.75,
    ),
    _pattern(
        r"\b(?:hold|skip|leave\s+out|easy\s+on|go\s+easy\s+on)\s+the\s+(?P<target>[\w -]{2,30}?)(?=,?"
        r"\s+please|\s+for\s+me)",
        "avoid",
        0.6,
        0.55,
    ),
    _pattern(
        r"^(?P<target>[\w' -]{2,30}?)\s+for\s+me,?\s+(?:always|any\s?day|every"
        r"\s+time)(?=\W*$)",
        "like",
        0.7,
        0.75,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+{_ADVERBS}(?:better|easier|nicer|more\s+\w+)\s+for\s+me"
        rf"\s+than\b",
        "like",
        0.6,
        0.7,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}matters?\s+more\s+to\s+me\s+than\b|(?<=\s){BE}\s+{_ADVERBS}a\s+big\s+deal"
        rf"\s+(?:for|to)\s+me\b",
        "require",
        0.65,
        0.75,
    ),
    _pattern(
        rf"(?<=\s)(?:isn't|aren't|{BE}\s+not|doesn't|don't)\s+{_ADVERBS}(?:important|matter(?:\s+much)?"
        rf"|a\s+big\s+deal)\s+(?:for|to)\s+me\b",
        "neutral",
        0.3,
        0.7,
    ),
    _pattern(
        r"\bthere(?:'s|\s+is)\s+nothing\s+i\s+(?:like|love|enjoy)\s+(?:more|better)\s+than"
        r"\s+(?P<target>[^.;:!?,()]{2,60})",
        "like",
        0.85,
        0.85,
    ),
    _pattern(
        r"\bmy\s+(?:(?:biggest|greatest|main|only|one|absolute)\s+)?(?:guilty\s+pleasure|weakness|passion"
        r"|comfort\s+\w+|happy\s+place|hobby)\s+(?:is|are)\s+"
        r"(?P<target>[^.;:!?,()]{2,50})",
        "like",
        0.75,
        0.8,
    ),
    _pattern(
        r"\bmy\s+(?:(?:biggest|greatest|main|worst|absolute)\s+)?(?:pet\s+peeve|nightmare|bugbear|aversion"
        r"|phobia)\s+(?:is|are)\s+(?P<target>[^.;:!?,()]{2,50})",
        "dislike",
        0.8,
        0.8,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:{NOT}|never|has\s+never|have\s+never|no\s+longer)\s+{_ADVERBS}"
        r"(?:appeal(?:s|ed)?\s+to|interest(?:s|ed)?|excite|work\s+(?:well\s+)?for|do\s+(?:it|much"
        r"|anything)\s+for|agree\s+with|suit|attract|sit\s+well\s+with|resonate\s+with"
        r"|speak\s+to)\s+me\b",
        "dislike",
        0.75,
    ),
    _pattern(
        rf"(?<=\s)(?:{BE}\s+{_ADVERBS}(?:not|never)|isn't|aren't|are\s+not|just\s+isn't"
        rf"|just\s+aren't)\s+{_ADVERBS}"
        r"(?:my\s+(?:\w+\s+)?(?:thing|cup\s+of\s+tea|style|jam|scene|favou?rites?|taste|preference"
        r"|strong\s+suit)|for\s+me|to\s+my\s+(?:taste|liking)|appealing\s+to\s+me)\b",
        "dislike",
        0.75,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:makes?|making|leaves?)\s+(?:me|my\s+(?:skin|eyes|nose|head|stomach"
        rf"|throat|mouth|back|ears|teeth))\s+{_UNWELL}\b",
        "dislike",
        0.75,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:leaves?\s+me\s+cold|does\s+nothing\s+for\s+me|do\s+nothing\s+for\s+me|gets?"
        rf"\s+on\s+my\s+nerves"
        r"|kills?\s+me|tastes?\s+(?:like\s+\w+|\w+)\s+to\s+me|smells?\s+(?:like\s+\w+|\w+)\s+to\s+me|gets?"
        r"\s+me\s+down"
        r"|rubs?\s+me\s+(?:up\s+)?the\s+wrong\s+way|sets?\s+my\s+teeth\s+on\s+edge)(?!\s+that\b)",
        "dislike",
        0.75,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+{_ADVERBS}(?:(?:an?\s+)?(?:hell|torture|agony|murder|poison|dangerous|deadly|toxic"
        rf"|off\s+the\s+(?:menu|table))\s+(?:for|to)\s+(?:me"
        rf"|my\s+\w+)"
        r"|(?:bad|terrible|awful|no\s+good|hell|murder)\s+(?:for|on)\s+my\s+(?!\w+\s+(?:is|was))\w+)",
        "avoid",
        0.75,
    ),
    _pattern(rf"(?<=\s){_ADVERBS}makes?\s+me\s+{_WELL}\b", "like", 0.7),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:cheers?\s+me\s+up|lifts?\s+my\s+(?:mood|spirits)|makes?\s+my\s+day)\b",
        "like",
        0.7,
    ),
    _pattern(
        r"(?<=\s)(?:has|have)\s+(?:\w+ly\s+|just\s+)?(?:lost\s+(?:its|their|all|any"
        r"|the)\s+(?:\w+\s+)?(?:charm|appeal|magic|attraction"
        r"|shine)\s+(?:for|to|on)\s+me|become\s+(?:\w+\s+)?(?:boring|annoying|tedious|a\s+chore)\s+(?:for"
        r"|to)\s+me)\b",
        "dislike",
        0.7,
    ),
    _pattern(
        rf"(?<=\s)(?:{BE}|(?:has|have)\s+(?:been\s+)?)\s*{_ADVERBS}(?:growing\s+on|won"
        rf"|winning)\s+me(?:\s+over)?\b",
        "like",
        0.65,
    ),
    _pattern(
        r"\bgive\s+me\s+(?P<target>[^.;:!?,()]{2,40}?)\s+(?:any\s?(?:day|time)|every\s+time)\b", "like", 0.75
    ),
    _pattern(
        r"\b(?:for\s+me|if\s+(?:it\s+(?:is|were|was)\s+)?(?:up\s+to\s+me|you\s+ask\s+me)),?\s+(?:it(?:'s"
        r"|\s+is|'d\s+be|'ll\s+be"
        r"|\s+would(?:\s+always)?\s+be|\s+will(?:\s+always)?\s+be"
        r"|'s\s+always))\s+(?:always\s+)?(?P<target>[^.;:!?,()]{2,40}?)"
        r"(?=\s+(?:every|any|each)\s?(?:time|day)|\s+all\s+the\s+way|\s*[.!]*$)(?!.*\b(?:too|so|very|not)\b)",
        "like",
        0.7,
        0.7,
    ),
    _pattern(
        r"\bmy\s+(?:\w+\s+)?(?:go-to|favou?rite|top\s+pick|first\s+choice|pick|preference)\s+(?:is|are"
        r"|would\s+be|will\s+always\s+be)\s+"
        r"(?P<target>(?!(?:to|that|not)\b)[^.;:!?,()]{2,50})",
        "like",
        0.75,
        0.8,
    ),
    _pattern(
        r"^(?:(?:now(?:adays)?|these\s+days)[\s,]+)?(?P<target>[\w' -]{2,40}?)\s+(?:beats?|trumps?"
        r"|wins?\s+(?:out\s+)?over|(?:is|are)\s+"
        r"(?:much\s+|far\s+)?better\s+than|instead\s+of|rather\s+than)\s+[\w' -]{2,40}?\s+for\s+me\b",
        "like",
        0.7,
        0.75,
    ),
    _pattern(
        r"\b(?:you\s+)?can't\s+go\s+wrong\s+with\s+(?P<target>[^.;:!?,()]{2,40}?)(?=\s+"
        r"(?:as\s+far\s+as\s+i|if\s+you\s+ask\s+me|for\s+me)\b)",
        "like",
        0.65,
        0.7,
    ),
    _pattern(
        r"^(?:no|not\s+any)\s+(?P<target>(?!(?:more|need|problem|thanks|worries|idea|one|way|longer"
        r"|matter|doubt)\b)[^.;:!?,()]{2,40}?)"
        r"\s+(?:at|in|on|when|with)\s[^.;:!?,()]{2,30}?,\s*please(?=\W*$)",
        "avoid",
        0.7,
        0.7,
    ),
    _pattern(
        r"^(?:it's|it\s+is|it'll\s+be"
        r"|it's\s+got\s+to\s+be)\s+(?:always\s+)?(?P<target>[\w' -]{2,40}?)\s+(?:over|rather\s+than"
        r"|instead\s+of)"
        r"\s+[\w' -]{2,40}?\s+for\s+me\b",
        "like",
        0.7,
        0.75,
    ),
    _pattern(r"(?<=\s)(?:has|have)\s+(?:\w+ly\s+)?grown\s+on\s+me\b", "like", 0.65),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:brings?|gives?)\s+me\s+(?:\w+\s+)?(?:joy|peace|comfort|pleasure|energy)\b",
        "like",
        0.7,
    ),
    _pattern(
        rf"(?<=\s)(?:{BE}\s+{_ADVERBS}(?:more\s+|very\s+much\s+|totally\s+|definitely\s+|exactly\s+|just\s+)*"
        r"(?:my\s+(?:kind\s+of\s+)?(?:thing|speed|style|scene|jam|cup\s+of\s+tea|vibe)|right\s+up\s+my"
        r"\s+(?:street|alley)"
        r"|(?:always\s+)?a\s+(?:sure\s+|big\s+)?hit\s+with\s+me))\b",
        "like",
        0.7,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:matters?|means?)\s+(?:a\s+lot|a\s+great\s+deal|most|so\s+much|the\s+world)"
        rf"\s+to\s+me\b",
        "require",
        0.7,
    ),
    _pattern(
        r"\bmy\s+(?:\w+\s+)?(?:stomach|body|skin|back|knees?|hips?|eyes|ears|head|heart|gut|lungs|joints"
        r"|feet|ankles|teeth|shoulders?"
        r"|wrists?|neck|hands|throat|nose|sinuses)\s+(?:really\s+|just\s+|simply\s+)*(?:can't|cannot|won't"
        r"|doesn't|don't|hates?|hurts?\s+from"
        r"|reacts?\s+(?:badly\s+)?to)(?:\s+(?:handle|take|tolerate|stand|bear|like|do|digest|cope\s+with))?"
        r"\s+"
        r"(?P<target>[^.;:!?,()]{2,60})",
        "avoid",
        0.85,
        0.85,
    ),
    _pattern(rf"(?<=\s){BE}\s+{_ADVERBS}the\s+worst(?=\s*(?:[.,;!]|$))", "dislike", 0.6, 0.6),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:gives?|causes?|triggers?|cause)\s+(?:me|my)\s+{_AILMENT}\b",
        "avoid",
        0.8,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:bothers?|annoys?|bores?|irritates?|scares?|frightens?"
        rf"|terrif(?:y|ies)|overwhelms?|drains?|exhausts?|disgusts?|distracts?|repulses?"
        r"|upsets?)\s+me\b"
        rf"|(?<=\s){_ADVERBS}(?:drives?|turns?|stress(?:es)?|gross(?:es)?|freaks?|puts?|creeps?|wears?"
        rf"|ticks?)\s+me\s+"
        r"(?:off|out|crazy|mad|insane|nuts|down|(?:up|round)\s+the\s+(?:wall|bend))\b",
        "dislike",
        0.75,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+{_ADVERBS}(?:an?\s+)?(?:complete\s+|total\s+|absolute\s+|strict\s+"
        rf"|huge\s+|big\s+|major\s+)?"
        r"(?:deal-?\s?breakers?|no-?\s?go|off(?:-|\s)limits|turn-?\s?offs?|out\s+of\s+the\s+question"
        r"|pet\s+peeves?(?:\s+of\s+mine)?)(?:\s+(?:for|to|with)\s+me)?(?=\s*(?:[.,;!?]|$|for|because"
        r"|so|and))",
        "avoid",
        0.95,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+{_ADVERBS}(?:an?\s+)?(?:must-?\s?have|must|non-?\s?negotiable"
        rf"|essential|(?:very\s+|really\s+|so\s+)?important|crucial|key|a\s+priority)\s+(?:for|to)\s+me\b",
        "require",
        0.85,
    ),
    _pattern(
        rf"(?<=\s)(?:{BE})\s+{_ADVERBS}(?:one\s+of\s+)?my\s+(?:all-?\s?time\s+|absolute\s+"
        rf"|personal\s+)?(?:favou?rites?|go-?to|passion|comfort\s+\w+"
        rf"|guilty\s+pleasure|weakness|happy\s+place|drug\s+of\s+choice)\b(?!\s+(?:so\s+far|part|one))",
        "like",
        0.8,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+{_ADVERBS}an?\s+(?:\w+\s+)?(?:problem|nightmare|struggle|challenge|nuisance"
        rf"|torture)\s+(?:for|to)\s+me\b",
        "dislike",
        0.7,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+(?:definitely\s+|completely\s+|totally\s+|all\s+)?out\s+for\s+(?:me|us)"
        r"(?=\s*(?:[.,;!?]|$|because|so|and))(?!\s*(?:this|that|today|tonight))",
        "avoid",
        0.8,
    ),
    _pattern(
        r"^(?:what|the\s+(?:one\s+)?thing)\s+i\s+(?:really\s+|most\s+|always\s+)*(?:like|love|enjoy|want"
        r"|value|look\s+for|prefer)"
        r"(?:\s+(?:most|best))?(?:\s+(?:about|in|on)\s+(?!(?:this|that|it|your)\b)[\w' -]{2,30}?)?\s+(?:is"
        r"|are)\s+"
        r"(?P<target>[^.;:!?,()]{2,60})",
        "like",
        0.75,
        0.75,
    ),
    _pattern(
        r"\bfor\s+me,?\s+it(?:'s|\s+is)\s+all\s+about\s+(?P<target>[^.;:!?,()]{2,50})", "like", 0.7, 0.75
    ),
    _pattern(
        r"^(?:please,?\s+)?(?:nothing\s+but|(?:strictly|only))\s+(?P<target>[^.;:!?,()]{2,40}?)\s+for"
        r"\s+me(?=\W*$|,)",
        "require",
        0.75,
        0.7,
    ),
    _pattern(
        r"\b(?:it|they|everything|food|things)\s+(?:really\s+|always\s+)?(?:has|have|must|needs?)\s+(?:to"
        r"\s+)?be\s+"
        r"(?P<target>[^.;:!?,()]{2,40}?)\s+for\s+me(?=\W*$|,)",
        "require",
        0.75,
        0.7,
    ),
    _pattern(
        r"^(?:(?:so|sorry|ok|okay|well|right|and|please)\b[\s,]*)*(?:no\s+more|enough\s+(?:of|with)|that's"
        r"\s+it\s+with)\s+"
        r"(?P<target>[^.;:!?,()]{2,50}?)\s+for\s+me(?=\s*(?:[.,;!]|$|because|since))",
        "avoid",
        0.8,
        0.75,
    ),
    _pattern(
        r"\byou(?:'ll|\s+will|\s+won't)\s+(?:never\s+)?(?:catch|see|find)\s+me\s+(?:in|on|at|with|near"
        r"|wearing|eating|doing)\s+(?P<target>[^.;:!?,()]{2,50})",
        "avoid",
        0.85,
        0.8,
    ),
    _pattern(
        r"^(?:(?:honestly|well|for\s+me)\b[\s,]*)*(?:give\s+me\s+|i(?:'d|'ll|\s+would|\s+will)\s+(?:\w+"
        r"\s+)?(?:take|have|choose|pick)\s+)?"
        r"(?P<target>(?:(?!(?:is|are|was|were|be|been|do|does|did|go|goes)\b)[\w'-]+\s+){0,5}?(?!(?:is|are"
        r"|was|were)\b)[\w'-]+)\s+over\s+[\w' -]{2,40}?(?:,)?\s+(?:any\s?(?:day|time)|every\s+time|all"
        r"\s+day(?:\s+long)?|always)\b",
        "like",
        0.75,
        0.8,
    ),
    _pattern(r"\b(?:nothing|you\s+can't)\s+beats?\s+(?P<target>[^.;:!?,()]{2,60})", "like", 0.75, 0.75),
    _pattern(
        rf"\bmy\s+(?:all-?\s?time\s+|absolute\s+|personal\s+|new\s+)?(?:favou?rite|preferred|ideal|go-to)"
        rf"\s+(?:(?:kind|type"
        rf"|sort)s?\s+of\s+)?(?P<attribute>{_ATTRIBUTE})\s+(?:(?:has\s+)?(?:now\s+)?changed\s+(?:from"
        rf"\s+[\w -]+?\s+)?to"
        r"|used\s+to\s+be\s+[\w' -]{2,40}?,?\s+(?:but\s+|and\s+)?(?:(?:now|these\s+days),?\s+(?:it's|it"
        r"\s+is)|(?:it's|it\s+is)\s+now)"
        r"|is|are|has\s+(?:always\s+)?been|would\s+be)\s+(?:now\s+|actually\s+|probably\s+|definitely\s+"
        r"|still\s+)*"
        r"(?P<target>[^.;:!?,()]{2,70})",
        "like",
        0.85,
        0.9,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:appeals?\s+to|suits?|fascinates?|relax(?:es)?|calms?|soothes?"
        rf"|works?\s+best\s+for|motivates?)\s+me\b",
        "like",
        0.65,
    ),
    _pattern(rf"(?<=\s)(?:feels?|{BE})\s+{_ADVERBS}{POOR}\s+(?:to|for)\s+me\b(?!\s+to\b)", "dislike", 0.7),
    _pattern(
        r"\bmy\s+(?:(?:severe|strong|serious|mild|bad|deadly|terrible|deep"
        r"|intense)\s+)?(?P<target>(?:[\w-]+\s+){1,3}?)(?:allerg(?:y|ies)|intolerance)\b",
        "avoid",
        1.0,
        0.95,
    ),
    _pattern(
        r"\bmy\s+(?:(?:severe|strong|serious|mild|bad|deadly|terrible|deep"
        r"|intense)\s+)?(?:allerg(?:y|ies)|aversion|intolerance|sensitivity)\s+(?:to|of"
        r"|for)\s+(?P<target>[^.;:!?,()]{2,60})",
        "avoid",
        0.95,
        0.95,
    ),
    _pattern(
        r"\b(?:my|a)\s+(?:strong\s+|deep\s+|intense\s+)?(?:fear|phobia|dislike|hatred)\s+(?:of"
        r"|for)\s+(?P<target>[^.;:!?,()]{2,60})",
        "dislike",
        0.85,
        0.85,
    ),
)
