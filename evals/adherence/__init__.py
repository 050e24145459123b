"""PrefEval's two tasks for whatever talks: is a preference kept to, how long after it was told?

`samples`: a preference, other conversations, then the question. `prompts`: our words for the arms, or the
official ones. `arms`: what the system under test is asked. `scoring`: judged error types, or the chosen
option. `summary`: adherence by distance and topic. `page`: the same, plotted. `running`: a run.
"""
