"""The rows of reports, in each of their shapes: keys, labels and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.kissmetrics import RunRules
from tap_kissmetrics.reports.rows import Person, as_text, labels_of

from tests.kissmetrics.canned import RESULTS, Canned
from tests.kissmetrics.rows import comparable, expected_rows, hashed
from tests.kissmetrics.site import days

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

START = "2024-02-01T00:00:00+00:00"
LABELS = ["Signed up", "Signed up (2)", "Plan", "Revenue"]
V1_LABELS = ["Signed up (Total times)", "Signed up (Last)", "Plan (Last)", "Revenue (Sum)"]


def rows_of(response: Any, **settings: Any) -> list[dict[str, Any]]:
    """Return the rows of one day of one report with these results."""
    with Canned({RESULTS: response}) as server:
        return server.sync("report_results", **settings).rows("report_results")


def test_every_row_of_every_runnable_report_is_written(site: Site) -> None:
    output = site.sync()
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    assert site.api.early_reads == 0


def test_rows_as_objects_have_a_null_kmid(serve: Serve) -> None:
    site = serve(run_rules=RunRules(row_form="object"))
    rows = site.sync("report_results", end_date="2024-02-01").rows("report_results")
    expected = expected_rows(site.api, days()[:1])
    same = ("report_id", "start_date", "identity", "values", "row_number")
    assert [[row[f] for f in same] for row in rows] == [[row[f] for f in same] for row in expected]
    assert {row["kmid"] for row in rows} == {None}
    assert rows[0]["row_id"] == hashed(
        [rows[0]["report_id"], rows[0]["start_date"], rows[0]["identity"], 1]
    )
    assert len({row["row_id"] for row in rows}) == len(rows)


@pytest.mark.parametrize("form", ["array", "object"])
@pytest.mark.parametrize(
    ("sent", "configured", "labels"),
    [
        (None, None, ["column_1", "column_2", "column_3", "column_4"]),
        (None, ["a", "b", "c", "d"], ["a", "b", "c", "d"]),
        (None, ["a", "a"], ["a", "a (2)", "column_3", "column_4"]),
        (None, ["a", "b", "c", "d", "e"], ["a", "b", "c", "d"]),
        ("objects", ["a", "b", "c", "d"], V1_LABELS),
        ("labels", None, LABELS),
    ],
)
def test_labels_are_those_sent_else_those_configured_else_numbers(
    serve: Serve, form: Any, sent: Any, configured: list[str] | None, labels: list[str]
) -> None:
    site = serve(run_rules=RunRules(polls=0, columns=sent, row_form=form))
    report = {"id": site.runnable()[0]} | ({"columns": configured} if configured else {})
    rows = site.sync("report_results", reports=[report]).rows("report_results")
    assert rows
    assert all(list(row["values"]) == labels for row in rows)


@pytest.mark.parametrize(
    ("sent", "labels"),
    [
        (["KMID", "Person", "x", "x", "x (2)"], ["x", "x (2)", "x (2) (2)"]),
        (["x", "y", "z"], ["x", "y", "z"]),
        (["x", "y"], ["column_1", "column_2", "column_3"]),
        (["x"] * 3, ["x", "x (2)", "x (3)"]),
        ([], ["column_1", "column_2", "column_3"]),
    ],
    ids=str,
)
def test_sent_labels_are_used_when_their_number_fits(sent: list[str], labels: list[str]) -> None:
    assert labels_of(sent, (), [Person(1, "a", [1, 2, 3])]) == labels


def test_cells_are_written_as_the_vendor_sent_them() -> None:
    cells = [
        0,
        1.5,
        None,
        "",
        "null",
        "Größe 🛒",
        True,
        [1],
        {"a": None},
        2**60,
        "2024-02-01 00:00:00",
    ]
    (row,) = rows_of([[1, "a@x", *cells]])
    assert list(row["values"].values()) == cells


def test_person_that_comes_twice_keeps_both_rows() -> None:
    rows = rows_of([[1, "a@x", 5], [1, "b@x", 5], [2, "a@x", 5], [1, "a@x", 5]])
    assert [row["row_id"] for row in rows] == [
        hashed(["r1", START, 1, 1]),
        hashed(["r1", START, 1, 2]),
        hashed(["r1", START, 2, 1]),
        hashed(["r1", START, 1, 3]),
    ]


def test_person_that_comes_twice_on_different_pages_keeps_both_rows() -> None:
    results = [[number % 4, "x", number] for number in range(12)]
    rows = rows_of(results, page_size=5)
    assert len({row["row_id"] for row in rows}) == 12
    assert [row["row_number"] for row in rows] == list(range(1, 13))
    assert rows[-1]["row_id"] == hashed(["r1", START, 3, 3])


def test_row_without_a_person_has_a_key() -> None:
    rows = rows_of([[None, None, 1], {"columns": [2]}, [None, "", 3]])
    assert [row["row_id"] for row in rows] == [
        hashed(["r1", START, None, 1]),
        hashed(["r1", START, None, 2]),
        hashed(["r1", START, "", 1]),
    ]


def test_number_and_equal_text_are_two_persons() -> None:
    rows = rows_of([[1, "1"], {"identity": "1", "columns": []}])
    assert [row["row_id"] for row in rows] == [
        hashed(["r1", START, 1, 1]),
        hashed(["r1", START, "1", 1]),
    ]


def test_window_that_is_read_again_has_the_same_keys(site: Site) -> None:
    first, second = (
        site.sync("report_results", end_date="2024-02-01").rows("report_results") for _ in range(2)
    )
    assert [row["row_id"] for row in first] == [row["row_id"] for row in second]
    assert [row["extracted_from"] for row in first] != [row["extracted_from"] for row in second]


def test_extracted_from_is_the_id_of_the_query(site: Site) -> None:
    rows = site.sync("report_results", end_date="2024-02-01").rows("report_results")
    queries = {target.split("/")[3] for target in site.requested("/status")}
    assert {row["extracted_from"] for row in rows} <= queries


def test_stream_of_a_report_has_the_rows_of_the_report(site: Site) -> None:
    columns = ["Signed up", "Signed Up", "signedUp", "Größe, €"]
    report: dict[str, Any] = {"id": site.runnable()[0], "name": "Who: came?", "columns": columns}
    output = site.sync("report_who_came", reports=[report])
    rows = output.rows("report_who_came")
    expected = expected_rows(site.api, days(), [report["id"]])
    fields = ["signed_up", "signed_up_2", "signed_up_3", "groe"]
    for row, wanted in zip(rows, expected, strict=True):
        texts = [as_text(value) for value in wanted.pop("values").values()]
        assert comparable([row]) == [{**wanted, **dict(zip(fields, texts, strict=True))}]


def test_columns_do_not_replace_the_common_fields() -> None:
    report = {"id": "r1", "name": "x", "columns": ["KMID", "Row ID", "Start Date"]}
    with Canned({}) as server:
        catalog = server.catalog(reports=[report])
    (entry,) = [one for one in catalog["streams"] if one["stream"] == "report_x"]
    fields = list(entry["schema"]["properties"])
    assert fields[-3:] == ["kmid_2", "row_id_2", "start_date_2"]
    assert all(entry["schema"]["properties"][field]["description"] for field in fields)


@pytest.mark.parametrize("columns", [["a"], ["a", "b", "c", "d", "e"]])
def test_another_number_of_columns_is_warned_about_once(
    site: Site, columns: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    report: dict[str, Any] = {"id": site.runnable()[0], "name": "x", "columns": columns}
    rows = site.sync("report_x", reports=[report], max_concurrency=1).rows("report_x")
    assert len(rows) == len(expected_rows(site.api, days(), [report["id"]]))
    (warning,) = [text for text in caplog.messages if "columns, the settings name" in text]
    assert warning.startswith(
        f"report_x: the report has 4 columns, the settings name {len(columns)}"
    )


def test_name_of_a_reports_stream_is_short_enough_for_every_warehouse(site: Site) -> None:
    report: dict[str, Any] = {"id": site.runnable()[0], "name": "long " * 30, "columns": ["a"]}
    names = [entry["stream"] for entry in site.catalog(reports=[report])["streams"]]
    (name,) = [name for name in names if name.startswith("report_long")]
    assert len(name) < 63


@pytest.mark.parametrize(
    ("widths", "labels"),
    [
        ([2, 1], ["X", "Y"]),
        ([1, 1], ["X"]),
        ([2, 3], ["X", "Y", "column_3"]),
        ([4], ["X", "Y", "column_3", "column_4"]),
        ([0], []),
    ],
)
def test_rows_of_other_widths_do_not_change_the_labels(
    widths: list[int], labels: list[str]
) -> None:
    people = [Person(1, "a@x", [0] * width) for width in widths]
    assert labels_of(["KMID", "Person", "X", "Y"], (), people) == labels
