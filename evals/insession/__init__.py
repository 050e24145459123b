"""Recall within one long session."""
