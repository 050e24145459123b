"""After a deletion nothing of it is in any table: every column of every row is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from habitus.memory.index.terms import terms_of
from habitus.memory.records import (
    AskedQuestion,
    Changes,
    Correction,
    Evidence,
    Feedback,
    Persona,
    PersonaLine,
    Preference,
    Profile,
    ProfileSection,
    RewardWeights,
    Turn,
)
from habitus.memory.storage.postgres.wide import bits
from habitus.retrievers.encoder import HashingEncoder

psycopg = pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")
from habitus.memory.storage.postgres.store import PostgresStore  # noqa: E402

MakeTurns = Callable[..., tuple[Turn, ...]]
Traces = Callable[[str], list[str]]
SECRET = "xylophonequartz"
SENTENCE = f"My password is {SECRET} and nobody knows."


@pytest.fixture(params=[4, 100_000], ids=["large", "in memory"])
def store(
    request: pytest.FixtureRequest, postgres_url: str, postgres_schema: str, encoder: HashingEncoder
) -> Iterator[PostgresStore]:
    with PostgresStore.open(
        postgres_url, encoder, schema=postgres_schema, exact_limit=request.param
    ) as opened:
        yield opened


@pytest.fixture
def traces(postgres_url: str, postgres_schema: str) -> Traces:
    """Tell which tables hold a text in any column, bytes as hexadecimal digits."""

    def look(needle: str) -> list[str]:
        with psycopg.connect(postgres_url) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s", (postgres_schema,)
            ).fetchall()
            return sorted(
                name
                for (name,) in tables
                if connection.execute(
                    f"SELECT 1 FROM {postgres_schema}.{name} t WHERE strpos(t::text, %s) > 0".encode(),
                    (needle,),
                ).fetchone()
            )

    return look


def fill(store: PostgresStore, make_turns: MakeTurns) -> None:
    turns = make_turns("ann", "s", SENTENCE, "Noted.", *("It rains." for _ in range(8)))
    at = turns[0].at
    store.commit(
        "ann",
        Changes(
            turns=turns,
            preferences=(
                Preference(
                    id="p",
                    user_id="ann",
                    statement=f"The user likes {SECRET}.",
                    topic="general",
                    target=SECRET,
                    stance="like",
                    valid_from=at,
                    learnt_at=at,
                    evidence=(Evidence(turn_id="s.0", quote=SECRET),),
                ),
            ),
            corrections=(
                Correction(
                    user_id="ann", situation=SECRET, wrong="", right=SECRET, turn_id="s.0", made_at=at
                ),
            ),
            feedback=(Feedback(user_id="ann", turn_id="s.0", at=at, comment=SECRET),),
            questions=(
                AskedQuestion(
                    id="q", user_id="ann", turn_id="s.1", topic="t", text=SECRET, asked_at=at, answer_id="s.0"
                ),
            ),
            profile=Profile(
                user_id="ann",
                version=1,
                made_at=at,
                sections=(ProfileSection(title="t", text=SECRET, record_ids=("p",)),),
            ),
            persona=Persona(
                user_id="ann",
                version=1,
                made_at=at,
                reason=f"learnt {SECRET}",
                lines=(PersonaLine(text=SECRET, preference_id="p"),),
            ),
            weights=RewardWeights(user_id="ann", made_at=at, values={SECRET: 1.0}, n_comparisons=1),
            unread=("s.0",),
        ),
    )
    store.commit("bob", Changes(turns=make_turns("bob", "s", "I keep bees.")))


@pytest.mark.parametrize("how", ["forget", "rewrite", "delete_user"])
def test_nothing_stays_in_any_table(
    store: PostgresStore, make_turns: MakeTurns, traces: Traces, encoder: HashingEncoder, how: str
) -> None:
    fill(store, make_turns)
    vector = encoder.encode([SENTENCE])
    (term,) = terms_of(SECRET).hashes
    needles = [SECRET, vector.tobytes().hex(), term.tobytes().hex()]
    if store._in_memory.n_turns == 4:
        needles += [bits(vector)[0], str(int(term.view("int64")))]
    assert all(map(traces, needles)), "the test would prove nothing"
    bob = store.export("bob")
    if how == "forget":
        store.forget("ann", turn_ids=["s.0"])
    elif how == "rewrite":
        store.forget("ann", rewrites={"s.0": "Nobody knows."})
    else:
        store.delete_user("ann")
        assert traces("ann") == []
    assert [(needle[:20], traces(needle)) for needle in needles if traces(needle)] == []
    assert store.export("bob") == bob
    assert traces("bob")
    assert store.verify().problems == ()


def test_nothing_stays_in_the_servers_files_once_it_has_tidied_up(
    store: PostgresStore,
    make_turns: MakeTurns,
    encoder: HashingEncoder,
    postgres_url: str,
    postgres_schema: str,
) -> None:
    # What the README tells those who run the server: VACUUM (FULL), and no old write-ahead log kept.
    fill(store, make_turns)
    needles = (SECRET.encode(), encoder.encode([SENTENCE])[0].tobytes())
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        (place,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        connection.execute("ALTER SYSTEM SET wal_recycle = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CHECKPOINT")
        assert holding(Path(place), needles), "the test would prove nothing"
        store.delete_user("ann")
        for (name,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s", (postgres_schema,)
        ).fetchall():
            connection.execute(f"VACUUM (FULL) {postgres_schema}.{name}".encode())
        # One that was recycled before, with what it held, is gone once it has been the current one.
        for _ in range(len(list((Path(place) / "pg_wal").iterdir())) + 1):
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")
    assert holding(Path(place), needles) == []
    assert holding(Path(place), (b"I keep bees",))


def holding(folder: Path, needles: tuple[bytes, ...]) -> list[str]:
    """Name the files of the server that hold one of some bytes; its log of statements is off."""
    found = []
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):  # files of other tests come and go
            if path.is_file() and any(needle in path.read_bytes() for needle in needles):
                found.append(str(path.relative_to(folder)))
    return found
