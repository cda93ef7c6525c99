"""Downloads: the storage, what breaks on the way, and how they go on."""

from __future__ import annotations

import gzip
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.khoros import Cut
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.answers import serving
from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import bookmark

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

ONE_DAY: dict[str, Any] = {"end_date": "2024-02-01"}
FORMATS = ("json", "csv")


def assert_whole(site: Site, report_format: str, **changes: Any) -> None:
    """All rows of a day, each once, in order."""
    output = site.sync("combined", report_format=report_format, **ONE_DAY, **changes)
    wanted = expected_rows(site.api, "combined", days()[:1], reportFormat=report_format)
    assert output.rows("combined") == wanted


def downloads(site: Site) -> int:
    return sum(site.api.counts.downloads.values())


def test_the_storage_sees_no_credentials(site: Site) -> None:
    site.sync()
    seen = [r for r in site.api.log.requests if r.path.startswith("/care-analytics-exports/")]
    assert len(seen) > 20
    for request in seen:
        assert {"authorization", "cookie"}.isdisjoint(request.headers)
        assert "companyKey" not in request.target
    assert site.api.counts.storage_credentials_seen == 0


@pytest.mark.parametrize("report_format", FORMATS)
@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize(
    "options", [{}, {"is_chunked": True}, {"has_gzip": True}], ids=["length", "chunks", "gzip"]
)
def test_a_download_that_breaks_off_goes_on_behind_the_rows_written(
    serve: Serve, how: Any, report_format: str, options: dict[str, Any]
) -> None:
    site = serve(rows_per_day=4000, cuts=[Cut(row=2500, how=how)], **options)
    assert_whole(site, report_format)
    assert downloads(site) == 2
    assert sum(site.starts.values()) == 1


@pytest.mark.parametrize("byte", [0, 1, 2, 30])
@pytest.mark.parametrize("report_format", FORMATS)
def test_a_download_may_break_off_at_its_very_beginning(
    serve: Serve, byte: int, report_format: str
) -> None:
    site = serve(cuts=[Cut(byte=byte, first=3)])
    assert_whole(site, report_format)
    assert downloads(site) == 4


def test_a_download_that_always_breaks_off_gives_up_and_keeps_the_bookmark(serve: Serve) -> None:
    site = serve(rows_per_day=3000, cuts=[Cut(row=2000, first=1000, export="combined")])
    output, error = site.failing_sync(SyncFailed, "combined", "user", **ONE_DAY)
    assert "combined, 2024-02-01" in str(error)
    assert bookmark(output.state, "combined") is None
    assert len(output.rows("user")) == 10
    site.api.cuts = []
    assert_whole(site, "json", state=output.state)
    assert sum(site.starts.values()) == 2  # the job was good, it was not paid for again


def test_a_link_that_expired_is_made_anew(serve: Serve) -> None:
    site = serve()
    site.api.faults.append(Fault("status", status=403, path="/care-analytics", first=2))
    assert_whole(site, "json")
    assert downloads(site) == 3


def test_a_link_may_be_good_for_one_use_only(serve: Serve) -> None:
    site = serve(rows_per_day=4000, link_uses=1, cuts=[Cut(row=1500), Cut(row=3000, first=2)])
    assert_whole(site, "csv")
    assert downloads(site) == 3


@pytest.mark.parametrize("body", ["json", "xml"])
@pytest.mark.parametrize("report_format", FORMATS)
def test_an_error_in_the_place_of_the_rows_is_no_row(
    serve: Serve, body: Any, report_format: str
) -> None:
    site = serve(error_bodies={"combined": body}, error_body_downloads=2)
    assert_whole(site, report_format)
    assert downloads(site) == 3


