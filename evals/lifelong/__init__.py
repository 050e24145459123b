"""The lifelong suite: what benchmarks of memory leave out, on generated users with a hidden profile.

`wordings`: how things are said, familiar and held out. `scenarios`: what a sample is; `facts`, `tastes`,
`secrets`: how one is generated, skill by skill. `simulator`: who says it, rules or a chat model. `playing`: Habitus,
through the nodes of its graph; `outsiders`: any other agent, through two methods. `checks`, `scoring`: what counts.
`paths`: every way to read a memory, for isolation and forgetting. `run`, `cli`: the command.
"""
