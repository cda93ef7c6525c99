"""Windows of version 3 are days of the product's zone, with bookmarks in UTC, as in core."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.kissmetrics.rows import comparable
from tests.kissmetrics.site import days
from tests.kissmetrics.v3.rows import expected_rows
from tests.singer import Loader, State

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site


@pytest.fixture
def one(serve_v3: ServeV3) -> V3Site:
    """Return an account with one report, whose product has the zone of Los Angeles."""
    return serve_v3(sizes={"reports": 1, "products": 1})


def days_sent(site: V3Site) -> list[str]:
    """Return the days that were sent, without the year."""
    return sorted(body["date_range"]["date"][5:] for body in site.bodies("/report"))


def reached(site: V3Site, value: str) -> State:
    """Return a state with only this bookmark."""
    part = {
        "context": {"report_id": site.ids("reports")[0]},
        "replication_key": "start_date",
        "replication_key_value": value,
    }
    return {"bookmarks": {"report_results": {"partitions": [part]}}}


@pytest.mark.parametrize("zone", ["US/Pacific", "Asia/Kolkata", "Pacific/Apia", "UTC"])
def test_windows_are_days_of_the_products_zone(serve_v3: ServeV3, zone: str) -> None:
    site = serve_v3(sizes={"timezones": (zone,), "reports": 1, "products": 1})
    output = site.sync("report_results")
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    assert days_sent(site) == ["02-01", "02-02"]


def test_day_on_which_the_clocks_change_is_read_whole(serve_v3: ServeV3) -> None:
    site = serve_v3(
        now=datetime(2025, 1, 1, tzinfo=timezone.utc), sizes={"reports": 1, "products": 1}
    )
    around = days(date(2024, 3, 9), date(2024, 3, 11))
    output = site.sync("report_results", start_date="2024-03-09", end_date="2024-03-11")
    assert comparable(output.rows("report_results")) == expected_rows(site.api, around)
    spans = {row["start_date"]: row["end_date"] for row in output.rows("report_results")}
    assert spans["2024-03-10T08:00:00+00:00"] == "2024-03-11T06:59:59+00:00"


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"lookback_days": 0}, ["02-04", "02-05", "02-06"]),
        ({}, ["02-03", "02-04", "02-05", "02-06"]),
        ({"window_days": 2, "lookback_days": 0}, ["02-04/2024-02-05", "02-06"]),
        ({"start_date": "2024-02-05"}, ["02-05", "02-06"]),
        ({"end_date": "2024-02-03"}, ["02-02", "02-03"]),
    ],
    ids=str,
)
def test_run_starts_lookback_days_before_the_bookmark(
    one: V3Site, settings: dict[str, Any], sent: list[str]
) -> None:
    state = reached(one, "2024-02-04T08:00:00+00:00")
    one.sync("report_results", state=state, **{"end_date": "2024-02-06", **settings})
    assert days_sent(one) == sent


def test_two_runs_load_the_same_as_one(one: V3Site) -> None:
    loader, whole = Loader(), Loader()
    loader.load(one.sync("report_results", end_date="2024-02-04"))
    loader.load(one.sync("report_results", end_date="2024-02-06", state=loader.state))
    whole.load(one.sync("report_results", end_date="2024-02-06"))
    tables, others = loader.content["report_results"], whole.content["report_results"]
    assert {k: comparable([r]) for k, r in tables.items()} == {
        k: comparable([r]) for k, r in others.items()
    }
    assert loader.state == whole.state


def test_current_window_is_read_again_by_the_next_run(serve_v3: ServeV3) -> None:
    site = serve_v3(now=None, sizes={"reports": 1, "products": 1, "timezones": ("UTC",)})
    today = datetime.now(timezone.utc).date()
    settings: dict[str, Any] = {
        "start_date": str(today - timedelta(days=1)),
        "end_date": None,
        "lookback_days": 0,
    }
    first = site.sync("report_results", **settings)
    site.sync("report_results", state=first.state, **settings)
    if datetime.now(timezone.utc).date() != today:
        pytest.skip("midnight")
    expected = [f"{today - timedelta(days=1):%m-%d}", f"{today:%m-%d}", f"{today:%m-%d}"]
    assert days_sent(site) == sorted(expected)


def test_unknown_zone_is_warned_about_and_counts_as_utc(
    serve_v3: ServeV3, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve_v3(sizes={"timezones": ("Mars/Base",), "reports": 1, "products": 1})
    rows = site.sync("report_results").rows("report_results")
    assert {row["start_date"][11:] for row in rows} == {"00:00:00+00:00"}
    warnings = [text for text in caplog.messages if "unknown timezone" in text]
    problem = "unknown timezone 'Mars/Base'; its days are counted in UTC"
    assert warnings == [f"product {site.ids('products')[0]}: {problem}"]
