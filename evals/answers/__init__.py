"""LongMemEval's questions put to the generator without weights, and its fitting."""
