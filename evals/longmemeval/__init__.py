"""LongMemEval (Wu et al., ICLR 2025): its files, its questions put to an agent, and the scores."""
