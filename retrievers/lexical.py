"""BM25 over many texts in tantivy, with the analysis that all indexes share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from habitus.retrievers.analysis import analyze
from habitus.retrievers.damage import told_apart

if TYPE_CHECKING:
    import tantivy

_HEAP_BYTES = 32_000_000

Keys = npt.NDArray[np.int64]


class LexicalIndex:
    """Texts by their words, in groups that are searched one at a time.

    The texts themselves are not kept, but their stems are. Several threads may search at once; only
    one may change it at a time.

    Args:
        path: a folder of its own; made if it does not exist.

    Raises:
        IndexCorruptError: the folder cannot be read, here and in every method.
        IndexFullError: there is no room or no right to write.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import tantivy

        self._tantivy = tantivy
        self._path = os.fspath(path)
        Path(path).mkdir(parents=True, exist_ok=True)
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("user", tokenizer_name="raw", index_option="basic")
        builder.add_unsigned_field("seq", stored=True, indexed=True, fast=True)
        # Stems are joined by blanks, so the whitespace tokenizer gives back what `analyze` gave.
        builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
        self._schema: Any = builder.build()
        with told_apart("lexical", self._path):
            self._index = tantivy.Index(self._schema, path=self._path, reuse=True)
            self._index.config_reader(reload_policy="manual")

    def update(
        self, keys: Sequence[int], groups: Sequence[str], texts: Sequence[str], removed: Sequence[int] = ()
    ) -> None:
        """Add texts, or put them in the place of those with the same key, and remove others.

        All of it is on disk and seen by every later search when this returns. The words of removed
        texts may stay in the files until tantivy merges them; to be rid of them, close the index and
        remove its folder.

        Args:
            keys: one number per text, 0 and up.
            groups: of each text.
            texts: to be analysed.
            removed: keys of texts to take out; unknown ones are ignored.
        """
        with told_apart("lexical", self._path):
            writer = self._index.writer(heap_size=_HEAP_BYTES, num_threads=1)
            for key in (*keys, *removed):
                writer.delete_documents_by_query(self._query("seq", key))
            for key, group, text in zip(keys, groups, texts, strict=True):
                document = self._tantivy.Document()
                document.add_unsigned("seq", key)
                document.add_text("user", group)
                document.add_text("terms", " ".join(analyze(text)))
                writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
            self._index.reload()

    def _query(self, field: str, value: Any, index_option: str = "basic") -> tantivy.Query:
        return self._tantivy.Query.term_query(self._schema, field, value, index_option)

    def _in_group(self, group: str, query: tantivy.Query) -> tantivy.Query:
        must = self._tantivy.Occur.Must
        own = self._tantivy.Query.const_score_query(self._query("user", group), 0.0)
        return self._tantivy.Query.boolean_query([(must, own), (must, query)])

    def search(self, text: str, group: str, k: int) -> Keys:
        """Return the keys of the best `k` texts of a group by BM25, best first.

        The IDF is over all groups; score the result anew where that matters.

        Args:
            text: to be analysed; a text without words finds nothing.
            group: the only one looked at.
            k: how many, at least 1.
        """
        terms = dict.fromkeys(analyze(text))
        should = self._tantivy.Occur.Should
        words = [(should, self._query("terms", term, "freq")) for term in terms]
        if not words:
            return np.empty(0, dtype=np.int64)
        with told_apart("lexical", self._path):
            searcher = self._index.searcher()
            query = self._in_group(group, self._tantivy.Query.boolean_query(words))
            hits = [address for _, address in searcher.search(query, limit=k, count=False).hits]
            keys = searcher.fast_field_values("seq", hits)
        return np.array(keys, dtype=np.int64)

    def frequencies(self, terms: Sequence[str], group: str) -> npt.NDArray[np.float64]:
        """Return shape `(n_terms,)`: in how many texts of a group each analysed term occurs."""
        with told_apart("lexical", self._path):
            searcher = self._index.searcher()
            queries = [self._in_group(group, self._query("terms", term)) for term in terms]
            # Its type stub does not know `count`.
            results: list[Any] = [searcher.search(query, limit=1, count=True) for query in queries]
            return np.array([result.count for result in results], dtype=np.float64)

    def __len__(self) -> int:
        """Return the number of texts."""
        with told_apart("lexical", self._path):
            return int(self._index.searcher().num_docs)

    def close(self) -> None:
        """Let go of the files."""
        del self._index
