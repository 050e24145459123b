"""From one turn of a conversation to what the user's own words tell, with no language model.

Rules over the cues of English (attitude, negation, frequency, condition, modality, first person).
What a taste is about is never listed, so nothing depends on the topic. Statements are kept in the
user's own words, tidied into one sentence; choices are put into words of ours. Other languages and
scripts yield nothing rather than something invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from habitus.memory.extraction.choices import choice_in
from habitus.memory.extraction.complaints import complaints_in
from habitus.memory.extraction.constraints import constraints_in
from habitus.memory.extraction.corrections import corrections_in, is_correction, retraction_in
from habitus.memory.extraction.denials import denied_in
from habitus.memory.extraction.facts import facts_in
from habitus.memory.extraction.guards import spoken_by_user
from habitus.memory.extraction.judgements import judgements_in
from habitus.memory.extraction.orders import orders_in
from habitus.memory.extraction.outcome import Extraction, place_of
from habitus.memory.extraction.preferences import preferences_in
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.spans import bounded
from habitus.memory.extraction.style import style_in
from habitus.memory.extraction.turning import said_instead
from habitus.memory.records import Preference, SourceKind, Turn

__all__ = ["Extraction", "extract"]

MAX_PREFERENCES = 24


def extract(turn: Turn, *, context: Sequence[Turn] = ()) -> Extraction:
    """Return what a turn tells of its user.

    Args:
        turn: what was said. A turn of the assistant yields nothing.
        context: the last turns of the session before `turn`, oldest first: a choice or a correction
            can only be understood with the reply it answers.

    Returns:
        Records with fresh validity (from `turn.at`), each quoting a verbatim span of `turn.text`, in the
        order of the text. The same turn always yields the same records, ids included.
    """
    if turn.role != "user":
        return Extraction()
    own = spoken_by_user(turn.text)
    retractions = [found.words for sentence in own if (found := retraction_in(sentence)) is not None]
    stated = _stated(turn, own)
    retractions += denied_in(stated)
    preferences = _distinct([*sorted(stated, key=place_of), *choice_in(turn, own, context)])
    return Extraction(
        preferences=tuple(preferences[:MAX_PREFERENCES]),
        facts=tuple(fact for sentence in own for fact in facts_in(turn, sentence)),
        retractions=tuple(dict.fromkeys(retractions)),
        corrections=tuple(corrections_in(turn, own, context)),
    )


def _stated(turn: Turn, sentences: Sequence[Sentence]) -> list[Preference]:
    found: list[Preference] = []
    for sentence in sentences:
        retraction = retraction_in(sentence)
        if retraction is not None and retraction.rest is None and not retraction.tells:
            continue
        if retraction is not None and retraction.rest is not None and not retraction.tells:
            found += said_instead(turn, sentence, retraction.rest, retraction.words)
            sentence = retraction.rest
        found += bounded(turn, sentence, partial(_told, turn))
    return found


def _told(turn: Turn, sentence: Sentence) -> list[Preference]:
    source: SourceKind = "correction" if is_correction(sentence) else "statement"
    style = style_in(turn, sentence, source=source)
    stated = preferences_in(turn, sentence, source=source) + complaints_in(turn, sentence)
    return style or orders_in(turn, sentence) or stated or _unstated(turn, sentence)


def _unstated(turn: Turn, sentence: Sentence) -> list[Preference]:
    return judgements_in(turn, sentence) or constraints_in(turn, sentence)


def _distinct(preferences: Sequence[Preference]) -> list[Preference]:
    kept: dict[tuple[str, str], Preference] = {}
    for preference in preferences:
        kept.setdefault((preference.target, preference.stance), preference)
    return list(kept.values())
