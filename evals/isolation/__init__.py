"""Isolation: random work of many users, every text marked by its owner, and a look at all that comes out."""
