"""The whole matrix of one tap: which cells there are, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.fault_matrix import cells, connections
from tests.fault_matrix.cells import LASTING, Lasting, WrongEndError
from tests.fault_matrix.kinds import KINDS, Kind
from tests.fault_matrix.places import Place, places
from tools.pages.fault_page import Results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.every_tap import Account, EveryTap
    from tests.tls import Certificate

FOR_GOOD: Lasting = "for good"


class Cell(NamedTuple):
    """A fault, where it strikes, how long it lasts."""

    kind: Kind
    place: Place
    lasting: Lasting


def every_cell(found: Sequence[Place], kind: Kind) -> Iterator[Cell]:
    """All cells of a kind of fault."""
    return (Cell(kind, place, lasting) for place in found for lasting in LASTING)


def chosen_cells(found: Sequence[Place], kind: Kind) -> Iterator[Cell]:
    """The cells of a kind of fault that every run of the tests tries.

    At each place once and for good, in the middle twice. What waits for a time-out, and what the
    tap cannot tell from another kind, is tried at the first request of each kind only.
    """
    for cell in every_cell(found, kind):
        is_rare = bool(kind.alike) or kind.is_slow
        if cell.lasting == "twice":
            if not is_rare and cell.place.which in {"middle", "only"}:
                yield cell
        elif not is_rare or cell.place.which in {"first", "only"}:
            yield cell


def results_of(tap: EveryTap, account: Account, kinds: Iterable[Kind] = KINDS) -> Results:
    """Every cell of these kinds of faults."""
    whole = cells.undisturbed(tap, account)
    found = places(account.log.requests)
    results = Results(str(tap))
    for kind in kinds:
        for cell in every_cell(found, kind):
            try:
                end = cells.outcome(tap, account, whole, *cell)
            except WrongEndError as error:
                end = "WRONG"
                results.wrong.append(f"{kind.name}, {cell.place}, {cell.lasting}: {error}")
            is_passing = cell.lasting != FOR_GOOD
            results.add(kind.name, cell.place.kind, end, passes=is_passing)
    return results


def connection_results(tap: EveryTap, account: Account, certificate: Certificate) -> Results:
    """Every way in which no connection is made, to each address of a tap."""
    whole = cells.undisturbed(tap, account)
    results = Results(str(tap))
    for address in connections.addresses(tap, account):
        for trouble in connections.TROUBLES:
            try:
                end = connections.outcome(tap, account, whole, trouble, address, certificate)
            except WrongEndError as error:
                end = "WRONG"
                results.wrong.append(f"{trouble.name}, {address}: {error}")
            results.add(trouble.name, address, end, passes=trouble.passes)
    return results
