"""Chat models as judges, and how far they can be trusted.

`judging`: one verdict with votes, repair, cache and counts. `longmemeval`, `prefeval`, `pairs`, `ratings`:
what is asked. `agreement`: against people's labels.
"""
