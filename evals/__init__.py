"""Benchmarks, metrics and reports; imported by nobody."""
