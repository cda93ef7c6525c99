"""Report runs in version 2: what a start takes, the states, the results."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sandbox.kissmetrics import Run, Sizes

from tests.sandbox.kissmetrics.asking import DAY, Asker, links_of, report_of

Serve = Callable[..., Asker]
START = "2026-03-04T00:00:00-08:00"
END = "2026-03-04T23:59:59-08:00"
UNSUPPORTED = "Error initializing report: Only people search reports supported at this time."


def test_a_run_goes_through_its_states(asker: Asker) -> None:
    report = report_of(asker)
    started = asker.start(report)
    assert started.status_code == 202
    url = started.headers["Location"]
    assert url.startswith(f"{asker.at.query}/v2/queries/")
    assert url.endswith("/status")
    assert started.json() == {
        "meta": {"status": 202},
        "data": {"message": "success"},
        "links": [{"templated": False, "href": url, "rel": "query-status", "name": "Status"}],
    }
    statuses = [asker.get(url) for _ in range(4)]
    assert [one.status_code for one in statuses] == [200, 200, 201, 201]
    assert [one.json()["data"]["completed"] for one in statuses] == [False, False, True, True]
    progress = [one.json()["data"]["progress"] for one in statuses]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert links_of(statuses[0].json()) == {"self": url}
    results = url.replace("/status", "/results")
    assert statuses[-1].headers["Location"] == results
    assert links_of(statuses[-1].json()) == {"self": url, "query-results": results}
    assert asker.get(results).json()["data"] == asker.api.data.day_rows(report, DAY)
    assert asker.api.early_reads == 0


def test_a_single_page_of_results_links_to_itself_and_the_export_only(asker: Asker) -> None:
    url = asker.results(report_of(asker))
    answer = asker.get(url)
    export = url.replace("/results", "/export")
    own = f"{url}?limit=50&offset=0"
    assert links_of(answer.json()) == {"self": own, "export": export}
    assert answer.headers["Link"].count("; rel=") == 2
    assert answer.json()["pagination"] == {"limit": 50, "offset": 0, "total": 40}
    text = asker.get(export).text.splitlines()
    assert text[0] == "KMID,Person,Signed up,Signed up,Plan,Revenue"
    assert len(text) == 41


def test_results_come_in_pages(serve: Serve) -> None:
    asker = serve(sizes=Sizes(rows_per_day=120))
    report = report_of(asker)
    expected = asker.api.data.day_rows(report, DAY)
    url = asker.results(report)
    assert [len(body["data"]) for body in asker.pages(url)] == [50, 50, 20]
    assert asker.records(url) == expected
    assert asker.records(url, limit=7) == expected
    assert asker.get(url, offset=1, limit=1).json()["data"] == expected[1:2]
    assert asker.get(url, offset="x").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"start_date": START},
        {"report": {"start_date": START, "end_date": END}},
        {"start_date": 1433289600, "end_date": 1433376000},
        {"start_date": "1433289600", "end_date": "1433376000"},
        {"start_date": "2026-03-04", "end_date": "2026-03-04"},
        {"start_date": "2026-03-04T00:00:00", "end_date": END},
        {"start_date": "2026-02-30T00:00:00Z", "end_date": END},
        {"start_date": START, "end_date": "2026-03-04T25:00:00-08:00"},
        {"start_date": END, "end_date": START},
    ],
)
def test_a_window_is_two_iso_dates_with_an_offset(asker: Asker, body: Any) -> None:
    answer = asker.start_with(report_of(asker), json=body)
    assert answer.status_code == 400
    assert answer.json()["meta"]["errors"] == ["invalid_parameter"]
    assert answer.json()["links"] == []
    assert not asker.api.runs


@pytest.mark.parametrize(
    "end", ["2026-03-05T07:59:59Z", "2026-03-05T07:59:59+0000", "2026-03-04T23:59:59.000-08:00"]
)
def test_spellings_of_a_date_are_one(asker: Asker, end: str) -> None:
    report = report_of(asker)
    started = asker.start_with(report, json={"start_date": START, "end_date": end})
    url = asker.finish(started).headers["Location"]
    assert asker.records(url) == asker.api.data.day_rows(report, DAY)


@pytest.mark.parametrize(
    "options",
    [
        {"data": '{"start_date": "x"', "headers": {"Content-Type": "application/json"}},
        {"data": f'{{"start_date": "{START}", "end_date": "{END}"}}'},
    ],
)
def test_a_run_needs_json_by_name_and_nature(asker: Asker, options: dict[str, Any]) -> None:
    assert asker.start_with(report_of(asker), **options).status_code == 400


@pytest.mark.parametrize("report_type", ["funnel", "cohort"])
def test_other_reports_are_refused_in_the_recorded_words(asker: Asker, report_type: str) -> None:
    answer = asker.start(report_of(asker, report_type))
    assert answer.json() == {
        "meta": {"status": 400, "message": UNSUPPORTED, "errors": ["invalid_parameter"]},
        "links": [],
    }


def test_reports_must_exist_and_be_the_products(asker: Asker) -> None:
    products, report = asker.api.data.ids("products"), report_of(asker)
    body = {"start_date": START, "end_date": END}
    for path in (
        f"products/{products[1]}/reports/{report}/run",
        f"products/{products[0]}/reports/{products[0]}/run",
        f"products/unknown/reports/{report}/run",
        "products",
    ):
        answer = asker.ask("POST", f"{asker.at.query}/v2/{path}", json=body)
        assert answer.status_code == 404
    assert asker.ask("POST", f"{asker.at.query}/v2", json=body).status_code == 404


def test_every_step_takes_the_token_only(asker: Asker) -> None:
    url = asker.results(report_of(asker))
    nobody = {"Authorization": "Bearer wrong"}
    for step in ("status", "results", "export"):
        other = url.replace("results", step)
        assert asker.ask("GET", other, headers=nobody).status_code == 401
    assert asker.start_with(report_of(asker), headers=nobody).status_code == 401


def test_a_deleted_report_cannot_be_started(asker: Asker) -> None:
    report = report_of(asker)
    before = asker.start(report)
    product = asker.api.data.records("reports")[0]["product_id"]
    asker.api.delete_report(report)
    url = f"{asker.at.query}/v2/products/{product}/reports/{report}/run"
    body = {"start_date": START, "end_date": END}
    assert asker.ask("POST", url, json=body).status_code == 404
    assert asker.finish(before).status_code == 201


def test_starts_are_counted_by_report_and_window(serve: Serve) -> None:
    locations = []
    for asker in (serve(), serve()):
        report = report_of(asker)
        days = (DAY, DAY, DAY + timedelta(days=1))
        paths = [asker.start(report, day).headers["Location"].split("/v2/")[1] for day in days]
        assert len(set(paths)) == 3
        assert asker.api.runs == {
            Run(report, *asker.api.data.day_window(report, day)): 3 - count
            for count, day in enumerate((DAY, DAY + timedelta(days=1)), start=1)
        }
        locations.append(paths)
    assert locations[0] == locations[1]
