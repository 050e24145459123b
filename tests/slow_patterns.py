"""Finds regular expressions that take long on strings made against them; prints JSON. Run as a program.

Every pattern that the code compiles is collected, when its modules are imported or where it stands in a call.
Names of modules as arguments limit it to them: `python tests/slow_patterns.py habitus.memory.known`.
"""

from __future__ import annotations

import ast
import json
import pkgutil
import re
import signal
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from time import process_time
from types import FrameType
from typing import Any

import habitus.agent
import habitus.evals
import habitus.memory
import habitus.retrievers
import habitus.tools

N_CHARS = 12_000
SECONDS = 0.25
"""Of processor time, for one search through so many characters: linear ones take 1 to 10 ms."""
PACKAGES = (habitus.agent, habitus.evals, habitus.memory, habitus.retrievers, habitus.tools)
SHORTER = {
    "habitus.agent.generators.extractive.asked": 2_000,
    "habitus.agent.generators.extractive.asked._FIRST": 600,
    "habitus.agent.generators.extractive.counting._ASKED": 1_000,
    "habitus.agent.generators.extractive.preferring._BETWEEN": 400,
    "habitus.agent.generators.extractive.reckoning._BETWEEN": 400,
    "habitus.agent.generators.extractive.reckoning._COMPARED": 400,
    "habitus.agent.generators.extractive.reckoning._PAIR": 400,
    "habitus.agent.prompting.delimiting._NAMES": 64,
    "habitus.evals": 4_000,
    "habitus.memory.extraction": 600,
    "habitus.memory.known.manner": 600,
    "habitus.memory.known.slots": 600,
    "habitus.memory.extraction.letters": 3_000,
    "habitus.memory.extraction.segmentation": 3_000,
}
"""Characters that modules give to their patterns at most, where they cut texts off. Those of `habitus.evals`
are lines of benchmarks, of reports and of replies: nobody makes them slow on purpose."""

_parser: Any = getattr(re, "_parser")  # noqa: B009
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_CLASSES = {
    "CATEGORY_DIGIT": "7",
    "CATEGORY_SPACE": " ",
    "CATEGORY_WORD": "a",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_SPACE": "a",
    "CATEGORY_NOT_WORD": " ",
}
_TRIED = "a 7\n.,\"'-_(<“’é\t"


class TooSlow(Exception):
    """A search took more than it may."""


def modules() -> Iterator[Any]:
    for package in PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield import_module(found.name)


def within(value: Any, depth: int = 4) -> Iterator[re.Pattern[str]]:
    """Yield the patterns within a value of a module."""
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif depth and isinstance(value, dict):
        yield from within([*value.keys(), *value.values()], depth)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from within(one, depth - 1)
    elif depth and type(value).__module__.startswith("habitus") and hasattr(value, "__dict__"):
        yield from within(vars(value), depth - 1)
    elif depth and type(value).__module__.startswith("habitus") and hasattr(value, "__slots__"):
        yield from within([getattr(value, name, None) for name in value.__slots__], depth - 1)


def inline(module: Any) -> Iterator[re.Pattern[str]]:
    """Yield the patterns that stand in calls such as `re.sub(r"...", ...)`."""
    source = Path(module.__file__ or "")
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
            continue
        try:
            text = eval(compile(ast.Expression(node.args[0]), str(source), "eval"), vars(module).copy())
        except NameError:
            continue  # of a variable of a function: made of escaped words
        flags = sum(flag for part in ast.walk(node) if (flag := _flag(part)))
        if isinstance(text, str):
            yield re.compile(text, flags)


def _flag(node: ast.AST) -> int:
    """Return the flag that `re.IGNORECASE` and the like name, else 0."""
    if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "re"):
        return 0
    found = getattr(re, node.attr, None)
    return int(found) if isinstance(found, re.RegexFlag) else 0


def one_of(items: Any) -> str:
    """Return a character of a set."""
    kinds = [(str(kind), value) for kind, value in items]
    if kinds and kinds[0][0] == "NEGATE":
        regex = [_matches(kind, value) for kind, value in kinds[1:]]
        return next((one for one in _TRIED + "bcxyz0" if not any(test(one) for test in regex)), "\u4e00")
    kind, value = kinds[0]
    if kind == "LITERAL":
        return chr(value)
    return chr(value[0]) if kind == "RANGE" else _CLASSES[str(value)]


def _matches(kind: str, value: Any) -> Any:
    if kind == "LITERAL":
        return lambda one: ord(one) == value
    if kind == "RANGE":
        return lambda one: value[0] <= ord(one) <= value[1]
    pattern = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(value).rsplit("_", 1)[1]]
    pattern = pattern.upper() if "_NOT_" in str(value) else pattern
    return lambda one: re.match(pattern, one) is not None


