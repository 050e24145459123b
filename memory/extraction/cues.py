"""The language of taste: how English speakers say that they like, need, dislike or avoid something.

Each cue is a predicate that follows its subject ("I", "someone who"). Cues are words of attitude,
negation, frequency and modality; what the taste is about is never listed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from habitus.memory.records import Stance

ADVERB = (
    r"(?:\w+ly|always|often|very\s+much|much|also|still|just|quite|rather|kind\s+of|sort\s+of|do|does|so|too"
    r"|even|well|have\s+always|has\s+always|have\s+long|sometimes|at\s+times|for\s+the\s+most\s+part|now|all"
    r"|ever|tends?\s+(?:\w+ly\s+)?to|try\s+to|tries\s+to|find\s+myself|myself|as\s+a\s+rule|far|only"
    r"|somewhat)"
)
ADVERBS = rf"(?:{ADVERB}\s+)*"
HABIT = (
    r"(?:(?:usually|typically|generally|normally|always|often|mostly|mainly|primarily|exclusively|only|solely"
    r"|consistently|invariably|tends?\s+(?:\w+\s+)?to|make\s+(?:sure|a\s+point)\s+(?:to|of)|strictly|purely"
    r"|try\s+to|tries\s+to|strive\s+to|aim\s+to|strives\s+to|aims\s+to)\s+)"
)
BE = r"(?:am|'m|is|are|'re|have\s+(?:always\s+)?been|'ve\s+(?:always\s+)?been|being|was\s+always)"
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
_DEGREE = (
    r"(?:(?:an?|any|some|the|no|such|this|my)\s+)?(?:(?:\w+ly|strong|severe|big|huge|deep(?:-\w+)?"
    r"|great|intense|serious|real|extreme|acute|mild|bad|general|personal|particular|clear|slight"
    r"|lifelong|genuine|chronic|moral|ethical|definite|certain|little|massive|major|total|complete"
    r"|profound|marked|terrible)(?:,)?\s+)*"
)
_POOR = (
    r"(?:boring|tedious|dull|annoying|irritating|distracting|tiring|tiresome|exhausting|unpleasant"
    r"|overwhelming|uncomfortable|frustrating|unappealing|off-putting|cruel|stressful|confusing|pointless"
    r"|disgusting|gross|unbearable|awful|terrible|horrible|dreadful|repulsive|distasteful|unsettling"
    r"|disturbing|upsetting|nauseating|intimidating|impractical|inconvenient|unethical|wasteful|tacky|ugly"
    r"|cheesy|gimmicky|pretentious|monotonous|unenjoyable|uninteresting|unengaging|draining|claustrophobic"
    r"|too\s+\w+|overly\s+\w+|(?:very|quite|rather|so|a\s+bit|a\s+little)\s+(?:too\s+)?\w+(?:ing|ive))"
)
_FINE = (
    r"(?:relaxing|enjoyable|comforting|soothing|fun|fascinating|delightful|rewarding|refreshing|motivating"
    r"|therapeutic|appealing|calming|satisfying|engaging|more\s+\w+|easier|most\s+\w+|best)"
)
_UNWELL = (
    r"(?:nauseous|sick|dizzy|anxious|uncomfortable|uneasy|nervous|motion\s+sick|carsick|seasick|disoriented"
    r"|overwhelmed|claustrophobic|ill|restless|tense|bored|distracted|stressed|panicky|queasy"
    r"|headaches?|migraines?|hives)"
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


def _cue(
    pattern: str,
    stance: Stance,
    strength: float,
    confidence: float = 0.9,
    *,
    habit: bool = False,
    bare: bool = False,
) -> Cue:
    compiled = re.compile(rf"\s*{pattern}(?=[\s,.;:!?)]|$)", re.IGNORECASE)
    return Cue(compiled, stance, strength, confidence, habit, bare)


CUES: tuple[Cue, ...] = (
    # Needs that must not be crossed.
    _cue(
        rf"{ADVERBS}{BE}\s+{ADVERBS}(?:allergic|intolerant|hypersensitive|sensitive|averse)\s+(?:to|of)",
        "avoid",
        1.0,
        0.95,
    ),
    _cue(
        rf"{ADVERBS}{BE}\s+{ADVERBS}(?P<target>[\w]+)[\s-](?:intolerant|sensitive|averse|phobic)",
        "avoid",
        0.95,
        0.95,
    ),
    _cue(
        rf"{ADVERBS}{HAVE}\s+{_DEGREE}(?:allerg(?:y|ies)|intolerance|sensitivity"
        rf"|sensitivities)\s+(?:to|of|for)",
        "avoid",
        1.0,
        0.95,
    ),
    _cue(
        rf"{ADVERBS}{HAVE}\s+{_DEGREE}(?P<target>(?:[\w-]+\s+){{1,5}}?)(?:allerg(?:y|ies)|intolerance)",
        "avoid",
        1.0,
        0.95,
    ),
    _cue(rf"{ADVERBS}{HAVE}\s+{_DEGREE}(?:fear|phobia|terror|dread)\s+of", "avoid", 0.9, 0.85),
    _cue(rf"{ADVERBS}{HAVE}\s+{_DEGREE}(?P<target>[\w-]*phobia)", "avoid", 0.9, 0.85, bare=True),
    # Aversions.
    _cue(
        rf"{ADVERBS}(?:prefers?|choose|chooses|(?:would|'d)(?:\s+much)?\s+(?:rather"
        rf"|prefer))\s+(?:not\s+to|not)(?:\s+be)?",
        "dislike",
        0.75,
    ),
    _cue(
        rf"{ADVERBS}(?:prefers?\s+to|likes?\s+to|needs?\s+to|must|have\s+to|has\s+to|should"
        rf"|choose\s+to)?\s*{ADVERBS}"
        r"(?:avoid(?:s|ing)?|steers?\s+(?:well\s+)?clear\s+of|stays?\s+(?:far\s+)?away\s+from"
        r"|keeps?\s+away\s+from|sh(?:y|ies)\s+away\s+from|abstains?\s+from|refrains?\s+from"
        r"|boycotts?|shuns?|eschews?)",
        "avoid",
        0.85,
    ),
    _cue(rf"{ADVERBS}refus(?:e|es|ing)\s+to", "avoid", 0.95),
    _cue(
        rf"{ADVERBS}(?:dislikes?|disliking|hates?|despises?|detests?|loathes?|abhors?|disapproves?\s+of"
        r"|objects?\s+to|resents?|oppose|opposes|can\s+do\s+without|reject|rejects|fears?|dread|dreads)",
        "dislike",
        0.85,
    ),
    _cue(
        rf"(?:{CANNOT}|can\s+barely)\s+{ADVERBS}(?:stand|bear|tolerate|abide|stomach|handle"
        rf"|deal\s+with|cope\s+with"
        r"|take|endure|get\s+into|get\s+behind|do\s+well\s+with)",
        "dislike",
        0.9,
    ),
    _cue(
        rf"{ADVERBS}{CANNOT}\s+{ADVERBS}(?:eat|drink|consume|digest|wear|have|be\s+(?:around|near|in"
        rf"|on)|touch|smell|use|do|watch|play)",
        "avoid",
        0.9,
    ),
    _cue(
        rf"{ADVERBS}{NOT}\s+{ADVERBS}(?:like|enjoy|love|care\s+(?:much\s+)?for|fancy|appreciate|dig"
        rf"|approve\s+of|believe\s+in"
        r"|support|condone|do\s+well\s+(?:with|in)|feel\s+(?:comfortable|safe"
        r"|at\s+ease)(?:\s+(?:with|around|in|on|when))?"
        r"|find\s+(?:much\s+)?(?:joy|pleasure|interest|enjoyment)\s+in|get\s+along\s+with"
        r"|see\s+the\s+(?:appeal|point)\s+of)",
        "dislike",
        0.75,
    ),
    _cue(rf"{ADVERBS}{NOT}\s+{ADVERBS}(?:mind|care\s+(?:about|whether))", "neutral", 0.3, 0.7),
    _cue(
        rf"{ADVERBS}{BE}\s+(?:not|never|no)\s+{ADVERBS}(?:an?\s+)?(?:(?:big|huge|great|particular"
        rf"|real|massive|major)\s+)?"
        r"(?:fan|lover|admirer)\s+of",
        "dislike",
        0.75,
    ),
    _cue(
        rf"{ADVERBS}(?:(?:{BE}\s+(?:not|never)|(?:have|'ve|has)\s+never\s+been|isn't"
        rf"|aren't)\s+{ADVERBS}(?:a|an|the\s+)?\s*"
        r"(?:(?:big|huge)\s+)?(?:fan\s+of|fond\s+of|into|keen\s+on|big\s+on|crazy\s+about|drawn\s+to"
        r"|attracted\s+to|in\s+favou?r\s+of"
        r"|comfortable\s+(?:with|around|in|on|using)|okay\s+with|ok\s+with|interested\s+in|one\s+for"
        r"|in\s+the\s+mood\s+for"
        r"|enthusiastic\s+about|supportive\s+of|open\s+to|willing\s+to(?:\s+\w+)?|at\s+ease\s+(?:with|in)))",
        "dislike",
        0.75,
    ),
    _cue(
        rf"{ADVERBS}{BE}\s+{ADVERBS}(?:(?:firmly\s+)?against|opposed\s+to|put\s+off\s+by"
        rf"|turned\s+off\s+by|repulsed\s+by"
        r"|disgusted\s+by|bothered\s+by|annoyed\s+by|irritated\s+by|uncomfortable\s+(?:with|around"
        r"|in|on|at|when|watching|using)"
        r"|(?:afraid|scared|terrified|frightened|wary|petrified)\s+of|sick\s+of|tired\s+of"
        r"|bored\s+(?:of|by|with)|overwhelmed\s+by)",
        "dislike",
        0.8,
        0.85,
    ),
    _cue(
        rf"{ADVERBS}{HAVE}\s+{_DEGREE}(?:no|zero|little|not\s+much)\s+(?:\w+\s+)?(?:interest|desire"
        rf"|patience|tolerance|use|time|appetite)\s+(?:in|for|to)",
        "dislike",
        0.8,
    ),
    _cue(
        rf"{ADVERBS}{HAVE}\s+{_DEGREE}(?:aversions?\s+(?:to|for|towards?)|(?:dislike|distaste|hatred"
        rf"|disdain|contempt)\s+(?:for|of|to|towards?)"
        r"|objections?\s+(?:to|against)|reservations\s+about|problems?\s+with|issues?\s+with"
        r"|qualms\s+about|trouble\s+(?:with|enjoying|tolerating))",
        "dislike",
        0.85,
    ),
    _cue(
        rf"{ADVERBS}{HAVE}\s+{_DEGREE}(?:low|no|limited|little)\s+tolerance\s+(?:for|of|to)",
        "dislike",
        0.8,
    ),
    _cue(
        rf"{NEVER}\s+{ADVERBS}(?:like|liked|enjoy|enjoyed|love|loved|cared?\s+for)",
        "dislike",
        0.8,
    ),
    _cue(
        rf"(?:have|'ve|has)\s+never\s+{ADVERBS}(?:liked|enjoyed|loved|cared\s+for"
        rf"|been\s+able\s+to\s+(?:stand|enjoy|stomach))",
        "dislike",
        0.8,
    ),
    _cue(
        rf"{NEVER}\s+{ADVERBS}(?:{USE}|do|have|let|own|keep|pay|accept|compromise|hire|hunt|kill"
        rf"|work|drive|sleep)",
        "avoid",
        0.9,
        0.85,
    ),
    _cue(rf"{ADVERBS}{NOT}\s+{ADVERBS}(?:{USE}|do)", "avoid", 0.75, 0.75, habit=True),
    _cue(
        rf"{ADVERBS}{NOT}\s+{ADVERBS}want\s+(?=any|to\s+(?:see|eat|use|wear|watch|read|play|own"
        rf"|be\s+around)\b)",
        "avoid",
        0.7,
        0.6,
    ),
    _cue(
        rf"{ADVERBS}finds?\s+(?:it\s+)?(?P<target>.{{2,120}}?)\s+(?:to\s+be\s+)?{_POOR}", "dislike", 0.7, 0.8
    ),
    _cue(
        rf"{ADVERBS}finds?\s+it\s+(?:\w+ly\s+)?{_POOR}(?:\s+(?:and|or)\s+\w+)?\s+(?:to|when)",
        "dislike",
        0.7,
        0.85,
    ),
    _cue(
        rf"{ADVERBS}(?:finds?\s+it|have\s+a\s+hard\s+time|struggles?|have\s+(?:trouble"
        rf"|difficulty))\s+{ADVERBS}(?:hard|difficult|challenging|impossible)?\s*"
        r"(?:to\s+)?(?:enjoy(?:ing)?|lik(?:e|ing)|appreciat(?:e|ing)|get(?:ting)?\s+into"
        r"|connect(?:ing)?\s+with|stay(?:ing)?\s+(?:engaged|interested)(?:\s+(?:in|with|during|on))?)",
        "dislike",
        0.65,
        0.8,
    ),
    _cue(
        rf"{ADVERBS}(?:feels?|gets?|becomes?)\s+(?:\w+ly\s+|very\s+|too\s+|so\s+)?{_UNWELL}\s+(?:in"
        rf"|with|around|from|by|on|when|at|watching|using|during)",
        "dislike",
        0.7,
        0.75,
    ),
    # Requirements.
    _cue(
        rf"{ADVERBS}(?:follows?|following|keeps?\s+to|sticks?\s+to|adheres?\s+to|observes?"
        rf"|maintains?|on|{BE}\s+on|eats?|eating)\s+(?:an?|the|my)\s+"
        r"(?P<target>(?:[\w-]+,?\s+){1,5}?(?:diets?|lifestyle|regimen|regime))",
        "require",
        0.95,
        0.95,
        bare=True,
    ),
    _cue(rf"{ADVERBS}keeps?\s+(?P<target>kosher|halal)", "require", 0.95, 0.95, bare=True),
    _cue(
        rf"{ADVERBS}{BE}\s+{ADVERBS}(?:an?\s+)?{_DEGREE}(?P<target>\w+tarian|vegan|teetotal(?:l?er)?"
        rf"|celiac|coeliac|diabetic)",
        "require",
        0.95,
        0.95,
        bare=True,
    ),
    _cue(
        rf"{ADVERBS}(?:insists?\s+on|requires?|demands?|must\s+(?:always\s+)?have|{CANNOT}\s+(?:live"
        rf"|do|go|work|sleep|function)\s+without)",
        "require",
        0.9,
        0.85,
    ),
    _cue(
        rf"(?:{ADVERBS})?(?:always|really|absolutely|definitely|only|usually|strictly"
        rf"|generally)\s+needs?(?!\s+(?:to|help|more|some|advice|you|your|it)\b)",
        "require",
        0.8,
        0.75,
    ),
    _cue(
        rf"(?:{ADVERBS})?(?:only|exclusively|solely|strictly)\s+(?:ever\s+)?(?:{USE}|eats|drinks"
        rf"|uses|wears|buys|purchases|watches|reads|plays|stays|dines|travels|drives|shops"
        rf"|want\s+to\s+(?:own|use|buy|wear|eat|watch)|consume)",
        "require",
        0.85,
        0.85,
    ),
    # Likings.
    _cue(
        r"(?:'d|would)\s+(?:\w+ly\s+|much\s+)?(?:prefer|rather|sooner|favou?r)(?!\s+not)",
        "like",
        0.6,
        0.65,
    ),
    _cue(
        rf"{ADVERBS}(?:prefer(?:s|red|ring)?|favou?rs?|gravitates?\s+(?:towards?|to)"
        rf"|leans?\s+(?:more\s+)?towards?|swears?\s+by|prioriti[sz]es?"
        r"|advocates?\s+for|cherish(?:es)?|thrives?\s+(?:in|on|with)|relish(?:es)?|savou?rs?"
        r"|delights?\s+in|believes?\s+in|is\s+all\s+about)",
        "like",
        0.75,
    ),
    _cue(
        rf"{ADVERBS}(?:likes?|loves?|enjoys?|adores?|appreciates?|values?|fanc(?:y|ies)|dig|digs)",
        "like",
        0.7,
        0.8,
    ),
    _cue(
        rf"(?:have|'ve|has)\s+always\s+{ADVERBS}(?:liked|loved|enjoyed|adored|preferred|valued|appreciated)",
        "like",
        0.75,
    ),
    _cue(rf"{CANNOT}\s+get\s+enough\s+of", "like", 0.85),
    _cue(
        rf"{ADVERBS}{BE}\s+(?:{ADVERBS})?(?:an?\s+|such\s+an?\s+)?(?:\w+ly\s+)?(?:(?:big|huge|great"
        rf"|real|massive|strong|firm|major|lifelong|long-time|longtime|total|total|bit\s+of\s+a)\s+)*"
        r"(?:(?:fan|lover|devotee|enthusiast|advocate|supporter|proponent|believer|admirer"
        r"|sucker)\s+(?:of|for|in)"
        r"|fond\s+of|into|keen\s+on|passionate\s+about|partial\s+to|drawn\s+to|attracted\s+to"
        r"|crazy\s+about|nuts\s+about|obsessed\s+with"
        r"|committed\s+to|devoted\s+to|big\s+on|all\s+about|(?:most|more"
        r"|only)\s+comfortable\s+(?:with|in|on)|happiest\s+(?:with|in|when)|in\s+favou?r\s+of)",
        "like",
        0.75,
        0.85,
    ),
    _cue(
        rf"{ADVERBS}{BE}\s+{ADVERBS}(?:an?\s+)?(?:(?:big|huge|great|real|massive|avid|total"
        rf"|bit\s+of\s+a)\s+)*(?P<target>(?:[\w-]+\s+){{1,2}}?)(?:fan|lover|enthusiast|buff"
        rf"|aficionado|junkie|nerd|geek|person)",
        "like",
        0.7,
        0.75,
        bare=True,
    ),
    _cue(
        rf"{ADVERBS}{HAVE}\s+{_DEGREE}(?:preference|passion|love|fondness|soft\s+spot|weakness"
        rf"|penchant|affinity|appreciation|thing|taste)\s+(?:for|of|towards?)",
        "like",
        0.75,
        0.9,
    ),
    _cue(
        rf"{ADVERBS}(?:learns?|works?|sleeps?|focus(?:es)?|concentrates?|think|study|studies"
        rf"|functions?|performs?|do|does)\s+(?:much\s+)?(?:best|better)\s+(?:when|with|through|in|by"
        rf"|from|on|at|if)",
        "like",
        0.8,
        0.9,
    ),
    _cue(
        rf"{ADVERBS}finds?\s+(?P<target>.{{2,100}}?)\s+(?:to\s+be\s+)?(?:\w+ly\s+|so\s+|very\s+"
        rf"|quite\s+)?{_FINE}",
        "like",
        0.6,
        0.7,
    ),
    _cue(
        rf"{HABIT}+(?:opts?\s+for|go\s+for|goes\s+for|stick\s+(?:to|with)|look\s+for|seek(?:\s+out)?"
        rf"|choose|pick|chooses|support|use|buy|wear|eat|drink|watch|read|listen\s+to|play|order"
        rf"|cook|stay\s+(?:in|at)|shop|work\s+with|travel|fly)",
        "like",
        0.6,
        0.65,
        habit=True,
    ),
)
"""In order of precedence: at one subject the first that matches counts."""

SUBJECT = re.compile(
    r"(?<![\w'.\-/])(?:(?P<first>i|we)(?=[\s'])(?!\.e)|(?P<someone>(?:as|being|i'm"
    r"|i\s+am)\s+(?:someone|somebody|a\s+\w+(?:\s+\w+)?|the\s+(?:type|kind|sort)\s+of\s+person|one"
    r"|an\s+\w+(?:\s+\w+)?)\s+who)\b"
    r"|(?P<linked>(?:,\s*)?\b(?:and|but|or|yet|so)(?=\s)(?:\s+(?:that|then|therefore|hence|thus"
    r"|as\s+such))?)|(?P<as>(?:^|(?<=[,.;!?]\s)|\band\s+)(?:as\s+an?|being|on|following"
    r"|having)(?=\s)))",
    re.IGNORECASE,
)
"""Who feels it: the speaker, "as someone who", a predicate linked to one before, "as a", "being"."""

ALLOWED_BEFORE = re.compile(
    r"(?:^|[,;:(.!?…—–]|\s-|\b(?:and|but|or|because|cause|cuz|since|as|so|although|though|while"
    r"|whereas|however|anyway"
    r"|also|plus|honestly|personally|usually|generally|typically|normally|sometimes|actually|yes|no"
    r"|well|btw|basically"
    r"|yet|then|oh|hey|now|fact|like|mostly|lately|think|guess|feel|find|say|know|mention|mentioned"
    r"|remember|note|said|given|told\s+you"
    r"|(?:know|note|fact|remember|mention|mind|aware|consider|considering|guess|believe|say|admit"
    r"|given|is|so|realized|realised|think|means|told\s+you|you|said)\s+that))\s*[\"“(]*$",
    re.IGNORECASE,
)
