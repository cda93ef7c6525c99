"""Bodies in JSON and CSV, and columns that differ from the catalog."""

from __future__ import annotations

import gzip
import json
import logging
from contextlib import ExitStack
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from tap_khoros_analytics.exports.bodies import FieldNames, JsonCells, check_number
from tap_khoros_analytics.exports.columns import columns_from, schema_of
from tap_kit.errors import JobFailed, SyncFailed

from tests.khoros_analytics.one_export import serving
from tests.khoros_analytics.site import (
    ONE_DAY,
    bookmark,
    catalog_fields,
    catalog_of,
    deselected,
)

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

LOGGER = logging.getLogger("tap-khoros-analytics")
OWN_FIELDS = {"row_id", "window_start", "window_end"}
BODIES: dict[str, tuple[bytes, list[dict[str, str | None]]]] = {
    "another order of keys": (
        b'[{"AUTHOR_ID":"1","AUTHOR_NAME":"a"},{"AUTHOR_NAME":"b","AUTHOR_ID":"2"}]',
        [{"author_id": "1", "author_name": "a"}, {"author_id": "2", "author_name": "b"}],
    ),
    "a key that is missing": (
        b'[{"AUTHOR_ID":"1"},{"AUTHOR_NAME":"b"}]',
        [{"author_id": "1", "author_name": None}, {"author_id": None, "author_name": "b"}],
    ),
    "white space": (
        b' \n[ {"AUTHOR_ID" : "1"} ,\r\n {"AUTHOR_ID":"2"}\n ]\n\n',
        [{"author_id": "1"}, {"author_id": "2"}],
    ),
    "unknown keys without strings": (
        b'[{"AUTHOR_ID":"1","NEW":{"a":[1,{}]}},{"NEW2":7,"AUTHOR_ID":"2"}]',
        [{"author_id": "1"}, {"author_id": "2"}],
    ),
    "keys with special characters": (
        b'[{"AUTHOR_ID":"1","a \\"b\\" \\\\ c":"x","\\n":"y"},{"AUTHOR_NAME":"b"}]',
        [{"author_id": "1", "author_name": None}, {"author_id": None, "author_name": "b"}],
    ),
    "a lone surrogate": (
        b'[{"AUTHOR_ID":"1\\ud800"},{"AUTHOR_ID":"2"}]',
        [{"author_id": "1\ufffd"}, {"author_id": "2"}],
    ),
    "invalid UTF-8": (b'[{"AUTHOR_ID":"1\xff"}]', [{"author_id": "1\ufffd"}]),
    "control characters": (b'[{"AUTHOR_ID":"\\u0000\\u001f"}]', [{"author_id": "\x00\x1f"}]),
    "equal rows": (
        b'[{"AUTHOR_ID":"1"},{"AUTHOR_ID":"1"},{"AUTHOR_ID":"1"}]',
        [{"author_id": "1"}] * 3,
    ),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_any_json_list_of_objects_is_read(site: Site, name: str, *, packed: bool) -> None:
    body, wanted = BODIES[name]
    with ExitStack() as stack:
        headers = (("content-encoding", "gzip"),) if packed else ()
        url = stack.enter_context(serving(gzip.compress(body) if packed else body, headers))
        output = site.sync("author", api_url=url, **ONE_DAY)
    rows = output.rows("author")
    assert [
        {field: row[field] for field in want} for row, want in zip(rows, wanted, strict=True)
    ] == wanted
    assert len({row["row_id"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (7, "got a number"),
        (1.5, "got a number"),
        (True, "got true or false"),
        (["s3cret"], "got a list"),
        ({"s3cret": 1}, "got an object"),
    ],
    ids=str,
)
def test_a_value_that_is_not_a_string_is_an_error_without_the_value(
    site: Site, value: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps([{"AUTHOR_ID": "1"}, {"AUTHOR_ID": value}]).encode()
    with serving(body) as url:
        output, error = site.failing_sync(SyncFailed, "author", api_url=url, **ONE_DAY)
    assert f"field author_id: expected a string or null, {words}" in caplog.text
    assert "author, 2024-02-01" in str(error)
    assert "s3cret" not in caplog.text
    assert output.rows("author") == []


CSV: dict[str, tuple[bytes, list[str | None]]] = {
    "windows lines": (b"Author ID,Author Name\r\n1,a\r\n2,b\r\n", ["1", "2"]),
    "no line feed at the end": (b"Author ID\n1\n2", ["1", "2"]),
    "line feeds in quotes": (b'Author Name,Author ID\n"a\n\nb",1\n"""",2\n', ["1", "2"]),
    "a byte order mark": (b'\xef\xbb\xbf"Author ID","Author Name"\n1,a\n', ["1"]),
    "rows of other widths": (b"Author Name,Author ID\na,1,x,y\nb\nc,3\n", ["1", None, "3"]),
    "blank lines": (b"Author ID,Author Name\n\n1,a\n\n", ["1"]),
    "a column twice": (b"Author ID,Author Name,Author ID\n1,a,9\n", ["1"]),
    "a header only": (b"Author ID\n", []),
}


@pytest.mark.parametrize("name", CSV)
def test_any_csv_with_a_header_is_read(site: Site, name: str) -> None:
    body, wanted = CSV[name]
    with serving(body) as url:
        output = site.sync("author", api_url=url, report_format="csv", **ONE_DAY)
    assert [row["author_id"] for row in output.rows("author")] == wanted


def test_a_list_item_that_is_not_an_object_fails_the_export(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(b'[{"AUTHOR_ID":"1"},"s3cret",{"AUTHOR_ID":"2"}]') as url:
        output, _ = site.failing_sync(SyncFailed, "author", api_url=url, **ONE_DAY)
    assert "author, 2024-02-01: failed: expected a list of objects" in caplog.text
    assert "s3cret" not in caplog.text
    assert output.rows("author") == []


def test_rows_wider_than_the_header_are_reported_once(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(b"Author ID\n1,x\n2\n3,y,z\n") as url:
        output = site.sync("author", api_url=url, report_format="csv", **ONE_DAY)
    assert [row["author_id"] for row in output.rows("author")] == ["1", "2", "3"]
    logged = [text for text in caplog.messages if "additional cells" in text]
    assert logged == ["author: a row has 2 cells, the header has 1; ignoring the additional cells"]


def test_rows_shorter_than_the_header_are_reported_once(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(b"Author ID,Author Name\n1\n2,y\n3\n") as url:
        output = site.sync("author", api_url=url, report_format="csv", **ONE_DAY)
    assert [row["author_id"] for row in output.rows("author")] == ["1", "2", "3"]
    logged = [text for text in caplog.messages if "missing cells" in text]
    assert logged == ["author: a row has 1 cells, the header has 2; the missing cells are null"]


def test_a_single_column_can_be_selected_from_csv(site: Site) -> None:
    catalog = catalog_of("author", report_format="csv")
    others = {*catalog_fields(catalog, "author")} - {"author_id"} - OWN_FIELDS
    catalog = deselected(catalog, "author", *others)
    with serving(b"Author Name,Author ID\na,1\nb,\n") as url:
        output = site.sync(catalog=catalog, api_url=url, report_format="csv", **ONE_DAY)
    assert [row["author_id"] for row in output.rows("author")] == ["1", None]
    assert {*output.rows("author")[0]} == {"author_id", *OWN_FIELDS}


@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_a_column_that_is_not_in_the_catalog_is_reported_once_and_ignored(
    serve: Serve, report_format: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(late_columns={"author": {"BADGE": date(2024, 2, 2)}})
    catalog = catalog_of("author")
    output = site.sync(catalog=catalog, report_format=report_format, end_date="2024-02-04")
    assert len(output.rows("author")) == 4 * 9
    assert {len(row) for row in output.rows("author")} == {len(catalog_fields(catalog, "author"))}
    logged = [text for text in caplog.messages if "not in the catalog" in text]
    assert len(logged) == 1
    assert ("BADGE" if report_format == "json" else "Badge") in logged[0]


def test_a_column_that_the_export_lacks_is_null_and_reported_once(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(columns={"author": ["AUTHOR_ID", "AUTHOR_NAME"]})
    rows = site.sync("author", report_format="csv").rows("author")
    assert {row["author_handle"] for row in rows} == {None}
    logged = [text for text in caplog.messages if "the export has no column for" in text]
    assert len(logged) == 1
    assert "author_handle" in logged[0]


def test_columns_that_only_json_has_are_not_reported_as_missing_in_csv(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = catalog_of("user")
    assert "total_mobile_time_millis" in catalog_fields(catalog, "user")
    output = site.sync(catalog=catalog, report_format="csv", **ONE_DAY)
    assert {row["total_mobile_time_millis"] for row in output.rows("user")} == {None}
    assert {row["agent_name"] for row in output.rows("user")} > {"Ada Lindqvist"}
    assert not [text for text in caplog.messages if "no column" in text]


def test_a_catalog_in_another_language_is_an_error_instead_of_rows_of_nulls(site: Site) -> None:
    catalog = catalog_of("author")
    for entry in catalog["streams"]:
        if entry["stream"] == "author":
            fields = entry["schema"]["properties"]
            for number, field in enumerate([f for f in fields if f not in OWN_FIELDS]):
                description = f"The vendor's column 'Feld {number}'."
                german = {"title": f"FELD_{number}", "description": description}
                fields[f"feld_{number}"] = {**fields.pop(field), **german}
            entry["metadata"] = []
    for report_format in ("json", "csv"):
        output, error = site.failing_sync(
            SyncFailed, catalog=catalog, report_format=report_format, **ONE_DAY
        )
        assert "author" in str(error)
        assert output.rows("author") == []
        assert bookmark(output.state, "author") is None


COLLIDING = ["AUTHOR_ID", "SLA %", "SLA #", "Region", "REGION", ""]
COLLIDING_FIELDS = ["author_id", "sla", "sla_2", "region", "region_2", "column"]


def _catalog_of_header(header: list[str], report_format: str) -> dict[str, Any]:
    """Return a catalog that selects an export with this header, as discovery writes it."""
    catalog = catalog_of("author", report_format=report_format)
    schema = schema_of(
        columns_from("author", header), title="", key=("row_id",), has_report_type=False
    )
    (entry,) = [entry for entry in catalog["streams"] if entry["stream"] == "author"]
    entry.update(schema=schema, metadata=entry["metadata"][:1])
    catalog["streams"] = [entry]
    return catalog


@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_names_that_differ_in_a_sign_or_in_capitals_are_columns_of_their_own(
    site: Site, report_format: str, caplog: pytest.LogCaptureFixture
) -> None:
    values = ["1", "90", "7", "EU", "eu", "x"]
    if report_format == "csv":
        body = (",".join(COLLIDING) + "\n" + ",".join(values) + "\n").encode()
    else:
        body = json.dumps([dict(zip(COLLIDING, values, strict=True))]).encode()
    catalog = _catalog_of_header(COLLIDING, report_format)
    with serving(body) as url:
        output = site.sync(catalog=catalog, api_url=url, report_format=report_format, **ONE_DAY)
    (row,) = output.rows("author")
    assert [row[field] for field in COLLIDING_FIELDS] == values
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_a_name_that_a_header_has_twice_is_two_columns_or_is_reported(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    body = b"AUTHOR_ID,STATUS,STATUS,STATUS\n1,open,closed,late\n"
    catalog = _catalog_of_header(["AUTHOR_ID", "STATUS", "STATUS"], "csv")
    with serving(body) as url:
        output = site.sync(catalog=catalog, api_url=url, report_format="csv", **ONE_DAY)
    (row,) = output.rows("author")
    assert [row[field] for field in ("author_id", "status", "status_2")] == ["1", "open", "closed"]
    assert "author: ignoring fields that are not in the catalog: 'STATUS'" in caplog.messages


@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_names_without_end_fail_the_export_in_one_line(
    site: Site, report_format: str, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"n{number}" for number in range(6_000)]
    if report_format == "csv":
        body = f"AUTHOR_ID,{','.join(names)}\n1\n".encode()
    else:
        parts = [names[start : start + 300] for start in range(0, len(names), 300)]
        body = json.dumps(
            [{"AUTHOR_ID": "1", **dict.fromkeys(part, "")} for part in parts]
        ).encode()
    with serving(body) as url:
        site.failing_sync(SyncFailed, "author", api_url=url, report_format=report_format, **ONE_DAY)
    assert "the export has more than 5,000 field names" in caplog.text
    assert sum(map(len, caplog.messages)) < 20_000


def test_an_export_without_columns_in_the_catalog_fails_without_a_request(site: Site) -> None:
    exports = {"author": {"columns": ["AUTHOR_ID"]}}
    ended = site.execute(discover_columns=False, exports=exports, **ONE_DAY)
    assert ended.code == 1
    assert "combined, 2024-02-01: failed: the catalog has no columns of it" in ended.stderr
    assert len(ended.output.rows("author")) == 9
    assert site.requested("report/combined") == []


@pytest.mark.parametrize("is_first", [True, False])
def test_a_row_with_millions_of_names_is_not_decoded(is_first: bool) -> None:  # noqa: FBT001
    cells = JsonCells(["a"], FieldNames("author", columns_from("author", ["a"]), LOGGER))
    names = ",".join(f'"n{number}":"\\"{number}"' for number in range(100_000))
    array = f'[{{"a":"1"}},{{{names}}}]' if is_first else f'[{{{names},"a":"1"}}]'
    with pytest.raises(JobFailed, match=r"^the export has more than 5,000 field names"):
        cells.decode(array.encode())


def test_a_long_value_of_another_type_is_not_decoded() -> None:
    cells = JsonCells(["a"], FieldNames("author", columns_from("author", ["a"]), LOGGER))
    many = b"[" + b"[]," * 500_000 + b"1]"
    assert cells.decode(b'[{"a":"1","b":' + many + b"}]") == [("1",)]
    with pytest.raises(SyncFailed, match="field a: expected a string or null, got a list"):
        cells.decode(b'[{"a":' + many + b"}]")


def test_names_can_be_neither_too_many_nor_too_long() -> None:
    check_number(["x"] * 5_000)
    check_number(["x" * (1 << 20)])
    for names in (["x"] * 5_001, ["x" * (1 << 20), "y"]):
        with pytest.raises(JobFailed):
            check_number(names)
