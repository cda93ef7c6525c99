"""The days that a run reads, and the bookmarks that it writes."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.errors import SyncFailed

from tests.kindmetrics.site import WINDOWED
from tests.singer import Loader, State, bookmark

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site

UTC = timezone.utc


def reached(day: str, *, stream: str = "pages", domain_id: int = 1) -> State:
    """Return a state with one bookmark."""
    part = {
        "context": {"domain_id": domain_id, "segment": "all"},
        "replication_key": "date",
        "replication_key_value": day,
    }
    return {"bookmarks": {stream: {"partitions": [part]}}}


def first_days(site: Site, part: str = "pages", domain_id: int = 1) -> list[str]:
    """Return the first days of the requested windows, without the year."""
    return [first[5:] for first, _ in site.days_requested(part, domain_id)]


@pytest.mark.parametrize(
    ("settings", "windows"),
    [
        ({"lookback_days": 0}, ["02-04", "02-05", "02-06"]),
        ({"lookback_days": 1}, ["02-03", "02-04", "02-05", "02-06"]),
        ({}, ["02-02", "02-03", "02-04", "02-05", "02-06"]),
        ({"lookback_days": 30}, ["02-01", "02-02", "02-03", "02-04", "02-05", "02-06"]),
        ({"window_days": 2, "lookback_days": 0}, ["02-04", "02-06"]),
        ({"window_days": 2, "lookback_days": 1}, ["02-02", "02-04", "02-06"]),
        ({"window_days": 7, "lookback_days": 2, "start_date": "2024-01-28"}, ["01-28", "02-04"]),
        ({"start_date": "2024-02-05"}, ["02-05", "02-06"]),
    ],
    ids=str,
)
def test_a_run_starts_at_the_bookmark_minus_the_lookback(
    site: Site, settings: dict[str, Any], windows: list[str]
) -> None:
    site.sync("pages", state=reached("2024-02-04"), **{"end_date": "2024-02-06", **settings})
    assert first_days(site) == windows
    # A domain without a bookmark is read from the start date.
    assert first_days(site, domain_id=2)[0] == settings.get("start_date", "2024-02-01")[5:]


def test_a_second_run_reads_the_lookback_and_new_days(site: Site) -> None:
    loader = Loader()
    loader.load(site.sync(end_date="2024-02-04"))
    site.api.log.clear()
    loader.load(site.sync(end_date="2024-02-06", state=loader.state))
    assert first_days(site) == ["02-02", "02-03", "02-04", "02-05", "02-06"]
    whole = Loader()
    whole.load(site.sync(end_date="2024-02-06"))
    assert loader.content == whole.content
    assert loader.state == whole.state


def test_bookmarks_move_over_days_and_domains_without_rows(serve: Serve) -> None:
    site = serve(domains=2, created={1: date(2024, 2, 20), 2: date(2024, 2, 3)})
    output = site.sync()
    assert {row["date"] for row in output.rows("pages")} <= {f"2024-02-0{day}" for day in (3, 4, 5)}
    assert not any(row["domain_id"] == 1 for row in output.rows("pages"))
    for stream in WINDOWED:
        assert bookmark(output.state, stream, 1) == "2024-02-05"
        assert bookmark(output.state, stream, 2) == "2024-02-05"


def test_a_new_domain_is_read_from_the_start_date(serve: Serve) -> None:
    before = serve(domains=1).sync("pages")
    site = serve(domains=2)
    output = site.sync("pages", state=before.state)
    assert first_days(site, domain_id=2) == [f"02-{day:02}" for day in range(1, 6)]
    assert first_days(site, domain_id=1) == ["02-03", "02-04", "02-05"]
    assert bookmark(output.state, "pages", 2) == "2024-02-05"


def test_a_new_segment_is_read_from_the_start_date(site: Site) -> None:
    before = site.sync("pages")
    site.api.log.clear()
    segments = [{"name": "all"}, {"name": "phones", "browser": "Safari"}]
    output = site.sync("pages", state=before.state, segments=segments)
    asked = [target for target in site.requested("/1/pages") if "browser=Safari" in target]
    assert len(asked) == 5
    assert bookmark(output.state, "pages", 1, "phones") == "2024-02-05"
    assert bookmark(output.state, "pages", 1, "all") == "2024-02-05"


def test_the_state_of_a_deleted_domain_is_kept(site: Site) -> None:
    output = site.sync("pages", state=reached("2024-01-15", domain_id=99))
    assert bookmark(output.state, "pages", 99) == "2024-01-15"
    assert bookmark(output.state, "pages", 1) == "2024-02-05"


def test_a_partial_day_is_read_again_by_the_next_run(serve: Serve) -> None:
    """Its bookmark is its own first day, with which the next run starts."""
    site = serve(now=datetime(2024, 2, 20, 9, 30, tzinfo=UTC), visitors_per_day=40)
    settings: dict[str, Any] = {"start_date": "2024-02-18", "lookback_days": 0}
    loader = Loader()
    loader.load(site.sync("pages", "domain_stats", end_date="2024-02-20", **settings))
    partial = loader.content["domain_stats"][1, "all", "2024-02-20"]["visitors"]
    assert bookmark(loader.state, "domain_stats", 1) == "2024-02-20"
    site.api.data.now = datetime(2024, 2, 22, 12, tzinfo=UTC)
    site.api.log.clear()
    loader.load(
        site.sync("pages", "domain_stats", end_date="2024-02-21", state=loader.state, **settings)
    )
    assert first_days(site) == ["02-20", "02-21"]
    whole = loader.content["domain_stats"][1, "all", "2024-02-20"]["visitors"]
    assert whole == site.api.data.rows("stats", 1, date(2024, 2, 20))[0]["visitors"]
    assert 0 < partial < whole


def test_the_lookback_reads_late_data(serve: Serve) -> None:
    """Shortly after midnight, sessions of the day before are still open."""
    settings: dict[str, Any] = {"start_date": "2024-02-16", "end_date": "2024-02-20"}
    site = serve(now=datetime(2024, 2, 21, 0, 5, tzinfo=UTC), visitors_per_day=40)
    early = site.sync("domain_stats", **settings)
    assert bookmark(early.state, "domain_stats", 1) == "2024-02-20"
    site.api.data.now = datetime(2024, 2, 22, 12, tzinfo=UTC)
    late = Loader()
    late.load(early)
    late.load(site.sync("domain_stats", state=early.state, **settings))
    whole = Loader()
    whole.load(site.sync("domain_stats", **settings))
    day = (1, "all", "2024-02-20")
    changed = [row for row in early.rows("domain_stats") if row["date"] == day[2]]
    assert changed[0]["visitors"] < whole.content["domain_stats"][day]["visitors"]
    assert late.content["domain_stats"] == whole.content["domain_stats"]


def test_a_run_without_an_end_date_ends_with_today(serve: Serve) -> None:
    site = serve(now=None)
    before = datetime.now(UTC).date()
    first = before - timedelta(days=2)
    output = site.sync("pages", start_date=first.isoformat(), end_date=None)
    after = datetime.now(UTC).date()
    assert bookmark(output.state, "pages", 1) in {before.isoformat(), after.isoformat()}
    assert site.days_requested("pages")[-1][1] in {before.isoformat(), after.isoformat()}


def test_an_end_in_the_future_is_today(serve: Serve) -> None:
    site = serve(now=None)
    before = datetime.now(UTC).date()
    site.sync("pages", start_date=before.isoformat(), end_date="2999-12-31")
    after = datetime.now(UTC).date()
    assert {last for _, last in site.days_requested("pages")} <= {f"{before}", f"{after}"}


def test_a_run_without_a_start_date_reads_thirty_days(serve: Serve) -> None:
    site = serve(now=None, visitors_per_day=2)
    before = datetime.now(UTC).date()
    site.sync("goals", start_date=None, end_date=None)
    after = datetime.now(UTC).date()
    days = [first for first, _ in site.days_requested("goals")]
    assert days[0] in {f"{day - timedelta(days=30)}" for day in (before, after)}
    assert len(days) in {31, 32}


def test_a_start_in_the_future_is_an_error(site: Site) -> None:
    future: dict[str, Any] = {"start_date": "2999-01-01", "end_date": None}
    _, error = site.failing_sync(ConfigValidationError, **future)
    assert "start_date must not be in the future" in str(error)
    assert site.days_requested("pages") == []


@pytest.mark.parametrize("day", ["2024-02-05", "2024-02-28", "2025-01-01"])
def test_a_bookmark_at_or_after_the_end_date_stays_and_the_lookback_is_read(
    site: Site, day: str
) -> None:
    output = site.sync("pages", state=reached(day))
    assert first_days(site) == ["02-03", "02-04", "02-05"]
    assert bookmark(output.state, "pages", 1) == day


def test_a_bookmark_in_the_future_is_an_error(site: Site) -> None:
    """Without a lookback, nothing would be read until then."""
    _, error = site.failing_sync(SyncFailed, "pages", state=reached("2999-01-01"))
    problem = "the bookmark in the state is in the future; repair or clear the state"
    assert str(error).endswith(f": {problem}")


def test_an_earlier_start_date_does_not_replace_a_bookmark(site: Site) -> None:
    """It holds only for partitions without a bookmark; the others need a full refresh."""
    output = site.sync("pages", state=reached("2024-02-04"), start_date="2024-01-28")
    assert first_days(site) == ["02-02", "02-03", "02-04", "02-05"]
    assert bookmark(output.state, "pages", 1) == "2024-02-05"


@pytest.mark.parametrize(
    "text", ["2024-02-01T00:00:00Z", "2024-02-01T00:00:00", "2024-02-01T05:00:00+02:00"]
)
def test_a_start_date_can_be_a_date_time(site: Site, text: str) -> None:
    site.sync("pages", start_date=text, end_date="2024-02-02T00:00:00+00:00")
    assert first_days(site) == ["02-01", "02-02"]


@pytest.mark.parametrize("value", ["yesterday", 5, ""])
def test_a_bookmark_that_is_not_a_date_is_one_error(site: Site, value: Any) -> None:
    _, error = site.failing_sync(SyncFailed, state=reached(value))
    assert str(error).startswith("pages: the bookmark in the state is not a date")


def test_the_state_of_another_tap_is_kept(site: Site) -> None:
    foreign = {"bookmarks": {"users": {"replication_key": "id", "replication_key_value": 7}}}
    output = site.sync("pages", state=foreign)
    assert output.state["bookmarks"]["users"] == foreign["bookmarks"]["users"]
    assert bookmark(output.state, "pages", 1) == "2024-02-05"


def test_a_state_has_nothing_but_bookmarks(site: Site) -> None:
    parts = site.sync("pages").state["bookmarks"]["pages"]["partitions"]
    assert (
        parts
        == reached("2024-02-05")["bookmarks"]["pages"]["partitions"]
        + (reached("2024-02-05", domain_id=2)["bookmarks"]["pages"]["partitions"])
    )
