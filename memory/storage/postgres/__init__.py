"""Memory in PostgreSQL, for many agent processes on one database."""
