"""Card numbers, keys and passwords in what users say, masked before anything reads or stores it.

Cards are told by issuer, length and check digit (ISO/IEC 7812, Luhn); keys by the formats of detect-secrets
(Yelp, Apache-2.0); passwords and PINs by the words that introduce them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Literal

from habitus.memory.records import Conversation

MaskKind = Literal["cards", "keys", "passwords"]
MASKED: Mapping[MaskKind, str] = {
    "cards": "[masked card number]",
    "keys": "[masked key]",
    "passwords": "[masked password]",
}
"""What stands in the text instead."""
DEFAULT: tuple[MaskKind, ...] = ("cards", "keys")
"""Both are told by their form almost without mistakes, and of no use in a memory. Passwords and PINs are told
by words alone, and users do ask to have a PIN remembered: masking them is left to whoever runs the agent."""

_Span = tuple[int, int, MaskKind]


@dataclass(frozen=True)
class Masked:
    """A text without its secrets.

    Attributes:
        text: with `MASKED` in their place.
        kinds: what was masked, each once.
    """

    text: str
    kinds: tuple[MaskKind, ...] = ()


def mask(text: str, kinds: Sequence[MaskKind] = DEFAULT) -> Masked:
    """Return a text with the secrets of some kinds masked; done twice it changes nothing more.

    Args:
        text: of a message.
        kinds: what is looked for; nothing where it is empty.
    """
    found: dict[MaskKind, None] = {}
    spans = _spans(text, kinds)
    # What is masked can bring to light what stood too close to it.
    while spans:
        found.update(dict.fromkeys(kind for _, _, kind in spans))
        text = _without(text, spans)
        spans = _spans(text, kinds)
    return Masked(text, tuple(found))


def _spans(text: str, kinds: Sequence[MaskKind]) -> list[_Span]:
    return sorted(span for kind in kinds for span in _FINDERS[kind](text))


def _without(text: str, spans: Sequence[_Span]) -> str:
    pieces: list[str] = []
    end = 0
    for start, stop, kind in spans:
        if start >= end:
            pieces += [text[end:start], MASKED[kind]]
        end = max(end, stop)
    return "".join([*pieces, text[end:]])


def mask_all(value: Any, kinds: Sequence[MaskKind] = DEFAULT) -> Any:
    """Return a JSON value with the secrets in every text of it masked."""
    if isinstance(value, str):
        return mask(value, kinds).text
    if isinstance(value, Mapping):
        return {key: mask_all(one, kinds) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [mask_all(one, kinds) for one in value]
    return value


def mask_conversation(conversation: Conversation, kinds: Sequence[MaskKind] = DEFAULT) -> Conversation:
    """Return a conversation with the secrets in its messages, and in what stands beside them, masked."""
    messages = tuple(
        message.model_copy(
            update={"text": mask(message.text, kinds).text, "meta": mask_all(message.meta, kinds)}
        )
        for message in conversation.messages
    )
    return conversation.model_copy(update={"messages": messages})


def told(kinds: Iterable[MaskKind]) -> str:
    """Say to a user what was masked."""
    names = {"cards": "a card number", "keys": "a key", "passwords": "a password"}
    return f"I have masked {' and '.join(names[kind] for kind in kinds)} in your message: I do not keep it."


# -- cards

_DIGITS = re.compile(r"(?<![\d.,])[2-6](?:[ -]?\d){12,18}")
_ISSUERS: tuple[tuple[re.Pattern[str], frozenset[int]], ...] = (
    (re.compile("4"), frozenset({13, 16, 19})),  # Visa
    (re.compile("5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), frozenset({16})),  # Mastercard
    (re.compile("3[47]"), frozenset({15})),  # American Express
    (re.compile("3(?:0[0-5]|[689])"), frozenset({14, 16})),  # Diners Club
    (re.compile("35"), frozenset({16, 19})),  # JCB
    (re.compile("6(?:011|4[4-9]|5|2)"), frozenset({16, 17, 18, 19})),  # Discover, UnionPay
)


def _cards(text: str) -> Iterator[_Span]:
    for run in _DIGITS.finditer(text):
        places = [place for place in range(*run.span()) if text[place].isdigit()]
        for n in range(len(places), 12, -1):
            stop = places[n - 1] + 1
            if text[stop : stop + 1].isdigit():
                continue  # in the middle of a group of digits
            if _is_card("".join(text[place] for place in places[:n])):
                yield run.start(), stop, "cards"
                break


def _is_card(digits: str) -> bool:
    known = any(issuer.match(digits) and len(digits) in lengths for issuer, lengths in _ISSUERS)
    return known and _luhn(digits) == 0


def _luhn(digits: str) -> int:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10


# -- keys

_FORMATS = {
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "jwt": "JwtTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
"""Detectors of detect-secrets that go by a format of the issuer's own; those that guess (entropy, keywords of
source code, addresses of the internet) are left out."""
_NEWER = re.compile(
    r"\b(?:sk-(?:ant|proj|svcacct|or)-[\w-]{20,}|github_pat_\w{22,}|hf_[A-Za-z0-9]{30,}|AIza[\w-]{35}|hab_[\w-]{43})"
)
"""Formats younger than the library: Anthropic, OpenAI, OpenRouter, GitHub, Hugging Face, Google, Habitus."""
_MAY_HOLD_KEY = re.compile(r"[\w./+-]{20}")
"""Every format has so many characters without a space; ordinary talk has not, and loads no library."""
_REST_OF_KEY = re.compile(r"[\w+/=-]*(?:\.[\w+/=-]+)*")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|.*\Z)",
    re.DOTALL,
)
_IN_ADDRESS = re.compile(r"(?<=://)[^\s:/?#@]+:([^\s:/?#@]+)(?=@)")


@cache
def _formats() -> tuple[re.Pattern[str], ...]:
    patterns: list[re.Pattern[str]] = []
    for module, name in _FORMATS.items():
        patterns += getattr(import_module(f"detect_secrets.plugins.{module}"), name)().denylist
    return (*patterns, _NEWER)


def _keys(text: str) -> Iterator[_Span]:
    for found in _IN_ADDRESS.finditer(text):
        yield *found.span(1), "keys"
    for found in _PRIVATE_KEY.finditer(text):
        yield *found.span(), "keys"
    if not _MAY_HOLD_KEY.search(text):
        return
    for pattern in _formats():
        for found in pattern.finditer(text):
            # Some formats end before the key does.
            rest = _REST_OF_KEY.match(text, found.end())
            yield found.start(), rest.end() if rest else found.end(), "keys"


# -- passwords

_PASSWORD = re.compile(
    r"\b(?:pass(?:word|phrase|code)s?|pin(?: code| number)?)\b[^.!?\n]{0,30}?(?:\b(?:is|was)\b|[:=])[ \t]*"
    r"(?:[\"“'‘](?!\[masked )(?P<quoted>[^\"”'’\n]{3,80})[\"”'’]"
    # A word with a digit in it, or a sign that no word has: `is too short` names no password.
    r"|(?P<bare>[^\s\[*]{0,40}\d[^\s\[*]{0,40}|\w[^\s\[*]{0,40}[@#$%^&+=!?][^\s\[*]{0,40}\w))",
    re.IGNORECASE,
)
_CLOSING = ".,;:!?)\"'"


def _passwords(text: str) -> Iterator[_Span]:
    for found in _PASSWORD.finditer(text):
        name = "quoted" if found["quoted"] else "bare"
        start, stop = found.span(name)
        # A sentence's own full stop is no part of it; but "12!" may be a password's.
        stop -= len(found[name]) - len(found[name].rstrip(_CLOSING)) if name == "bare" else 0
        if stop > start:
            yield start, stop, "passwords"


_FINDERS: Mapping[MaskKind, Callable[[str], Iterator[_Span]]] = {
    "cards": _cards,
    "keys": _keys,
    "passwords": _passwords,
}
