"""Report runs in version 2: the parameters of a start, the states, the results."""

from datetime import timedelta
from typing import Any

import pytest
from sandbox.kissmetrics import Run, Sizes

from tests.sandbox.kissmetrics.client import DAY, Client, Serve, links_of, report_of

START = "2026-03-04T00:00:00-08:00"
END = "2026-03-04T23:59:59-08:00"
UNSUPPORTED = "Error initializing report: Only people search reports supported at this time."


def test_a_run_has_the_documented_states(client: Client) -> None:
    report = report_of(client)
    started = client.start(report)
    assert started.status_code == 202
    url = started.headers["Location"]
    assert url.startswith(f"{client.at.query}/v2/queries/")
    assert url.endswith("/status")
    assert started.json() == {
        "meta": {"status": 202},
        "data": {"message": "success"},
        "links": [{"templated": False, "href": url, "rel": "query-status", "name": "Status"}],
    }
    statuses = [client.get(url) for _ in range(4)]
    assert [one.status_code for one in statuses] == [200, 200, 201, 201]
    assert [one.json()["data"]["completed"] for one in statuses] == [False, False, True, True]
    progress = [one.json()["data"]["progress"] for one in statuses]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert links_of(statuses[0].json()) == {"self": url}
    results = url.replace("/status", "/results")
    assert statuses[-1].headers["Location"] == results
    assert links_of(statuses[-1].json()) == {"self": url, "query-results": results}
    assert client.get(results).json()["data"] == client.api.data.day_rows(report, DAY)
    assert client.api.early_reads == 0


def test_a_single_page_of_results_links_to_itself_and_the_export_only(client: Client) -> None:
    url = client.results(report_of(client))
    response = client.get(url)
    export = url.replace("/results", "/export")
    own = f"{url}?limit=50&offset=0"
    assert links_of(response.json()) == {"self": own, "export": export}
    assert response.headers["Link"].count("; rel=") == 2
    assert response.json()["pagination"] == {"limit": 50, "offset": 0, "total": 40}
    text = client.get(export).text.splitlines()
    assert text[0] == "KMID,Person,Signed up,Signed up,Plan,Revenue"
    assert len(text) == 41


def test_results_come_in_pages(serve: Serve) -> None:
    client = serve(sizes=Sizes(rows_per_day=120))
    report = report_of(client)
    expected = client.api.data.day_rows(report, DAY)
    url = client.results(report)
    assert [len(body["data"]) for body in client.pages(url)] == [50, 50, 20]
    assert client.records(url) == expected
    assert client.records(url, limit=7) == expected
    assert client.get(url, offset=1, limit=1).json()["data"] == expected[1:2]
    assert client.get(url, offset="x").status_code == 400


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
def test_the_window_must_be_two_iso_dates_with_an_offset(client: Client, body: Any) -> None:
    response = client.start_with(report_of(client), json=body)
    assert response.status_code == 400
    assert response.json()["meta"]["errors"] == ["invalid_parameter"]
    assert response.json()["links"] == []
    assert not client.api.runs


@pytest.mark.parametrize(
    "end", ["2026-03-05T07:59:59Z", "2026-03-05T07:59:59+0000", "2026-03-04T23:59:59.000-08:00"]
)
def test_formats_of_the_same_time_are_equivalent(client: Client, end: str) -> None:
    report = report_of(client)
    started = client.start_with(report, json={"start_date": START, "end_date": end})
    url = client.finish(started).headers["Location"]
    assert client.records(url) == client.api.data.day_rows(report, DAY)


@pytest.mark.parametrize(
    "options",
    [
        {"data": '{"start_date": "x"', "headers": {"Content-Type": "application/json"}},
        {"data": f'{{"start_date": "{START}", "end_date": "{END}"}}'},
    ],
)
def test_a_run_requires_json_and_its_content_type(client: Client, options: dict[str, Any]) -> None:
    assert client.start_with(report_of(client), **options).status_code == 400


@pytest.mark.parametrize("report_type", ["funnel", "cohort"])
def test_other_report_types_are_refused_with_the_recorded_message(
    client: Client, report_type: str
) -> None:
    response = client.start(report_of(client, report_type))
    assert response.json() == {
        "meta": {"status": 400, "message": UNSUPPORTED, "errors": ["invalid_parameter"]},
        "links": [],
    }


def test_reports_must_exist_in_the_product(client: Client) -> None:
    products, report = client.api.data.ids("products"), report_of(client)
    body = {"start_date": START, "end_date": END}
    for path in (
        f"products/{products[1]}/reports/{report}/run",
        f"products/{products[0]}/reports/{products[0]}/run",
        f"products/unknown/reports/{report}/run",
        "products",
    ):
        response = client.request("POST", f"{client.at.query}/v2/{path}", json=body)
        assert response.status_code == 404
    assert client.request("POST", f"{client.at.query}/v2", json=body).status_code == 404


def test_every_step_requires_the_token(client: Client) -> None:
    url = client.results(report_of(client))
    wrong_token = {"Authorization": "Bearer wrong"}
    for step in ("status", "results", "export"):
        other = url.replace("results", step)
        assert client.request("GET", other, headers=wrong_token).status_code == 401
    assert client.start_with(report_of(client), headers=wrong_token).status_code == 401


def test_a_deleted_report_cannot_be_started(client: Client) -> None:
    report = report_of(client)
    before = client.start(report)
    product = client.api.data.records("reports")[0]["product_id"]
    client.api.delete_report(report)
    url = f"{client.at.query}/v2/products/{product}/reports/{report}/run"
    body = {"start_date": START, "end_date": END}
    assert client.request("POST", url, json=body).status_code == 404
    assert client.finish(before).status_code == 201


def test_starts_are_counted_by_report_and_window(serve: Serve) -> None:
    locations = []
    for client in (serve(), serve()):
        report = report_of(client)
        days = (DAY, DAY, DAY + timedelta(days=1))
        paths = [client.start(report, day).headers["Location"].split("/v2/")[1] for day in days]
        assert len(set(paths)) == 3
        assert client.api.runs == {
            Run(report, *client.api.data.day_window(report, day)): 3 - count
            for count, day in enumerate((DAY, DAY + timedelta(days=1)), start=1)
        }
        locations.append(paths)
    assert locations[0] == locations[1]
