"""Search among more turns than are worth holding in memory: candidates first, then exact scores."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from habitus.memory.index import outbox
from habitus.memory.index.bm25 import Collection
from habitus.memory.index.indexer import Indexer
from habitus.memory.index.resident import Resident
from habitus.memory.index.shards import Keys
from habitus.memory.index.terms import hash_term, terms_of
from habitus.memory.storage import reading
from habitus.memory.storage.sql import Connection
from habitus.memory.storage.sqlite import Database
from habitus.memory.store import Candidates, Query
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import IndexCorruptError

_TRIES = 3
"""A process that died is begun again, then the shard is rebuilt; if that does not help, nothing will."""


def search_wide(
    database: Database, indexer: Indexer, user_id: str, query: Query, vector: Vectors
) -> Candidates:
    """Score the best turns of a user by either index, and all that wait to be indexed.

    Every turn in the result has its exact cosine, and the BM25 that it has among all turns of the
    user. The session arms use whole sessions; only how many sessions hold a term is estimated, from
    how many turns do.

    Args:
        database: the truth.
        indexer: of the derived indexes.
        user_id: whose turns.
        query: see `Query`; `limit` turns are asked of each index.
        vector: the query's, checked.
    """
    pending, found, frequencies = _candidates(database, indexer, user_id, query, vector)
    with database.read() as connection:
        return score_candidates(connection, user_id, query, vector, pending, found, frequencies)


def score_candidates(
    connection: Connection,
    user_id: str,
    query: Query,
    vector: Vectors,
    pending: Keys,
    found: Keys,
    frequencies: npt.NDArray[np.float64],
) -> Candidates:
    """Score turns that indexes found, and those that wait to be indexed.

    Args:
        connection: where they are read.
        user_id: whose turns.
        query, vector: the question.
        pending: sequence numbers of the turns that wait.
        found: of those that the indexes found.
        frequencies: shape `(n_terms,)`, in how many of the indexed turns each term of the query occurs.
    """
    wanted = np.union1d(found, pending)
    session_ids = reading.sessions_of(connection, user_id, wanted.tolist())
    rows = reading.rows_of_sessions(connection, user_id, session_ids, len(vector))
    totals = reading.totals(connection, user_id)
    part = Resident(len(vector))
    part.append(rows)
    query_terms = terms_of(query.text)
    frequencies = frequencies + part.frequencies(query_terms, pending)
    turns, sessions = _statistics(totals, frequencies)
    return part.search(
        vector,
        query_terms,
        only=cast("list[int]", wanted.tolist()),
        turns=turns,
        sessions=sessions,
    )


def _candidates(
    database: Database, indexer: Indexer, user_id: str, query: Query, vector: Vectors
) -> tuple[Keys, Keys, npt.NDArray[np.float64]]:
    """Return turns that wait to be indexed, turns found in the indexes, and their term frequencies."""
    terms = sorted(set(analyze(query.text)), key=hash_term)
    number = outbox.shard_of(user_id)
    failed = 0
    while True:
        shard = indexer.ready(number)
        try:
            with shard.lock:
                # The outbox first: a turn that leaves it in between is in the index by then.
                with database.read() as connection:
                    pending = outbox.pending(connection, user_id)
                found = shard.nearest(vector, query.text, user_id, query.limit)
                return pending, found, shard.frequencies(terms, user_id)
        except IndexCorruptError as error:
            failed += 1
            if failed == _TRIES:
                raise
            indexer.rebuild(number, error)


def _statistics(
    totals: reading.Totals, frequencies: npt.NDArray[np.float64]
) -> tuple[Collection, Collection]:
    turns = Collection(totals.n_turns, totals.n_terms / max(totals.n_turns, 1), frequencies)
    n = max(totals.n_sessions, 1)
    # Turns with the term thrown at random into sessions: n (1 - (1 - 1/n)^df) of them are hit.
    spread = n * -np.expm1(frequencies * np.log1p(-1.0 / (n + 1.0)))
    return turns, Collection(n, totals.n_own_terms / n, spread)
