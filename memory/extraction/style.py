"""How the user wants to be answered: length, format, tone, wording, language, form of address."""

from __future__ import annotations

import re
from dataclasses import dataclass

from habitus.memory.extraction.outcome import make_preference
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.targets import scope_of
from habitus.memory.extraction.wording import tidy
from habitus.memory.records import Preference, SourceKind, Stance, Turn

_REPLY = (
    r"(?:answers?|replies|reply|responses?|explanations?|messages?|suggestions|recommendations"
    r"|sentences|summaries)"
)
_NO = (
    r"(?:no|without|avoid(?:ing)?|skip(?:ping)?|don't\s+(?:use|add|include|give\s+me|write|send|want"
    r"|need|like)|do\s+not\s+(?:use|add|include|give\s+me|write)|stop\s+(?:using|adding|giving\s+me"
    r"|with)|drop|leave\s+out|spare\s+me|hate|dislike|can't\s+stand|rather\s+than|instead\s+of|fewer"
    r"|less|never\s+(?:use|add|include))"
)
_SHAPES = (
    r"(?:bullet(?:ed)?(?:\s*-?\s*points?|\s+lists?|s)?|numbered\s+lists?|lists?|tables?|headings?"
    r"|headers|markdown|emojis?|emoticons|bold(?:\s+text)?|code\s+blocks?|exclamation\s+(?:marks"
    r"|points)|hashtags|abbreviations|walls?\s+of\s+text)"
)
_SHAPES_WANTED = (
    r"(?:bullet(?:ed)?(?:\s*-?\s*points?|\s+lists|s)|numbered\s+lists|lists|tables|headings|headers"
    r"|markdown|emojis|code\s+blocks)"
)
_USE = (
    r"(?:(?:always\s+|please\s+)*(?:use|give\s+me|include|add|put\s+(?:it|things|them)\s+(?:in|into)"
    r"|answer\s+(?:in|with)|reply\s+(?:in|with)|respond\s+(?:in|with)|write\s+in|format\s+(?:it"
    r"|your\s+\w+|them)\s+(?:as|in|with)|prefer|want))"
)
_MANNER = (
    r"(?P<what>formal|informal|casual|friendly|professional|direct|blunt|polite|honest|serious"
    r"|playful|humorous|warm|neutral|encouraging|straightforward|relaxed)"
)


_ORDER = (
    r"(?:^(?:please\s+|from\s+now\s+on,?\s+|in\s+future,?\s+|and\s+|also,?\s+)*|(?:i\s+(?:want|need"
    r"|expect|prefer|would\s+like)\s+you\s+to"
    r"|i'd\s+like\s+you\s+to|you\s+(?:should|must)|please)\s+(?:from\s+now\s+on,?\s+)?)"
)
_NO_ORDER = r"(?!(?:wanted|been|have|had|the|an?|in|on|remember|mind|ever)\b)"
_TO_ME = r"(?:[^.;!?]{0,100}?\b)?(?:me|my|your|replies|answers?|responses?)\b[^.;!?]{0,60}"


@dataclass(frozen=True)
class _Style:
    regex: re.Pattern[str]
    topic: str
    target: str
    stance: Stance


def _style(text: str, topic: str, target: str, stance: Stance = "require") -> _Style:
    return _Style(re.compile(rf"(?<!\w)(?:{text})(?!\w)", re.IGNORECASE), topic, target, stance)


