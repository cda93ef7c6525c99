"""The sections of the page: each tap, and what else a tap asks of its vendor."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.every_tap import TAPS, hurried
from tests.fault_matrix import calling_off, cells, discovery
from tests.fault_matrix.cells import WrongEndError
from tests.fault_matrix.matrix import (
    FOR_GOOD,
    Cell,
    connection_results,
    results_of,
)
from tests.tls import Certificate
from tools.pages.fault_page import Results

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.every_tap import EveryTap
    from tests.fault_matrix.kinds import Kind


@dataclass(frozen=True)
class Section:
    """A table of the page: its heading, and what makes it."""

    title: str
    faults: Callable[[Kind], Results]
    connections: Callable[[], Results] | None = None


def _of_tap(tap: EveryTap) -> Section:
    def faults(kind: Kind) -> Results:
        with hurried(), tap.serving() as account:
            return results_of(tap, account, [kind])

    def connections() -> Results:
        with hurried(), tap.serving() as account, tempfile.TemporaryDirectory() as folder:
            return connection_results(tap, account, Certificate.made_in(Path(folder)))

    return Section(str(tap), faults, connections)


def _discovery(kind: Kind) -> Results:
    with hurried(), discovery.TAP.serving() as served:
        account = discovery.learning(served)
        whole = discovery.discovered(account)
        chosen = list(discovery.every_cell(account, kind))
        return _tried(discovery.TITLE, chosen, lambda cell: discovery.outcome(account, whole, cell))


def _calling_off(kind: Kind) -> Results:
    with hurried(), calling_off.TAP.serving() as account:
        whole = cells.undisturbed(calling_off.TAP, account)
        chosen = [Cell(kind, place, FOR_GOOD) for place in calling_off.PLACES]
        return _tried(
            calling_off.TITLE, chosen, lambda cell: calling_off.outcome(account, whole, cell)
        )


def _tried(title: str, chosen: list[Cell], outcome: Callable[[Cell], str]) -> Results:
    results = Results(title)
    for cell in chosen:
        try:
            end = outcome(cell)
        except WrongEndError as error:
            end = "WRONG"
            results.wrong.append(f"{cell.kind.name}, {cell.place}, {cell.lasting}: {error}")
        results.add(cell.kind.name, cell.place.kind, end, passes=cell.lasting != FOR_GOOD)
    return results


SECTIONS = (
    *map(_of_tap, TAPS),
    Section(discovery.TITLE, _discovery),
    Section(calling_off.TITLE, _calling_off),
)
