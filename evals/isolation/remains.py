"""What is left of deleted users where their words were kept: bytes of files, rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from habitus.evals.isolation.people import ASKED, SAID
from habitus.memory.extraction import extract
from habitus.memory.index.phrases import phrases_of
from habitus.memory.index.terms import hash_term
from habitus.memory.records import Turn
from habitus.retrievers.encoder import Encoder


def in_files(folder: Path, dead: Sequence[str], alive: Sequence[str], encoder: Encoder) -> list[str]:
    """Tell which files hold a dead secret, its hash in an index, or the vector of a sentence with it.

    Vectors that sentences of the living have too, what is learnt of them, or questions, tell nothing: a
    hashing encoder gives few different ones.
    """
    learnt = [phrase for text in _sentences(alive) for phrase in _learnt(text)]
    innocent = _vectors([*_sentences(alive), *learnt, *ASKED], encoder)
    needles = {
        "a word": {one.encode() for one in dead},
        "the hash of a word": {hash_term(one).to_bytes(8, "little") for one in dead},
        "the vector of a sentence": _vectors(_sentences(dead), encoder) - innocent,
    }
    return [
        f"{path.relative_to(folder)}: {kind}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for content in [path.read_bytes()]
        for kind, wanted in needles.items()
        if any(needle in content for needle in wanted)
    ]


def _sentences(secrets: Sequence[str]) -> list[str]:
    return [said.format(s=one) for one in secrets for said in SAID]


def _learnt(text: str) -> list[str]:
    """Return what stands in a store, with vectors of its own, of the preferences in a sentence."""
    turn = Turn(
        id="t",
        user_id="u",
        session_id="s",
        index=0,
        role="user",
        text=text,
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return [phrase for preference in extract(turn).preferences for phrase in phrases_of(preference)]


def _vectors(texts: Sequence[str], encoder: Encoder) -> set[bytes]:
    return {vector.tobytes() for vector in encoder.encode(texts)}


def in_tables(url: str, secrets: Sequence[str]) -> list[str]:
    """Tell which tables of a PostgreSQL database hold one of some words, or its hash, in any column."""
    import psycopg
    from psycopg import sql

    needles = [needle for one in secrets for needle in (one, hash_term(one).to_bytes(8, "little").hex())]
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        look = (
            "SELECT 1 FROM {} t WHERE EXISTS"
            " (SELECT 1 FROM unnest(%s::text[]) n WHERE strpos(t::text, n) > 0)"
        )
        return [
            f"{schema}.{table}"
            for schema, table in tables
            if connection.execute(
                sql.SQL(look + " LIMIT 1").format(sql.Identifier(schema, table)), (needles,)
            ).fetchone()
        ]
