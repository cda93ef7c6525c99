"""The figures are consistent, reproducible, and have values that make loaders fail."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from sandbox.kindmetrics import Filters, Kindmetrics
from sandbox.server import running

from .client import Client
from .conftest import NOON

DAY = date(2026, 11, 18)
LISTS = ("pages", "entry_pages", "sources", "referrers", "countries")
DAYS = [DAY - timedelta(days=back) for back in range(40)]


def visitors(api: Kindmetrics, first: date, last: date, domain_id: int = 1, **by: Any) -> int:
    (row,) = api.data.rows("stats", domain_id, first, last, **by)
    assert isinstance(row["visitors"], int)
    return row["visitors"]


def test_figures_are_reproducible() -> None:
    one, other = Kindmetrics(now=NOON), Kindmetrics(now=NOON + timedelta(days=900))
    for endpoint in (*LISTS, "goals", "stats"):
        assert one.data.rows(endpoint, 1, DAY, DAY) == other.data.rows(endpoint, 1, DAY, DAY)
    assert Kindmetrics(now=NOON, seed="x").data.rows("pages", 1, DAY) != one.data.rows(
        "pages", 1, DAY
    )


def test_a_window_has_fewer_visitors_than_its_days_together(api: Kindmetrics) -> None:
    daily = [visitors(api, day, day) for day in DAYS[:7]]
    week = visitors(api, DAYS[6], DAYS[0])
    assert max(daily) <= week < sum(daily)


@pytest.mark.parametrize("endpoint", LISTS)
def test_lists_are_sorted_distinct_and_add_up(api: Kindmetrics, endpoint: str) -> None:
    for first in (DAYS[0], DAYS[30]):
        rows = api.data.rows(endpoint, 1, first, DAY)
        counts = [row["visitors"] for row in rows]
        assert counts == sorted(counts, reverse=True)
        assert min(counts) > 0
        assert max(counts) <= visitors(api, first, DAY)
        for row in rows:
            assert row["percentage"] == row["visitors"] * 100 // sum(counts)
        keys = [tuple(row.values())[:-2] for row in rows]
        assert len(set(keys)) == len(keys)


def test_rows_have_the_documented_fields(api: Kindmetrics) -> None:
    shares = ["visitors", "percentage"]
    expected = {
        "stats": ["address", "visitors", "pageviews", "bounce", "track_snippet"],
        "pages": ["address", *shares],
        "entry_pages": ["address", *shares],
        "sources": ["source", "medium", *shares],
        "referrers": ["url", "domain", *shares],
        "countries": ["name", *shares],
        "goals": ["name", "kind", "conversions"],
        "current": ["current"],
    }
    for endpoint, fields in expected.items():
        assert list(api.data.rows(endpoint, 1, DAY, DAY)[0]) == fields


def test_nulls_and_unusual_texts_occur(api: Kindmetrics) -> None:
    def values(endpoint: str, field: str) -> set[object]:
        return {row[field] for row in api.data.rows(endpoint, 1, DAYS[-1], DAY)}

    odd = {None, "", "null", "/line\nbreak", "/party/🎉", "/quote\"s/and/it's", "/pricing"}
    assert odd <= values("pages", "address")
    assert "/Pricing" in values("pages", "address")
    assert None in values("entry_pages", "address")
    assert None in values("sources", "medium")
    assert None not in values("sources", "source")
    assert None in values("referrers", "url")
    assert None in values("referrers", "domain")
    assert None in values("countries", "name")


def test_countries_are_limited_to_six(api: Kindmetrics) -> None:
    assert len(api.data.rows("countries", 1, DAYS[-1], DAY)) == 6
    assert visitors(api, DAYS[-1], DAY, country="NZ") > 0


def test_two_goals_share_a_name_and_one_domain_has_no_goals(api: Kindmetrics) -> None:
    rows = api.data.rows("goals", 1, DAY, DAY)
    twins = [row["kind"] for row in rows if row["name"] == "/sign_up"]
    assert sorted(twins) == ["Event", "Path"]
    assert rows[-1]["conversions"] == 0
    assert api.data.rows("goals", 4, DAY, DAY) == []


def test_only_the_first_domain_has_no_empty_days(api: Kindmetrics) -> None:
    empty = [day for day in DAYS if visitors(api, day, day, 2) == 0]
    assert 0 < len(empty) < len(DAYS) / 2
    for endpoint in LISTS:
        assert api.data.rows(endpoint, 2, empty[0], empty[0]) == []
    assert all(visitors(api, day, day) for day in DAYS)


def test_there_are_no_figures_before_a_domain_was_created() -> None:
    api = Kindmetrics(now=NOON, created={1: DAY})
    before = DAY - timedelta(days=1)
    (stats,) = api.data.rows("stats", 1, before, before)
    assert (stats["visitors"], stats["pageviews"], stats["bounce"]) == (0, 0, 0)
    assert api.data.rows("pages", 1, date(1990, 1, 1), before) == []
    assert {row["conversions"] for row in api.data.rows("goals", 1, before, before)} == {0}
    assert visitors(api, before, DAY) == visitors(api, DAY, DAY) > 0


@pytest.mark.parametrize(
    "by",
    [
        {"source_name": "Google"},
        {"medium_name": "social"},
        {"site_path": "/pricing"},
        {"goal_id": 11},
        {"country": "SE"},
        {"browser": "Firefox"},
    ],
    ids=str,
)
def test_a_filter_never_increases_a_figure(api: Kindmetrics, by: dict[str, Any]) -> None:
    assert 0 < visitors(api, DAY, DAY, **by) < visitors(api, DAY, DAY)
    for endpoint in LISTS:
        whole = {tuple(row.values())[:-2]: row["visitors"] for row in _rows(api, endpoint)}
        for row in _rows(api, endpoint, **by):
            assert row["visitors"] <= whole.get(tuple(row.values())[:-2], row["visitors"])


def _rows(api: Kindmetrics, endpoint: str, **by: Any) -> list[dict[str, Any]]:
    return api.data.rows(endpoint, 1, DAY, DAY, **by)


def test_filters_agree_with_the_lists(api: Kindmetrics) -> None:
    for row in _rows(api, "sources"):
        assert row["visitors"] == visitors(api, DAY, DAY, source_name=row["source"])
    (page,) = _rows(api, "pages", site_path="/pricing")
    assert page["address"] == "/pricing"
    assert page in [{**row, "percentage": 100} for row in _rows(api, "pages")]
    assert api.data.figures("pages", 1, DAY, DAY, Filters(source_name="nobody")) == []


def test_today_grows_and_yesterday_becomes_final() -> None:
    day = NOON.date()
    figures = []
    for hours in (-13, -8, 0, 8, 12.5, 18, 40):
        api = Kindmetrics(now=NOON + timedelta(hours=hours))
        figures.append(visitors(api, day, day))
    assert figures[0] == 0
    assert figures == sorted(figures)
    assert 0 < figures[1] < figures[2] < figures[3] < figures[5]
    assert figures[4] < figures[5] == figures[6]


def test_the_clock_can_be_set_while_the_server_runs(api: Kindmetrics, client: Client) -> None:
    before = client.get("/api/domains/1?from=2026-11-20").json()
    api.data.now = NOON + timedelta(hours=6)
    after = client.get("/api/domains/1?from=2026-11-20").json()
    assert after["visitors"] > before["visitors"]
    assert client.get("/api/domains/1?to=2026-11-21").status_code == 400
    api.data.now = NOON + timedelta(days=1)
    assert client.get("/api/domains/1?to=2026-11-21").status_code == 200


def test_current_visitors_depend_on_the_clock(api: Kindmetrics) -> None:
    seen = set()
    for minutes in range(0, 600, 30):
        api.data.now = datetime(2026, 11, 20, 8, tzinfo=timezone.utc) + timedelta(minutes=minutes)
        seen.add(api.data.rows("current", 1)[0]["current"])
    assert len(seen) > 2


def test_the_clock_is_in_utc() -> None:
    assert abs(Kindmetrics().data.now - datetime.now(timezone.utc)) < timedelta(minutes=2)
    naive = datetime(2026, 11, 20, 12)  # noqa: DTZ001 (what is tested)
    assert Kindmetrics(now=naive).data.now == NOON
    assert Kindmetrics(today=NOON.date()).data.now == NOON


@pytest.mark.parametrize("pages", [1, 3, 15, 16, 500])
def test_a_full_day_has_the_configured_number_of_pages(pages: int) -> None:
    api = Kindmetrics(now=NOON, pages_per_day=pages)
    with running(api.app) as server, Client(server) as client:
        rows = client.get(f"/api/domains/1/pages?from={DAY}&to={DAY}").json()
    assert len(rows) == pages
    assert rows == api.data.rows("pages", 1, DAY, DAY)
