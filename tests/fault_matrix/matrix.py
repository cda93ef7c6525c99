"""The matrix of one tap: its cells, and how the run of each cell ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tests.fault_matrix import cells, connections
from tests.fault_matrix.cells import DURATIONS, Duration, WrongEndError
from tests.fault_matrix.kinds import KINDS, Kind
from tests.fault_matrix.places import Place, places
from tools.pages.fault_page import Results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.every_tap import Account, EveryTap
    from tests.tls import Certificate

FOR_GOOD: Duration = "for good"
T = TypeVar("T")


class Cell(NamedTuple):
    """A fault, the request that it hits, and how long it lasts."""

    kind: Kind
    place: Place
    duration: Duration


def every_cell(found: Sequence[Place], kind: Kind) -> Iterator[Cell]:
    """Return all cells of a kind of fault."""
    return (Cell(kind, place, duration) for place in found for duration in DURATIONS)


def is_rare(kind: Kind) -> bool:
    """Whether a kind waits for a timeout, or looks like another kind to the tap."""
    return bool(kind.same_as) or kind.is_slow


def chosen_for(found: Sequence[T], kind: Kind) -> Sequence[T]:
    """Return those in which the tests try a permanent fault: one for a rare kind, else all."""
    number = KINDS.index(kind) % len(found)
    return found[number : number + 1] if is_rare(kind) else found


def results_of(tap: EveryTap, account: Account, kinds: Iterable[Kind] = KINDS) -> Results:
    """Run every cell of these kinds of faults."""
    whole = cells.undisturbed(tap, account)
    found = places(account.log.requests)
    results = Results(str(tap))
    for kind in kinds:
        for cell in every_cell(found, kind):
            try:
                end = cells.outcome(tap, account, whole, *cell)
            except WrongEndError as error:
                end = "WRONG"
                results.wrong.append(f"{kind.name}, {cell.place}, {cell.duration}: {error}")
            is_passing = cell.duration != FOR_GOOD
            results.add(kind.name, cell.place.kind, end, is_temporary=is_passing)
    return results


def connection_results(tap: EveryTap, account: Account, certificate: Certificate) -> Results:
    """Run every connection fault for each address of a tap."""
    whole = cells.undisturbed(tap, account)
    results = Results(str(tap))
    for address in connections.addresses(tap, account):
        for fault in connections.CONNECTION_FAULTS:
            try:
                end = connections.outcome(tap, account, whole, fault, address, certificate)
            except WrongEndError as error:
                end = "WRONG"
                results.wrong.append(f"{fault.name}, {address}: {error}")
            results.add(fault.name, address, end, is_temporary=fault.is_temporary)
    return results
