"""Every message of a full run of version 3 and of the next one is the one in a reviewed file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.kissmetrics import V3Rules
from sandbox.kissmetrics.rules import REPORT_TYPES

from tests.golden import assert_golden
from tests.kissmetrics.rows import settled
from tests.kissmetrics.v3.site import SQL

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site

HERE = Path(__file__).with_name("golden")


@pytest.fixture
def small(serve_v3: ServeV3) -> V3Site:
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
    return serve_v3(sizes=sizes, v3=V3Rules(key="documented"))


def of_all_kinds(site: V3Site) -> dict[str, Any]:
    """Settings with which every stream has rows, also that of a report with a name and columns."""
    people, _, funnel, _ = site.ids("reports")
    report = {"id": people, "name": "Sign-ups", "columns": ["Times", "Last", "Plan"]}
    query = {**SQL, "product_id": site.ids("products")[0], "primary_key": ["timestamp_ms"]}
    return {
        "reports": [report, {"id": funnel}],
        "metric_ids": site.metric_ids[:1],
        "queries": [query],
    }


def test_full_run_writes_the_golden_messages(small: V3Site) -> None:
    assert_golden(HERE / "full.jsonl", settled(small.sync(**of_all_kinds(small))))


def test_resumed_run_writes_the_golden_messages(small: V3Site) -> None:
    settings = of_all_kinds(small)
    before = small.sync(**settings)
    after = small.sync(end_date="2024-02-03", state=before.state, **settings)
    assert_golden(HERE / "resumed.jsonl", settled(after))