_STYLES: tuple[_Style, ...] = (
    _style(
        rf"(?:keep|make)\s+(?:it|your\s+(?:\w+\s+)?{_REPLY}"
        rf"|{_REPLY})\s+(?:very\s+|really\s+|more\s+|nice\s+and\s+)?(?:short(?:er)?|brief|concise"
        rf"|succinct|to\s+the\s+point|crisp)"
        rf"|(?:be|stay)\s+(?:very\s+|more\s+|really\s+)?(?:brief|concise|succinct|to\s+the\s+point|short)"
        rf"|(?:short|brief|concise|shorter|succinct|crisp|briefer)\s+{_REPLY}(?!\s+(?:to|about"
        rf"|of)\b)|get\s+(?:straight\s+)?to\s+the\s+point|(?:don't|stop|no)\s+(?:ramble|rambling"
        rf"|waffle|waffling)"
        rf"|{_NO}\s+(?:long|lengthy|long-winded)\s+{_REPLY}|{_REPLY}\s+(?:are|were"
        rf"|is)\s+(?:always\s+|often\s+|way\s+|much\s+)?too\s+long"
        rf"|(?:answer|reply|respond)\s+(?:to\s+me\s+)?(?:briefly|concisely|in\s+(?:one|two|three"
        rf"|a\s+few|a\s+couple\s+of|1|2|3)\s+(?:short\s+)?(?:sentences?|words|lines))",
        "style.length",
        "short replies",
    ),
    _style(
        rf"(?:more\s+)?(?:detailed|thorough|longer|in-depth|long|comprehensive"
        rf"|elaborate)\s+(?:{_REPLY})(?!\s+(?:to|about|of)\b)|(?:be|stay)\s+(?:more\s+)?(?:detailed"
        rf"|thorough|comprehensive)|{_REPLY}\s+(?:are|were|is)\s+(?:always\s+|often\s+|way\s+"
        rf"|much\s+)?too\s+short",
        "style.length",
        "detailed replies",
    ),
    _style(
        rf"{_NO}\s+(?:any\s+|the\s+|so\s+many\s+|too\s+many\s+|all\s+(?:the|those|these)\s+"
        rf"|with\s+)?(?P<what>{_SHAPES})",
        "style.format",
        "{what}",
        "avoid",
    ),
    _style(
        rf"{_USE}\s+(?:your\s+\w+\s+(?:in|as|with)\s+)?(?:more\s+|an?\s+|the\s+"
        rf"|short\s+)?(?P<what>{_SHAPES_WANTED})(?!\s+of\b)",
        "style.format",
        "{what}",
    ),
    _style(
        r"(?:use|in|with|prefer|stick\s+to)\s+(?:plain|simple|everyday|layman's"
        r"|simpler)\s+(?:language|english|words|terms)|(?:no|avoid|skip|without|less|cut\s+the"
        r"|stop\s+using|don't\s+use|hate)\s+(?:technical\s+|any\s+|the\s+|so\s+much\s+)?(?:jargon"
        r"|buzzwords|technical\s+terms)|like\s+i'm\s+(?:five|5)|\beli5",
        "style.wording",
        "plain language",
    ),
    _style(
        rf"(?:be|sound|stay|speak|talk|answer|write|reply|keep\s+(?:it|things"
        rf"|your\s+tone))\s+(?:to\s+me\s+)?(?:more\s+|less\s+|very\s+"
        rf"|a\s+(?:bit|little)\s+(?:more\s+|less\s+)?|like\s+a\s+\w+(?:\s+would)?,?\s+|in\s+an?\s+(?:more"
        rf"\s+)?)?{_MANNER}(?:\s+(?:tone|style|way|language"
        rf"|with\s+me))?(?=\s*(?:[.,;!?]|$|and|with|when|please|from|going|in\b))",
        "style.tone",
        "{what}",
    ),
    _style(
        r"(?:answer|reply|respond|talk|speak|write\s+back|communicate)\s+(?:to\s+me\s+|only\s+"
        r"|always\s+)*in\s+(?P<what>(?-i:[A-Z])[a-z]+)(?=\s*(?:[.,;!?]|$|please|from|only|when|and))",
        "style.language",
        "{what}",
    ),
    _style(
        r"(?:no|skip|avoid|stop|don't|do\s+not|without|spare\s+me|drop|cut)\s+(?:with\s+)?(?:the\s+"
        r"|any\s+|all\s+the\s+|giving\s+me\s+|adding\s+|add\s+|asking\s+(?:me\s+)?(?:so\s+many\s+)?"
        r"|your\s+|give\s+me\s+)?"
        r"(?P<what>apologi[sz](?:e|ing)|apologies|disclaimers?|caveats?|warnings?|preambles?"
        r"|flattery|compliments?|praise|follow-?\s?up\s+questions?|small\s+talk|intro(?:duction)?s?"
        r"|filler|repeat(?:ing)?\s+(?:my|the)\s+question|lectur(?:e|es|ing)|moral(?:ising|izing)"
        r"|sugar-?coat(?:ing)?|clich[eé]s|chit-?\s?chat|pleasantries|padding|pep\s+talk|emotional\s+language"
        r"|repetition)",
        "style.content",
        "{what}",
        "avoid",
    ),
    _style(
        r"no\s+need\s+to\s+(?P<what>apologi[sz]e|explain\s+everything|repeat\s+(?:my|the)\s+question|flatter"
        r"\s+me|sugar-?coat|summari[sz]e)"
        r"|(?:stop|quit|don't|no\s+need\s+(?:to|for))\s+(?:ending|end|finishing|finish|closing|close)"
        r"\s+(?:every|each|your|all)\s+"
        r"(?:\w+\s+)?(?:with|on)\s+an?\s+(?P<last>[\w -]{3,20})",
        "style.content",
        "{what}{last}",
        "avoid",
    ),
    _style(
        r"(?:always\s+|please\s+)?(?:give|include|use|add|show|provide|cite)\s+(?:me\s+)?(?:some\s+"
        r"|more\s+|concrete\s+|real-?\s?(?:life|world)\s+|your\s+|always\s+)*(?P<what>examples"
        r"|sources|citations|references|links)\s+(?:when|with\s+(?:your|every|each)|in\s+your"
        r"|for\s+every|whenever|each\s+time|every\s+time)"
        r"|always\s+(?:cite|give|include|add|name|show)\s+(?:me\s+)?(?:your\s+|the\s+)?(?P<kind>sources"
        r"|examples|references|citations|links)",
        "style.content",
        "{what}{kind}",
    ),
    _style(
        r"(?:use|give\s+me|prefer|think\s+in|stick\s+to|in)\s+(?P<what>metric|imperial|celsius"
        r"|fahrenheit|kilomet(?:er|re)s|miles)(?:\s+(?:units?|system|measurements))?",
        "style.units",
        "{what} units",
    ),
    _style(
        r"(?:don't|do\s+not|never|stop|avoid|quit)\s+(?:ever\s+)?(?:us(?:e|ing)|say(?:ing)?|writ(?:e|ing)|call(?:ing)?\s+it)"
        r"\s+(?:the\s+)?(?P<what>(?:words?|phrases?|terms?|expressions?)\s+[\"“”'‘]?[\w-]+(?:\s+[\w-]+){0,4}?[\"“”'’]?)"
        r"(?=\s*(?:[.,;!]|$|\bin\b|\bever\b|\bagain\b|\bwhen\b|\bany\s?more\b|\bplease\b|\bwith\b))",
        "style.content",
        "{what}",
        "avoid",
    ),
    _style(
        r"i\s+(?:really\s+|much\s+|always\s+)*(?:(?:like|love|prefer|appreciate)\s+(?:it\s+)?when|prefer\s+(?:it\s+)?if)"
        r"\s+you\s+"
        rf"(?P<what>{_NO_ORDER}(?!(?:can|could|would|will|were|are|did|say|said|do|does|get|come|see|think|know)\b)\w+"
        r"(?:\s+(?!(?:that|this|it|these|those|did|said|wrote)\b)[\w'-]+){1,12})",
        "style.conduct",
        "{what}",
    ),
    _style(rf"{_ORDER}always\s+(?P<what>{_NO_ORDER}\w+\s+{_TO_ME})", "style.conduct", "{what}"),
    _style(rf"{_ORDER}never\s+(?P<what>{_NO_ORDER}\w+\s+{_TO_ME})", "style.conduct", "{what}", "avoid"),
    _style(
        r"(?:call|address)\s+me\s+(?P<what>(?-i:[A-Z])[\w'-]+|by\s+my\s+(?:first|last)\s+name)",
        "style.address",
        "{what}",
    ),
)
_STANDING = re.compile(
    r"\b(?:always|from\s+now\s+on|in\s+(?:the\s+)?future|every\s+time|whenever|when\s+(?:you|i|we)"
    r"|generally|in\s+general|going\s+forward|your|never|stop|prefer|hate|dislike|can't\s+stand"
    r"|like\s+(?:it|my)|please\s+(?:don't|no|stop|be|keep|use)|all\s+(?:my|your)|i\s+(?:like|want"
    r"|need))\b",
    re.IGNORECASE,
)
_FROM_NOW_ON = re.compile(
    r"\b(?:from\s+now\s+on|in\s+(?:the\s+)?future|every\s+time|going\s+forward|always|from\s+here\s+on)\b",
    re.IGNORECASE,
)
_ASKS_TO_STOP = re.compile(
    r"\b(?:can|could|would|will)\s+(?:you|we)\s+(?:please\s+|just\s+|maybe\s+)*(?:stop|skip|drop|leave\s+out"
    r"|cut|spare\s+me|avoid|do\s+without)\b",
    re.IGNORECASE,
)
_LETS_YOU = re.compile(
    r"\b(?:you\s+can|you\s+could|i'd\s+(?:like|prefer|want)\s+you\s+to)\s*$", re.IGNORECASE
)
_DISPLEASED = re.compile(
    r"\b(?:hate|dislike|can't\s+stand|don't\s+(?:like|want)|do\s+not\s+(?:like|want)|not\s+a\s+fan"
    r"|annoy\w*|bothers?|irritat\w+)\b[^.;,]{0,40}$",
    re.IGNORECASE,
)
_TASK = re.compile(
    r"\b(?:write(?!\s+(?:back\s+)?to\s+me\b)|create|generate|draft|compose|code|script|function|table"
    r"\s+(?:of|with|for|called"
    r"|named)|essay|article|blog|website|html|css|app|database|sql|list\s+of|post|email|letter"
    r"|slides?|report|story|\bmy\s+(?:resume|essay|paper|blog|site|website|team|students|boss|kids"
    r"|followers|customers|audience|readers|posts?))\b",
    re.IGNORECASE,
)


