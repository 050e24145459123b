"""Spreading the tables over machines with Citus: the statements for it."""

from __future__ import annotations

DISTRIBUTED = (
    "users",
    "sessions",
    "turns",
    "features",
    "passages",
    "postings",
    "profiles",
    "weights",
    "personas",
    "accesses",
    "unread",
    "preferences",
    "facts",
    "corrections",
    "feedback",
    "questions",
)
"""Tables that are spread by user, those that others refer to first; all rows of a user stay together."""

REFERENCE = ("meta",)
"""Small tables that every machine has a copy of."""


def citus_ddl(schema: str) -> str:
    """Return a script for psql, to be run once on the coordinator after the tables were made and are empty.

    Args:
        schema: where the tables are.
    """
    lines = ["CREATE EXTENSION IF NOT EXISTS citus;", f'SET search_path TO "{schema}", public;']
    lines += [f"SELECT create_reference_table('{name}');" for name in REFERENCE]
    first, *others = DISTRIBUTED
    lines.append(f"SELECT create_distributed_table('{first}', 'user_id');")
    lines += [
        f"SELECT create_distributed_table('{n}', 'user_id', colocate_with => '{first}');" for n in others
    ]
    return "\n".join(lines) + "\n"
