"""LangGraph's `BaseStore` over Habitus: what is written against `store.search` gets its recall.

An item is kept as a message in a conversation of its own; putting it again adds a version, of which the
last one counts, and deleting it deletes every version for good. So items are found by `Agent.recall` too.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from threading import Lock
from typing import Any

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    get_text_at_path,
    tokenize_path,
)

from habitus.memory.errors import InvalidInputError
from habitus.memory.masking import DEFAULT, MaskKind, mask_all
from habitus.memory.records import Changes, Turn
from habitus.memory.retrieval.question import read_question
from habitus.memory.retrieval.searching import search_memory
from habitus.memory.store import MemoryStore, Query

_PREFIX = "item:"
_BLOCK = 64
"""Ranked messages whose text is read at once."""

Namespace = tuple[str, ...]
Address = tuple[Namespace, str]


class HabitusStore(BaseStore):
    """Items of LangGraph programs in a memory store.

    Args:
        store: where items are kept, such as `Agent.store`; the caller closes it.
        user_at: place of the user's id in every namespace: 0 in `("maya", "memories")`, 1 in
            `("memories", "maya")`. Every search names a user: nothing looks across users.
        masking: what is masked in values before they are stored; see `habitus.memory.masking`.
        fields: paths of the texts in a value that are searched, in LangGraph's notation; by default
            every text in it.

    `ttl` is not supported: nothing here is deleted unasked. `index=False` keeps an item out of searches
    with a query; `index=[...]` names other fields for one item.
    """

    supports_ttl = False

    def __init__(
        self,
        store: MemoryStore,
        *,
        user_at: int = 0,
        fields: Sequence[str] | None = None,
        masking: Sequence[MaskKind] = DEFAULT,
    ) -> None:
        if user_at < 0:
            raise InvalidInputError(f"user_at counts from the front of a namespace, got {user_at}")
        self._store = store
        self._user_at = user_at
        self._fields = tuple(fields) if fields is not None else None
        self._masking = tuple(masking)
        self._lock = Lock()

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out operations; reads see what was there before the puts of the same batch.

        Raises:
            InvalidInputError: a namespace without a user, or a value that is not JSON.
        """
        results: list[Result] = []
        puts: dict[Address, PutOp] = {}
        for op in ops:
            if isinstance(op, PutOp):
                puts[op.namespace, op.key] = op
                results.append(None)
            elif isinstance(op, GetOp):
                results.append(self._get(op.namespace, op.key))
            elif isinstance(op, SearchOp):
                results.append(list(self._search(op)))
            elif isinstance(op, ListNamespacesOp):
                results.append(self._namespaces(op))
            else:
                raise InvalidInputError(f"unknown operation {type(op).__name__}")
        with self._lock:
            self._put(puts.values())
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """`batch` in a thread."""
        return await asyncio.to_thread(self.batch, list(ops))

    def _user(self, namespace: Namespace) -> str:
        if len(namespace) <= self._user_at:
            raise InvalidInputError(
                f"the namespace {namespace!r} names no user: the user's id is expected at place "
                f"{self._user_at}; set user_at if your namespaces hold it elsewhere"
            )
        return namespace[self._user_at]

    def _versions(self, address: Address) -> list[Turn]:
        return self._store.turns(self._user(address[0]), session_id=_session_id(address))

    def _get(self, namespace: Namespace, key: str) -> Item | None:
        versions = self._versions((namespace, key))
        return Item(**_fields_of(versions)) if versions else None

    def _put(self, ops: Iterable[PutOp]) -> None:
        added: dict[str, list[Turn]] = defaultdict(list)
        gone: dict[str, list[str]] = defaultdict(list)
        for op in ops:
            user_id, versions = self._user(op.namespace), self._versions((op.namespace, op.key))
            if op.value is None:
                gone[user_id] += [turn.id for turn in versions]
            else:
                added[user_id].append(self._version(op, op.value, user_id, _next_place(versions)))
        for user_id, turns in added.items():
            sessions = tuple(turn.session_id for turn in turns)
            self._store.commit(user_id, Changes(turns=tuple(turns), ends_sessions=sessions))
        for user_id, turn_ids in gone.items():
            if turn_ids:
                self._store.forget(user_id, turn_ids=turn_ids)

    def _version(self, op: PutOp, value: Mapping[str, Any], user_id: str, number: int) -> Turn:
        try:
            kept = json.loads(json.dumps(dict(value), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise InvalidInputError(
                f"the value of {op.key!r} in {op.namespace!r} is not JSON: {error}"
            ) from None
        if not _same(kept, dict(value)):
            raise InvalidInputError(
                f"the value of {op.key!r} in {op.namespace!r} would not come back "
                "as it is; use JSON values only"
            )
        kept = mask_all(kept, self._masking)
        address = (op.namespace, op.key)
        item = {"namespace": list(op.namespace), "key": op.key, "value": kept}
        return Turn(
            user_id=user_id,
            session_id=_session_id(address),
            index=number,
            role="user",
            text=self._text(kept, op.index) or json.dumps(kept, ensure_ascii=False),
            at=datetime.now(UTC),
            meta={"item": item, "searched": op.index is not False},
        )

    def _text(self, value: dict[str, Any], index: list[str] | bool | None) -> str:
        paths = index if isinstance(index, list) else self._fields
        if paths is None:
            return "\n".join(_texts(value))
        found = [text for path in paths for text in get_text_at_path(value, tokenize_path(path))]
        return "\n".join(text for text in found if text.strip())

    def _search(self, op: SearchOp) -> Iterator[SearchItem]:
        user_id = self._user(op.namespace_prefix)
        found = self._found(user_id, op) if op.query else self._newest(user_id)
        seen: set[str] = set()
        fitting = (
            SearchItem(**_fields_of(versions), score=score)
            for versions, score in found
            if _fits(versions[-1], op, seen)
        )
        return islice(fitting, op.offset, op.offset + op.limit)

    def _found(self, user_id: str, op: SearchOp) -> Iterator[tuple[list[Turn], float | None]]:
        """Yield items with their scores, best first, then those that are not searched by words."""
        now = datetime.now(UTC)
        question = read_question(op.query or "", now)
        vector = self._store.encoder.encode([question.meaning])[0]
        limit = max(Query.limit, op.offset + op.limit)
        found = search_memory(self._store, user_id, question, vector, at=now, limit=limit)
        candidates, ranking = found.candidates, found.ranking
        for start in range(0, len(ranking.rows), _BLOCK):
            rows = ranking.rows[start : start + _BLOCK]
            scores = {
                candidates.turn_ids[row]: float(score)
                for row, score in zip(rows, ranking.scores[start:], strict=False)
                if candidates.session_ids[row].startswith(_PREFIX)
            }
            turns = {turn.id: turn for turn in self._store.turns(user_id, ids=list(scores))}
            for turn_id, score in scores.items():
                if turn_id in turns and turns[turn_id].meta.get("searched"):
                    versions = self._store.turns(user_id, session_id=turns[turn_id].session_id)
                    # An older version that fits better than the last one must not speak for it.
                    if versions and versions[-1].id == turn_id:
                        yield versions, score
        for versions, _ in self._newest(user_id):
            yield versions, None

    def _newest(self, user_id: str) -> Iterator[tuple[list[Turn], float | None]]:
        sessions = [one for one in self._store.sessions(user_id) if one.id.startswith(_PREFIX)]
        for session in sorted(sessions, key=lambda one: one.last_at, reverse=True):
            yield self._store.turns(user_id, session_id=session.id), None

    def _namespaces(self, op: ListNamespacesOp) -> list[Namespace]:
        found = {
            _address(versions[-1])[0]
            for user_id in self._users(op.match_conditions or ())
            for versions, _ in self._newest(user_id)
            if versions
        }
        found = {ns for ns in found if all(_matches(one, ns) for one in op.match_conditions or ())}
        if op.max_depth is not None:
            found = {namespace[: op.max_depth] for namespace in found}
        return sorted(found)[op.offset : op.offset + op.limit]

    def _users(self, conditions: Iterable[MatchCondition]) -> list[str]:
        for one in conditions:
            if one.match_type == "prefix" and len(one.path) > self._user_at:
                user = one.path[self._user_at]
                return [user] if user != "*" else self._store.users()
        return self._store.users()


def _session_id(address: Address) -> str:
    namespace, key = address
    digest = hashlib.sha256(json.dumps([list(namespace), key]).encode()).hexdigest()
    return f"{_PREFIX}{digest[:40]}"


def _next_place(versions: Sequence[Turn]) -> int:
    # Not their number: one in between may have been forgotten.
    return versions[-1].index + 1 if versions else 0


def _address(version: Turn) -> Address:
    item = version.meta["item"]
    return tuple(item["namespace"]), item["key"]


def _fields_of(versions: Sequence[Turn]) -> dict[str, Any]:
    namespace, key = _address(versions[-1])
    return {
        "namespace": namespace,
        "key": key,
        "value": versions[-1].meta["item"]["value"],
        "created_at": versions[0].at,
        "updated_at": versions[-1].at,
    }


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _same(kept: Any, given: Any) -> bool:
    """Return whether a value came back from JSON as it was, tuples as lists excepted."""
    if isinstance(given, list | tuple):
        return (
            isinstance(kept, list)
            and len(kept) == len(given)
            and all(_same(a, b) for a, b in zip(kept, given, strict=True))
        )
    if isinstance(given, Mapping):
        return (
            isinstance(kept, dict)
            and kept.keys() == given.keys()
            and all(_same(kept[name], given[name]) for name in given)
        )
    return bool(kept == given)


def _fits(version: Turn, op: SearchOp, seen: set[str]) -> bool:
    """Return whether an item lies under the prefix, passes the filter and was not yielded yet."""
    namespace, _ = _address(version)
    if version.session_id in seen or namespace[: len(op.namespace_prefix)] != op.namespace_prefix:
        return False
    seen.add(version.session_id)
    value = version.meta["item"]["value"]
    return all(_passes(value.get(name), wanted) for name, wanted in (op.filter or {}).items())


def _passes(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, Mapping) or not any(str(name).startswith("$") for name in wanted):
        return bool(value == wanted)
    return all(_compare(value, operator, other) for operator, other in wanted.items())


def _compare(value: Any, operator: str, other: Any) -> bool:
    if operator in ("$eq", "$ne"):
        return bool((value == other) == (operator == "$eq"))
    if operator not in ("$gt", "$gte", "$lt", "$lte"):
        raise InvalidInputError(f"unknown operator {operator!r} in a filter")
    if value is None:
        return False
    left, right = float(value), float(other)
    return {"$gt": left > right, "$gte": left >= right, "$lt": left < right, "$lte": left <= right}[operator]


def _matches(condition: MatchCondition, namespace: Namespace) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[-len(path) :]
    return all(wanted in ("*", found) for wanted, found in zip(path, part, strict=True))