_QUOTED = re.compile(r"[\"“”][^\"“”]+[\"“”]")


def style_in(turn: Turn, sentence: Sentence, *, source: SourceKind = "statement") -> list[Preference]:
    """Return how the user wants to be answered, as far as one sentence tells it."""
    if _TASK.search(sentence.plain) or len(sentence.text) > 160:
        return []
    found: list[Preference] = []
    read: list[re.Match[str]] = []
    for style in _STYLES:
        match = style.regex.search(sentence.plain)
        if match is None or not _is_wish(sentence, match) or any(_overlap(match, other) for other in read):
            continue
        read.append(match)
        stance = _stance(style, sentence.plain[: match.start()])
        standing = _STANDING.search(sentence.plain) is not None
        target = style.target.format(**{key: value or "" for key, value in match.groupdict().items()})
        if any(other.topic == style.topic for other in found):
            continue
        found.append(
            make_preference(
                turn,
                statement=tidy(sentence.text),
                quote=sentence.raw,
                topic=style.topic,
                target=" ".join(target.lower().split()),
                stance=stance,
                strength=0.9 if standing else 0.7,
                confidence=0.9 if standing else _passing_confidence(style),
                scope=_occasion(sentence.plain, target.lower()),
                source=source,
            )
        )
    return found


def _occasion(sentence: str, target: str) -> str | None:
    """Return when a wish holds; in "I like it when you use examples" the occasion is the wish itself."""
    scope = scope_of(sentence)
    return None if scope is not None and target in scope else scope


