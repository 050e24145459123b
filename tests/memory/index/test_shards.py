"""The derived indexes with their vectors on a Chroma server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from habitus.memory.errors import InvalidInputError, StoreUnreachableError
from habitus.memory.opening import open_store
from habitus.memory.records import Changes, Turn
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.store import Query
from habitus.retrievers.encoder import HashingEncoder

MakeTurns = Callable[..., tuple[Turn, ...]]


@contextmanager
def client_of(url: str) -> Iterator[Any]:
    import chromadb
    from chromadb.config import Settings

    host, port = url.removeprefix("http://").split(":")
    client: Any = chromadb.HttpClient(
        host=host, port=int(port), settings=Settings(anonymized_telemetry=False)
    )
    yield client
    for part in (client, client._admin_client):
        part._server._session.close()
    client.close()


def collections(url: str) -> set[str]:
    with client_of(url) as client:
        return {one.name for one in client.list_collections()}


def found(store: EmbeddedStore, text: str) -> list[str]:
    return store.search("ann", Query(text=text, vector=store.encoder.encode([text])[0], limit=3)).turn_ids


def test_vectors_are_on_the_server_and_leave_it_with_what_is_deleted(
    chroma_url: str, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    before = collections(chroma_url)
    texts = [f"about fig {number}" for number in range(30)]
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=0, chroma_url=chroma_url) as store:
        store.commit("ann", Changes(turns=make_turns("ann", "s", *texts)))
        store.flush()
        assert len(collections(chroma_url) - before) == 1
        assert not list(tmp_path.rglob("chroma.sqlite3"))
        assert "s.7" in found(store, "about fig 7")
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=0, chroma_url=chroma_url) as store:
        assert "s.7" in found(store, "about fig 7")
        [old] = collections(chroma_url) - before
        store.forget("ann", turn_ids=["s.7"])
        assert old not in collections(chroma_url)
        store.flush()
        assert "s.7" not in found(store, "about fig 7")
        assert "s.8" in found(store, "about fig 8")
        store.delete_user("ann")
        assert collections(chroma_url) == before


def test_a_folder_moves_to_a_server_and_what_is_lost_there_is_built_anew(
    chroma_url: str, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    before = collections(chroma_url)
    texts = [f"about plum {number}" for number in range(30)]
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=0) as store:
        store.commit("ann", Changes(turns=make_turns("ann", "s", *texts)))
        store.flush()
    for _ in range(2):  # a folder's indexes first, then those of a server that lost them
        with EmbeddedStore.open(tmp_path, encoder, exact_limit=0, chroma_url=chroma_url) as store:
            assert "s.7" in found(store, "about plum 7")
            store.flush()
            [name] = collections(chroma_url) - before
        with client_of(chroma_url) as client:
            client.delete_collection(name)


def test_whoever_opens_the_folder_deletes_on_the_server(
    chroma_url: str, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    before = collections(chroma_url)
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=0, chroma_url=chroma_url) as store:
        for user in ("ann", "bob"):
            store.commit(user, Changes(turns=make_turns(user, "s", "about figs")))
        store.flush()
        assert len(collections(chroma_url) - before) == 2
    with EmbeddedStore.open(tmp_path, encoder) as store:  # as commands do that know of no server
        store.delete_user("bob")
        assert len(collections(chroma_url) - before) == 1
        store.reindex()
        assert collections(chroma_url) == before
        assert list(tmp_path.rglob("chroma.sqlite3"))


def test_vectors_are_in_one_place(
    chroma_url: str, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    before = collections(chroma_url)
    other = chroma_url.replace("127.0.0.1", "localhost")
    for number, url in enumerate((chroma_url, other, None, chroma_url)):
        with EmbeddedStore.open(tmp_path, encoder, exact_limit=0, chroma_url=url) as store:
            store.commit("ann", Changes(turns=make_turns("ann", f"s{number}", f"about fig {number}")))
            store.flush()
            assert f"s{number}.0" in found(store, f"about fig {number}")
            assert len(collections(chroma_url) - before) == (url is not None)
            assert len(list(tmp_path.rglob("chroma.sqlite3"))) == (url is None)
    with EmbeddedStore.open(tmp_path, encoder) as store:
        store.delete_user("ann")
    assert collections(chroma_url) == before


def test_a_deletion_on_a_server_that_does_not_answer_is_carried_through_later(
    chroma_url: str, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    before = collections(chroma_url)
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=0, chroma_url=chroma_url) as store:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "about figs")))
        store.flush()
    [noted] = tmp_path.rglob("server.txt")
    noted.write_text("http://127.0.0.1:9")
    with EmbeddedStore.open(tmp_path, encoder) as store:
        with pytest.raises(StoreUnreachableError, match="127.0.0.1:9.*start it and open the folder again"):
            store.delete_user("ann")
        assert store.users() == []
    with pytest.raises(StoreUnreachableError, match="remove .*remote-"):
        EmbeddedStore.open(tmp_path, encoder)
    noted.unlink()
    with pytest.raises(StoreUnreachableError, match="with its `chroma_url` once"):
        EmbeddedStore.open(tmp_path, encoder)
    assert len(collections(chroma_url) - before) == 1
    EmbeddedStore.open(tmp_path, encoder, chroma_url=chroma_url).close()
    assert collections(chroma_url) == before


def test_a_server_that_does_not_answer_is_told_and_nothing_is_lost(
    tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=0, chroma_url=url) as store:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "about figs")))
        with pytest.raises(StoreUnreachableError, match=f"{url}.*chroma run"):
            store.flush()
    with EmbeddedStore.open(tmp_path, encoder) as store:
        assert found(store, "about figs") == ["s.0"]


def test_a_database_takes_no_chroma_server(encoder: HashingEncoder) -> None:
    with pytest.raises(InvalidInputError, match="indexes of its own"):
        open_store("postgresql://nowhere/none", encoder, chroma_url="http://localhost:8000")
