"""Feedback by its context: the k nearest earlier requests, and what they teach for this one.

CIPHER (Gao et al. 2024) stores what edits show with the request they were made for, and reads the k
nearest. Replies that were disliked are kept besides those that were liked (FERMI, Kim et al. 2025; TICL,
Cho et al. 2024), and both are shown to the generator as examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from habitus.memory.known.applying import Applied
from habitus.memory.learning.beliefs import believe
from habitus.memory.learning.features import named_traits
from habitus.memory.learning.honouring import keeps_style
from habitus.memory.learning.implicit import is_blame, is_praise
from habitus.memory.learning.log import Given
from habitus.memory.learning.tastes import VERIFIED, wishes_of
from habitus.memory.records import Demonstration, EditsHold, Preference
from habitus.retrievers.encoder import Vectors

N_CONTEXTS = 5
MAX_LOG = 64
"""The latest feedback that is looked through for a request."""
NEAR_EXAMPLE, NEAR_CONTEXT = 0.35, 0.5
"""Cosine to an earlier request from which its reply is an example, and its edits speak for this one."""
LIKED, DISLIKED = 0.5, -0.5
"""Ratings from which a reply is an example, and a warning."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A reply that the user liked or disliked, and what they had asked.

    Attributes:
        instead_of: what they put it in place of; None where contrasts are not asked for, or there is none.
        because: what that shows of their taste, one sentence each.
    """

    liked: bool
    request: str
    text: str
    cosine: float
    feedback_id: str
    instead_of: str | None = None
    because: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Near:
    """A piece of feedback on a reply to a similar request."""

    given: Given
    request: str
    cosine: float


def nearest(
    log: Sequence[Given],
    requests: Mapping[str, str],
    vectors: Mapping[str, Vectors],
    query: Vectors,
    *,
    floor: float = NEAR_EXAMPLE,
) -> list[Near]:
    """Return the feedback whose request comes near a query, nearest first, on equal terms the newest.

    Args:
        log: what counts, oldest first.
        requests: texts of earlier requests, by turn id; feedback without one is left out.
        vectors: theirs, each of shape `(n_passages, dim)`; the nearest passage counts.
        query: shape `(dim,)`.
        floor: cosine that must be reached.
    """
    found: list[Near] = []
    for given in log:
        asked = given.feedback.request_id
        if asked is None or asked not in requests or not len(vectors.get(asked, ())):
            continue
        cosine = float((vectors[asked] @ query).max())
        if cosine >= floor:
            found.append(Near(given=given, request=requests[asked], cosine=cosine))
    return sorted(found, key=lambda near: (near.cosine, near.given.at), reverse=True)


def examples(
    near: Sequence[Near], tastes: Sequence[Preference], *, limit: int = 3, contrasts: bool = False
) -> list[Example]:
    """Return replies to show to the generator, nearest first: at most so many liked, one of them disliked.

    A liked reply that crosses a style the user wants by now is out of date and left out. With contrasts an
    edit or a choice shows both replies, and what the difference tells by itself (TICL, Cho et al. 2025).
    """
    liked: list[Example] = []
    disliked: list[Example] = []
    seen: set[str] = set()
    for one in near:
        for example in _contrast(one) if contrasts and _shows(one.given) else _shown_by(one):
            if example.text in seen:
                continue
            seen.add(example.text)
            if not example.liked:
                disliked.append(example)
            elif not _is_outdated(example.text, tastes, example.feedback_id):
                liked.append(example)
    n_disliked = min(1, len(disliked), limit)
    return [*liked[: limit - n_disliked], *disliked[:n_disliked]]


def _shown_by(near: Near) -> list[Example]:
    feedback, reply = near.given.feedback, near.given.reply
    shown: list[tuple[bool, str]] = []
    if feedback.edit is not None:
        shown = [(True, feedback.edit.after)]
    elif feedback.choice is not None:
        shown = [(True, feedback.choice.winner), *((False, text) for text in feedback.choice.losers[:1])]
    elif feedback.rating is not None and reply:
        if feedback.rating >= LIKED:
            shown = [(True, reply)]
        elif feedback.rating <= DISLIKED:
            shown = [(False, reply)]
    elif feedback.comment is not None and reply:
        if is_blame(feedback.comment):
            shown = [(False, reply)]
        elif is_praise(feedback.comment):
            shown = [(True, reply)]
    return [
        Example(liked=liked, request=near.request, text=text, cosine=near.cosine, feedback_id=feedback.id)
        for liked, text in shown
    ]


def _contrast(near: Near) -> list[Example]:
    """Return what the user wanted and what they did not, as one example, with what a single look tells."""
    feedback = near.given.feedback
    if feedback.edit is not None:
        text, instead_of = feedback.edit.after, feedback.edit.before
    else:
        assert feedback.choice is not None
        text, instead_of = feedback.choice.winner, feedback.choice.losers[0]
    told = wishes_of(feedback.user_id, believe([near.given]))
    return [
        Example(
            liked=True,
            request=near.request,
            text=text,
            cosine=near.cosine,
            feedback_id=feedback.id,
            instead_of=instead_of,
            because=tuple(record.statement for record, _ in told),
        )
    ]


def demonstrations(
    log: Sequence[Given],
    requests: Mapping[str, str],
    given: Sequence[Demonstration],
    tastes: Sequence[Preference],
) -> list[Demonstration]:
    """Return replies in the style that replies are to have: the user's own latest, then those given.

    Args:
        log: what counts, oldest first; the replies that the user rewrote are taken from it.
        requests: texts of earlier requests, by turn id.
        given: by the application; there are never more than these.
        tastes: of the user; a reply that crosses a style they want by now is left out.
    """
    own = [
        Demonstration(request=requests[asked], reply=one.feedback.edit.after)
        for one in reversed(log)
        if one.feedback.edit is not None
        and (asked := one.feedback.request_id) is not None
        and asked in requests
        and not _is_outdated(one.feedback.edit.after, tastes, one.id)
    ]
    return [*own, *given][: len(given)]


def _is_outdated(text: str, tastes: Sequence[Preference], feedback_id: str) -> bool:
    """Tell whether a reply crosses a style that is wanted by now, other than one that was read off it."""
    return any(
        (keeps_style(text, taste) or 0.0) < 0
        for taste in tastes
        if taste.status == "active"
        and taste.topic.startswith("style.")
        and all(one.turn_id != feedback_id for one in taste.evidence)
    )


def situated(
    user_id: str, near: Sequence[Near], tastes: Sequence[Preference], *, edits: EditsHold = "everywhere"
) -> list[Applied]:
    """Return the styles that edits of replies to similar requests agree on, against those held in general.

    Only what at least two of the nearest edits bear out counts. Where edits hold for the nearest requests
    alone, one is enough, and all that it shows counts.
    """
    only_here = edits == "nearest"
    n_needed = 1 if only_here else VERIFIED
    close = [one for one in near if one.cosine >= NEAR_CONTEXT and _shows(one.given)][:N_CONTEXTS]
    if len(close) < n_needed:
        return []
    beliefs = believe(sorted((one.given for one in close), key=lambda given: (given.at, given.id)))
    general = [t for t in tastes if t.status == "active" and t.topic.startswith("style.")]
    found: list[Applied] = []
    for record, n_shown in wishes_of(user_id, beliefs):
        if n_shown < n_needed:
            continue
        if not only_here and not any(_is_against(record, taste) for taste in general):
            continue
        found.append(
            Applied(
                preference=record.model_copy(update={"scope": "for requests like this one"}),
                score=1.0,
                reason=f"{n_shown} edits of replies to similar requests agree on it"
                if n_shown > 1
                else "an edit of a reply to a similar request shows it",
            )
        )
    return found


def without_general(applied: Sequence[Applied], here: Sequence[Applied]) -> list[Applied]:
    """Return what applies, without the general styles that those for this kind of request go against."""
    return [
        one for one in applied if not any(_is_against(other.preference, one.preference) for other in here)
    ]


def _shows(given: Given) -> bool:
    return given.feedback.edit is not None or given.feedback.choice is not None


def _is_against(one: Preference, other: Preference) -> bool:
    """Tell whether two preferences of style cannot both be kept."""
    if one.topic != other.topic:
        return False
    if one.topic == "style.length":
        return one.target != other.target
    named = {trait.name for trait in named_traits(one.topic, one.target)}
    if any(trait.name in named for trait in named_traits(other.topic, other.target)):
        return one.stance != other.stance
    return one.topic in ("style.tone", "style.language") and one.stance == other.stance == "require"
