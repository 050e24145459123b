"""Speed benchmarks: what is compared runs side by side in one run."""