def _overlap(one: re.Match[str], other: re.Match[str]) -> bool:
    return one.start() < other.end() and other.start() < one.end()


def _stance(style: _Style, before: str) -> Stance:
    """Turn what is used into what is to be left out, where the speaker is displeased with it."""
    displeased = style.topic in ("style.format", "style.content") and _DISPLEASED.search(before) is not None
    return "avoid" if displeased else style.stance


def _passing_confidence(style: _Style) -> float:
    """Without "always" or "please", "use lists" is most often part of a task: it waits to be confirmed."""
    return 0.45 if style.topic == "style.format" and style.stance == "require" else 0.65


def _is_wish(sentence: Sentence, match: re.Match[str]) -> bool:
    """Tell a wish from a mention: an order, or the speaker says that they want it, in their own words."""
    before = sentence.plain[: match.start()]
    if any(quoted.start() < match.start() < quoted.end() for quoted in _QUOTED.finditer(sentence.text)):
        return False
    asks = sentence.is_question or re.search(r"\b(?:can|could|would)\s+you\b", before, re.IGNORECASE)
    if asks and not (
        _STANDING.search(before)
        or _FROM_NOW_ON.search(sentence.plain)
        or _ASKS_TO_STOP.search(sentence.plain)
    ):
        return False
    if not _LETS_YOU.search(before) and re.search(
        r"\b(?:how\s+(?:do|can|to)|should|does|did|he|she|they|is|was|if|to)\s*$|\b(?:how\s+(?:do"
        r"|can|to)\s+i|should\s+i|help\s+me|let\s+me|let's)\b",
        before,
        re.IGNORECASE,
    ):
        return False
    if (
        not asks
        and not _LETS_YOU.search(before)
        and re.search(
            r"\b(?:i|we|they|she|he|it|you)(?:'ll|'d|\s+(?:will|can|could|should|would))\s+(?:\w+\s+)?$",
            before,
            re.I,
        )
    ):
        return False
    return bool(
        not before.strip()
        or re.search(
            r"(?:[,;:(–—-]|\b(?:and|but|please|just|always|me|so|also|then|now|on|really|thanks|ok"
            r"|okay|hey|hi|(?:you|we)\s+(?:can|could)|you\s+(?:must|have\s+to|need\s+to)|(?:can"
            r"|could)\s+(?:you|we)|(?:you|friend)\s+to|without"
            r"|answer|prefer|like|want|need|with|more|your|give|keep|love|much|i|you))\s*$",
            before,
            re.IGNORECASE,
        )
    )
