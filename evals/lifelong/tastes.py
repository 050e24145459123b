"""Lives about tastes: contradictions, a slow change, and what holds on one occasion only."""

from __future__ import annotations

from collections.abc import Callable

from habitus.evals.lifelong.scenarios import AnswerProbe, AppliedProbe, Life, StyleProbe, TruthProbe, sentence
from habitus.evals.lifelong.wordings import OBJECTS, OCCASIONS

NEUTRAL_QUESTION = "Which of the two do I like, {x} or {y}?"


def conflict(life: Life) -> None:
    """A taste meets its opposite: a change of mind, another's, a quotation, a supposition, a bad rating."""
    x, y = life.rng.sample(life.rng.choice(OBJECTS), 2)
    said = life.said.tastes
    life.profile += [f"likes {x}", f"dislikes {y}"]
    kinds: tuple[Callable[[], None], ...] = (
        lambda: _turn(life, x, y),
        lambda: _against(life, x, y, said.others_dislike, said.others_like, "tell somebody else's taste"),
        lambda: _against(life, x, y, said.quotes_dislike, said.quotes_like, "quote a text by somebody else"),
        lambda: _against(life, x, y, said.supposed_dislike, said.supposed_like, "suppose what is not so"),
        lambda: _rated(life, x, y),
    )
    life.rng.choice(kinds)()
    life.talk_of_other_things()
    life.pass_days()
    life.ask(
        TruthProbe(holds=((True, x, None), (False, y, None)), not_held=((False, x, None), (True, y, None)))
    )
    life.ask(AnswerProbe(question=NEUTRAL_QUESTION.format(x=x, y=y), right=x, wrong=(y,)))


def drift(life: Life) -> None:
    """A taste moves from one thing to another remark by remark, and the wish for length turns round."""
    x, y = life.rng.sample(life.rng.choice(OBJECTS), 2)
    said = life.said.tastes
    life.profile += [f"likes {x} at first", f"likes {y} more and more", f"in the end prefers {y} to {x}"]
    _like(life, x)
    first, last = life.rng.choice((("shorter", "longer"), ("longer", "shorter")))
    life.profile += [f"wants {first} replies at first", f"wants {last} replies in the end"]
    for wish in (first, last):
        for _ in range(2):
            life.pass_days()
            life.say(said.leaning, f"mention in passing that you enjoyed {y}", (y,), x=y)
            life.say(life.said.ordinary, "ask something that has nothing to do with you", how="chat")
            comments = said.too_long if wish == "shorter" else said.too_short
            life.say(comments, f"say that replies should be {wish}", how="comment")
    life.pass_days()
    life.say(said.settled, f"say that you now prefer {y} to {x}", (x, y), x=y, y=x)
    life.pass_days()
    life.ask(TruthProbe(holds=((True, y, None),), not_held=((False, y, None),)))
    life.ask(AnswerProbe(question=f"Which do I prefer these days, {x} or {y}?", right=y, wrong=(x,)))
    life.ask(StyleProbe(wants="longer" if last == "longer" else "shorter"))


def scope(life: Life) -> None:
    """One thing is liked on one occasion and avoided on another."""
    x, y = life.rng.sample(life.rng.choice(OBJECTS), 2)
    here, there = life.rng.sample(OCCASIONS, 2)
    said = life.said.tastes
    life.profile += [f"likes {x} {here}", f"dislikes {x} {there}", f"likes {y} {there}"]
    told = [
        (said.likes_there, x, here, f"say that you like {x} {here}"),
        (said.dislikes_there, x, there, f"say that you avoid {x} {there}"),
        (said.likes_there, y, there, f"say that you like {y} {there}"),
    ]
    life.rng.shuffle(told)
    for wordings, it, occasion, intent in told:
        life.say(wordings, intent, (it, occasion), x=it, o=occasion)
        life.talk_of_other_things(1)
        life.pass_days()
    life.ask(
        TruthProbe(
            holds=((True, x, here), (False, x, there), (True, y, there)),
            not_held=((True, x, None), (False, x, None), (False, x, here), (True, x, there), (True, y, None)),
        )
    )
    asked = life.rng.choice(said.asked_there)
    for occasion, liked in ((here, True), (there, False)):
        request = sentence(asked, x=x, o=occasion)
        life.ask(AppliedProbe(request=request, wanted=(liked, x), unwanted=(not liked, x)))
    life.ask(AnswerProbe(question=f"What do I like {here}, {x} or {y}?", right=x, wrong=(y,)))


def _like(life: Life, x: str) -> None:
    life.say(life.said.tastes.likes, f"say that you like {x}", (x,), x=x)


def _dislike(life: Life, x: str) -> None:
    life.say(life.said.tastes.dislikes, f"say that you dislike {x}", (x,), x=x)


def _turn(life: Life, x: str, y: str) -> None:
    """Both tastes turn round, in the same session or later."""
    said = life.said.tastes
    _dislike(life, x)
    _like(life, y)
    if life.rng.random() < 0.5:
        life.pass_days()
    life.say(said.turned_towards, f"say that you used to dislike {x} and like it now", (x,), x=x)
    life.say(said.turned_against, f"say that you used to like {y} and dislike it now", (y,), x=y)


def _against(
    life: Life, x: str, y: str, against: tuple[str, ...], for_it: tuple[str, ...], intent: str
) -> None:
    _like(life, x)
    _dislike(life, y)
    life.pass_days()
    life.say(against, f"{intent}: {x} are bad", (x,), x=x)
    life.pass_days()
    life.say(for_it, f"{intent}: {y} are good", (y,), x=y)


def _rated(life: Life, x: str, y: str) -> None:
    """A bad rating of a reply about a liked thing: it never outweighs an explicit statement."""
    _like(life, x)
    _dislike(life, y)
    life.pass_days()
    question = (f"Any ideas for a weekend with {x}?",)
    life.say(question, f"ask for ideas for a weekend with {x}", (x,), how="chat")
    life.rate()
