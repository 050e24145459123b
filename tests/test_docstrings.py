"""What the API reference shows is documented: all that a page of `notebooks/guides/reference` names.

Read from the source by griffe, which the reference is made with. Types say much; the rules ask for what they
cannot say: what a parameter means, the shape of an array, the unit and range of a number, which errors come.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

griffe: Any = pytest.importorskip("griffe", reason="the extra `docs` is not installed")

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "notebooks" / "guides" / "reference"
_ARRAY = re.compile(r"\b(NDArray|ArrayLike|ndarray|Vectors)\b")
_NUMBER = re.compile(r"^(int|float|timedelta)\b")
_SELF_TOLD = re.compile(r"^n_|_(at|ms|seconds|tokens|chars|days|mb|bytes)$|^(bytes|index|version|dim|n)(_|$)")
"""Names that tell the unit of a number: counts, instants, times, sizes."""


@cache
def habitus() -> Any:
    """The whole package, as griffe reads it."""
    loader = griffe.GriffeLoader(
        search_paths=[str(ROOT / "build" / "editable")], docstring_parser=griffe.Parser.google
    )
    package = loader.load("habitus", submodules=True)
    loader.resolve_aliases(implicit=True, external=False)
    return package


def named() -> Iterator[str]:
    """Yield what the pages of the reference show."""
    for page in sorted(PAGES.glob("*.md")):
        yield from re.findall(r"^::: (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE)


def target(member: Any) -> Any:
    return member.final_target if member.is_alias else member


@cache
def shown() -> dict[str, Any]:
    """By its full name, every class and function that the reference shows, and the members of classes."""
    found: dict[str, Any] = {}
    for name in named():
        one = habitus()[name.removeprefix("habitus.")]
        if one.is_module:
            exported = one.exports or [
                key for key, m in one.members.items() if not m.is_alias and not key.startswith("_")
            ]
            tops = [target(one.members[key]) for key in exported]
        else:
            tops = [target(one)]
        for top in tops:
            found[top.path] = top
            if top.is_class:
                found |= {f"{top.path}.{key}": member for key, member in public_members(top)}
    return found


def public_members(owner: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public members of a class, those of its bases in the package included."""
    seen: set[str] = set()
    for one in (owner, *bases(owner)):
        for key, member in one.members.items():
            if not key.startswith("_") and key not in seen and not member.is_module:
                seen.add(key)
                yield key, target(member)


def bases(owner: Any) -> list[Any]:
    return [base for base in owner.mro() if base.path.startswith("habitus.")]


def functions() -> list[str]:
    return [name for name, one in shown().items() if one.is_function]


def text_of(one: Any) -> str:
    return one.docstring.value if one.docstring else ""


def sections(one: Any, kind: str) -> list[Any]:
    if not one.docstring:
        return []
    return [item for part in one.docstring.parse("google") if part.kind.value == kind for item in part.value]


@cache
def kin(path: str) -> list[Any]:
    """Return a class with its bases in the package, and the protocols shown that it keeps to."""
    one = shown()[path]
    own = {key for key, _ in public_members(one)}
    protocols = [
        other
        for other in shown().values()
        if other.is_class
        and any(str(base).startswith("Protocol") for base in other.bases)
        and {key for key, _ in public_members(other)} <= own
    ]
    return [one, *bases(one), *(other for other in protocols if other is not one)]


def promised(name: str) -> str:
    """Return what is said of a method: by itself, a base class, or a protocol that its class keeps to."""
    one, (owner, _, key) = shown()[name], name.rpartition(".")
    if text_of(one) or owner not in shown():
        return text_of(one)
    same = (target(other.members[key]) for other in kin(owner) if key in other.members)
    return next(filter(None, map(text_of, same)), "")


def is_framework(name: str) -> bool:
    """Tell whether a method is one that LangChain or LangGraph asks for, and explains."""
    owner, _, key = name.rpartition(".")
    if owner not in shown():
        return False
    cls = getattr(import_module(shown()[owner].module.path), shown()[owner].name)
    return any(key in vars(base) for base in cls.__mro__ if not base.__module__.startswith("habitus."))


@pytest.mark.parametrize("name", list(named()))
def test_pages_name_what_there_is(name: str) -> None:
    assert text_of(habitus()[name.removeprefix("habitus.")])


def test_every_class_and_function_has_a_docstring() -> None:
    silent = [
        name
        for name, one in shown().items()
        if (one.is_class or one.is_function or "property" in one.labels)
        and not promised(name)
        and not is_framework(name)
    ]
    assert silent == []


def test_every_parameter_is_explained() -> None:
    unexplained = [
        f"{name}({parameter})"
        for name in functions()
        for parameter in parameters(shown()[name])
        if not explained(parameter, name)
    ]
    assert unexplained == []


