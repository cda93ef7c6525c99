"""Which saved reports are run, and what happens to those that the API refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault

from tests.kissmetrics.rows import comparable, expected_rows
from tests.kissmetrics.site import days

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site


def test_reports_of_other_types_are_skipped_with_one_warning(site: Site) -> None:
    ended = site.execute()
    assert ended.code == 0
    (warning,) = [text for text in ended.warnings if "whose type" in text]
    names = [r["name"] for r in site.api.data.records("reports") if "v2" not in r["report_type"]]
    assert warning.startswith("Skipped 4 reports whose type the API cannot run: ")
    assert all(name in warning for name in names)
    assert {run.report_id for run in site.api.runs} == set(site.runnable())


def test_report_that_the_api_cannot_run_fails_and_the_others_are_read(serve: Serve) -> None:
    site = serve()
    funnel = site.api.data.records("reports")[2]
    assert funnel["report_type"] == "funnel"
    good = site.runnable()[0]
    ended = site.execute(reports=[{"id": funnel["id"]}, {"id": good}])
    assert ended.code == 1, ended.stderr
    *lines, last = [text for text in ended.errors if funnel["id"] in text]
    assert len(lines) == len(days())
    assert all("the API does not run the report" in line for line in lines)
    assert all("HTTP 400" in line for line in lines)
    assert "these failed: report_results, report_id" in last
    rows = ended.output.rows("report_results")
    assert comparable(rows) == expected_rows(site.api, days(), [good])


def test_only_configured_reports_are_run_in_their_order(site: Site) -> None:
    chosen = [site.runnable()[3], site.runnable()[1]]
    output = site.sync("report_results", reports=[{"id": one} for one in chosen])
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), chosen)
    assert site.requested("/core/reports?") == [], "the list of all reports is not requested"


def test_configured_report_that_does_not_exist_is_skipped_and_the_others_are_read(
    site: Site,
) -> None:
    gone, here = site.runnable()[:2]
    site.api.delete_report(gone)
    ended = site.execute(reports=[{"id": gone}, {"id": here}])
    assert ended.code == 0, ended.stderr
    assert ended.warnings == [f"Skipped report {gone} of the settings: not found (HTTP 404)"]
    rows = ended.output.rows("report_results")
    assert comparable(rows) == expected_rows(site.api, days(), [here])


def test_report_deleted_between_two_runs_keeps_its_bookmark(site: Site) -> None:
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
def test_report_deleted_during_a_run_is_skipped_and_the_others_are_read(
    site: Site, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    gone = site.runnable()[1]
    site.api.faults.append(Fault("status", status=status, path=f"/reports/{gone}/run"))
    output = site.sync("report_results")
    others = [one for one in site.runnable() if one != gone]
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), others)
    (warning,) = [text for text in caplog.messages if "skipped" in text]
    assert gone in warning
    marks = output.state["bookmarks"]["report_results"]["partitions"]
    assert [p for p in marks if p["context"]["report_id"] == gone and "replication_key" in p] == []


def test_two_streams_of_a_report_share_one_run(site: Site) -> None:
    report = {"id": site.runnable()[0], "name": "Who Came", "columns": ["a", "b", "c", "d"]}
    output = site.sync("report_results", "report_who_came", reports=[report], max_concurrency=8)
    assert set(site.api.runs.values()) == {1}
    assert len(site.api.runs) == len(days())
    both = [output.rows(name) for name in ("report_results", "report_who_came")]
    assert [row["row_id"] for row in both[0]] == [row["row_id"] for row in both[1]]
    assert all("jobs" not in str(mark) for mark in output.state["bookmarks"].values())


def test_results_that_expire_before_the_second_stream_cause_another_run(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """A run over all reports takes hours, and it is not known how long results are kept."""
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
    assert [text for text in caplog.messages if "running the query again" in text]


def test_configured_people_search_v3_report_is_run(site: Site) -> None:
    """Its rows are those of its saved dates, not those that are sent; the README says so."""
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
