"""The windows of reports, which are days of the product's zone, and their bookmarks."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from sandbox.kissmetrics import RunRules
from tap_kit import SyncFailed

from tests.kissmetrics.canned import RESULTS, RUN, Canned
from tests.kissmetrics.rows import comparable, expected_rows
from tests.kissmetrics.site import days
from tests.singer import Loader, State

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

UTC = timezone.utc


@pytest.fixture
def one(serve: Serve) -> Site:
    """Return an account with one report, whose product has the zone of Los Angeles."""
    return serve(sizes={"reports": 1, "products": 1})


def run_days(site: Site) -> list[str]:
    """Return the first days of the windows that were run, without the year."""
    (report_id,) = site.runnable()
    return [start[5:10] for start, _ in site.days_run(report_id)]


def reached(site: Site, value: Any) -> State:
    """Return a state with only this bookmark."""
    (report_id,) = site.runnable()
    part = {
        "context": {"report_id": report_id},
        "replication_key": "start_date",
        "replication_key_value": value,
    }
    return {"bookmarks": {"report_results": {"partitions": [part]}}}


def parts(state: State) -> list[dict[str, Any]]:
    """Return the entries of the reports in a state."""
    found: list[dict[str, Any]] = state["bookmarks"]["report_results"]["partitions"]
    return found


def test_windows_are_days_of_the_products_zone(serve: Serve) -> None:
    zones = ("US/Pacific", "Asia/Kolkata", "Pacific/Apia")
    site = serve(sizes={"timezones": zones, "reports": 3, "report_types": ("people_search_v2",)})
    output = site.sync("report_results")
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    starts = [site.days_run(report_id)[0][0] for report_id in site.runnable()]
    assert starts == [
        "2024-02-01T00:00:00-08:00",
        "2024-02-01T00:00:00+05:30",
        "2024-02-01T00:00:00+13:00",
    ]
    ends = [site.days_run(report_id)[0][1] for report_id in site.runnable()]
    assert ends == [start.replace("00:00:00", "23:59:59", 1) for start in starts]


@pytest.mark.parametrize(
    ("zone", "day", "window", "hours"),
    [
        ("US/Pacific", date(2024, 3, 10), ("00:00:00-08:00", "23:59:59-07:00"), 23),
        ("US/Pacific", date(2024, 11, 3), ("00:00:00-07:00", "23:59:59-08:00"), 25),
        ("Europe/Berlin", date(2024, 3, 31), ("00:00:00+01:00", "23:59:59+02:00"), 23),
        ("Australia/Lord_Howe", date(2024, 4, 7), ("00:00:00+11:00", "23:59:59+10:30"), 24.5),
        ("America/Sao_Paulo", date(2018, 11, 4), ("00:00:00-03:00", "23:59:59-02:00"), 23),
        ("America/Havana", date(2024, 11, 3), ("00:00:00-04:00", "23:59:59-05:00"), 25),
    ],
)
def test_day_on_which_the_clocks_change_is_read_whole(
    serve: Serve, zone: str, day: date, window: tuple[str, str], hours: float
) -> None:
    sizes = {"timezones": (zone,), "reports": 1, "products": 1}
    site = serve(now=datetime(2025, 1, 1, tzinfo=UTC), sizes=sizes)
    around = [day - timedelta(days=1), day, day + timedelta(days=1)]
    output = site.sync(
        "report_results", start_date=around[0].isoformat(), end_date=around[2].isoformat()
    )
    assert comparable(output.rows("report_results")) == expected_rows(site.api, around)
    (report_id,) = site.runnable()
    spans = [
        (datetime.fromisoformat(start), datetime.fromisoformat(end))
        for start, end in site.days_run(report_id)
    ]
    assert site.days_run(report_id)[1] == (f"{day}T{window[0]}", f"{day}T{window[1]}")
    assert (spans[1][1] - spans[1][0]).total_seconds() == hours * 3600 - 1
    for (_, end), (start, _) in pairwise(spans):
        assert start - end == timedelta(seconds=1), "no gap and no overlap"


def test_old_name_of_a_zone_means_the_current_one(serve: Serve) -> None:
    sizes = {"reports": 1, "products": 1}
    alias, current = (
        serve(sizes={**sizes, "timezones": (name,)}).sync("report_results").rows("report_results")
        for name in ("US/Pacific", "America/Los_Angeles")
    )
    assert comparable(alias) == comparable(current)
    assert alias[0]["start_date"] == "2024-02-01T08:00:00+00:00"


@pytest.mark.parametrize("zone", ["Mars/Base", "America", "../UTC", ""])
def test_unknown_zone_is_warned_about_and_counts_as_utc(
    serve: Serve, zone: str, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = {"timezones": (zone, "UTC"), "products": 2, "reports": 2}
    site = serve(sizes=sizes)
    output = site.sync("report_results")
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    warnings = [text for text in caplog.messages if "unknown timezone" in text]
    product_id = site.api.data.ids("products")[0]
    problem = f"unknown timezone {zone!r}; its days are counted in UTC"
    assert warnings == [f"product {product_id}: {problem}"]


@pytest.mark.parametrize("products", [[], [{"id": "p1"}], [{"id": "p1", "timezone": None}]])
def test_missing_zone_is_warned_about_and_counts_as_utc(
    products: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    with Canned({"/core/products": products, RESULTS: [[1, "a"]]}) as server:
        (row,) = server.sync("report_results").rows("report_results")
    assert row["start_date"] == "2024-02-01T00:00:00+00:00"
    assert "product p1: unknown timezone None;" in caplog.text


@pytest.mark.parametrize(
    ("settings", "run"),
    [
        ({"lookback_days": 0}, ["02-04", "02-05", "02-06"]),
        ({}, ["02-03", "02-04", "02-05", "02-06"]),
        ({"lookback_days": 2}, ["02-02", "02-03", "02-04", "02-05", "02-06"]),
        ({"lookback_days": 30}, ["02-01", "02-02", "02-03", "02-04", "02-05", "02-06"]),
        ({"window_days": 2, "lookback_days": 1}, ["02-02", "02-04", "02-06"]),
        ({"start_date": "2024-02-05"}, ["02-05", "02-06"]),
        ({"end_date": "2024-02-03"}, ["02-02", "02-03"]),
    ],
    ids=str,
)
def test_run_starts_lookback_days_before_the_bookmark(
    one: Site, settings: dict[str, Any], run: list[str]
) -> None:
    state = reached(one, "2024-02-04T08:00:00+00:00")
    one.sync("report_results", state=state, **{"end_date": "2024-02-06", **settings})
    assert run_days(one) == run


def test_two_runs_load_the_same_as_one(one: Site) -> None:
    loader, whole = Loader(), Loader()
    loader.load(one.sync("report_results", end_date="2024-02-04"))
    loader.load(one.sync("report_results", end_date="2024-02-06", state=loader.state))
    whole.load(one.sync("report_results", end_date="2024-02-06"))
    assert _rows(loader) == _rows(whole)
    assert loader.state == whole.state


def test_bookmark_is_the_start_of_the_last_window_in_utc(one: Site) -> None:
    (part,) = parts(one.sync("report_results").state)
    assert part == {
        "context": {"report_id": one.runnable()[0]},
        "replication_key": "start_date",
        "replication_key_value": "2024-02-02T08:00:00+00:00",
    }


def test_bookmarks_move_past_days_without_rows_and_the_state_holds_nothing_else(
    serve: Serve,
) -> None:
    site = serve(now=datetime(2013, 10, 5, tzinfo=UTC))
    output = site.sync("report_results")
    assert output.rows("report_results") == []
    for part in parts(output.state):
        assert set(part) == {"context", "replication_key", "replication_key_value"}
        assert part["replication_key_value"][:10] in {"2024-02-01", "2024-02-02"}


def test_window_of_a_week_has_each_person_once(one: Site) -> None:
    week: dict[str, Any] = {"window_days": 7, "end_date": "2024-02-10"}
    output = one.sync("report_results", **week)
    (report_id,) = one.runnable()
    assert [(start[:10], end[:10]) for start, end in one.days_run(report_id)] == [
        ("2024-02-01", "2024-02-07"),
        ("2024-02-08", "2024-02-10"),
    ]
    rows = [row for row in output.rows("report_results") if row["start_date"][:10] == "2024-02-01"]
    window = one.days_run(report_id)[0]
    assert [[row["kmid"], row["identity"]] for row in rows] == [
        row[:2] for row in one.api.data.rows(report_id, *window)
    ]
    assert {row["end_date"] for row in rows} == {"2024-02-08T07:59:59+00:00"}


def test_current_window_is_read_and_read_again_by_the_next_run(serve: Serve) -> None:
    sizes = {"reports": 1, "products": 1, "timezones": ("Asia/Tokyo",), "rows_per_day": 30}
    site = serve(now=None, sizes=sizes)
    here = datetime.now(ZoneInfo("Asia/Tokyo"))
    settings: dict[str, Any] = {
        "start_date": (here.date() - timedelta(days=1)).isoformat(),
        "end_date": None,
    }
    first = site.sync("report_results", lookback_days=0, **settings)
    if datetime.now(ZoneInfo("Asia/Tokyo")).date() != here.date():
        pytest.skip("midnight in Tokyo")
    midnight = datetime.combine(here.date(), datetime.min.time(), tzinfo=here.tzinfo)
    (part,) = parts(first.state)
    assert part["replication_key_value"] == midnight.astimezone(UTC).isoformat()
    site.sync("report_results", state=first.state, lookback_days=0, **settings)
    (report_id,) = site.runnable()
    counts = {run.start[:10]: count for run, count in site.api.runs.items()}
    assert counts == {settings["start_date"]: 1, here.date().isoformat(): 2}
    assert site.days_run(report_id)[-1][1][11:19] == "23:59:59"


def test_late_rows_are_loaded_by_the_look_back(serve: Serve) -> None:
    sizes = {
        "reports": 1,
        "products": 1,
        "late_hours": 20,
        "rows_per_day": 40,
        "timezones": ("UTC",),
    }
    site = serve(now=datetime(2024, 2, 5, 6, tzinfo=UTC), sizes=sizes)
    loader = Loader()
    loader.load(site.sync("report_results", end_date="2024-02-04"))
    early = len(loader.content["report_results"])
    site.api.data.now = datetime(2024, 2, 7, tzinfo=UTC)
    loader.load(site.sync("report_results", end_date="2024-02-05", state=loader.state))
    whole = Loader()
    whole.load(site.sync("report_results", end_date="2024-02-05"))
    assert _rows(loader) == _rows(whole)
    assert early + 40 < len(_rows(whole))


@pytest.mark.parametrize("value", ["yesterday", 5, "", "2024-02-01", "2024-02-01T00:00:00"])
def test_bookmark_that_is_not_a_time_fails_with_one_clear_error(one: Site, value: Any) -> None:
    _, error = one.failing_sync(SyncFailed, "report_results", state=reached(one, value))
    assert str(error).startswith("report_results: the bookmark in the state is not a date")


def test_product_that_changes_its_zone_has_no_gap(serve: Serve) -> None:
    sizes = {"reports": 1, "products": 1, "timezones": ("UTC",)}
    before = serve(sizes=sizes).sync("report_results", end_date="2024-02-03")
    site = serve(sizes={**sizes, "timezones": ("US/Pacific",)})
    site.sync("report_results", end_date="2024-02-05", state=before.state, lookback_days=0)
    assert run_days(site) == ["02-02", "02-03", "02-04", "02-05"]


def test_dates_of_a_run_are_sent_as_iso_8601_with_an_offset() -> None:
    with Canned({RESULTS: [[1, "a"]]}) as server:
        server.sync("report_results", end_date="2024-02-01")
        (run,) = [r for r in server.app.log.requests if r.path == RUN]
    body = b'{"start_date": "2024-02-01T00:00:00+00:00", "end_date": "2024-02-01T23:59:59+00:00"}'
    assert run.body == body
    assert run.headers["content-type"] == "application/json"
    assert run.method == "POST"


@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_all_rows_of_all_windows_are_written_for_any_account(serve: Serve, seed: str) -> None:
    site = serve(
        sizes={"seed": seed, "rows_per_day": 30, "reports": 6}, run_rules=RunRules(polls=0)
    )
    span = days(date(2024, 1, 31), date(2024, 2, 2))
    output = site.sync(
        "report_results", start_date="2024-01-31", end_date="2024-02-02", page_size=11
    )
    assert comparable(output.rows("report_results")) == expected_rows(site.api, span)
    ids = [row["row_id"] for row in output.rows("report_results")]
    assert len(set(ids)) == len(ids)


def _rows(loader: Loader) -> dict[Any, Any]:
    """Return the rows by key, without the queries' ids."""
    table = loader.content["report_results"]
    return {key: comparable([row]) for key, row in table.items()}
