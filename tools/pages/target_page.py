"""The tables of ``docs/targets.md``: read and written row by row."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tools.locks import locked
from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = ROOT / "docs" / "targets.md"
NAMED = 2  # how many streams or fields a cell names; the others are counted
LOADS, CRASHES, STOPS = "loads", "crashes", "stops"
KEYS = {LOADS: 2, CRASHES: 3, STOPS: 2}  # the number of cells that identify a row
Line = tuple[str, ...]


@dataclass
class Load:
    """The deviations after a run: the streams (or stream.field) of each kind of deviation.

    ``missing`` streams did not arrive, ``short`` ones lack rows, ``duplicated`` ones have several
    rows with a key, and ``other`` fields have other values.
    """

    streams: int
    missing: list[str] = field(default_factory=list)
    short: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def is_right(self) -> bool:
        """Whether there is no deviation."""
        return not (self.error or self.missing or self.short or self.duplicated or self.other)


def load_line(target: str, tap: str, loads: tuple[Load, Load]) -> Line:
    """Return a row of the table of targets: which target and tap, and how both runs went."""
    first, second = loads
    arrived = f"{first.streams - len(first.missing)} of {first.streams}"
    return (target, tap, arrived, verdict(first), verdict(second))


def crash_line(tap: str, point: str, victim: str) -> Line:
    """Return a row of the table of crashes, for tables that were equal."""
    return (tap, point, victim, "equal")


def stop_line(tap: str, way: str, seconds: Sequence[float]) -> Line:
    """Return a row of the table of stops: the median and the maximum of the times."""
    return (tap, way, f"{median(seconds):.1f}", f"{max(seconds):.1f}")


def verdict(load: Load) -> str:
    """Return ``right``, or the deviations."""
    if load.error and load.missing:
        return f"fails: {load.error}"
    wrong = {
        "missing": load.missing,
        "rows missing": load.short,
        "duplicate rows": load.duplicated,
        "other values": load.other,
    }
    parts = [f"{what}: {_few(names)}" for what, names in wrong.items() if names]
    return "; ".join([f"fails: {load.error}"] * bool(load.error) + parts) or "right"


def lines(table: str) -> dict[tuple[str, ...], Line]:
    """Return the rows of a table of the page, by key."""
    width = KEYS[table]
    rows = _region(table).group(2).strip().splitlines()[2:]
    cells = [tuple(cell.strip() for cell in row.strip("|").split(" | ")) for row in rows]
    return {line[:width]: line for line in cells}


def write(table: str, new: Sequence[Line], order: Sequence[tuple[str, ...]]) -> None:
    """Write rows into a table of the page, replace those with the same keys, and sort it."""
    with locked(Path(tempfile.gettempdir()) / "targets-page.lock"):
        _write(table, new, order)


def _write(table: str, new: Sequence[Line], order: Sequence[tuple[str, ...]]) -> None:
    width = KEYS[table]
    rows = {**lines(table), **{line[:width]: line for line in new}}
    found = _region(table)
    head = found.group(2).strip().splitlines()[:2]
    known = {key: place for place, key in enumerate(order)}
    ordered = sorted(rows.values(), key=lambda line: known.get(line[:width], len(known)))
    body = "\n".join([*head, *(f"| {' | '.join(line)} |" for line in ordered)])
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(f"{text[: found.start(2)]}\n{body}\n{text[found.end(2) :]}", encoding="utf-8")


def _few(names: Sequence[str]) -> str:
    return f"{len(names)} of them" if len(names) > NAMED else ", ".join(f"`{n}`" for n in names)


def _region(table: str) -> re.Match[str]:
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"(<!-- {table} -->)(.*?)(<!-- end of {table} -->)", text, re.DOTALL)
    if found is None:
        msg = f"{PAGE} has no table {table}"
        raise ValueError(msg)
    return found
