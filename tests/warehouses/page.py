"""The tables in docs/targets.md, row by row: the command writes them, a test holds them."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.warehouses.accounts import ACCOUNTS
from tests.warehouses.crashes import VICTIMS
from tests.warehouses.plugins import locked
from tests.warehouses.points import POINTS
from tests.warehouses.stops import WAYS
from tests.warehouses.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.warehouses.accounts import Account
    from tests.warehouses.loads import Load
    from tests.warehouses.targets import Target

PAGE = Path(__file__).parents[2] / "docs" / "targets.md"
NAMED = 2  # how many streams or fields a cell names; of more it says how many
LOADS, CRASHES, STOPS = "loads", "crashes", "stops"
KEYS = {LOADS: 2, CRASHES: 3, STOPS: 2}  # the first cells of a row, that say what it is about
Line = tuple[str, ...]


def load_line(target: Target, account: Account, loads: tuple[Load, Load]) -> Line:
    """A row of the table of targets: which target and tap, and how both runs went."""
    first, second = loads
    arrived = f"{first.streams - len(first.missing)} of {first.streams}"
    return (target.title, account.name, arrived, verdict(first), verdict(second))


def crash_line(tap: str, point: str, victim: str) -> Line:
    """A row of the table of crashes, that is there when the tables were equal."""
    return (tap, point, victim, "equal")


def stop_line(tap: str, way: str, seconds: Sequence[float]) -> Line:
    """A row of the table of stops: the median and the longest of some times."""
    return (tap, way, f"{median(seconds):.1f}", f"{max(seconds):.1f}")


def verdict(load: Load) -> str:
    """``right``, or what is wrong."""
    if load.error and load.missing:
        return f"fails: {load.error}"
    wrong = {
        "missing": load.missing,
        "rows missing": load.short,
        "doubled": load.doubled,
        "other values": load.other,
    }
    parts = [f"{what}: {_few(names)}" for what, names in wrong.items() if names]
    return "; ".join([f"fails: {load.error}"] * bool(load.error) + parts) or "right"


def lines(table: str) -> dict[tuple[str, ...], Line]:
    """The rows of a table of the page, by what they are about."""
    width = KEYS[table]
    rows = _region(table).group(2).strip().splitlines()[2:]
    cells = [tuple(cell.strip() for cell in row.strip("|").split(" | ")) for row in rows]
    return {line[:width]: line for line in cells}


def write(table: str, new: Sequence[Line]) -> None:
    """Put rows into a table of the page, in the place of those about the same."""
    with locked(Path(tempfile.gettempdir()) / "targets-page.lock"):
        _write(table, new)


def _write(table: str, new: Sequence[Line]) -> None:
    width = KEYS[table]
    rows = {**lines(table), **{line[:width]: line for line in new}}
    found = _region(table)
    head = found.group(2).strip().splitlines()[:2]
    known = {key: place for place, key in enumerate(all_keys(table))}
    ordered = sorted(rows.values(), key=lambda line: known.get(line[:width], len(known)))
    body = "\n".join([*head, *(f"| {' | '.join(line)} |" for line in ordered)])
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(f"{text[: found.start(2)]}\n{body}\n{text[found.end(2) :]}", encoding="utf-8")


def _few(names: Sequence[str]) -> str:
    return f"{len(names)} of them" if len(names) > NAMED else ", ".join(f"`{n}`" for n in names)


def all_keys(table: str) -> list[tuple[str, ...]]:
    """What the rows of a whole table are about, in order."""
    names = {kind().name: kind for kind in ACCOUNTS}
    if table == LOADS:
        return [(target.title, name) for target in TARGETS for name in names]
    if table == STOPS:
        return [(name, way.name) for name in names for way in WAYS]
    return [
        (name, point.name, victim)
        for name, kind in names.items()
        for point in POINTS[kind]
        for victim in VICTIMS
    ]


def _region(table: str) -> re.Match[str]:
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"(<!-- {table} -->)(.*?)(<!-- end of {table} -->)", text, re.DOTALL)
    if found is None:
        msg = f"{PAGE} has no table {table}"
        raise ValueError(msg)
    return found
