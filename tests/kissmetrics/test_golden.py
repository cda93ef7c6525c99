"""Every message of a full run and of the run after it is the one in a reviewed file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sandbox.kissmetrics.rules import REPORT_TYPES

from tests.golden import assert_golden
from tests.kissmetrics.rows import settled

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

HERE = Path(__file__).with_name("golden")


@pytest.fixture
def small(serve: Serve) -> Site:
    """Two products, a handful of records in each list, three people a day."""
    sizes = {
        "products": 2,
        "reports": 4,
        "events": 5,
        "properties": 4,
        "metrics": 3,
        "rows_per_day": 3,
        "report_types": REPORT_TYPES,
    }
    return serve(sizes=sizes)


def test_full_run_writes_the_golden_messages(small: Site) -> None:
    report = {"id": small.runnable()[0], "name": "Sign-ups", "columns": ["Times", "Last", "Plan"]}
    reports = [report, {"id": small.runnable()[1]}]
    assert_golden(HERE / "full.jsonl", settled(small.sync(reports=reports)))


def test_resumed_run_writes_the_golden_messages(small: Site) -> None:
    before = small.sync()
    after = small.sync(end_date="2024-02-03", state=before.state)
    assert_golden(HERE / "resumed.jsonl", settled(after))
