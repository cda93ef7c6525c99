"""Windows and filters: defaults, and invalid values."""

from datetime import date, datetime, timezone

import pytest
from sandbox.kindmetrics import Filters, Kindmetrics
from sandbox.server import running

from .client import Client

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", date(2026, 11, 13), TODAY),
        ("?period=7d", date(2026, 11, 13), TODAY),
        ("?period=", date(2026, 11, 13), TODAY),
        ("?period=30d", date(2026, 10, 21), TODAY),
        ("?period=1m", date(2026, 10, 20), TODAY),
        ("?to=2026-11-18", date(2026, 11, 13), date(2026, 11, 18)),
        ("?from=2026-11-18", date(2026, 11, 18), TODAY),
        ("?from=2026-11-18&period=30d", date(2026, 11, 18), TODAY),
        ("?from=2026-11-18&to=2026-11-18", date(2026, 11, 18), date(2026, 11, 18)),
    ],
)
def test_the_window_has_defaults(
    api: Kindmetrics, client: Client, query: str, first: date, last: date
) -> None:
    for endpoint in ("pages", "goals"):
        response = client.get(f"/api/domains/1/{endpoint}{query}")
        assert response.json() == api.data.rows(endpoint, 1, first, last)


def test_a_month_before_the_31st_begins_on_the_last_day_of_a_shorter_month() -> None:
    api = Kindmetrics(now=datetime(2027, 3, 31, 12, tzinfo=timezone.utc))
    with running(api.app) as server, Client(server) as client:
        response = client.get("/api/domains/1?period=1m").json()
    assert [response] == api.data.rows("stats", 1, date(2027, 2, 28), date(2027, 3, 31))


@pytest.mark.parametrize(
    ("query", "status", "param"),
    [
        ("from=yesterday", 500, None),
        ("from=", 500, None),
        ("to=20261118", 500, None),
        ("from=2026-02-30", 500, None),
        ("from=2026-11-18T00:00:00Z", 500, None),
        ("to=2026-11-21", 400, "to"),
        ("from=2026-11-21&to=2026-11-20", 400, "from"),
        ("period=2y", 400, "period"),
        ("goal_id=first", 400, "goal_id"),
    ],
)
def test_invalid_parameters_are_refused(
    client: Client, query: str, status: int, param: str | None
) -> None:
    for endpoint in ("", "/pages", "/goals"):
        response = client.get(f"/api/domains/1{endpoint}?{query}")
        assert response.status_code == status
        assert response.json()["param"] == param
    assert client.get(f"/api/domains/1/current?{query}").status_code == 200


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("source_name=Google", Filters(source_name="Google")),
        ("source_name=+Google+", Filters(source_name="Google")),
        ("source_name=google", Filters(source_name="google")),
        ("medium_name=social", Filters(medium_name="social")),
        ("site_path=/pricing", Filters(site_path="/pricing")),
        ("site_path=%2Fline%0Abreak", Filters(site_path="/line\nbreak")),
        ("site_path=", Filters()),
        ("country=SE&browser=Firefox", Filters(country="SE", browser="Firefox")),
        ("goal_id=11", Filters(goal_id=11)),
        ("goal_id=12&medium_name=search", Filters(goal_id=12, medium_name="search")),
    ],
)
def test_filters_compare_trimmed_text(
    api: Kindmetrics, client: Client, query: str, filters: Filters
) -> None:
    first = date(2026, 11, 10)
    for endpoint in ("pages", "entry_pages", "sources", "countries"):
        target = f"/api/domains/1/{endpoint}?from={first}&to={TODAY}&{query}"
        assert client.get(target).json() == api.data.figures(endpoint, 1, first, TODAY, filters)


def test_a_goal_of_another_domain_returns_404_except_for_goals(client: Client) -> None:
    assert client.get("/api/domains/2/pages?goal_id=21").status_code == 200
    assert client.get("/api/domains/1/pages?goal_id=21").status_code == 404
    assert client.get("/api/domains/1/goals?goal_id=21").status_code == 200


def test_goals_ignore_three_of_the_filters(client: Client) -> None:
    plain = client.get("/api/domains/1/goals").json()
    ignored = client.get("/api/domains/1/goals?goal_id=11&country=SE&browser=Safari").json()
    assert ignored == plain
    assert client.get("/api/domains/1/goals?medium_name=social").json() != plain
