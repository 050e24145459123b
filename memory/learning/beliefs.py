"""What feedback tells of the form of replies that a user wants: a fold over the log, with verification.

An edit shows the user's own version of a reply (CIPHER, Gao et al. 2024). What it changed is believed at
once, checked against every later edit, and dropped when it does not hold (PROSE, Aroca-Ouellette et al.
2025): each trait has a score within ±`FIRM`, from ±`HELD` on it is acted on.

| seen | the trait's score moves by |
| --- | --- |
| an edit added or removed it | ±1; -0.6 where it went with most of the text, -0.3 if it is tone or wording |
| an edit left it as it was, as believed | 0.25 further; up to ±0.3 where nothing was believed |
| an edit left it, against the belief | 0.5 back where it was kept, 0.25 where it was not added |
| a choice: the winner differs from every loser in it | ±0.6; ±0.4 where it differs in more than two traits |
| from three choices on, what they have in common | up to ±0.6, never against what is held otherwise |
| a comment names it | to ±1.25 |
| "stop doing that": the reply has it, unasked | -0.9, shared by all such traits |
| ratings, through the weights | up to ±0.6, never against what is held otherwise |
| an edit put the spelling right | nothing |

So one edit is enough to begin with, a belief borne out twice outlasts one contradiction, and two
contradictions turn any belief round. Length is a number of words, followed in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from habitus.memory.extraction import extract
from habitus.memory.extraction.edits import StyleWish
from habitus.memory.known.preferences import is_positive
from habitus.memory.learning.choosing import told_by_choices
from habitus.memory.learning.features import TRAITS, n_words, named_traits, traits_in
from habitus.memory.learning.inferring import Finding, findings
from habitus.memory.learning.languages import language_of
from habitus.memory.learning.length import Length
from habitus.memory.learning.log import Given
from habitus.memory.learning.slips import as_meant, only_spelling
from habitus.memory.learning.wishes import instead_of, wishes_in
from habitus.memory.records import Choice, Edit, Turn

FIRM, HELD = 1.5, 0.5
CHANGED, CUT_AWAY, KEPT, KEPT_AGAINST, UNPROVEN = 1.0, 0.6, 0.25, 0.5, 0.3
CHOSEN, CHOSEN_AMONG_MANY, NAMED, BLAMED, RATED = 0.6, 0.4, 1.25, 0.9, 0.6
CUT_TO = 0.6
"""A reply cut to less than this share of its words lost things that nobody objected to."""
MAX_SUPPORT = 5

Kind = Literal["edit", "choice", "rating", "correction"]
_STOP = re.compile(
    r"\b(?:stop\s+(?:doing\s+)?(?:that|this|it)|(?:don't|do\s+not|never)\s+do\s+(?:that|this)"
    r"(?:\s+again)?|quit\s+(?:doing\s+)?(?:that|it)|enough\s+of\s+that)\b",
    re.IGNORECASE,
)


@dataclass
class Belief:
    """How far a trait is wanted.

    Attributes:
        score: -1.5 (never) to 1.5 (always); held from ±0.5 on.
        since: when it came to be held with this sign; None if it is not.
        source: the kind of feedback that spoke last for it.
        support: ids of the feedback that spoke for it, latest last, few.
        n_shown: edits and choices that spoke for it since it is held.
        seen_at: when feedback last spoke for it.
    """

    score: float = 0.0
    since: datetime | None = None
    source: Kind = "edit"
    support: tuple[str, ...] = ()
    n_shown: int = 0
    seen_at: datetime | None = None

    @property
    def is_held(self) -> bool:
        return self.since is not None

    @property
    def wanted(self) -> bool:
        return self.score > 0

    def move(self, to: float, given: Given, kind: Kind) -> None:
        """Set the score, and note what spoke for its sign."""
        before, self.score = self.score, max(-FIRM, min(FIRM, to))
        holds = abs(self.score) >= HELD - 1e-9
        turned = before * self.score < 0
        if turned or not holds:
            self.since, self.support, self.n_shown = None, (), 0
        if holds and self.since is None:
            self.since = given.at
        if (self.score - before) * self.score > 0 or abs(self.score) == FIRM:
            self.source, self.seen_at = kind, given.at
            self.support = (*(one for one in self.support if one != given.id), given.id)[-MAX_SUPPORT:]
            self.n_shown += kind in ("edit", "choice")


@dataclass
class Beliefs:
    """What is believed of the form of replies that a user wants."""

    traits: dict[str, Belief] = field(default_factory=dict)
    length: Length = field(default_factory=Length)
    inferred: list[Finding] = field(default_factory=list)
    """What a chat model inferred from edits and later edits did not end."""

    def held(self) -> dict[str, Belief]:
        return {name: belief for name, belief in self.traits.items() if belief.is_held}


def believe(log: Sequence[Given], rated: Mapping[str, float] | None = None) -> Beliefs:
    """Fold a log into beliefs.

    Args:
        log: what counts, oldest first, see `counted`.
        rated: by trait, what ratings alone tell, -1..1, see `weights.told_by_ratings`.
    """
    known = Beliefs(inferred=findings(log))
    for given in log:
        feedback = given.feedback
        if feedback.edit is not None:
            if not only_spelling(feedback.edit):
                _edited(known, given, as_meant(feedback.edit))
        elif feedback.choice is not None:
            _chosen(known, given, feedback.choice)
        elif feedback.comment is not None:
            _commented(known, given, feedback.comment)
    _chosen_together(known, log)
    ratings = [given for given in log if given.feedback.rating is not None]
    for name, told in (rated or {}).items():
        belief = known.traits.setdefault(name, Belief())
        if not belief.is_held and ratings:
            belief.move(RATED * max(-1.0, min(1.0, told)), ratings[-1], "rating")
    return known


def _chosen_together(known: Beliefs, log: Sequence[Given]) -> None:
    """Take in what many choices have in common; never against what is held otherwise."""
    choices = [given for given in log if given.feedback.choice is not None]
    told = told_by_choices(choices)
    for name, sure in told.traits.items():
        belief = known.traits.setdefault(name, Belief())
        if not belief.is_held:
            belief.move(CHOSEN * sure, choices[-1], "choice")
    if told.words is not None and (known.length.words is None or known.length.source == "choice"):
        known.length.chosen_often(choices[-1], told.words, longer=told.longer)


def comparable(before: str, after: str) -> list[str]:
    """Return the traits that two texts can be compared by: tone and wording are told in English only."""
    languages = {language_of(before), language_of(after)} - {None}
    if languages <= {"English"}:
        return list(TRAITS)
    return [name for name, trait in TRAITS.items() if trait.topic not in ("style.tone", "style.wording")]


def _edited(known: Beliefs, given: Given, edit: Edit) -> None:
    had, has = traits_in(edit.before), traits_in(edit.after)
    was_cut = n_words(edit.after) < CUT_TO * n_words(edit.before)
    for name in comparable(edit.before, edit.after):
        belief = known.traits.setdefault(name, Belief())
        if (name in had) != (name in has):
            by = CHANGED if name in has else -(_cut_away(name) if was_cut else CHANGED)
            belief.move(belief.score + by, given, "edit")
        else:
            _left(belief, name in has, given)
    known.length.shown(given, n_words(edit.before), n_words(edit.after))


def _cut_away(name: str) -> float:
    """Return what it tells that something went with most of the text: the tone may just have no room left."""
    return CUT_AWAY if TRAITS[name].topic in ("style.format", "style.content") else UNPROVEN


def _left(belief: Belief, is_there: bool, given: Given) -> None:
    """Take in that an edit left a trait as it was."""
    if not belief.is_held:
        if is_there:
            belief.move(min(max(belief.score, UNPROVEN), belief.score + KEPT), given, "edit")
        return
    agrees = is_there == belief.wanted
    if agrees:
        by = KEPT if is_there else -KEPT
    else:
        by = KEPT_AGAINST if is_there else -KEPT
    belief.move(belief.score + by, given, "edit")


def _chosen(known: Beliefs, given: Given, choice: Choice) -> None:
    has = traits_in(choice.winner)
    others = [traits_in(loser) for loser in choice.losers]
    names = [name for name in TRAITS if others and all((name in other) != (name in has) for other in others)]
    by = CHOSEN if len(names) <= 2 else CHOSEN_AMONG_MANY
    for name in names:
        belief = known.traits.setdefault(name, Belief())
        belief.move(belief.score + (by if name in has else -by), given, "choice")
    if others:
        lengths = [n_words(loser) for loser in choice.losers]
        known.length.chosen(given, n_words(choice.winner), min(lengths), max(lengths))


def _commented(known: Beliefs, given: Given, comment: str) -> None:
    wishes = _told(comment, given)
    for topic, target, wanted in wishes:
        if topic == "style.length":
            known.length.told(given, shorter=("short" in target) == wanted, words=n_words(given.reply))
        for trait in named_traits(topic, target):
            belief = known.traits.setdefault(trait.name, Belief())
            belief.move(NAMED if wanted else -NAMED, given, "correction")
    if not wishes and is_stop(comment):
        _blame(known, given)


def is_stop(comment: str) -> bool:
    """Tell whether the user wants something of the last reply not done again, without naming it."""
    return _STOP.search(comment.replace("’", "'")) is not None


def _blame(known: Beliefs, given: Given) -> None:
    there = [
        name
        for name in traits_in(given.reply)
        if TRAITS[name].topic != "style.language" and not _is_wanted(known.traits.get(name))
    ]
    for name in there:
        belief = known.traits.setdefault(name, Belief())
        belief.move(belief.score - BLAMED / len(there), given, "correction")


def _is_wanted(belief: Belief | None) -> bool:
    return belief is not None and belief.is_held and belief.wanted


def _told(comment: str, given: Given) -> list[tuple[str, str, bool]]:
    """Return what a comment wants of the form of replies: topic, target, and whether it is wanted."""
    turn = Turn(
        id="c",
        user_id=given.feedback.user_id,
        session_id="c",
        index=0,
        role="user",
        text=comment,
        at=given.at,
    )
    found = [
        StyleWish(p.topic, p.target, p.stance, p.statement)
        for p in extract(turn).preferences
        if p.topic.startswith("style.")
    ]
    for wish in wishes_in(comment, given.reply):
        if all((one.topic, one.target) != (wish.topic, wish.target) for one in found):
            found.append(wish)
    found += instead_of(found, given.reply)
    return [(one.topic, one.target, is_positive(one.stance) is True) for one in found]
