"""Speed benchmarks, each comparing two ways side by side in one run."""
