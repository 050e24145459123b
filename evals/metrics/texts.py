"""Metrics of a text against a reference, as pure functions.

The standard libraries do the counting: `rouge-score`, `sacrebleu` and `nltk` come with the extra
`metrics` and load when they are first used. Published figures differ by tokenisation and stemming more
often than by merit, so every docstring names its variant.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from habitus.retrievers.encoder import Encoder

_TYPOGRAPHIC = "“”„«»‘’‚…–—"
_PUNCTUATION = str.maketrans(string.punctuation + _TYPOGRAPHIC, " " * len(string.punctuation + _TYPOGRAPHIC))
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_LOCOMO_ARTICLES = re.compile(r"\b(a|an|the|and)\b")


class MissingLibrary(ImportError):
    """A library of the extra `metrics` is not installed; the message says how to install it."""


def normalize_answer(text: str) -> str:
    """Return a text in lower case without punctuation and English articles, single spaces (SQuAD's rule).

    Punctuation becomes a space, so that `7-day` and `7 day` are the same.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def containment(reply: str, answer: str) -> float:
    """Return 1 if the normalised answer occurs in the normalised reply, else 0. Higher is better.

    Whole words only. This is not judged accuracy: a reply that quotes the answer and denies it
    counts, a paraphrase does not.

    Raises:
        ValueError: nothing is left of the answer after normalisation.
    """
    gold = normalize_answer(answer)
    if not gold:
        raise ValueError(f"the answer {answer!r} holds no words")
    return float(f" {gold} " in f" {normalize_answer(reply)} ")


def rouge(reply: str, reference: str) -> dict[str, float]:
    """Return `rouge1` and `rougeL` of a reply against a reference, as F-measures. Higher is better; 0..1.

    Multisets of words, lower case, ASCII letters and digits only, Porter stems: Google's `rouge-score`
    with `use_stemmer=True`. Sets of unique words, as one survey prints the formula, give other values.

    Source: Lin, ROUGE (ACL workshop Text Summarization Branches Out, 2004).

    Raises:
        MissingLibrary: `rouge-score` is not installed.
    """
    scorer = _library("rouge_score.rouge_scorer").RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    return {name: float(found.fmeasure) for name, found in scorer.score(reference, reply).items()}


def bleu(replies: Sequence[str], references: Sequence[str]) -> float:
    """Return corpus BLEU of replies with one reference each. Higher is better; 0..100.

    Geometric mean of clipped 1- to 4-gram precisions, times the brevity penalty, counted over the whole
    corpus: `sacrebleu` with its tokenizer `13a`, case kept, exponential smoothing. It is no mean of the
    BLEU of single replies.

    Source: Papineni et al., ACL 2002; Post, A Call for Clarity in Reporting BLEU Scores (WMT 2018).

    Raises:
        ValueError: there are no replies, or not as many references.
        MissingLibrary: `sacrebleu` is not installed.
    """
    _check_pairs(replies, references)
    return float(_library("sacrebleu").corpus_bleu(list(replies), [list(references)]).score)


def meteor(reply: str, reference: str) -> float:
    """Return METEOR of one reply against a reference, without its synonym stage. Higher is better; 0..1.

    Words are matched as they stand, then by Porter stem; F = P R / (.9 P + .1 R), lowered by
    .5 (chunks / matches)^3. `nltk` does it (alpha .9, beta 3, gamma .5). Its third stage looks
    synonyms up in WordNet, which would have to be downloaded: it is left out here, so values lie at or
    below those published with it. Lower case, words and punctuation apart.

    Source: Banerjee and Lavie, ACL workshop on evaluation measures (2005).

    Raises:
        MissingLibrary: `nltk` is not installed.
    """
    module = _library("nltk.translate.meteor_score")
    tokens = (re.findall(r"\w+|[^\w\s]", text.lower()) for text in (reference, reply))
    expected, said = tokens
    if not expected or not said:
        return 0.0
    return float(module.single_meteor_score(expected, said, wordnet=_NoSynonyms()))


def embedding_similarity(replies: Sequence[str], references: Sequence[str], encoder: Encoder) -> list[float]:
    """Return the cosine of each reply with its reference. Higher is better; -1..1.

    Values depend on the encoder: name its fingerprint beside them, and compare none of two encoders.

    Args:
        replies: n texts.
        references: n texts.
        encoder: of both; its vectors have length one.

    Raises:
        ValueError: there are no replies, or not as many references.
    """
    _check_pairs(replies, references)
    vectors = np.asarray(encoder.encode([*replies, *references]), dtype=np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    said, expected = vectors[: len(replies)], vectors[len(replies) :]
    return [float(value) for value in np.einsum("ij,ij->i", said, expected)]


def perplexity(log_probabilities: Sequence[float]) -> float:
    """Return exp(-mean log p) over the tokens of a text. Lower is better; 1 or more.

    White-box: a generator behind an interface that does not give the probabilities of given tokens has
    none. Values of two tokenizers cannot be compared.

    Args:
        log_probabilities: natural logarithm of each token's probability given those before it, at most 0.

    Source: Jelinek et al., Journal of the Acoustical Society of America 62 (1977).

    Raises:
        ValueError: there are no tokens, or one is likelier than certain.
    """
    if not log_probabilities:
        raise ValueError("no tokens, so no perplexity")
    if max(log_probabilities) > 1e-6:
        raise ValueError(f"a log probability is at most 0, got {max(log_probabilities)!r}")
    return math.exp(-sum(log_probabilities) / len(log_probabilities))


def edit_cost(reply: str, edited: str) -> float:
    """Return the share of words in which a reply and what it was `edited` to differ. Lower is better; 0..1.

    Levenshtein distance over words split at white space, divided by the number of words of the longer
    text. Edits are the cost of a reply that misses the user's taste (Gao et al., CIPHER, 2024).
    """
    a, b = reply.split(), edited.split()
    if not a or not b:
        return 0.0 if a == b else 1.0
    ids = {word: number for number, word in enumerate(dict.fromkeys([*a, *b]))}
    row_of_b = np.array([ids[word] for word in b])
    places = np.arange(len(b) + 1)
    previous = places.copy()
    for row, word in enumerate(a, start=1):
        current = np.empty_like(previous)
        current[0] = row
        current[1:] = np.minimum(previous[1:] + 1, previous[:-1] + (row_of_b != ids[word]))
        # Insertions: the best of everything to the left, plus the way from there.
        current = np.minimum.accumulate(current - places) + places
        previous = current
    return float(previous[-1]) / max(len(a), len(b))


def locomo_tokens(text: str) -> list[str]:
    """Return the stems of a text as LoCoMo's code compares them.

    Lower case, commas and other punctuation deleted (not replaced by a space), the words a, an, the and
    `and` left out, Porter stems.

    Raises:
        MissingLibrary: `nltk` is not installed.
    """
    stemmer = _library("nltk.stem.porter").PorterStemmer()
    words = _LOCOMO_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split()
    return [str(stemmer.stem(word)) for word in words]


def locomo_f1(reply: str, answer: str, category: int) -> float:
    """Return LoCoMo's token F1. Higher is better; 0..1.

    F1 of the multisets of `locomo_tokens`. Category 1 (multi-hop): both texts are lists parted by commas,
    and the score is the mean over the answer's parts of the best F1 of any part of the reply. Category
    3: only what stands before a semicolon in the answer counts. Category 5 (adversarial) has no
    answer: 1 if the reply says "no information available" or "not mentioned", else 0.

    Source: Maharana et al., ACL 2024, `task_eval/evaluation.py`.

    Raises:
        MissingLibrary: `nltk` is not installed.
        ValueError: no such category.
    """
    if category not in range(1, 6):
        raise ValueError(f"LoCoMo has the categories 1 to 5, not {category!r}")
    if category == 5:
        said = reply.lower()
        return float("no information available" in said or "not mentioned" in said)
    if category == 1:
        parts = [part.strip() for part in reply.split(",")]
        expected = [part.strip() for part in answer.split(",")]
        return sum(max(_token_f1(part, gold) for part in parts) for gold in expected) / len(expected)
    return _token_f1(reply, answer.split(";")[0].strip() if category == 3 else answer)


def locomo_bleu1(reply: str, answer: str) -> float:
    """Return BLEU-1 over LoCoMo's tokens. Higher is better; 0..1.

    Clipped precision of single tokens times the brevity penalty exp(1 - answer / reply lengths) of
    a reply that is shorter, over `locomo_tokens`; `nltk`'s sentence BLEU of order 1.
    Products that publish BLEU-1 on LoCoMo split words in other ways; their values are not these.

    Raises:
        MissingLibrary: `nltk` is not installed.
    """
    said, expected = locomo_tokens(reply), locomo_tokens(answer)
    if not Counter(said) & Counter(expected):
        return 0.0
    module = _library("nltk.translate.bleu_score")
    return float(module.sentence_bleu([expected], said, weights=(1,)))


class _NoSynonyms:
    """Stands where METEOR expects WordNet, and knows no word."""

    def synsets(self, word: str) -> list[object]:
        return []


def _token_f1(reply: str, answer: str) -> float:
    said, expected = locomo_tokens(reply), locomo_tokens(answer)
    shared = sum((Counter(said) & Counter(expected)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(expected)
    return 2 * precision * recall / (precision + recall)


def _check_pairs(replies: Sequence[str], references: Sequence[str]) -> None:
    if not replies or len(replies) != len(references):
        raise ValueError(
            f"expected as many references as replies and at least one, got {len(replies)} replies and "
            f"{len(references)} references"
        )


def _library(name: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise MissingLibrary(
            f"this metric needs {name.partition('.')[0]}; install it with: pip install 'habitus[metrics]'"
        ) from error
