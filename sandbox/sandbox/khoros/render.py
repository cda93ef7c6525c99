"""Rows as the bytes of a JSON list or of a CSV file, and as values."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sandbox.khoros.headers import KeyStyle, display_name, json_key
from sandbox.khoros.query import Query
from sandbox.khoros.values import Slot, Value, serial
from sandbox.khoros.world import Batch

# The private-use characters of ``values`` in UTF-8.
TOKEN = re.compile(rb"(\xee\x80[\x80-\xbf])")
UNKNOWN = serial("n-")  # a column that only the switches name
Cells = Sequence[str | None]
Row = dict[str, str | None]


@dataclass(frozen=True)
class FileStyle:
    """The JSON keys, and whether CSV begins with a byte order mark."""

    key_style: KeyStyle = "metric"
    has_bom: bool = False


class _Block:
    """Bytes with tokens, which are found once and replaced by texts many times."""

    def __init__(self, block: bytes) -> None:
        self._parts = TOKEN.split(block)  # every second part is a token
        self._tokens = self._parts[1::2]

    def filled(self, tokens: Iterable[tuple[str, str]]) -> bytes:
        texts = {token.encode(): text.encode() for token, text in tokens}
        self._parts[1::2] = map(texts.__getitem__, self._tokens)
        return b"".join(self._parts)


@dataclass
class Renderer:
    """The batches of one query as bytes, with these columns (metric ids) in this order."""

    query: Query
    columns: tuple[str, ...]
    file_style: FileStyle = FileStyle()
    _blocks: dict[object, _Block] = field(default_factory=dict, init=False)
    _lengths: dict[object, int] = field(default_factory=dict, init=False)

    @cached_property
    def _values(self) -> Sequence[Value]:
        values = self.query.export.values
        return [values.get(name, UNKNOWN) for name in self.columns]

    @cached_property
    def _keys(self) -> Sequence[str]:
        """The JSON keys, encoded."""
        style, locale = self.file_style.key_style, self.query.locale
        return [_quoted(json_key(name, style, locale)) for name in self.columns]

    @property
    def is_csv(self) -> bool:
        """Whether the file is CSV."""
        return self.query.format == "csv"

    @property
    def head(self) -> bytes:
        """The bytes before the first row."""
        if not self.is_csv:
            return b"["
        names = [display_name(name, self.query.locale) for name in self.columns]
        return (codecs.BOM_UTF8 if self.file_style.has_bom else b"") + _csv_line(names)

    @property
    def between(self) -> bytes:
        """The bytes between two rows."""
        return b"" if self.is_csv else b","

    @property
    def tail(self) -> bytes:
        """The bytes after the last row."""
        return b"" if self.is_csv else b"]"

    def block(self, batch: Batch) -> bytes:
        """Return the bytes of a batch."""
        block = self._blocks.get(batch.key) if batch.key is not None else None
        if block is None:
            block = _Block(self.between.join(self._line(slot) for slot in batch.slots()))
            if batch.key is not None:
                self._blocks[batch.key] = block
        return block.filled(batch.tokens)

    def lines(self, batch: Batch) -> list[bytes]:
        """Return the bytes of each row of a batch."""
        return [_Block(self._line(slot)).filled(batch.tokens) for slot in batch.slots()]

    def length(self, batch: Batch) -> int:
        """Return the length of a batch's bytes; each token's texts have the same width."""
        if batch.key is None:
            return len(self.block(batch))
        if batch.key not in self._lengths:
            self._lengths[batch.key] = len(self.block(batch))
        return self._lengths[batch.key]

    def rows(self, batch: Batch) -> Iterator[Row]:
        """Yield the rows of a batch as values by metric id."""
        for slot in batch.slots():
            cells = (_text(value(slot), batch.tokens) for value in self._values)
            yield dict(zip(self.columns, cells, strict=True))

    def _line(self, slot: Slot) -> bytes:
        cells = [value(slot) for value in self._values]
        return _csv_line(cells) if self.is_csv else _json_object(self._keys, cells)


def body(renderer: Renderer, batches: Iterable[Batch]) -> Iterator[bytes]:
    """Yield a file in pieces."""
    yield renderer.head
    before = b""
    for batch in batches:
        yield before + renderer.block(batch)
        before = renderer.between
    yield renderer.tail


def body_length(renderer: Renderer, batches: Iterable[Batch]) -> int:
    """Return the length of a file without making it."""
    lengths = [renderer.length(batch) for batch in batches]
    commas = len(renderer.between) * max(len(lengths) - 1, 0)
    return len(renderer.head) + sum(lengths) + commas + len(renderer.tail)


def body_before_row(renderer: Renderer, batches: Iterable[Batch], row: int) -> int:
    """Return the length of a file up to the middle of a row, counted from 0.

    After the last row it is the length without the tail.
    """
    length, before = len(renderer.head), 0
    for batch in batches:
        if row < batch.size:
            lines = renderer.lines(batch)
            whole = sum(len(line) + len(renderer.between) for line in lines[:row])
            return length + before + whole + len(lines[row]) // 2
        row -= batch.size
        length += before + renderer.length(batch)
        before = len(renderer.between)
    return length


def _text(cell: str | None, tokens: Iterable[tuple[str, str]]) -> str | None:
    if cell is None:
        return None
    for token, text in tokens:
        cell = cell.replace(token, text)
    return cell


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _json_object(keys: Sequence[str], cells: Cells) -> bytes:
    pairs = (
        f"{key}:{'null' if cell is None else _quoted(cell)}"
        for key, cell in zip(keys, cells, strict=True)
    )
    return f"{{{','.join(pairs)}}}".encode()


def _csv_line(cells: Cells) -> bytes:
    """Return a line as in RFC 4180, but with a line feed at its end; null is an empty cell."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
