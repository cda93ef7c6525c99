"""Downloads: the storage, interrupted bodies, and how a download is resumed."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.khoros import Cut, Khoros
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import ACCESS, NOW, ONE_DAY, bookmark

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site
    from tests.singer import Row

FORMATS = ("json", "csv")


def downloads(site: Site) -> int:
    return sum(site.api.counts.downloads.values())


def assert_whole(site: Site, report_format: str, **changes: Any) -> None:
    """Assert that a run writes all rows of a day, each once, in order."""
    output = site.sync("combined", report_format=report_format, **ONE_DAY, **changes)
    assert output.rows("combined") == wanted_rows(site.api.rows_per_day, report_format)


@cache
def wanted_rows(rows_per_day: int, report_format: str) -> list[Row]:
    """Return the rows of a day, which do not depend on how they are sent."""
    api = Khoros(**ACCESS, now=NOW, rows_per_day=rows_per_day)
    return expected_rows(api, "combined", days()[:1], reportFormat=report_format)


@pytest.mark.parametrize("report_format", FORMATS)
@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize(
    "options", [{}, {"is_chunked": True}, {"has_gzip": True}], ids=["length", "chunks", "gzip"]
)
def test_an_interrupted_download_resumes_after_the_written_rows(
    serve: Serve,
    how: Any,
    report_format: str,
    options: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = serve(rows_per_day=150, cuts=[Cut(row=100, how=how)], **options)
    assert_whole(site, report_format)
    (row,) = re.findall(r"resuming after row (\d+) in", caplog.text)
    assert 0 < int(row) <= 100
    assert downloads(site) == 2
    assert sum(site.starts.values()) == 1


@pytest.mark.parametrize("byte", [0, 1, 2, 30])
@pytest.mark.parametrize("report_format", FORMATS)
def test_a_download_can_be_interrupted_in_its_first_bytes(
    serve: Serve, byte: int, report_format: str
) -> None:
    site = serve(cuts=[Cut(byte=byte, first=3)])
    assert_whole(site, report_format)
    assert downloads(site) == 4


def test_a_download_that_is_always_interrupted_fails_and_keeps_the_bookmark(serve: Serve) -> None:
    site = serve(rows_per_day=900, cuts=[Cut(row=600, first=1000, export="combined")])
    output, error = site.failing_sync(SyncFailed, "combined", "user", **ONE_DAY)
    assert "combined, 2024-02-01" in str(error)
    assert bookmark(output.state, "combined") is None
    assert len(output.rows("user")) == 10
    site.api.cuts = []
    assert_whole(site, "json", state=output.state)
    assert sum(site.starts.values()) == 2  # the finished job was resumed


def test_an_expired_link_is_replaced(serve: Serve) -> None:
    site = serve()
    site.api.faults.append(Fault("status", status=403, path="/care-analytics", first=2))
    assert_whole(site, "json")
    assert downloads(site) == 3


def test_a_link_can_be_valid_for_one_use_only(serve: Serve) -> None:
    site = serve(rows_per_day=4000, link_uses=1, cuts=[Cut(row=1500), Cut(row=3000, first=2)])
    assert_whole(site, "csv")
    assert downloads(site) == 3


@pytest.mark.parametrize("body", ["json", "xml"])
@pytest.mark.parametrize("report_format", FORMATS)
def test_an_error_body_in_place_of_rows_is_retried(
    serve: Serve, body: Any, report_format: str
) -> None:
    site = serve(error_bodies={"combined": body}, error_body_downloads=2)
    assert_whole(site, report_format)
    assert downloads(site) == 3


@pytest.mark.parametrize("report_format", FORMATS)
def test_a_permanent_error_body_fails_the_export(serve: Serve, report_format: str) -> None:
    site = serve(error_bodies={"combined": "json"}, error_body_downloads=1000)
    output, error = site.failing_sync(
        SyncFailed, "combined", report_format=report_format, **ONE_DAY
    )
    assert "combined, 2024-02-01" in str(error)
    assert output.rows("combined") == []


# A CSV body that is cut after a row and has the right length cannot be recognized as broken.
BROKEN = [
    (kind, report_format)
    for kind in ("wrong_encoding", "html", "empty", "bad_json", "cut_body")
    for report_format in FORMATS
    if (kind, report_format) != ("bad_json", "csv")
]


@pytest.mark.parametrize(("kind", "report_format"), BROKEN)
def test_a_body_damaged_by_a_proxy_is_retried(serve: Serve, kind: Any, report_format: str) -> None:
    site = serve(rows_per_day=60)
    site.api.faults.append(Fault(kind, path="/care-analytics", only=frozenset({1})))
    assert_whole(site, report_format)


def test_a_download_waits_after_too_many_requests(serve: Serve) -> None:
    site = serve()
    site.api.faults.append(
        Fault("status", status=429, retry_after=1, path="/download", only=frozenset({1}))
    )
    assert_whole(site, "json")


@pytest.mark.parametrize("status", [403, 404])
def test_a_rejected_download_fails_the_export(serve: Serve, status: int) -> None:
    site = serve()
    site.api.faults.append(Fault("status", status=status, path="/download"))
    output, error = site.failing_sync(SyncFailed, "author", "teams", **ONE_DAY)
    assert "author, 2024-02-01" in str(error)
    assert len(output.rows("teams")) == 3


def test_a_redirect_to_a_storage_without_https_is_rejected(serve: Serve) -> None:
    site = serve()
    site.api.storage_url = "http://storage.example"
    _, error = site.failing_sync(SyncFailed, "author", **ONE_DAY)
    assert "author" in str(error)
