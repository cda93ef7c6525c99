"""The time zones of products have names of the IANA or of Ruby on Rails."""

from __future__ import annotations

from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import pytest
from tap_kissmetrics.reports import zones
from tap_kissmetrics.reports.zones import zone_of

from tests.kissmetrics.canned import PRODUCT, Canned

RAILS: dict[str, str] = msgspec.json.decode(
    (files("tap_kissmetrics.reports") / "rails_zones.json").read_bytes()
)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("Nuku'alofa", "Pacific/Tongatapu"),
        ("US/Pacific", "US/Pacific"),
        ("UTC", "UTC"),
    ],
)
def test_zone_is_found_by_either_name(name: str, key: str) -> None:
    assert zone_of(name) == ZoneInfo(key)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "America", "../etc", "a" * 300, "\0"])
def test_unknown_name_has_no_zone(name: str) -> None:
    assert zone_of(name) is None


def test_each_name_of_rails_leads_to_a_zone() -> None:
    assert len(RAILS) > 150
    assert set(RAILS.values()) <= available_timezones()
    assert all(zone_of(name) == ZoneInfo(key) for name, key in RAILS.items())
    assert list(RAILS) == sorted(RAILS)
    assert zones.UTC.key == "UTC"


def test_days_of_a_product_with_a_name_of_rails_are_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    product: dict[str, Any] = {**PRODUCT, "timezone": "Eastern Time (US & Canada)"}
    responses = {"/core/products": [product], "/v2/queries/q1/results": [[1, "a@x", 2]]}
    with Canned(responses) as server:
        (row,) = server.sync("report_results").rows("report_results")
    assert row["start_date"] == "2024-02-01T05:00:00+00:00"
    assert "unknown timezone" not in caplog.text