def sample(tree: Any, choice: int = 0) -> str:
    """Return a short text that a part of a pattern matches; other branches for other choices."""
    return "".join(_sample(str(kind), value, choice) for kind, value in tree)


def _sample(kind: str, value: Any, choice: int) -> str:
    if kind == "LITERAL":
        return str(chr(value))
    if kind == "ANY":
        return " " if choice % 2 else "a"
    if kind == "NOT_LITERAL":
        return "b" if value == ord("a") else "a"
    if kind == "IN":
        return one_of(value)
    if kind == "SUBPATTERN":
        return sample(value[3], choice)
    if kind == "ATOMIC_GROUP":
        return sample(value, choice)
    if kind == "BRANCH":
        return sample(value[1][choice % len(value[1])], choice)
    if kind in _REPEATS:
        least, most, inner = value
        return sample(inner, choice) * int(max(least, 1 if choice % 2 and most else 0))
    return ""


def attacks(tree: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield (prefix, unit to be repeated) for every repetition without a bound, and for whole sequences."""
    for kind, value in tree:
        kind = str(kind)
        if kind in _REPEATS:
            for unit in _units(value):
                yield before, unit
        for inner in _inside(kind, value):
            yield from attacks(inner, before)
        before += _sample(kind, value, 1)
        if before:
            yield "", before[-60:]


def _units(repeat: Any) -> Iterator[str]:
    """Yield texts that a repetition takes, if it has no bound."""
    _, most, inner = repeat
    if most is _parser.MAXREPEAT or most > 200:
        yield from filter(None, (sample(inner, choice) for choice in range(4)))
        yield from (letter for letter in _TRIED if _takes(inner, letter))


def _inside(kind: str, value: Any) -> list[Any]:
    if kind in _REPEATS:
        return [value[2]]
    if kind == "SUBPATTERN":
        return [value[3]]
    if kind == "ATOMIC_GROUP":
        return [value]
    if kind == "BRANCH":
        return list(value[1])
    return [value[1]] if kind in ("ASSERT", "ASSERT_NOT") else []


def _takes(tree: Any, letter: str) -> bool:
    """Tell whether a part of a pattern that is one character long matches a letter."""
    if len(tree) != 1:
        return False
    kind, value = str(tree[0][0]), tree[0][1]
    if kind == "ANY":
        return letter != "\n"
    if kind == "NOT_LITERAL":
        return bool(ord(letter) != value)
    if kind != "IN":
        return False
    kinds = [(str(one), content) for one, content in value]
    negated = kinds[0][0] == "NEGATE"
    return bool(any(_matches(*one)(letter) for one in kinds[negated:]) is not negated)


def texts(pattern: re.Pattern[str], n_chars: int) -> Iterator[str]:
    seen = set()
    for prefix, unit in attacks(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)):
        for blank, end in product(("", " "), ("\x01", "")):
            if (prefix, unit + blank) in seen and end == "\x01":
                continue
            seen.add((prefix, unit + blank))
            yield prefix + (unit + blank) * (n_chars // len(unit + blank)) + end


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def seconds(pattern: re.Pattern[str], text: str) -> float:
    """Return the processor time of going through a text; infinite where it takes too long."""
    start = process_time()
    try:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            for _ in pattern.finditer(text):
                pass
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except TooSlow:
        return float("inf")
    return process_time() - start


def main() -> None:
    signal.signal(signal.SIGPROF, _stop)
    patterns: dict[tuple[str, int], str] = {}
    chosen = tuple(sys.argv[1:])
    for module in modules():
        own = module.__name__
        for name, value in vars(module).items():
            for one in within(value):
                patterns.setdefault((one.pattern, one.flags), f"{own}.{name}")
        for one in inline(module):
            patterns.setdefault((one.pattern, one.flags), f"{own} (inline)")
    slow = []
    n_texts, longest = 0, 0.0
    for (text, flags), place in patterns.items():
        if chosen and not place.startswith(chosen):
            continue
        pattern = re.compile(text, flags)
        named = max((name for name in SHORTER if place.startswith(name)), key=len, default="")
        n_chars = SHORTER.get(named, N_CHARS)
        for tried in texts(pattern, n_chars):
            n_texts += 1
            taken = seconds(pattern, tried)
            if taken == float("inf"):
                slow.append({"where": place, "pattern": text, "text": tried[:100]})
                sys.stderr.write(f"{place} {tried[:60]!r}\n")
                break
            longest = max(longest, taken)
    json.dump(
        {"n_patterns": len(patterns), "n_texts": n_texts, "longest": longest, "slow": slow},
        sys.stdout,
        indent=1,
    )


if __name__ == "__main__":
    main()
