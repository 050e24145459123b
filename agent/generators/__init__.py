"""Generators of ours; any other LangChain chat model works as well."""
