"""What every benchmark runs on, in the words of inspect_ai.

A `Sample` goes to a `Solver`, which gives a `Result`; a `Scorer` makes a `Score` of both, metric values by
view; a `Report` sums the scores up. `records`: these words. `runner`: many samples, side by side, resumed,
interrupted, in shards. `agents`: the two methods that anybody's agent is asked for.

A benchmark writes a subclass of `Result`, a solver and a scorer, and calls `run`; its folder then holds
`run.jsonl`, `manifest.json` and `scores.jsonl`, so `habitus eval compare` reads it.
"""
