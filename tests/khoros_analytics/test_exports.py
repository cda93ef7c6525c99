"""All fourteen exports and the two look-ups: complete, and equal to what the vendor has."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tap_khoros_analytics.exports.definitions import EXPORTS

from tests.khoros_analytics.expected import days, expected_rows, midnight
from tests.khoros_analytics.site import LAST, STREAMS, bookmark, catalog_of
from tests.singer import Loader

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

FORMATS = ("json", "csv")


@pytest.mark.parametrize("report_format", FORMATS)
def test_every_export_has_all_its_rows_with_the_vendors_values(
    serve: Serve, report_format: str
) -> None:
    site = serve(rows_per_day=25)
    catalog = catalog_of(*STREAMS, report_format=report_format)
    output = site.sync(catalog=catalog, report_format=report_format)
    for export in EXPORTS:
        wanted = expected_rows(site.api, export, days(), reportFormat=report_format)
        assert output.rows(export) == wanted, export
        assert wanted != []


def test_both_formats_give_the_same_keys(serve: Serve) -> None:
    """Also for ``user``, of which JSON has columns that CSV has not."""
    site = serve(rows_per_day=25, inclusive_end=False)
    json, csv = (site.sync(report_format=report_format) for report_format in FORMATS)
    for export in EXPORTS:
        if export != "conversation":
            keys = [[row["row_id"] for row in output.rows(export)] for output in (json, csv)]
            assert keys[0] == keys[1]
            assert len({*keys[0]}) == len(keys[0])


def test_the_look_ups_have_every_entry(site: Site) -> None:
    output = site.sync("teams", "timezones", locale="de")
    assert [
        {
            "uuid": row["uuid"],
            "teamId": row["team_id"],
            "name": row["name"],
            "description": row["description"],
            "numberOfMembers": row["number_of_members"],
        }
        for row in output.rows("teams")
    ] == site.api.data.teams
    assert [
        {
            "id": row["id"],
            "name": row["name"],
            "shortName": row["short_name"],
            "offsetString": row["offset_string"],
            "offsetMillis": row["offset_millis"],
        }
        for row in output.rows("timezones")
    ] == site.api.data.timezones
    assert site.asked("timezones")[0]["locale"] == "de"


def test_the_order_is_the_same_however_many_are_in_flight(serve: Serve) -> None:
    site = serve(job_seconds={"author": 0.2, "user": 0.05})
    one, eight = (site.sync(max_concurrency=number) for number in (1, 8))

    def records(output: Any) -> list[Any]:
        return [m for m in output.without_clock if m["type"] != "STATE"]

    assert records(one) == records(eight)
    assert one.state == eight.state


@pytest.mark.parametrize("report_format", FORMATS)
def test_a_day_without_rows_moves_the_bookmark(serve: Serve, report_format: str) -> None:
    site = serve(empty_days=days(last=LAST + timedelta(days=1)))
    output = site.sync("author", report_format=report_format)
    assert output.rows("author") == []
    assert bookmark(output.state, "author") == "2024-02-03T00:00:00+00:00"
    assert "jobs" not in output.state["bookmarks"]["author"]


@pytest.mark.parametrize("report_format", FORMATS)
@pytest.mark.parametrize(
    "options",
    [
        {"storage_type": "text/plain"},
        {"is_chunked": True},
        {"has_gzip": True},
        {"content_type": "text/plain"},
        {"content_type": "application/json"},
    ],
    ids=str,
)
def test_the_form_of_the_answer_does_not_matter(
    serve: Serve, options: dict[str, Any], report_format: str
) -> None:
    site = serve(rows_per_day=2500, **options)
    output = site.sync("combined", end_date="2024-02-01", report_format=report_format)
    assert output.rows("combined") == expected_rows(
        site.api, "combined", days()[:1], reportFormat=report_format
    )


def test_any_text_arrives_as_it_is(serve: Serve) -> None:
    """Quotes, line breaks of all kinds, braces, emoji, other alphabets; empty is not null."""
    texts = [
        row["post_content"] for row in serve(rows_per_day=40).sync("combined").rows("combined")
    ]
    for text in ('"', "[{]}", "Windows lines\r\nthe second\r\n\r\nthe fourth", "", "null", None):
        assert text in texts
    assert any("\u2028" in (text or "") for text in texts)


@pytest.mark.parametrize("inclusive_end", [True, False])
def test_windows_meet_without_a_gap_whichever_way_the_end_is_counted(
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
    # With the end included, the first row of the day behind comes too.
    assert sorted(got)[: len(wanted)] == sorted(wanted)
    assert len(got) == len(wanted) + inclusive_end
    assert len(output.rows("incoming_post")) == len(wanted) + 5 * inclusive_end


def test_times_are_epoch_milliseconds_and_the_next_window_begins_where_one_ends(
    site: Site,
) -> None:
    site.sync("author", end_date="2024-02-03")
    windows = sorted((p["startTime"], p["endTime"]) for p in site.asked("report/author"))
    assert windows == [
        ("1706745600000", "1706832000000"),
        ("1706832000000", "1706918400000"),
        ("1706918400000", "1707004800000"),
    ]


def test_the_zone_the_language_and_the_format_are_asked_for(site: Site) -> None:
    site.sync("author", "user", "raw_brand_posts", timezone="America/Chicago", locale="en_US")
    for export, has_zone in (("author", True), ("user", False), ("raw_brand_posts", False)):
        for params in site.asked(f"/{export}"):
            assert params["locale"] == "en_US"
            assert params["reportFormat"] == "json"
            assert params.get("timezone") == ("America/Chicago" if has_zone else None)