def parameters(function: Any) -> list[str]:
    return [one.name for one in function.parameters if one.name not in ("self", "cls")]


def explained(parameter: str, name: str) -> bool:
    """Tell whether a parameter is explained: by the method, its class, or a method that it refers to."""
    owner, _, key = name.rpartition(".")
    own = promised(name)
    if re.search(rf"\b{parameter}\b", own) or is_framework(name):
        return True
    classes = "\n".join(map(text_of, kin(owner))) if owner in shown() else ""
    referred = {f"{owner}.{other}" for other in re.findall(r"`(\w+)`", own)} - {name}
    referred |= {f"{one.path}.{key}" for one in shown().values() if f"`{one.canonical_path}`" in classes}
    referred |= {f"{one.path}.{key}" for one in shown().values() if f"`habitus.agent.{one.name}`" in classes}
    return f"`{parameter}`" in classes or any(
        explained(parameter, other) for other in referred - {name} if other in shown()
    )


def test_arrays_tell_their_shape() -> None:
    shapeless = [
        name for name in functions() if _ARRAY.search(types(shown()[name])) and "shape" not in promised(name)
    ]
    assert shapeless == []


def types(function: Any) -> str:
    return " ".join(str(one.annotation) for one in function.parameters) + f" {function.returns}"


def test_numbers_tell_their_unit_or_range() -> None:
    bare = [
        name
        for name, one in shown().items()
        if one.is_attribute
        and "property" not in one.labels
        and (_NUMBER.match(str(one.annotation)) or _ARRAY.search(str(one.annotation)))
        and not (text_of(one) or _SELF_TOLD.search(one.name) or in_attributes(name, one.name))
    ]
    assert bare == []


def test_metrics_tell_their_direction() -> None:
    untold = [
        name
        for name in functions()
        if name.startswith("habitus.evals.metrics.")
        and str(shown()[name].returns) == "float"
        and not re.search(r"\b(higher|lower)[ -]is[ -]better", promised(name), re.IGNORECASE)
    ]
    assert untold == []


def in_attributes(name: str, attribute: str) -> bool:
    said = [item.name for one in kin(name.rpartition(".")[0]) for item in sections(one, "attributes")]
    return attribute in {part.strip() for names in said for part in names.split(",")}


def test_every_error_that_is_raised_is_told() -> None:
    untold = [
        f"{name}: {error}"
        for name in functions()
        for error in sorted(raised(shown()[name]))
        if error not in promised(name)
    ]
    assert untold == []


def raised(function: Any) -> set[str]:
    """Return the errors that a function, or a private one of its module that it calls, raises by name."""
    tree = ast.parse(Path(function.filepath).read_text(encoding="utf-8"))
    defined = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    private = {node.name: node for node in defined if node.name.startswith("_")}
    todo: list[ast.AST] = [node for node in defined if node.name == function.name and within(function, node)]
    assert todo, f"{function.path} was not found in its file"
    seen: list[ast.AST] = []
    errors: set[str] = set()
    while todo:
        seen.append(node := todo.pop())
        for part in statements(node):
            if isinstance(part, ast.Raise) and isinstance(part.exc, ast.Call):
                errors.add(ast.unparse(part.exc.func))
            if isinstance(part, ast.Call):
                called = private.get(ast.unparse(part.func).removeprefix("self.").removeprefix("cls."))
                if called is not None and called not in seen:
                    todo.append(called)
    return {error for error in errors if error[0].isupper()}


def within(function: Any, node: ast.AST) -> bool:
    first, last = function.lineno, function.endlineno
    return bool(first <= getattr(node, "lineno", 0) <= last)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a function does itself; functions made in it run later."""
    for part in ast.iter_child_nodes(node):
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield part
            yield from statements(part)


def test_errors_that_are_told_exist() -> None:
    unknown = [
        f"{name}: {item.annotation}"
        for name, one in shown().items()
        for item in sections(one, "raises")
        if not exists(str(item.annotation).strip())
    ]
    assert unknown == []


def exists(error: str) -> bool:
    return hasattr(builtins, error) or error in {name for module in error_modules() for name in vars(module)}


@cache
def error_modules() -> list[Any]:
    return [import_module(path) for path in sorted({path for path in map(module_of, classes()) if path})]


def classes() -> list[Any]:
    return [
        one for one in walk(habitus()) if one.is_class and one.name.endswith(("Error", "Missing", "Library"))
    ]


def walk(module: Any) -> Iterator[Any]:
    for member in module.members.values():
        if member.is_alias:
            continue
        yield member
        if member.is_module:
            yield from walk(member)


def module_of(one: Any) -> str:
    path: str = one.module.path
    return path
