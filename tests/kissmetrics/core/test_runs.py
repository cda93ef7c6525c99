"""Reports are run, polled and paged; none is read early, and none is paid for twice."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import json_response
from sandbox.faults import Fault
from sandbox.kissmetrics import PageRules, RunRules
from sandbox.kissmetrics.rules import FORMS
from tap_kit.errors import SyncFailed

from tests.kissmetrics.canned import RESULTS, RUN, STATUS, Answers
from tests.kissmetrics.rows import comparable, expected_rows
from tests.kissmetrics.site import days

if TYPE_CHECKING:
    from sandbox.exchange import Request
    from sandbox.kissmetrics.rules import Form

    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

ROWS = [[1, "a@x", 5], [2, "b@x", 6]]
PROGRESSES = {
    "completed at the first look": RunRules(polls=0),
    "completed at the second look": RunRules(polls=1),
    "completed after many": RunRules(polls=6),
    "no Location": RunRules(location_header=False),
    "no links": RunRules(links=False),
    "links to the vendor's own host": RunRules(
        location_host="https://query.kissmetrics.com", link_host="https://query.kissmetrics.com"
    ),
    "links to a mistyped host only": RunRules(
        location_header=False, link_host="https://apikissmetrics.com"
    ),
    "columns told": RunRules(columns="objects", row_form="array"),
}


@pytest.mark.parametrize("rules", PROGRESSES.values(), ids=PROGRESSES)
def test_a_run_is_followed_to_its_end(serve: Serve, rules: RunRules) -> None:
    site = serve(run_rules=rules)
    rows = site.sync("report_results").rows("report_results")
    without = {"extracted_from", "values"}
    expected = comparable(expected_rows(site.api, days()), without)
    assert comparable(rows, without) == expected
    assert site.api.early_reads == 0
    assert max(site.api.runs.values()) == 1
    assert len(site.asked("/status")) == len(site.api.runs) * (rules.polls + 1)


@pytest.mark.parametrize("limit", [None, 7])
@pytest.mark.parametrize("size", [1, 10, 1000])
@pytest.mark.parametrize("form", FORMS)
def test_results_are_paged_in_every_form(
    serve: Serve, form: Form, size: int, limit: int | None
) -> None:
    pages = PageRules(form=form, max_limit=limit, templated_links=False)
    site = serve(run_rules=RunRules(polls=0, pages=pages), sizes={"rows_per_day": 20})
    reports = site.runnable()[:2]
    settings: dict[str, Any] = {
        "reports": [{"id": one} for one in reports],
        "end_date": "2024-02-01",
    }
    rows = site.sync("report_results", page_size=size, **settings).rows("report_results")
    assert comparable(rows) == expected_rows(site.api, days()[:1], reports)
    assert max(site.api.runs.values()) == 1, "the next page is no new run"


@pytest.mark.parametrize("rules", [{"repeat_page": True}, {"short_of_total": 2}], ids=str)
def test_results_that_are_not_all_there_are_an_error(serve: Serve, rules: dict[str, Any]) -> None:
    pages = PageRules(templated_links=False, **rules)
    site = serve(run_rules=RunRules(polls=0, pages=pages))
    output, error = site.failing_sync(SyncFailed, "report_results", page_size=4)
    assert "report_results, report_id" in str(error)
    assert "2024-02-01: the server " in str(error)
    assert "bookmarks" not in output.state or not any(
        "replication_key_value" in part
        for part in output.state["bookmarks"]["report_results"]["partitions"]
    )


@pytest.mark.parametrize("at_top", [True, False])
def test_a_run_that_fails_is_run_once_more(serve: Serve, *, at_top: bool) -> None:
    site = serve(run_rules=RunRules(error="out of memory", error_starts=1, error_at_top=at_top))
    rows = site.sync("report_results").rows("report_results")
    assert comparable(rows) == expected_rows(site.api, days())
    assert set(site.api.runs.values()) == {2}


def test_a_run_that_fails_twice_is_an_error_that_names_it_and_the_others_go_on(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    bad = site.runnable()[1]
    site.api.run_rules_of[bad] = RunRules(error="details of somebody's query")
    output, error = site.failing_sync(SyncFailed, "report_results", max_concurrency=1)
    name = f"report_results, report_id {bad}, 2024-02-01"
    assert str(error) == f"All other streams are complete, these failed: {name}"
    reason = "the vendor's job ended without a result: the server reports an error in the query"
    assert f"{name}: given up: {name}: {reason}" in caplog.messages
    assert "somebody" not in caplog.text
    others = [one for one in site.runnable() if one != bad]
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), others)
    assert {count for run, count in site.api.runs.items() if run.report_id == bad} == {2}


def test_reports_of_other_types_are_left_out_with_one_warning(site: Site) -> None:
    ended = site.execute()
    assert ended.code == 0
    (told,) = [text for text in ended.warnings if "of types" in text]
    names = [r["name"] for r in site.api.data.records("reports") if "v2" not in r["report_type"]]
    assert told.startswith("3 reports are of types that the API does not run, and left out: ")
    assert all(name in told for name in names)
    assert {run.report_id for run in site.api.runs} == set(site.runnable())


def test_a_report_that_cannot_be_run_is_a_warning(serve: Serve) -> None:
    site = serve()
    funnel = site.api.data.records("reports")[2]
    assert funnel["report_type"] == "funnel"
    good = site.runnable()[0]
    ended = site.execute(reports=[{"id": funnel["id"]}, {"id": good}])
    assert ended.code == 0, ended.stderr
    (told,) = [text for text in ended.warnings if funnel["id"] in text]
    assert "the report cannot be run" in told
    assert "HTTP 400" in told
    rows = ended.output.rows("report_results")
    assert comparable(rows) == expected_rows(site.api, days(), [good])


def test_configured_reports_only_in_their_order(site: Site) -> None:
    chosen = [site.runnable()[3], site.runnable()[1]]
    output = site.sync("report_results", reports=[{"id": one} for one in chosen])
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), chosen)
    assert site.asked("/core/reports?") == [], "the list of all reports is not needed"


def test_a_report_that_was_deleted_is_a_warning_and_the_others_go_on(site: Site) -> None:
    gone, here = site.runnable()[:2]
    site.api.delete_report(gone)
    ended = site.execute(reports=[{"id": gone}, {"id": here}])
    assert ended.code == 0, ended.stderr
    assert ended.warnings == [f"report {gone} of the settings is left out: not found (HTTP 404)"]
    rows = ended.output.rows("report_results")
    assert comparable(rows) == expected_rows(site.api, days(), [here])


def test_a_report_that_is_deleted_between_two_runs_keeps_its_bookmark(site: Site) -> None:
    first = site.sync("report_results", end_date="2024-02-01")
    gone = site.runnable()[1]
    site.api.delete_report(gone)
    second = site.sync("report_results", state=first.state)
    marks = {
        part["context"]["report_id"]: part["replication_key_value"][:10]
        for part in second.state["bookmarks"]["report_results"]["partitions"]
    }
    assert marks.pop(gone) == "2024-02-01"
    assert set(marks.values()) <= {"2024-02-02", "2024-02-01"}
    assert len(marks) == len(site.runnable())


@pytest.mark.parametrize("status", [403, 404])
def test_a_report_that_is_deleted_while_the_others_run(
    site: Site, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    gone = site.runnable()[1]
    site.api.faults.append(Fault("status", status=status, path=f"/reports/{gone}/run"))
    output = site.sync("report_results")
    others = [one for one in site.runnable() if one != gone]
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), others)
    told = [text for text in caplog.messages if "skipped" in text]
    assert len(told) == 1
    assert gone in told[0]
    marks = output.state["bookmarks"]["report_results"]["partitions"]
    assert [p for p in marks if p["context"]["report_id"] == gone and "replication_key" in p] == []


def test_two_streams_of_a_report_pay_for_one_run(site: Site) -> None:
    report = {"id": site.runnable()[0], "name": "Who Came", "columns": ["a", "b", "c", "d"]}
    output = site.sync("report_results", "report_who_came", reports=[report], max_concurrency=8)
    assert set(site.api.runs.values()) == {1}
    assert len(site.api.runs) == len(days())
    both = [output.rows(name) for name in ("report_results", "report_who_came")]
    assert [row["row_id"] for row in both[0]] == [row["row_id"] for row in both[1]]
    assert all("jobs" not in str(mark) for mark in output.state["bookmarks"].values())


def test_results_that_the_server_forgot_before_the_second_stream_read_them(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """Reading all reports takes hours; nobody says how long the vendor keeps results."""
    site = serve()
    report: dict[str, Any] = {
        "id": site.runnable()[0],
        "name": "mine",
        "columns": ["a", "b", "c", "d"],
    }
    site.api.faults.append(Fault("status", status=404, path="/results", only=frozenset({3})))
    streams = ("report_mine", "report_results")
    output = site.sync(*streams, reports=[report], max_concurrency=1)
    expected = expected_rows(site.api, days(), [report["id"]])
    for stream in streams:
        numbers = [row["row_id"] for row in output.rows(stream)]
        assert numbers == [row["row_id"] for row in expected]
    assert sorted(site.api.runs.values()) == [1, 2]
    assert [text for text in caplog.messages if "run again" in text]


def test_results_that_are_gone_in_the_middle_stop_the_run_and_the_next_one_has_them(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(sizes={"rows_per_day": 20})
    fault = Fault("status", status=404, path=r"/results\?.*offset=14")
    site.api.faults.append(fault)
    one: dict[str, Any] = {"reports": [{"id": site.runnable()[0]}], "page_size": 7}
    output, error = site.failing_sync(SyncFailed, "report_results", **one)
    assert str(error).endswith("2024-02-01")
    assert "2024-02-01: its results are there no more: not found (HTTP 404)" in caplog.text
    site.api.faults.clear()
    site.api.forget_queries()
    rows = site.sync("report_results", state=output.state, **one).rows("report_results")
    assert comparable(rows) == expected_rows(site.api, days(), site.runnable()[:1])


def test_a_run_that_takes_too_long_is_given_up_and_the_others_go_on(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    slow = site.runnable()[0]
    site.api.run_rules_of[slow] = RunRules(run_seconds=3600)
    settings: dict[str, Any] = {"poll_timeout": 1, "poll_interval_ms": 100}
    output, error = site.failing_sync(SyncFailed, "report_results", **settings)
    assert f"these failed: report_results, report_id {slow}, 2024-02-01" in str(error)
    assert "2024-02-01: the vendor is not done after 1 s" in caplog.text
    others = site.runnable()[1:]
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), others)


def test_pauses_between_looks_grow(serve: Serve) -> None:
    site = serve(run_rules=RunRules(polls=5))
    one = [{"id": site.runnable()[0]}]
    site.sync("report_results", reports=one, end_date="2024-02-01", poll_interval_ms=40)
    looks = [r.started for r in site.api.log.requests if r.path.endswith("/status")]
    pauses = [after - before for before, after in pairwise(looks)]
    assert len(pauses) == 5
    expected = [0.04 * 1.2**number for number in range(1, 6)]
    assert all(wanted <= pause for wanted, pause in zip(expected, pauses, strict=True))


def test_a_report_of_the_newer_type_runs_when_it_is_configured(site: Site) -> None:
    """Its rows are those of the days saved in it, whatever is asked for: a trap in the README."""
    newer = site.api.data.records("reports")[4]
    assert newer["report_type"] == "people_search_v3"
    rows = site.sync("report_results", reports=[{"id": newer["id"]}]).rows("report_results")
    saved = site.api.data.rows(newer["id"], *site.api.data.saved_window(newer["id"]), shifted=True)
    for day in ("2024-02-01", "2024-02-02"):
        assert [
            [row["identity"], *row["values"].values()]
            for row in rows
            if row["start_date"][:10] == day
        ] == [row[1:] for row in saved]
    assert {row["kmid"] for row in rows} == {None}
    assert len({row["row_id"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({RUN: json_response({}, 202)}, "says neither Location nor a link query-status"),
        (
            {RUN: json_response({}, 202, (("location", "/v2/other"),))},
            "expected the address of a query",
        ),
        (
            {RUN: json_response({}, 202, (("location", "https://evil.example/x"),))},
            "leads elsewhere, to evil.example/x; refused",
        ),
        ({STATUS: [1]}, "expected a JSON object"),
        ({RESULTS: [[1]]}, "expected rows: lists of two and more"),
        ({RESULTS: [{"identity": "a"}]}, "expected rows: lists of two and more"),
        ({RESULTS: [["x", "a@x"]]}, "field kmid: expected int"),
        ({RESULTS: [[1, ["a@x"]]]}, "field identity: expected str"),
    ],
    ids=str,
)
def test_an_answer_that_breaks_its_promise_is_one_clear_error(
    answers: dict[str, Any], words: str
) -> None:
    with Answers(answers) as server, pytest.raises(SyncFailed) as caught:
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
def test_the_id_of_a_query_is_enough_to_find_its_results(status: Any) -> None:
    with Answers({STATUS: json_response(status, 201), RESULTS: ROWS}) as server:
        assert len(server.sync("report_results").rows("report_results")) == 2


def test_a_query_counts_as_done_only_when_it_says_so() -> None:
    seen: list[str] = []

    def status(request: Request) -> Any:
        seen.append(request.path)
        return json_response({"data": {"completed": len(seen) > 2, "progress": 1.0}}, 201)

    with Answers({STATUS: status, RESULTS: ROWS}) as server:
        server.sync("report_results")
    assert len(seen) == 3
