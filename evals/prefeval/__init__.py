"""PrefEval (Zhao et al., ICLR 2025) without a model: what is taken from words, recalled and applied."""
