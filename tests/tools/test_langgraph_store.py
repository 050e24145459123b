"""The adapter behaves like LangGraph's own in-memory store, and keeps what that one loses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from habitus.memory.errors import InvalidInputError
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.storage.subjects import forget_about
from habitus.memory.store import MemoryStore
from habitus.retrievers.encoder import HashingEncoder
from habitus.tools.langgraph_store import HabitusStore

MAYA = ("maya", "memories")


@pytest.fixture
def items(store: MemoryStore) -> HabitusStore:
    return HabitusStore(store)


@pytest.fixture(params=["habitus", "langgraph"])
def either(request: pytest.FixtureRequest, store: MemoryStore) -> Iterator[BaseStore]:
    yield HabitusStore(store) if request.param == "habitus" else InMemoryStore()


def test_an_item_comes_back_as_it_was_put(either: BaseStore) -> None:
    value = {"text": "likes tea", "n": 3, "nested": {"a": [1, None, True]}}
    either.put(MAYA, "tea", value)
    item = either.get(MAYA, "tea")
    assert item is not None
    assert (item.value, item.key, item.namespace) == (value, "tea", MAYA)
    assert either.get(MAYA, "coffee") is None
    assert either.get(("noah", "memories"), "tea") is None


def test_putting_again_replaces_and_keeps_the_date_of_creation(either: BaseStore) -> None:
    either.put(MAYA, "tea", {"text": "likes tea"})
    first = either.get(MAYA, "tea")
    either.put(MAYA, "tea", {"text": "hates tea"})
    item = either.get(MAYA, "tea")
    assert item is not None and first is not None
    assert item.value == {"text": "hates tea"}
    assert item.updated_at >= first.updated_at
    assert [one.value for one in either.search(MAYA)] == [{"text": "hates tea"}]


def test_a_deleted_item_is_gone(either: BaseStore) -> None:
    either.put(MAYA, "tea", {"text": "likes tea"})
    either.delete(MAYA, "tea")
    either.delete(MAYA, "never there")
    assert either.get(MAYA, "tea") is None
    assert either.search(MAYA) == []


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ({"kind": "drink"}, {"tea", "milk"}),
        ({"price": {"$gte": 2}}, {"milk", "bread"}),
        ({"price": {"$gt": 1, "$lt": 3}}, {"milk"}),
        ({"kind": {"$ne": "drink"}}, {"bread"}),
        ({"kind": "drink", "price": 1}, {"tea"}),
        ({"absent": 1}, set()),
    ],
)
def test_a_search_is_filtered(either: BaseStore, wanted: dict[str, Any], keys: set[str]) -> None:
    either.put(MAYA, "tea", {"kind": "drink", "price": 1})
    either.put(MAYA, "milk", {"kind": "drink", "price": 2})
    either.put(MAYA, "bread", {"kind": "food", "price": 3})
    assert {one.key for one in either.search(MAYA, filter=wanted)} == keys


def test_limits_offsets_and_prefixes(either: BaseStore) -> None:
    for n in range(5):
        either.put(("maya", "notes", str(n % 2)), f"n{n}", {"n": n})
    either.put(("noah", "notes"), "other", {"n": 9})
    everything = [one.key for one in either.search(("maya",))]
    assert sorted(everything) == ["n0", "n1", "n2", "n3", "n4"]
    assert [one.key for one in either.search(("maya",), limit=2, offset=1)] == everything[1:3]
    assert {one.key for one in either.search(("maya", "notes", "1"))} == {"n1", "n3"}


def test_namespaces_are_listed(either: BaseStore) -> None:
    for namespace in (("maya", "a", "x"), ("maya", "b", "y"), ("noah", "a", "x")):
        either.put(namespace, "k", {"v": 1})
    assert either.list_namespaces() == [("maya", "a", "x"), ("maya", "b", "y"), ("noah", "a", "x")]
    assert either.list_namespaces(prefix=("maya",)) == [("maya", "a", "x"), ("maya", "b", "y")]
    assert either.list_namespaces(suffix=("x",)) == [("maya", "a", "x"), ("noah", "a", "x")]
    assert either.list_namespaces(prefix=("*", "a"), max_depth=2) == [("maya", "a"), ("noah", "a")]
    assert either.list_namespaces(limit=1, offset=1) == [("maya", "b", "y")]


def test_a_query_ranks_by_meaning_and_words(items: HabitusStore) -> None:
    items.put(MAYA, "bicycle", {"text": "The bicycle stands behind the library."})
    items.put(MAYA, "tea", {"text": "Drinks green tea in the morning."})
    items.put(("noah", "memories"), "bicycle", {"text": "The bicycle is stolen."})
    best = items.search(MAYA, query="where is the bicycle?")
    assert best[0].key == "bicycle"
    assert best[0].score is not None and best[1].score is not None
    assert best[0].score > best[1].score
    assert {one.namespace for one in best} == {MAYA}


def test_an_older_version_is_not_found_by_its_words(items: HabitusStore) -> None:
    items.put(MAYA, "home", {"text": "Lives in Ghent near the canal."})
    items.put(MAYA, "home", {"text": "Lives in Porto."})
    [found] = items.search(MAYA, query="Ghent canal")
    assert found.value == {"text": "Lives in Porto."}


def test_an_item_kept_out_of_the_index_comes_last_and_without_a_score(items: HabitusStore) -> None:
    items.put(MAYA, "hidden", {"text": "the bicycle"}, index=False)
    items.put(MAYA, "shown", {"text": "a bicycle bell", "more": "unrelated"}, index=["text"])
    found = items.search(MAYA, query="the bicycle")
    assert [(one.key, one.score is None) for one in found] == [("shown", False), ("hidden", True)]


def test_items_survive_the_process_and_are_deleted_for_good(tmp_path: Path, encoder: HashingEncoder) -> None:
    with EmbeddedStore.open(tmp_path, encoder) as store:
        HabitusStore(store).put(MAYA, "tea", {"text": "quetzalcoatl"})
    with EmbeddedStore.open(tmp_path, encoder) as store:
        items = HabitusStore(store)
        assert [one.key for one in items.search(MAYA, query="quetzalcoatl")] == ["tea"]
        items.delete(MAYA, "tea")
    assert not any(b"quetzalcoatl" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_it_is_put_again_after_a_version_was_forgotten(items: HabitusStore, store: MemoryStore) -> None:
    for text in ("one", "two", "three"):
        items.put(MAYA, "tea", {"text": text})
    store.forget("maya", turn_ids=[store.turns("maya")[1].id])
    items.put(MAYA, "tea", {"text": "four"})
    item = items.get(MAYA, "tea")
    assert item is not None and item.value == {"text": "four"}


def test_what_is_forgotten_stays_in_no_part_of_an_item(items: HabitusStore, store: MemoryStore) -> None:
    items.put(MAYA, "work", {"text": "She is a nurse, and she sings.", "note": "xylophone"}, index=["text"])
    items.put(MAYA, "tea", {"text": "She drinks oolong."})
    assert len(forget_about(store, "maya", "the xylophone").turn_ids) == 1
    items.put(MAYA, "work", {"text": "She is a nurse, and she sings."})
    forget_about(store, "maya", "nurse")
    assert items.get(MAYA, "work") is None
    assert "nurse" not in store.export("maya").model_dump_json()
    assert items.get(MAYA, "tea") is not None


def test_the_user_can_stand_elsewhere_in_the_namespace(store: MemoryStore) -> None:
    items = HabitusStore(store, user_at=1)
    items.put(("memories", "maya"), "tea", {"text": "likes tea"})
    assert store.users() == ["maya"]
    assert items.search(("memories", "maya"), query="tea")[0].key == "tea"


def test_a_search_across_users_is_refused(items: HabitusStore) -> None:
    with pytest.raises(InvalidInputError, match="names no user"):
        items.search(())


@pytest.mark.parametrize("value", [{"when": object()}, {"n": float("nan")}, {1: "key"}])
def test_a_value_that_is_not_json_is_refused_and_nothing_is_stored(
    items: HabitusStore, value: dict[Any, Any]
) -> None:
    with pytest.raises(InvalidInputError, match="JSON"):
        items.put(MAYA, "bad", value)
    assert items.search(MAYA) == []


class Said(TypedDict):
    text: str


async def test_it_is_the_store_of_a_graph(items: HabitusStore) -> None:
    async def remember(state: Said, *, store: BaseStore) -> Said:
        await store.aput(MAYA, "said", {"text": state["text"]})
        return {"text": (await store.asearch(MAYA, query="tea"))[0].value["text"] + "!"}

    graph = StateGraph(Said)
    graph.add_node("remember", remember)
    graph.add_edge(START, "remember")
    graph.add_edge("remember", END)
    assert await graph.compile(store=items).ainvoke({"text": "likes tea"}) == {"text": "likes tea!"}
    item = await items.aget(MAYA, "said")
    assert item is not None and item.value == {"text": "likes tea"}
