"""Saved reports of version 3 are run, polled and paged; none is run twice."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import RunRules, V3Rules
from tap_kit import SyncFailed

from tests.kissmetrics.rows import comparable
from tests.kissmetrics.site import days
from tests.kissmetrics.v3.rows import expected_rows

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site


@pytest.mark.parametrize("polls", [0, 1, 6])
def test_every_report_is_run_for_each_day(serve_v3: ServeV3, polls: int) -> None:
    reports = 8 if polls == 0 else 4  # the last of eight has no rows
    site = serve_v3(run_rules=RunRules(polls=polls), sizes={"reports": reports})
    output = site.sync("report_results")
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    assert set(site.api.runs.values()) == {1}
    requests = len(site.requests("GET", "/queries/"))
    runs = len(site.api.runs)
    assert requests - runs * (polls + 1) in range(len(days()) + reports), (
        "and the ends of the results"
    )


def test_window_of_a_day_is_sent_as_on_and_of_a_week_as_between(serve_v3: ServeV3) -> None:
    site = serve_v3(sizes={"reports": 2, "products": 1})
    first, second = site.ids("reports")
    in_turn: dict[str, Any] = {"max_concurrency": 1}
    site.sync("report_results", reports=[{"id": first}], **in_turn)
    week: dict[str, Any] = {"window_days": 7, "end_date": "2024-02-10", **in_turn}
    site.sync("report_results", reports=[{"id": second}], **week)
    assert site.bodies("/report") == [
        {"report_id": first, "date_range": {"type": "on", "date": "2024-02-01"}},
        {"report_id": first, "date_range": {"type": "on", "date": "2024-02-02"}},
        {
            "report_id": second,
            "date_range": {"type": "between", "date": "2024-02-01/2024-02-07"},
        },
        {
            "report_id": second,
            "date_range": {"type": "between", "date": "2024-02-08/2024-02-10"},
        },
    ]
    (request, *_) = site.requests("POST")
    assert request.headers["content-type"] == "application/json"


def test_people_search_runs_with_its_saved_dates(v3: V3Site) -> None:
    """It runs once per sync, without the date range that other types require."""
    people = v3.api.v3_data.records("reports")[0]
    assert people["report_type"] == "people_search"
    output = v3.sync(reports=[{"id": people["id"], "saved_dates": True}])
    assert v3.bodies("/report") == [{"report_id": people["id"]}]
    saved: Any = v3.api.v3_data.report_rows(people["id"], None)
    rows = output.rows("report_results")
    assert [r["identity"] for r in rows] == [r[1] for r in saved.page(0, len(saved))]
    assert {r["start_date"][:4] for r in rows} == {str(date.today().year)}  # noqa: DTZ011


def test_other_report_with_saved_dates_fails_and_the_others_are_read(v3: V3Site) -> None:
    funnel = v3.api.v3_data.records("reports")[2]
    assert funnel["report_type"] == "funnel"
    good = v3.ids("reports")[0]
    ended = v3.execute(reports=[{"id": funnel["id"], "saved_dates": True}, {"id": good}])
    assert ended.code == 1, ended.stderr
    line, last = [text for text in ended.errors if str(funnel["id"]) in text]
    assert "the server refuses the query (POST /queries/report: HTTP 400)" in line
    assert "these failed: report_results, report_id" in last
    rows = comparable(ended.output.rows("report_results"))
    assert rows == expected_rows(v3.api, days(), [good])


@pytest.mark.parametrize("cap", [3, 10_000])
@pytest.mark.parametrize("size", [1, 7, 10, 1000])
def test_results_are_paged_to_their_end(serve_v3: ServeV3, size: int, cap: int) -> None:
    site = serve_v3(
        run_rules=RunRules(polls=0), sizes={"rows_per_day": 20}, v3=V3Rules(max_limit=cap)
    )
    one = site.ids("reports")[:1]
    output = site.sync(
        "report_results", reports=[{"id": i} for i in one], end_date="2024-02-01", page_size=size
    )
    expected = expected_rows(site.api, days()[:1], one)
    assert comparable(output.rows("report_results")) == expected
    assert len(expected) == 20
    assert set(site.api.runs.values()) == {1}, "no page starts a new run"


@pytest.mark.parametrize("form", ["array", "object"])
def test_people_are_read_in_either_shape(serve_v3: ServeV3, form: Any) -> None:
    site = serve_v3(run_rules=RunRules(row_form=form))
    rows = site.sync("report_results", reports=[{"id": site.ids("reports")[0]}]).rows(
        "report_results"
    )
    expected = expected_rows(site.api, days(), site.ids("reports")[:1])
    assert [r["identity"] for r in rows] == [r["identity"] for r in expected]
    assert [r["values"] for r in rows] == [r["values"] for r in expected]
    assert all((row["kmid"] is not None) is (form == "array") for row in rows)


def test_stream_of_a_report_has_its_columns_by_position_or_by_name(v3: V3Site) -> None:
    people, _, funnel = v3.ids("reports")[:3]
    reports: list[dict[str, Any]] = [
        {"id": people, "name": "Who Came", "columns": ["Times", "Last", "Plan", "Revenue"]},
        {"id": str(funnel), "name": "Way", "columns": ["people", "name", "step"]},
    ]
    output = v3.sync("report_who_came", "report_way", "report_results", reports=reports)
    assert set(v3.api.runs.values()) == {1}, "one run for both streams"
    all_rows = output.rows("report_results")
    for stream, report_id in (("report_who_came", people), ("report_way", funnel)):
        same = [row["row_id"] for row in all_rows if row["report_id"] == report_id]
        assert [row["row_id"] for row in output.rows(stream)] == same
    first = output.rows("report_way")[0]
    (values, *_) = [row["values"] for row in all_rows if row["report_id"] == funnel]
    assert [first["people"], first["name"], first["step"]] == [
        str(values["people"]),
        values["name"],
        str(values["step"]),
    ]
    (times, *_) = [row["values"]["Times"] for row in all_rows if row["report_id"] == people]
    assert output.rows("report_who_came")[0]["times"] == str(times)


def test_failed_run_is_repeated_once(serve_v3: ServeV3) -> None:
    site = serve_v3(run_rules=RunRules(error="out of memory", error_starts=1))
    output = site.sync("report_results", end_date="2024-02-01")
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days()[:1])
    assert set(site.api.runs.values()) == {2}


def test_run_that_fails_twice_is_named_and_the_others_are_read(
    v3: V3Site, caplog: pytest.LogCaptureFixture
) -> None:
    bad = v3.ids("reports")[1]
    v3.api.run_rules_of[str(bad)] = RunRules(error="details of somebody's query")
    output, error = v3.failing_sync(SyncFailed, "report_results", max_concurrency=1)
    name, later = (f"report_results, report_id {bad}, 2024-02-0{day}" for day in (1, 2))
    assert str(error) == f"All other streams are complete; these failed: {name}; {later}"
    assert "somebody" not in caplog.text
    rest = [row for row in expected_rows(v3.api, days()) if row["report_id"] != bad]
    assert comparable(output.rows("report_results")) == rest


def test_report_that_is_not_listed_is_skipped_and_the_others_are_read(v3: V3Site) -> None:
    here = v3.ids("reports")[0]
    ended = v3.execute(reports=[{"id": 77}, {"id": here}])
    assert ended.code == 0, ended.stderr
    problem = "it is not in the lists of the products"
    assert ended.warnings == [f"Skipped report 77 of the settings: {problem}"]
    rows = comparable(ended.output.rows("report_results"))
    assert rows == expected_rows(v3.api, days(), [here])


def test_results_that_expire_before_they_are_read_cause_another_run(v3: V3Site) -> None:
    """The second stream of a report requests the first page later than the first one."""
    report: dict[str, Any] = {
        "id": v3.ids("reports")[0],
        "name": "mine",
        "columns": ["a", "b", "c", "d"],
    }
    streams = ("report_mine", "report_results")
    v3.api.run_rules = RunRules(polls=0)
    first_pages, third = r"/queries/[^/]+\?.*offset=0", frozenset({len(days()) + 1})
    v3.api.faults.append(Fault("status", status=404, path=first_pages, only=third))
    output = v3.sync(*streams, reports=[report], max_concurrency=1)
    expected = [row["row_id"] for row in expected_rows(v3.api, days(), [report["id"]])]
    for stream in streams:
        assert [row["row_id"] for row in output.rows(stream)] == expected
    assert sorted(v3.api.runs.values()) == [1, 2]


@pytest.mark.parametrize("status", [402, 410, 422])
def test_product_whose_reports_are_refused_fails_and_the_others_are_read(
    serve_v3: ServeV3, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve_v3(sizes={"products": 2, "reports": 4})
    first, *_ = site.ids("products")
    reports = site.api.v3_data.records("reports")
    others = [report["id"] for report in reports if report["product_id"] != first]
    site.api.faults.append(Fault("status", status=status, path=f"/products/{first}/reports"))
    output, error = site.failing_sync(SyncFailed, "report_results")
    failed = f"reports of product {first}"
    assert str(error) == f"All other streams are complete; these failed: {failed}"
    problem = f"GET /products/{first}/reports: HTTP {status}"
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == [f"{failed}: failed: {problem}"]
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), others)


def test_refused_reports_are_one_error_however_often_they_are_requested(
    serve_v3: ServeV3, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve_v3(sizes={"products": 2, "reports": 4})
    first, *_ = site.ids("products")
    reports = site.api.v3_data.records("reports")
    others = [report["id"] for report in reports if report["product_id"] != first]
    site.api.faults.append(Fault("status", status=422, path=f"/products/{first}/reports"))
    chosen = [{"id": one} for one in others]
    output, _ = site.failing_sync(SyncFailed, "report_results", reports=chosen)
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert len(site.requested(f"/products/{first}/reports")) == len(chosen) > 1
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days(), others)
