"""The rate limit: it is never exceeded, and polls use a part of it only.

A minute is shortened to two seconds here, for the tap and for the server.
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
    """Shorten the tap's minute, to which it adds a second for slow connections."""
    monkeypatch.setattr("tap_kit.net.throttle.SPAN_S", SPAN_S)


def kinds(site: V3Site) -> Counter[str]:
    """Return the number of requests of each kind."""
    named = {"POST": "start", "DELETE": "cancel"}
    return Counter(
        "list" if "/products" in one.path else named.get(one.method, "poll or page")
        for one in site.api.log.requests
    )


@pytest.mark.usefixtures("short_minute")
def test_four_lists_and_ten_reports_stay_within_the_rate_limit(serve_v3: ServeV3) -> None:
    """Reports that take half a minute need hardly more than one poll each."""
    site = serve_v3(
        sizes={"products": 1, "reports": 10},
        run_rules=RunRules(run_seconds=(SPAN_S - 1) / 2),
        v3=V3Rules(budget=BUDGET, budget_seconds=SPAN_S - 1),
    )
    output = site.sync(*LISTS, "report_results", **ONE_DAY)
    assert site.api.over_budget == 0
    for name in LISTS:
        assert output.rows(name) == expected_list(site.api, name)
    expected = expected_rows(site.api, days()[:1])
    assert comparable(output.rows("report_results")) == expected
    found = kinds(site)
    assert found["start"] == 10
    assert found["list"] <= 4 + 4, "a list, and its end"
    # A poll for each report, one or two polls that are too early, and the ends of results.
    assert found["poll or page"] <= 2 * 10


@pytest.mark.usefixtures("short_minute")
def test_lower_limit_of_the_server_is_respected(serve_v3: ServeV3) -> None:
    site = serve_v3(
        sizes={"products": 1, "reports": 2},
        v3=V3Rules(budget=6, budget_seconds=1, retry_after=True),
    )
    output = site.sync(**{**ONE_DAY, "requests_per_minute": 1_000_000})
    assert site.api.over_budget > 0
    expected = expected_rows(site.api, days()[:1])
    assert comparable(output.rows("report_results")) == expected


@pytest.mark.usefixtures("short_minute")
def test_pause_between_polls_grows_with_the_number_of_running_queries(v3: V3Site) -> None:
    tap = TapKissmetrics(config=v3.settings(requests_per_minute=15))
    runner = tap.account.job_runner
    pauses = []
    for number in range(4):
        pauses.append(runner.min_pause_s())
        tap.run.running_jobs.add(number)  # type: ignore[arg-type]
    # Half of the rate limit is for polls: one of them every 2/15 of a minute, in turn.
    assert pauses == pytest.approx([0, 2 * SPAN_S / 15, 4 * SPAN_S / 15, 6 * SPAN_S / 15])


@pytest.mark.parametrize(("setting", "budget"), [(None, 15), (40, 40)])
def test_rate_limit_of_version_3_is_fifteen_unless_it_is_set(
    v3: V3Site, setting: int | None, budget: int
) -> None:
    tap = TapKissmetrics(config=v3.settings(requests_per_minute=setting))
    assert tap.run.requests_per_minute == budget
    assert tap.run.throttle.seconds_per_request == pytest.approx(61 / budget)


def test_core_api_has_no_rate_limit_unless_it_is_set() -> None:
    assert TapKissmetrics(config={"api_token": "t"}).run.requests_per_minute is None
    core = TapKissmetrics(config={"api_token": "t", "requests_per_minute": 5})
    assert core.run.requests_per_minute == 5


def test_log_states_the_expected_requests_and_their_duration(
    serve_v3: ServeV3, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr("tap_kit.net.throttle.SPAN_S", 0.5)
    site = serve_v3(sizes={"products": 2, "reports": 4})
    report = {"id": site.ids("reports")[0], "name": "mine", "columns": ["a"]}
    reports = [report, {"id": site.ids("reports")[1]}]
    site.sync(reports=reports, metric_ids=site.metric_ids[:1], requests_per_minute=60)
    (line,) = [text for text in caplog.messages if text.startswith("Expecting ")]
    # Two lists of each of two products; two days of two reports and a metric, of which one report
    # is read by two streams.
    expected = "Expecting 18 requests: 4 for lists, 14 for 6 queries, and more for results with "
    pages = "further pages; at 60 per minute they take about 0.3 minutes"
    assert line == expected + pages


def test_expected_requests_are_sent_when_queries_finish_quickly(serve_v3: ServeV3) -> None:
    """Requests for the ends of lists, and those that the plan needs, come on top."""
    site = serve_v3(run_rules=RunRules(polls=0), sizes={"products": 1, "reports": 3})
    site.sync("report_results", "events", page_size=8)
    sent = [one for one in site.api.log.requests if "offset=0" in one.target or one.body]
    plan = [one for one in sent if one.path.endswith(("/products", "/reports"))]
    assert len(sent) - len(plan) == 1 + 2 * 3 * len(days())
