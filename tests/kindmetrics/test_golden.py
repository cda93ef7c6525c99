"""All messages of a full and a resumed run, compared with files that a person has read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.golden import assert_golden

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site

FOLDER = Path(__file__).with_name("golden")
SETTINGS: dict[str, Any] = {"start_date": "2024-02-24", "lookback_days": 1}


@pytest.fixture
def small(serve: Serve) -> Site:
    """Two domains with a few visitors a day; the second one has an empty day."""
    return serve(domains=2, visitors_per_day=5, pages_per_day=5)


def test_the_output_of_a_full_run(small: Site) -> None:
    assert_golden(FOLDER / "full.jsonl", small.sync(end_date="2024-02-26", **SETTINGS))


def test_the_output_of_a_resumed_run(small: Site) -> None:
    before = small.sync(end_date="2024-02-26", **SETTINGS)
    after = small.sync(end_date="2024-02-27", state=before.state, **SETTINGS)
    assert_golden(FOLDER / "resumed.jsonl", after)
