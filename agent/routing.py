"""What a message is: a question to memory, a request, something told, feedback, a command, or several.

Cues of language only, sentence by sentence: who is spoken of (I, my, you), when (past tense, "last
time"), and the form of the sentence (question, imperative, statement). No topics.
"""

from __future__ import annotations

import re

from habitus.agent.state import Command, CommandKind, Route
from habitus.memory.known.slots import named_by
from habitus.retrievers.passages import sentences

_MAX_SENTENCES = 200

CONFIRMATION = "Yes, delete everything about me."
"""What a user says, to the letter, to have their whole record deleted."""


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_POLITE = r"^(?:(?:please|ok(?:ay)?|hey|hi|now|and|also|so|oh|actually|well|sorry|thanks?)[\s,!.:]+)*"
_ASKED = (
    r"(?:(?:can|could|would|will) you (?:please )?|i(?:'d| would) like you to |i want you to |"
    r"you (?:can|should) )?"
)
_MEMORY = r"(?:memory|memories|records?|notes?|what you know)"
_FORGET = _compiled(
    _POLITE
    + _ASKED
    + r"(?:(?:forget|unlearn|(?:do not|don't|stop|no longer) remember(?:ing)?)\b(?!-)|"
    + r"(?:erase|delete|remove|clear|wipe)\b(?=\s+(?:everything|anything|all|what) (?:that )?(?:i|you) |"
    + rf"\s+(?:that|the fact that) i\b|.*\b(?:from|of|in) (?:your |my |the )?{_MEMORY}\b))"
    + r"\s*(?P<words>.*)$"
)
_FORGET_ALL = _compiled(
    _POLITE
    + _ASKED
    + r"(?:forget|erase|delete|remove|clear|wipe)\s+"
    + rf"(?:everything|all|(?:all )?(?:of )?(?:my|your) (?:data|profile|history|{_MEMORY}))"
    + r"(?: (?:about|of|on) me| (?:that )?you (?:know|have|remember|stored?)(?: (?:about|of|on) me)?)?"
    + r"(?: (?:from|in) (?:your |my )?memory)?(?:,? please)?[\s.!?]*$"
)
_LAST_EXCHANGE = _compiled(r"^(?:that|this|it|(?:that )?i (?:just )?said (?:that|this|it)|what i just said)$")
_NOT_A_FORGET = _compiled(
    # "Forget it, let's ...", "forget the budget, just ..." change the subject; "how", "where" and "to" ask
    # not to let something slip one's mind.
    r"^(?:to\b|about it\b|how\b|where\b|when\b|it'?s? (?:fine|ok)|(?:it|that|this)\s*[,;:]\s*\S|"
    r"(?:the|this|these|those)\b(?! fact\b).*[,;:])"
)
_IDIOM = _compiled(r"^it[\s.!]*$")
_FORGET_PREFIX = _compiled(
    r"^(?:(?:everything|anything|all|what) (?:that )?"
    r"(?:i (?:have )?(?:said|told you|mentioned)|you (?:know|remember|have)) "
    r"(?:about|of|on|regarding)|about|that|the fact that|my (?:memory|memories) (?:of|about))\s+"
)
_ENDS = " \t\n\r\x0b\x0c.!?"
_FORGET_SUFFIX = _compiled(rf"(?<!\s)\s*(?:from (?:your |my |the )?{_MEMORY}|,? ?please)$")
_SHOW = _compiled(
    r"\bwhat (?:do|did|have) you (?:(?:actually|already|currently) )?"
    r"(?:know|remember(?:ed)?|stored?|saved?|learn(?:ed|t)?)"
    r"(?: so far)? (?:about|of|on) me\b|"
    r"\b(?:show|list|tell) (?:me )?(?:all )?"
    r"(?:my (?:stored |saved )?(?:preferences|memories|profile|facts)|"
    r"what you (?:know|remember|have stored) (?:about|of) me)\b"
)
_UNDO = _compiled(
    _POLITE
    + r"(?:undo|take back|retract|disregard|ignore|scratch)\s+"
    + r"(?:that|this|it|(?:that|this|my|the)\s+(?:last\s+|latest\s+)?"
    + r"(?:feedback|rating|edit|comment|complaint|choice))"
    + r"(?:\s+(?:again|please))?[\s.!]*$"
)
_EXPORT = _compiled(
    r"\b(?:export|download) (?:all )?(?:of )?(?:my|the) "
    r"(?:data|memor(?:y|ies)|preferences|profile|records)\b|"
    r"\b(?:give|send) me (?:all )?(?:of )?my (?:data|memories)\b"
)
_CORRECT = _compiled(
    _POLITE
    + r"(?:correction\s*[:,-]\s*|"
    + r"(?:please )?(?:correct|fix|update) (?:that|this|your (?:notes|memory|records?))\s*"
    + r"+(?:(?:[:,-]|to say(?: that)?|:? that)\s+|(?<=\s)))(?P<words>\S.*)$"
)