@pytest.mark.parametrize("report_format", FORMATS)
def test_an_error_that_stays_is_that_exports_failure(serve: Serve, report_format: str) -> None:
    site = serve(error_bodies={"combined": "json"}, error_body_downloads=1000)
    output, error = site.failing_sync(SyncFailed, "combined", report_format=report_format)
    assert "combined, 2024-02-01" in str(error)
    assert output.rows("combined") == []


# Half a table whose length is right cannot be told from a whole one, so CSV has one less.
BROKEN = [
    (kind, report_format)
    for kind in ("wrong_encoding", "html", "empty", "bad_json", "cut_body")
    for report_format in FORMATS
    if (kind, report_format) != ("bad_json", "csv")
]


@pytest.mark.parametrize(("kind", "report_format"), BROKEN)
def test_what_a_proxy_does_to_a_body_is_tried_again(
    serve: Serve, kind: Any, report_format: str
) -> None:
    site = serve(rows_per_day=200)
    site.api.faults.append(Fault(kind, path="/care-analytics", only=frozenset({1})))
    assert_whole(site, report_format)


def test_too_many_requests_at_the_download_wait(serve: Serve) -> None:
    site = serve()
    site.api.faults.append(
        Fault("status", status=429, retry_after=1, path="/download", only=frozenset({1}))
    )
    assert_whole(site, "json")


@pytest.mark.parametrize("status", [403, 404])
def test_a_download_that_is_refused_is_that_exports_failure(serve: Serve, status: int) -> None:
    site = serve()
    site.api.faults.append(Fault("status", status=status, path="/download"))
    output, error = site.failing_sync(SyncFailed, "author", "teams")
    assert "author, 2024-02-01" in str(error)
    assert len(output.rows("teams")) == 3


def test_a_redirect_to_a_place_without_https_is_refused(serve: Serve) -> None:
    site = serve()
    site.api.storage_url = "http://storage.example"
    _, error = site.failing_sync(SyncFailed, "author", **ONE_DAY)
    assert "author" in str(error)


# Bodies that the sandbox never makes


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
    "unknown keys that are no texts": (
        b'[{"AUTHOR_ID":"1","NEW":{"a":[1,{}]}},{"NEW2":7,"AUTHOR_ID":"2"}]',
        [{"author_id": "1"}, {"author_id": "2"}],
    ),
    "keys with signs": (
        b'[{"AUTHOR_ID":"1","a \\"b\\" \\\\ c":"x","\\n":"y"}]',
        [{"author_id": "1"}],
    ),
    "a lone surrogate": (
        b'[{"AUTHOR_ID":"1\\ud800"},{"AUTHOR_ID":"2"}]',
        [{"author_id": "1\ufffd"}, {"author_id": "2"}],
    ),
    "bytes that are no UTF-8": (b'[{"AUTHOR_ID":"1\xff"}]', [{"author_id": "1\ufffd"}]),
    "control characters": (b'[{"AUTHOR_ID":"\\u0000\\u001f"}]', [{"author_id": "\x00\x1f"}]),
    "equal rows": (
        b'[{"AUTHOR_ID":"1"},{"AUTHOR_ID":"1"},{"AUTHOR_ID":"1"}]',
        [{"author_id": "1"}] * 3,
    ),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_any_json_that_is_a_list_of_objects_is_read(site: Site, name: str, *, packed: bool) -> None:
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
def test_a_value_that_is_no_text_fails_with_stream_field_and_types_but_not_the_value(
    site: Site, value: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps([{"AUTHOR_ID": "1"}, {"AUTHOR_ID": value}]).encode()
    with serving(body) as url:
        output, error = site.failing_sync(SyncFailed, "author", api_url=url, **ONE_DAY)
    assert f"field author_id: expected a text or null, {words}" in caplog.text
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
def test_any_table_with_a_header_is_read(site: Site, name: str) -> None:
    body, wanted = CSV[name]
    with serving(body) as url:
        output = site.sync("author", api_url=url, report_format="csv", **ONE_DAY)
    assert [row["author_id"] for row in output.rows("author")] == wanted
