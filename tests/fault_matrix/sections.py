"""The sections of the page: a run of each tap, a discovery, and a stopped run."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.every_tap import TAPS, short_pauses
from tests.fault_matrix import cancelling, cells, discovery, stores
from tests.fault_matrix.cells import WrongEndError
from tests.fault_matrix.kinds import KINDS
from tests.fault_matrix.matrix import (
    FOR_GOOD,
    Cell,
    connection_results,
    results_of,
)
from tests.fault_matrix.places import places
from tests.tls import Certificate
from tools.pages.fault_page import Results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.every_tap import EveryTap
    from tests.fault_matrix.kinds import Kind


@dataclass(frozen=True)
class Section:
    """A section of the page: its heading, and the functions that run its cells."""

    title: str
    faults: Callable[[Kind], Results]
    connections: Callable[[], Results] | None = None
    kinds: Sequence[Kind] = KINDS


def _section_of_tap(tap: EveryTap) -> Section:
    def faults(kind: Kind) -> Results:
        with short_pauses(), tap.serving() as account:
            return results_of(tap, account, [kind])

    def connections() -> Results:
        with short_pauses(), tap.serving() as account, tempfile.TemporaryDirectory() as folder:
            return connection_results(tap, account, Certificate.made_in(Path(folder)))

    return Section(str(tap), faults, connections)


def _discovery(kind: Kind) -> Results:
    with short_pauses(), discovery.TAP.serving() as served:
        account = discovery.without_columns(served)
        whole = discovery.discover(account)
        tried = list(discovery.every_cell(places(account.log.requests), kind))
        return _results(
            discovery.TITLE, tried, lambda cell: discovery.outcome(account, whole, cell)
        )


def _cancelling(kind: Kind) -> Results:
    with short_pauses(), cancelling.TAP.serving() as account:
        whole = cells.undisturbed(cancelling.TAP, account)
        tried = [Cell(kind, place, FOR_GOOD) for place in cancelling.PLACES]
        return _results(
            cancelling.TITLE, tried, lambda cell: cancelling.outcome(account, whole, cell)
        )


def _store(kind: Kind) -> Results:
    with short_pauses(), stores.TAP.serving() as account:
        return stores.results_of(account, [kind])


def _results(title: str, tried: list[Cell], outcome: Callable[[Cell], str]) -> Results:
    results = Results(title)
    for cell in tried:
        try:
            end = outcome(cell)
        except WrongEndError as error:
            end = "WRONG"
            results.wrong.append(f"{cell.kind.name}, {cell.place}, {cell.duration}: {error}")
        results.add(cell.kind.name, cell.place.kind, end, is_temporary=cell.duration != FOR_GOOD)
    return results


SECTIONS = (
    *map(_section_of_tap, TAPS),
    Section(discovery.TITLE, _discovery),
    Section(cancelling.TITLE, _cancelling),
    Section(str(stores.TAP), _store, kinds=stores.KINDS),
)
