"""The forms of result rows in version 2: by report type, with and without columns."""

from datetime import timedelta

from sandbox.kissmetrics import PageRules, RunRules

from tests.sandbox.kissmetrics.client import DAY, Client, Serve, report_of

UNSUPPORTED = "Error initializing report: Only people search reports supported at this time."


def test_newer_reports_return_their_saved_window_for_any_dates(client: Client) -> None:
    report = report_of(client, "people_search_v3")
    expected = client.api.data.rows(report, *client.api.data.saved_window(report), shifted=True)
    for day in (DAY, DAY + timedelta(days=40)):
        rows = client.records(client.results(report, day), limit=1000)
        assert rows == [{"identity": row[1], "columns": row[2:]} for row in expected]
    assert isinstance(expected[0][3], int)


def test_newer_reports_can_return_the_requested_window_or_be_refused(serve: Serve) -> None:
    client = serve(run_rules=RunRules(people_search_v3="given_window", row_form="array"))
    report = report_of(client, "people_search_v3")
    start, end = client.api.data.day_window(report, DAY)
    expected = client.api.data.rows(report, start, end, shifted=True)
    assert client.records(client.results(report)) == expected
    client.api.run_rules = RunRules(people_search_v3="refused")
    assert client.start(report).json()["meta"]["message"] == UNSUPPORTED


def test_older_reports_can_have_rows_as_objects(serve: Serve) -> None:
    client = serve(run_rules=RunRules(row_form="object", columns="labels"))
    report = report_of(client)
    body = client.get(client.results(report)).json()
    expected = client.api.data.day_rows(report, DAY)
    assert body["data"] == [{"identity": row[1], "columns": row[2:]} for row in expected]
    assert body["columns"] == ["Signed up", "Signed up", "Plan", "Revenue"]


def test_results_can_describe_their_columns(serve: Serve) -> None:
    client = serve(run_rules=RunRules(columns="labels"))
    url = client.results(report_of(client))
    assert client.get(url).json()["columns"] == client.api.data.labels
    client.api.run_rules = RunRules(columns="objects")
    columns = client.get(url).json()["columns"]
    assert [one["display_name"] for one in columns] == client.api.data.labels
    assert [one["return_option"] for one in columns[2:4]] == ["total_times", "last"]
    assert columns[0]["type"] == "internal"


def test_results_support_every_form_and_defect_of_lists(serve: Serve) -> None:
    client = serve(run_rules=RunRules(pages=PageRules(form="bare", max_limit=7)))
    url = client.results(report_of(client))
    assert len(client.get(url, limit=50).json()) == 7
    client.api.run_rules = RunRules(pages=PageRules(short_of_total=5))
    assert client.get(url).json()["pagination"]["total"] == 45
