"""No fault of a store loses a line of the raw data export: a part of the matrix of ``stores``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fault_matrix import cells
from tests.fault_matrix.stores import KINDS, PLACES, TAP, durations
from tools.pages.fault_page import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.every_tap import Account
    from tests.fault_matrix.cells import Undisturbed
    from tests.fault_matrix.kinds import Kind
    from tests.fault_matrix.places import Place


@pytest.fixture(scope="module")
def stored() -> Iterator[tuple[Account, Undisturbed]]:
    """A served export, and a run without faults."""
    with TAP.serving() as account:
        yield account, cells.undisturbed(TAP, account)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_store_fault_has_no_effect_or_stops_cleanly(
    stored: tuple[Account, Undisturbed], kind: Kind
) -> None:
    """A temporary one at all places in one run; a permanent one at one place of each kind."""
    account, whole = stored
    hit = [place for place in PLACES if "once" in durations(kind, place)]
    if hit:
        cells.require_no_effect(TAP, account, whole, kind, hit, "once")
    tried = [place for place in PLACES if durations(kind, place)]
    place = tried[KINDS.index(kind) % len(tried)]
    cells.outcome(TAP, account, whole, kind, place, "for good")


@pytest.mark.parametrize("place", PLACES[3:], ids=str)
def test_missing_file_leaves_the_others_complete(
    stored: tuple[Account, Undisturbed], place: Place
) -> None:
    missing = next(kind for kind in KINDS if kind.name == "404")
    end = cells.outcome(TAP, *stored, missing, place, "for good")
    assert end == "others continue"


def test_page_has_every_fault_and_request_of_a_store() -> None:
    """If it fails, run ``python -m tests.fault_matrix tap-kissmetrics``."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {TAP}\n")[2].partition("\n## ")[0]
    assert [kind.name for kind in KINDS if f"\n| {kind.name} | " not in text] == []
    assert [place.kind for place in PLACES if f"`{place.kind}`" not in text] == []
    assert "WRONG" not in text
