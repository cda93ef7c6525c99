"""The forms of result rows in version 2: by the report's type, with and without columns."""

from collections.abc import Callable
from datetime import timedelta

from sandbox.kissmetrics import PageRules, RunRules

from tests.sandbox.kissmetrics.asking import DAY, Asker, report_of

Serve = Callable[..., Asker]
UNSUPPORTED = "Error initializing report: Only people search reports supported at this time."


def test_newer_reports_give_their_saved_days_whatever_is_asked_for(asker: Asker) -> None:
    report = report_of(asker, "people_search_v3")
    expected = asker.api.data.rows(report, *asker.api.data.saved_window(report), shifted=True)
    for day in (DAY, DAY + timedelta(days=40)):
        rows = asker.records(asker.results(report, day), limit=1000)
        assert rows == [{"identity": row[1], "columns": row[2:]} for row in expected]
    assert isinstance(expected[0][3], int)


def test_newer_reports_may_keep_to_the_window_or_be_refused(serve: Serve) -> None:
    asker = serve(run_rules=RunRules(people_search_v3="given_window", row_form="array"))
    report = report_of(asker, "people_search_v3")
    start, end = asker.api.data.day_window(report, DAY)
    expected = asker.api.data.rows(report, start, end, shifted=True)
    assert asker.records(asker.results(report)) == expected
    asker.api.run_rules = RunRules(people_search_v3="refused")
    assert asker.start(report).json()["meta"]["message"] == UNSUPPORTED


def test_older_reports_may_have_rows_as_objects(serve: Serve) -> None:
    asker = serve(run_rules=RunRules(row_form="object", columns="labels"))
    report = report_of(asker)
    body = asker.get(asker.results(report)).json()
    expected = asker.api.data.day_rows(report, DAY)
    assert body["data"] == [{"identity": row[1], "columns": row[2:]} for row in expected]
    assert body["columns"] == ["Signed up", "Signed up", "Plan", "Revenue"]


def test_columns_may_be_told(serve: Serve) -> None:
    asker = serve(run_rules=RunRules(columns="labels"))
    url = asker.results(report_of(asker))
    assert asker.get(url).json()["columns"] == asker.api.data.labels
    asker.api.run_rules = RunRules(columns="objects")
    columns = asker.get(url).json()["columns"]
    assert [one["display_name"] for one in columns] == asker.api.data.labels
    assert [one["return_option"] for one in columns[2:4]] == ["total_times", "last"]
    assert columns[0]["type"] == "internal"


def test_results_may_have_any_form_and_fault_of_lists(serve: Serve) -> None:
    asker = serve(run_rules=RunRules(pages=PageRules(form="bare", max_limit=7)))
    url = asker.results(report_of(asker))
    assert len(asker.get(url, limit=50).json()) == 7
    asker.api.run_rules = RunRules(pages=PageRules(short_of_total=5))
    assert asker.get(url).json()["pagination"]["total"] == 45
