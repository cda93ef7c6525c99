"""No fault loses a row, duplicates one, or ends a run without an error that says why.

The whole matrix takes minutes: ``python -m tests.fault_matrix``. These tests run a part of it, with
every kind of fault and every kind of request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sandbox.fault_text import GRAMMAR
from sandbox.faults import KINDS as SANDBOX_KINDS

from tests.every_tap import TAPS, EveryTap, short_pauses
from tests.fault_matrix import cancelling, cells, connections, discovery
from tests.fault_matrix.connections import CONNECTION_FAULTS
from tests.fault_matrix.kinds import KINDS, Kind
from tests.fault_matrix.matrix import Cell, chosen_cells
from tests.fault_matrix.places import kind_of, places
from tests.tls import Certificate, needs_openssl
from tools.pages.fault_page import PAGE
from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _short_pauses() -> Iterator[None]:
    with short_pauses():
        yield


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
def test_discovery_ends_with_a_complete_catalog_or_an_error(kind: Kind) -> None:
    with discovery.TAP.serving() as served:
        account = discovery.without_columns(served)
        whole = discovery.discover(account)
        for cell in discovery.every_cell(account, kind):
            if cell.place.which in {"middle", "only"} and cell.duration != "twice":
                end = discovery.outcome(account, whole, cell)
                assert cell.duration == "for good" or end == "complete", cell


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_query_that_cannot_be_cancelled_is_left_for_the_next_run(kind: Kind) -> None:
    tap, place = cancelling.TAP, cancelling.PLACES[0]
    with tap.serving() as account:
        whole = cells.undisturbed(tap, account)
        end = cancelling.outcome(account, whole, Cell(kind, place, "for good"))
        assert (end == "cancelled") == kind.is_slow  # slow, but in time


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_temporary_fault_has_no_effect_and_permanent_fault_stops_cleanly(
    tap: EveryTap, kind: Kind
) -> None:
    with tap.serving() as account:
        whole = cells.undisturbed(tap, account)
        for cell in chosen_cells(places(account.log.requests), kind):
            end = cells.outcome(tap, account, whole, *cell)
            assert cell.duration == "for good" or end == "complete", cell


@needs_openssl
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_failed_connection_has_no_effect_or_stops_cleanly(tap: EveryTap, tmp_path: Path) -> None:
    certificate = Certificate.made_in(tmp_path)
    with tap.serving() as account:
        whole = cells.undisturbed(tap, account)
        for address in connections.addresses(tap, account):
            for fault in CONNECTION_FAULTS:
                end = connections.outcome(tap, account, whole, fault, address, certificate)
                assert (end == "complete") == fault.is_temporary, (address, fault)


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_page_has_every_kind_of_fault_and_request(tap: EveryTap) -> None:
    """If it fails, run ``python -m tests.fault_matrix``."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {tap}\n")[2].partition("\n## ")[0]
    with tap.serving() as account:
        cells.undisturbed(tap, account)
        for request in account.log.requests:
            assert f"`{kind_of(request)[0]}`" in text
    for kind in KINDS:
        assert f"\n| {kind.name} | " in text
    assert "WRONG" not in text
