"""Reports are run, polled and paged; no result is read early, and no report is run twice."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import json_response
from sandbox.faults import Fault
from sandbox.kissmetrics import PageRules, RunRules
from sandbox.kissmetrics.rules import FORMS
from tap_kit import SyncFailed

from tests.kissmetrics.canned import RESULTS, RUN, STATUS, Canned
from tests.kissmetrics.rows import comparable, expected_rows
from tests.kissmetrics.site import days

if TYPE_CHECKING:
    from sandbox.exchange import Request
    from sandbox.kissmetrics.rules import Form

    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

ROWS = [[1, "a@x", 5], [2, "b@x", 6]]
PROGRESSES = {
    "completed at the first poll": RunRules(polls=0),
    "completed at the second poll": RunRules(polls=1),
    "completed after many polls": RunRules(polls=6),
    "no Location": RunRules(location_header=False),
    "no links": RunRules(links=False),
    "links to the vendor's own host": RunRules(
        location_host="https://query.kissmetrics.com", link_host="https://query.kissmetrics.com"
    ),
    "links to a mistyped host only": RunRules(
        location_header=False, link_host="https://apikissmetrics.com"
    ),
    "columns sent": RunRules(columns="objects", row_form="array"),
}


@pytest.mark.parametrize("rules", PROGRESSES.values(), ids=PROGRESSES)
def test_run_is_polled_until_it_is_completed(serve: Serve, rules: RunRules) -> None:
    site = serve(run_rules=rules)
    rows = site.sync("report_results", end_date="2024-02-01").rows("report_results")
    without = {"extracted_from", "values"}
    expected = comparable(expected_rows(site.api, days()[:1]), without)
    assert comparable(rows, without) == expected
    assert site.api.early_reads == 0
    assert max(site.api.runs.values()) == 1
    assert len(site.requested("/status")) == len(site.api.runs) * (rules.polls + 1)


@pytest.mark.parametrize("limit", [None, 7])
@pytest.mark.parametrize("size", [1, 10, 1000])
@pytest.mark.parametrize("form", FORMS)
def test_results_are_paged_in_every_form(
    serve: Serve, form: Form, size: int, limit: int | None
) -> None:
    pages = PageRules(form=form, max_limit=limit, templated_links=False)
    sizes = {"rows_per_day": 20 if size > 1 else 8}  # several pages in any case but the largest
    site = serve(run_rules=RunRules(polls=0, pages=pages), sizes=sizes)
    reports = site.runnable()[: 2 if size > 1 else 1]
    settings: dict[str, Any] = {
        "reports": [{"id": one} for one in reports],
        "end_date": "2024-02-01",
    }
    rows = site.sync("report_results", page_size=size, **settings).rows("report_results")
    assert comparable(rows) == expected_rows(site.api, days()[:1], reports)
    assert max(site.api.runs.values()) == 1, "no page starts a new run"


@pytest.mark.parametrize("rules", [{"repeat_page": True}, {"short_of_total": 2}], ids=str)
def test_incomplete_results_fail_the_sync(serve: Serve, rules: dict[str, Any]) -> None:
    pages = PageRules(templated_links=False, **rules)
    site = serve(run_rules=RunRules(polls=0, pages=pages))
    output, error = site.failing_sync(
        SyncFailed, "report_results", page_size=4, end_date="2024-02-01"
    )
    assert "report_results, report_id" in str(error)
    assert "2024-02-01: the server " in str(error)
    assert "bookmarks" not in output.state or not any(
        "replication_key_value" in part
        for part in output.state["bookmarks"]["report_results"]["partitions"]
    )


@pytest.mark.parametrize("at_top", [True, False])
def test_failed_run_is_repeated_once(serve: Serve, *, at_top: bool) -> None:
    site = serve(run_rules=RunRules(error="out of memory", error_starts=1, error_at_top=at_top))
    rows = site.sync("report_results", end_date="2024-02-01").rows("report_results")
    assert comparable(rows) == expected_rows(site.api, days()[:1])
    assert set(site.api.runs.values()) == {2}


def test_run_that_fails_twice_is_named_and_the_others_are_read(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    bad = site.runnable()[1]
    site.api.run_rules_of[bad] = RunRules(error="details of somebody's query")
    output, error = site.failing_sync(SyncFailed, "report_results", max_concurrency=1)
    name, later = (f"report_results, report_id {bad}, 2024-02-0{day}" for day in (1, 2))
    assert str(error) == f"All other streams are complete; these failed: {name}; {later}"
    reason = "the vendor's job ended without a result: the server reports an error in the query"
    assert f"{name}: failed: {name}: {reason}" in caplog.messages
    assert "somebody" not in caplog.text
    others = [one for one in site.runnable() if one != bad]
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), others)
    assert {count for run, count in site.api.runs.items() if run.report_id == bad} == {2}


def test_results_that_expire_between_pages_fail_the_run_and_the_next_run_reads_them(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(sizes={"rows_per_day": 20})
    fault = Fault("status", status=404, path=r"/results\?.*offset=14")
    site.api.faults.append(fault)
    one: dict[str, Any] = {"reports": [{"id": site.runnable()[0]}], "page_size": 7}
    output, error = site.failing_sync(SyncFailed, "report_results", **one)
    assert "2024-02-01" in str(error)
    assert "2024-02-01: results have expired (not found (HTTP 404))" in caplog.text
    site.api.faults.clear()
    site.api.forget_queries()
    rows = site.sync("report_results", state=output.state, **one).rows("report_results")
    assert comparable(rows) == expected_rows(site.api, days(), site.runnable()[:1])


def test_run_that_exceeds_poll_timeout_fails_and_the_others_are_read(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    slow = site.runnable()[0]
    site.api.run_rules_of[slow] = RunRules(run_seconds=3600)
    settings: dict[str, Any] = {
        "poll_timeout": 1,
        "poll_interval_ms": 100,
        "end_date": "2024-02-01",
    }
    output, error = site.failing_sync(SyncFailed, "report_results", **settings)
    assert f"these failed: report_results, report_id {slow}, 2024-02-01" in str(error)
    assert "2024-02-01: the vendor's job is still running after 1 s" in caplog.text
    others = site.runnable()[1:]
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days()[:1], others)


def test_pauses_between_polls_grow(serve: Serve) -> None:
    site = serve(run_rules=RunRules(polls=5))
    one = [{"id": site.runnable()[0]}]
    site.sync("report_results", reports=one, end_date="2024-02-01", poll_interval_ms=40)
    polls = [r.started for r in site.api.log.requests if r.path.endswith("/status")]
    pauses = [after - before for before, after in pairwise(polls)]
    assert len(pauses) == 5
    expected = [0.04 * 1.2**number for number in range(1, 6)]
    assert all(wanted <= pause for wanted, pause in zip(expected, pauses, strict=True))


@pytest.mark.parametrize(
    ("responses", "words"),
    [
        ({RUN: json_response({}, 202)}, "has neither Location nor a link query-status"),
        (
            {RUN: json_response({}, 202, (("location", "/v2/other"),))},
            "expected the address of a query",
        ),
        (
            {RUN: json_response({}, 202, (("location", "https://evil.example/x"),))},
            "leads outside the API, to evil.example/x; refused",
        ),
        ({STATUS: [1]}, "expected a JSON object"),
        ({RESULTS: [[1]]}, "expected rows: lists of two and more"),
        ({RESULTS: [{"identity": "a"}]}, "expected rows: lists of two and more"),
        ({RESULTS: [["x", "a@x"]]}, "field kmid: expected int"),
        ({RESULTS: [[1, ["a@x"]]]}, "field identity: expected str"),
    ],
    ids=str,
)
def test_malformed_response_fails_with_one_clear_error(
    responses: dict[str, Any], words: str
) -> None:
    with Canned(responses) as server, pytest.raises(SyncFailed) as caught:
        server.sync("report_results")
    assert words in str(caught.value)
    assert "a@x" not in str(caught.value)


@pytest.mark.parametrize(
    "status",
    [
        {"completed": True},
        {"data": {"completed": True}, "links": None},
        {"data": {"completed": True}, "links": [{"rel": "query-results"}]},
        {"data": None, "completed": True},
    ],
    ids=str,
)
def test_results_are_found_by_the_id_of_the_query_alone(status: Any) -> None:
    with Canned({STATUS: json_response(status, 201), RESULTS: ROWS}) as server:
        assert len(server.sync("report_results").rows("report_results")) == 2


def test_query_is_done_only_when_completed_is_true() -> None:
    seen: list[str] = []

    def status(request: Request) -> Any:
        seen.append(request.path)
        return json_response({"data": {"completed": len(seen) > 2, "progress": 1.0}}, 201)

    with Canned({STATUS: status, RESULTS: ROWS}) as server:
        server.sync("report_results")
    assert len(seen) == 3
