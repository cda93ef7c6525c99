"""No fault loses a row, duplicates one, or ends a run without an error that says why.

Each of these runs logs at level DEBUG, and no secret of the tap is in what it writes.

The whole matrix takes minutes: ``python -m tests.fault_matrix``. These tests run a part of it, with
every kind of fault and every kind of request: temporary faults hit all places in one run, and a
permanent one hits the smallest run that sends a kind of request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sandbox.fault_text import GRAMMAR
from sandbox.faults import KINDS as SANDBOX_KINDS

from tests.every_tap import TAPS, EveryTap
from tests.fault_matrix import cancelling, cells, connections, discovery
from tests.fault_matrix.connections import CONNECTION_FAULTS
from tests.fault_matrix.kinds import KINDS, Kind
from tests.fault_matrix.matrix import Cell, chosen_for, is_rare
from tests.fault_matrix.places import places
from tests.tls import Certificate, needs_openssl
from tools.pages.fault_page import PAGE
from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.every_tap import Account
    from tests.fault_matrix.cells import Undisturbed
    from tests.fault_matrix.parts import Served
    from tests.fault_matrix.places import Place
    from tests.processes import Ended

BY_NAME = {kind.name: kind for kind in KINDS}
COMMON = [kind for kind in KINDS if not is_rare(kind)]


@pytest.fixture(scope="module")
def discovered() -> Iterator[tuple[Account, Ended, list[Place]]]:
    """An account whose columns a discovery requests, an undisturbed discovery, its requests."""
    with discovery.TAP.serving() as served:
        account = discovery.without_columns(served)
        whole = discovery.discover(account)
        yield account, whole, places(account.log.requests)


@pytest.fixture(scope="module")
def cancelled() -> Iterator[tuple[Account, Undisturbed]]:
    """An account whose queries a stopped run cancels, and an undisturbed run."""
    with cancelling.TAP.serving() as account:
        yield account, cells.undisturbed(cancelling.TAP, account)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate that no authority signed."""
    return Certificate.made_in(tmp_path_factory.mktemp("tls"))


def test_matrix_has_every_kind_of_fault_of_the_sandbox() -> None:
    tried = {kind.fault.get("kind", "status") for kind in KINDS}
    assert tried | {"redirect"} == set(SANDBOX_KINDS)


def test_sandbox_documents_every_kind_of_fault() -> None:
    text = (ROOT / "sandbox" / "README.md").read_text(encoding="utf-8")
    table = text.partition("| what | the client sees |")[2].partition("\n\n")[0]
    named = {word for row in table.splitlines() for word in re.findall(r"`([a-z_]+)`", row[:60])}
    assert set(SANDBOX_KINDS) - {"status"} <= named
    for kind in set(SANDBOX_KINDS) - {"status"}:
        assert f"\n  {kind} " in GRAMMAR


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_temporary_faults_have_no_effect(served: Served, tap: EveryTap, kind: Kind) -> None:
    """One run has the fault once at the first, a middle and the last request of each kind.

    Another one has it twice in a row, at a middle request of each kind.
    """
    tried = served.tried(tap)
    run = (tap, tried.account, tried.whole, kind)
    cells.require_no_effect(*run, tried.places, "once")
    if not is_rare(kind):
        middle = [place for place in tried.places if place.which in {"middle", "only"}]
        cells.require_no_effect(*run, middle, "twice")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_permanent_fault_stops_cleanly(served: Served, tap: EveryTap, kind: Kind) -> None:
    for part in chosen_for(served.tried(tap).parts, kind):
        cells.outcome(tap, part.account, part.whole, kind, part.place, "for good")


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_permanent_fault_of_a_later_request_leaves_the_others_complete(
    served: Served, tap: EveryTap
) -> None:
    tried = served.tried(tap)
    for place in tried.places:
        if place.which in {"middle", "last"}:
            cells.outcome(tap, tried.account, tried.whole, BY_NAME["500"], place, "for good")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_discovery_ends_with_a_complete_catalog_or_an_error(
    discovered: tuple[Account, Ended, list[Place]], kind: Kind
) -> None:
    account, whole, found = discovered
    cells_of_kind = [
        cell
        for cell in discovery.every_cell(found, kind)
        if cell.place.which in {"middle", "only"} and cell.duration != "twice"
    ]
    once = [cell.place for cell in cells_of_kind if cell.duration == "once"]
    discovery.require_no_effect(account, whole, kind, once)
    permanent = [cell for cell in cells_of_kind if cell.duration == "for good"]
    for cell in chosen_for(permanent, kind):
        discovery.outcome(account, whole, cell)


@pytest.mark.parametrize("kind", [*COMMON, BY_NAME["slow body"]], ids=lambda kind: kind.name)
def test_query_that_cannot_be_cancelled_is_left_for_the_next_run(
    cancelled: tuple[Account, Undisturbed], kind: Kind
) -> None:
    account, whole = cancelled
    end = cancelling.outcome(account, whole, Cell(kind, cancelling.PLACES[0], "for good"))
    assert (end == "cancelled") == kind.is_slow  # slow, but in time


@needs_openssl
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_failed_connection_has_no_effect_or_stops_cleanly(
    served: Served, tap: EveryTap, certificate: Certificate
) -> None:
    part = served.tried(tap).parts[-1]  # its requests go to all addresses
    for address in connections.addresses(tap, part.account):
        for fault in CONNECTION_FAULTS:
            run = (tap, part.account, part.whole, fault, address, certificate)
            end = connections.outcome(*run)
            assert (end == "complete") == fault.is_temporary, (address, fault)


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_page_has_every_kind_of_fault_and_request(served: Served, tap: EveryTap) -> None:
    """If it fails, run ``python -m tests.fault_matrix``."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {tap}\n")[2].partition("\n## ")[0]
    assert {p.kind for p in served.tried(tap).places if f"`{p.kind}`" not in text} == set()
    for kind in KINDS:
        assert f"\n| {kind.name} | " in text
    assert "WRONG" not in text
