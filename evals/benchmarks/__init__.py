"""Other people's benchmarks: loaders with checks of the format, and one way to run them.

A loader turns files into `cases.Case`s and names where the data comes from and its licence; nothing is
downloaded. `solving` puts a case to Habitus, `scoring` compares, `run` and `cli` are the command.
"""
