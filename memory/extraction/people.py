"""Words for the people (and animals) around a user: a closed class of the language, like pronouns."""

from __future__ import annotations

RELATIONS = (
    r"(?:(?:older|younger|elder|little|big|twin|step|half|eldest|youngest|oldest|best|close|good|old"
    r"|late|ex|new|first|second|great|previous|former)[\s-]+)*"
    r"(?:wife|husband|spouse|partner|fianc[ée]e?|girlfriend|boyfriend|mother|mom|mum|mommy|father"
    r"|dad|daddy|parents?|sister|brother|siblings?|son|daughter|kids?|child|children"
    r"|toddler|baby|twins|grandmother|grandma|granny|grandfather|grandpa|grandparents|grandson"
    r"|granddaughter|aunt|uncle|cousin|niece|nephew|in-laws?|mother-in-law|father-in-law"
    r"|sister-in-law|brother-in-law|stepmother|stepfather|stepson|stepdaughter|friend|roommate"
    r"|flatmate|housemate|neighbou?r|boss|manager|supervisor|coworker|co-worker|colleague"
    r"|mentor|teacher|coach|therapist|doctor|landlord|pet|dog|puppy|cat|kitten|horse|parrot|rabbit|hamster)"
)
"""A regular expression, to be used without regard to case."""
