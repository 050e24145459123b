"""The lifelong suite: what benchmarks of memory leave out, on generated users with a hidden profile.

`wordings`, `familiar`, `held_out`: how things are said. `scenarios`: what a sample is; `facts`, `tastes`,
`secrets`: how one is generated, skill by skill. `simulator`: who says it, rules or a chat model. `playing`:
Habitus, through the nodes of its graph; `outsiders`: any other agent, through two methods. `paths`: every
way to read a memory. `checks`, `scoring`: what counts. `run`, `options`, `cli`: the
command.
"""
