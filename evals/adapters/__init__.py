"""Agents to compare with, behind the two methods of `habitus.evals.harness.agents`, and the arms by name."""
