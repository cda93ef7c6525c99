"""The budget of requests: never exceeded, and not spent on asking how far queries are.

A minute is cut down to two seconds here, for the tap and for the server.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.kissmetrics import RunRules, V3Rules
from tap_kissmetrics.tap import TapKissmetrics

from tests.kissmetrics.rows import comparable
from tests.kissmetrics.site import days
from tests.kissmetrics.v3.rows import expected_list, expected_rows
from tests.kissmetrics.v3.site import LISTS

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site

SPAN_S, BUDGET = 3, 15
ONE_DAY: dict[str, Any] = {"end_date": "2024-02-01", "requests_per_minute": None}


@pytest.fixture
def short_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tap's minute, with the second that it adds for slow connections."""
    monkeypatch.setattr("tap_kit.net.throttle.SPAN_S", SPAN_S)


def kinds(site: V3Site) -> Counter[str]:
    """How many requests of each kind were made."""
    named = {"POST": "start", "DELETE": "cancel"}
    return Counter(
        "list" if "/products" in one.path else named.get(one.method, "look or page")
        for one in site.api.log.requests
    )


@pytest.mark.parametrize("retry_after", [True, False])
@pytest.mark.usefixtures("short_minute")
def test_four_lists_and_ten_reports_fit_the_budget(serve_v3: ServeV3, *, retry_after: bool) -> None:
    """Reports that take half a minute: hardly more looks than there are reports."""
    site = serve_v3(
        sizes={"products": 1, "reports": 10},
        run_rules=RunRules(run_seconds=(SPAN_S - 1) / 2),
        v3=V3Rules(budget=BUDGET, budget_seconds=SPAN_S - 1, retry_after=retry_after),
    )
    output = site.sync(*LISTS, "report_results", **ONE_DAY)
    assert site.api.over_budget == 0
    for name in LISTS:
        assert output.rows(name) == expected_list(site.api, name)
    expected = expected_rows(site.api, days()[:1])
    assert comparable(output.rows("report_results")) == expected
    found = kinds(site)
    assert found["start"] == 10
    assert found["list"] <= 4 + 4, "a list, and whether there is more"
    # A look for each report, one or two too early, and the ends of results.
    assert found["look or page"] <= 2 * 10


@pytest.mark.usefixtures("short_minute")
def test_a_server_that_allows_less_is_obeyed(serve_v3: ServeV3) -> None:
    site = serve_v3(
        sizes={"products": 1, "reports": 2},
        v3=V3Rules(budget=6, budget_seconds=1, retry_after=True),
    )
    output = site.sync(**{**ONE_DAY, "requests_per_minute": 1_000_000})
    assert site.api.over_budget > 0
    expected = expected_rows(site.api, days()[:1])
    assert comparable(output.rows("report_results")) == expected


@pytest.mark.usefixtures("short_minute")
def test_the_more_queries_run_the_longer_each_is_left_alone(v3: V3Site) -> None:
    tap = TapKissmetrics(config=v3.settings(requests_per_minute=15))
    runner = tap.account.job_runner
    pauses = []
    for number in range(4):
        pauses.append(runner.least_pause_s())
        tap.run.running_jobs.add(number)  # type: ignore[arg-type]
    # Half of the budget is for looks: one of them every 2/15 of a minute, in turn.
    assert pauses == pytest.approx([0, 2 * SPAN_S / 15, 4 * SPAN_S / 15, 6 * SPAN_S / 15])


@pytest.mark.parametrize(("setting", "budget"), [(None, 15), (40, 40)])
def test_the_budget_of_version_3_is_fifteen_unless_it_is_set(
    v3: V3Site, setting: int | None, budget: int
) -> None:
    tap = TapKissmetrics(config=v3.settings(requests_per_minute=setting))
    assert tap.run.requests_per_minute == budget
    assert tap.run.throttle.seconds_per_request == pytest.approx(61 / budget)


def test_the_core_api_has_no_budget_unless_it_is_set() -> None:
    assert TapKissmetrics(config={"api_token": "t"}).run.requests_per_minute is None
    core = TapKissmetrics(config={"api_token": "t", "requests_per_minute": 5})
    assert core.run.requests_per_minute == 5


def test_the_plan_says_what_it_will_take(
    serve_v3: ServeV3, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    site = serve_v3(sizes={"products": 2, "reports": 4})
    report = {"id": site.ids("reports")[0], "name": "mine", "columns": ["a"]}
    reports = [report, {"id": site.ids("reports")[1]}]
    site.sync(reports=reports, metric_ids=site.metric_ids[:1], requests_per_minute=60)
    told = [text for text in caplog.messages if "are expected" in text]
    # Two lists of each of two products; two days of two reports and a metric, of which one report
    # is read by two streams.
    expected = "18 requests are expected: 4 for lists, 14 for 6 queries, "
    pages = "more where a result has further pages; at 60 a minute that takes about 0.3 minutes"
    assert told == [expected + pages]


def test_what_is_expected_is_what_is_asked_where_queries_are_quick(serve_v3: ServeV3) -> None:
    """Apart from the ends of lists, and what was asked for the plan itself."""
    site = serve_v3(run_rules=RunRules(polls=0), sizes={"products": 1, "reports": 3})
    site.sync("report_results", "events", page_size=8)
    asked = [one for one in site.api.log.requests if "offset=0" in one.target or one.body]
    plan = [one for one in asked if one.path.endswith(("/products", "/reports"))]
    assert len(asked) - len(plan) == 1 + 2 * 3 * len(days())
