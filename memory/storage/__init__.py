"""Where what is known is kept: the stores, their transactions, what must go when something is forgotten."""
