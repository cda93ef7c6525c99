"""All fourteen exports: complete, equal to the vendor's rows, and read once."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from tap_khoros_analytics.exports.definitions import EXPORTS

from tests.khoros_analytics.expected import days, expected_rows, midnight
from tests.khoros_analytics.site import (
    LAST,
    ONE_DAY,
    STREAMS,
    bookmark,
    catalog_of,
    deselected,
    tenant,
)
from tests.singer import Loader, without_times

if TYPE_CHECKING:
    from sandbox.khoros import Khoros

    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site
    from tests.singer import Output

FORMATS = ("json", "csv")


@cache
def every_export(report_format: str, catalog_format: str) -> tuple[Khoros, Output]:
    """Return a tenant, and the output of a run that reads a day of all exports."""
    catalog = catalog_of(*STREAMS, report_format=catalog_format)
    with tenant(rows_per_day=25) as site:
        return site.api, site.sync(catalog=catalog, report_format=report_format, **ONE_DAY)


@pytest.mark.parametrize("report_format", FORMATS)
def test_every_export_has_all_rows_with_the_vendors_values(report_format: str) -> None:
    api, output = every_export(report_format, report_format)
    for export in EXPORTS:
        wanted = expected_rows(api, export, days()[:1], reportFormat=report_format)
        assert output.rows(export) == wanted, export
        assert wanted != []


def test_both_formats_have_the_same_keys() -> None:
    """This holds for ``user``, too, whose JSON has columns that CSV lacks."""
    (_, json), (_, csv) = (every_export(one, "json") for one in FORMATS)
    for export in EXPORTS:
        if export != "conversation":
            keys = [[row["row_id"] for row in output.rows(export)] for output in (json, csv)]
            assert keys[0] == keys[1]
            assert len({*keys[0]}) == len(keys[0])


def test_the_order_does_not_depend_on_max_concurrency(serve: Serve) -> None:
    site = serve(job_seconds={"author": 0.2, "user": 0.05})
    streams = ("author", "combined", "conversation", "response", "teams", "user")
    one, eight = (site.sync(*streams, max_concurrency=number) for number in (1, 8))

    def records(output: Any) -> list[Any]:
        return [m for m in output.without_clock if m["type"] != "STATE"]

    assert records(one) == records(eight)
    assert without_times(one.state) == without_times(eight.state)


@pytest.mark.parametrize("report_format", FORMATS)
def test_a_day_without_rows_moves_the_bookmark(serve: Serve, report_format: str) -> None:
    site = serve(empty_days=days(last=LAST + timedelta(days=1)))
    output = site.sync("author", report_format=report_format)
    assert output.rows("author") == []
    assert bookmark(output.state, "author") == "2024-02-03T00:00:00+00:00"
    assert "jobs" not in output.state["bookmarks"]["author"]


@pytest.mark.parametrize("report_format", FORMATS)
@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ({"storage_type": "text/plain"}, 60),
        ({"is_chunked": True}, 600),  # in several pieces
        ({"has_gzip": True}, 600),
        ({"content_type": "text/plain"}, 60),
        ({"content_type": "application/json"}, 60),
    ],
    ids=str,
)
def test_the_transfer_of_the_body_does_not_change_the_rows(
    serve: Serve, options: dict[str, Any], rows: int, report_format: str
) -> None:
    site = serve(rows_per_day=rows, **options)
    output = site.sync("combined", **ONE_DAY, report_format=report_format)
    assert output.rows("combined") == expected_rows(
        site.api, "combined", days()[:1], reportFormat=report_format
    )


def test_texts_are_written_unchanged(serve: Serve) -> None:
    """Among them quotes, line breaks, braces, other alphabets, and empty texts, not nulls."""
    texts = [
        row["post_content"] for row in serve(rows_per_day=40).sync("combined").rows("combined")
    ]
    for text in ('"', "[{]}", "Windows lines\r\nthe second\r\n\r\nthe fourth", "", "null", None):
        assert text in texts
    assert any("\u2028" in (text or "") for text in texts)


@pytest.mark.parametrize("inclusive_end", [True, False])
def test_no_row_is_missed_whether_or_not_the_vendor_includes_the_end(
    serve: Serve, *, inclusive_end: bool
) -> None:
    site = serve(inclusive_end=inclusive_end, rows_per_day=10)
    loader = Loader()
    output = site.sync("incoming_post", end_date="2024-02-05")
    loader.load(output)
    begin, end = days()[0], midnight(days()[0] + timedelta(days=5))
    end -= timedelta(milliseconds=int(inclusive_end))
    wanted = [str(row["POST_ID"]) for row in site.api.data.rows("incoming_post", begin, end)]
    got = [row["post_id"] for row in loader.content["incoming_post"].values()]
    # If the vendor includes the end, the first row of the next day comes, too.
    assert sorted(got)[: len(wanted)] == sorted(wanted)
    assert len(got) == len(wanted) + inclusive_end
    assert len(output.rows("incoming_post")) == len(wanted) + 5 * inclusive_end


def test_aggregates_of_two_windows_have_different_keys(site: Site) -> None:
    """So it is even for equal figures on both days."""
    for stream in ("team_performance", "user"):
        rows = site.sync(stream).rows(stream)
        assert len(rows) == len({row["row_id"] for row in rows}) == 20
        assert len({row["agent_id"] for row in rows}) == 10


def test_keys_do_not_depend_on_batches(serve: Serve) -> None:
    """Occurrences are counted over the whole window, not over a batch."""
    site = serve(rows_per_day=3000)
    catalog = deselected(
        catalog_of("combined"),
        "combined",
        *[n.lower() for n in site.api.data.enabled_columns("combined") if n != "TEAM_NAME"],
    )
    rows = site.sync(catalog=catalog, **ONE_DAY).rows("combined")
    assert len(rows) > 3000
    assert len({row["row_id"] for row in rows}) == len(rows)
