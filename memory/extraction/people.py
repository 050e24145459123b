"""Words for the people (and animals) around a user: a closed class of the language, like pronouns."""

from __future__ import annotations

_AGES = (
    r"(?:(?:older|younger|elder|little|big|twin|step|half|eldest|youngest|oldest|best|close|good|old|late|ex"
    r"|new"
    r"|first|second|great|previous|former)[\s-]{1,3}){0,4}"
)
_KIN = (
    r"(?:wife|husband|spouse|partner|fianc[ée]e?|girlfriend|boyfriend|mother|mom|mum|mommy|father|dad|daddy"
    r"|parents?"
    r"|sister|brother|siblings?|son|daughter|kids?|child|children|toddler|baby|twins|grandmother|grandma"
    r"|granny"
    r"|grandfather|grandpa|grandparents|grandson|granddaughter|aunt|uncle|cousin|niece|nephew|in-laws?"
    r"|mother-in-law|father-in-law|sister-in-law|brother-in-law|stepmother|stepfather|stepson|stepdaughter"
    r"|friend"
    r"|roommate|flatmate|housemate|neighbou?r|boss|manager|supervisor|coworker|co-worker|colleague|mentor"
    r"|teacher"
    r"|coach|therapist|doctor|landlord)"
)
_PETS = r"(?:pet|dog|puppy|cat|kitten|horse|parrot|rabbit|hamster)"

PEOPLE = rf"{_AGES}{_KIN}"
RELATIONS = rf"{_AGES}(?:{_KIN}|{_PETS})"
"""Regular expressions, to be used without regard to case."""