_QUESTION_WORD = _compiled(
    _POLITE
    + r"(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|have|has|had|can|could|"
    + r"will|would|should|may|any|remind)\b"
)
_SUBORDINATE = _compiled(
    # In a question the word is followed by a verb ("when did I"), in a clause by whoever does something.
    _POLITE
    + r"(?:(?:when|where)(?:ver)?\s+(?!(?:is|was|does|has)\b)(?:i|we|he|she|it|they|my|our|the|[a-z]+s)\b"
    + r"|what\s+i\s+(?!(?:can|could|should|must|do|did|need)\b))"
)
_REQUEST = _compiled(
    _POLITE
    + r"(?:(?:can|could|would|will) you|"
    + r"i(?:'m| am) (?:looking for|trying to|thinking of|planning|interested in)|"
    + r"i(?:'d| would) (?:like|love|appreciate)|i (?:need|want)(?: you to| some| a | to )|help me|let'?s|"
    + r"(?:suggest|recommend|give|write|draft|make|plan|find|create|explain|describe|compare|summari[sz]e|"
    + r"translate|rewrite|list|propose|choose|pick|tell|show|design|prepare|generate|improve|teach)\b)"
)
_ADVICE = _compiled(
    r"\b(?:recommend|suggest|suggestions?|advice|tips?|ideas?|help me|"
    r"(?:should|could|can|shall|might) (?:i|we)|"
    r"how (?:do|can|should|would) (?:i|you|we)|"
    r"(?:would|could|can|should) you|do you (?:suggest|recommend|think|have))\b"
)
# "What are some films I could watch?" asks for something new, "which films did I like?" for what was told.
_ANYTHING_NEW = _compiled(
    r"\b(?:(?:what|which)(?:'s| is| are| would be) (?:some|any|an?|good|great|the best)|"
    r"(?:i|we) (?:can|could|should|might)(?! not\b))\b(?!')"
)
_TOLD = _compiled(r"\b(?:did|have|had|was|were) (?:i|we)\b")
_USER = _compiled(r"\b(?:i|i'm|i've|i'd|my|me|mine|myself|we|our|us)\b")
_ASKS = _compiled(r"\b(?:what|which|who|when|where|how (?:many|much|long|often|old|far))\b")
_OF_USER = _compiled(r"\b(?:my|i|we|me)\b")
_DO_I = _compiled(r"\b(?:do|does|did|have|has|am|is|are|was|were) (?:i|my|we|our)\b")
_REMIND = _compiled(
    r"\b(?:remind me|(?:do|did) you remember|you (?:told|said|mentioned|recommended|suggested|gave))\b"
)
_WHOLE_USER = _compiled(
    r"\b(?:describe|summari[sz]e|characteri[sz]e) "
    r"(?:me|my (?:taste|personality|preferences|style|interests))\b|"
    r"\bwhat (?:kind|sort|type) of (?:[a-z]+ )?"
    r"(?:am i|do i (?:usually |generally )?(?:like|prefer|enjoy)|would i)\b|"
    r"\b(?:what|how) (?:are|is) my (?:[a-z]+ )?"
    r"(?:tastes?|preferences?|interests?|personality|style|habits?)\b|"
    r"\bwhat (?:do|would) (?:i|you think i) (?:generally|usually|normally|typically) "
    r"(?:like|prefer|enjoy|want)\b|"
    r"\bwho am i\b"
)


def find_command(text: str) -> Command | None:
    """Return what the message asks of memory itself, or None; the first such sentence counts."""
    for sentence in sentences(text)[:_MAX_SENTENCES]:
        if found := _sentence_command(sentence):
            return found
    return None


def _sentence_command(sentence: str) -> Command | None:
    if sentence == CONFIRMATION:
        return Command(kind="forget_all", words=CONFIRMATION)
    if _FORGET_ALL.match(sentence):
        return Command(kind="forget_all", words="")
    if forgetting := _forget_command(sentence):
        return forgetting
    if match := _CORRECT.match(sentence):
        return Command(kind="correct", words=match["words"])
    kinds: tuple[tuple[CommandKind, re.Pattern[str]], ...] = (
        ("undo", _UNDO),
        ("show", _SHOW),
        ("export", _EXPORT),
    )
    for kind, pattern in kinds:
        if pattern.search(sentence):
            return Command(kind=kind, words="")
    return None


def _forget_command(sentence: str) -> Command | None:
    match = _FORGET.match(sentence)
    if match is None or _IDIOM.match(match["words"]):
        return None
    bare = _FORGET_SUFFIX.sub("", match["words"].rstrip(_ENDS))
    if _LAST_EXCHANGE.match(bare):
        return Command(kind="forget", words="")
    if not bare or (_NOT_A_FORGET.match(match["words"]) and named_by(bare) is None):
        return None
    return Command(kind="forget", words=_FORGET_PREFIX.sub("", bare))


def _sentence_route(sentence: str) -> Route:
    is_question = sentence.rstrip().endswith("?") or (
        bool(_QUESTION_WORD.match(sentence)) and not _SUBORDINATE.match(sentence)
    )
    if _WHOLE_USER.search(sentence):
        return "abstraction"
    if _REMIND.search(sentence) and is_question:
        return "extraction"
    asks_for_new = _ADVICE.search(sentence) or (_ANYTHING_NEW.search(sentence) and not _TOLD.search(sentence))
    if is_question and _asks_stored(sentence) and _USER.search(sentence) and not asks_for_new:
        return "extraction"
    if _REQUEST.match(sentence) or is_question:
        return "generalization"
    return "statement"


def _asks_stored(sentence: str) -> bool:
    # Two searches: in one pattern the second word would be looked for from each of the first.
    asks = _ASKS.search(sentence)
    if asks is not None and _OF_USER.search(sentence, asks.end()):
        return True
    return _DO_I.search(sentence) is not None


def find_routes(text: str, *, command: Command | None, is_feedback: bool) -> frozenset[Route]:
    """Return everything that the message is; never empty.

    Args:
        text: the user's words.
        command: what `find_command` found in it.
        is_feedback: whether it comments on the last reply.
    """
    routes: set[Route] = set()
    for sentence in sentences(text)[:_MAX_SENTENCES]:
        if _sentence_command(sentence):
            routes.add("command")
        else:
            routes.add(_sentence_route(sentence))
    if is_feedback:
        routes.add("feedback")
    if command is not None:
        routes.add("command")
    return frozenset(routes or {"statement"})
