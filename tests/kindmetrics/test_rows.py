"""Completeness: for every stream and filter, the tap's rows are exactly the API's."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tests.kindmetrics.site import FIRST, LAST, STREAMS, WINDOWED, endpoint, windows

if TYPE_CHECKING:
    from sandbox.kindmetrics import Kindmetrics

    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site
    from tests.singer import Output, Row

FILTERS: list[dict[str, Any]] = [
    {"source_name": "Google"},
    {"source_name": "Müller & Söhne ☕"},
    {"medium_name": "social"},
    {"site_path": "/pricing"},
    {"site_path": "/über-uns"},
    {"site_path": "/search?q=a b&x=1"},
    {"goal_id": 11},
    {"country": "DE"},
    {"browser": "Firefox"},
    {"source_name": "Google", "medium_name": "search", "country": "SE", "browser": "Chrome"},
]


def test_every_stream_has_exactly_the_rows_of_the_api(serve: Serve) -> None:
    site = serve(domains=4, visitors_per_day=60, pages_per_day=20)
    output = site.sync()
    assert output.streams == STREAMS
    assert_complete(site.api, output, windows(FIRST, LAST))
    assert output.rows("account") == [{"email": site.api.data.email}]
    assert output.rows("domains") == site.api.data.domains
    assert [
        (row["domain_id"], row["current_visitors"]) for row in output.rows("current_visitors")
    ] == [
        (domain_id, site.api.data.rows("current", domain_id)[0]["current"])
        for domain_id in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize("days", [1, 7, 30, 366])
def test_windows_of_any_length_have_exactly_the_rows_of_the_api(serve: Serve, days: int) -> None:
    site = serve()
    first, last = date(2024, 1, 3), date(2024, 2, 28)
    if days == 1:
        first = date(2024, 2, 20)
    output = site.sync(start_date=first.isoformat(), end_date=last.isoformat(), window_days=days)
    assert_complete(site.api, output, windows(first, last, days))


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_every_filter_has_exactly_the_rows_of_the_api(
    serve: Serve, filters: dict[str, Any]
) -> None:
    site = serve(domains=1, visitors_per_day=60, pages_per_day=20)
    segments = [{"name": "everyone"}, {"name": "some of them", **filters}]
    output = site.sync(segments=segments, end_date="2024-02-02")
    days = windows(FIRST, date(2024, 2, 2))
    assert_complete(site.api, output, days, segment="everyone")
    assert_complete(site.api, output, days, segment="some of them", **filters)
    everyone, some = (
        sum(row["visitors"] for row in output.rows("domain_stats") if row["segment"] == name)
        for name in ("everyone", "some of them")
    )
    assert 0 < some < everyone  # the filter selects some and not all


def test_a_goal_of_another_domain_skips_only_that_segment(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve()
    segments = [{"name": "all"}, {"name": "signed up", "goal_id": 11}]
    output = site.sync(segments=segments, end_date="2024-02-02")
    seen = {(row["domain_id"], row["segment"]) for row in output.rows("pages")}
    assert seen == {(1, "all"), (1, "signed up"), (2, "all")}
    assert any("domain_id 2, segment signed up" in text for text in caplog.messages)
    # The server's goals endpoint ignores goal_id.
    assert {row["segment"] for row in output.rows("goals") if row["domain_id"] == 2} == {
        "all",
        "signed up",
    }


def test_a_segment_is_read_of_its_domains_only(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(domains=3)
    segments = [
        {"name": "all"},
        {"name": "signed up", "goal_id": 11, "domain_ids": [1]},
        {"name": "search", "medium_name": "search", "domain_ids": [3, 2, 3]},
    ]
    output = site.sync("domain_stats", "pages", segments=segments, end_date="2024-02-02")
    for stream in ("domain_stats", "pages"):
        assert {(row["domain_id"], row["segment"]) for row in output.rows(stream)} == {
            *((domain_id, "all") for domain_id in (1, 2, 3)),
            (1, "signed up"),
            (2, "search"),
            (3, "search"),
        }
    assert not site.requested("domain_ids")
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_a_goal_without_a_domain_is_one_hint(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    segments = [{"name": "signed up", "goal_id": 11}]
    site = serve(domains=2)
    site.sync(segments=segments, end_date="2024-02-01", domain_ids=[1])
    hint = "segments: 'signed up' has a goal_id and no domain_ids; set domain_ids"
    assert not [text for text in caplog.messages if text.startswith(hint)]
    site.sync(segments=segments, end_date="2024-02-01")
    assert len([text for text in caplog.messages if text.startswith(hint)]) == 1


def test_a_domain_of_a_segment_that_is_not_read_is_a_warning(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    segments = [{"name": "all", "domain_ids": [1, 9]}]
    output = site.sync(segments=segments, end_date="2024-02-01")
    assert {row["domain_id"] for row in output.rows("domain_stats")} == {1}
    line = "segments: 'all' has domain 9, which the tap does not read; reading the others"
    assert caplog.messages.count(line) == 1


def test_a_segment_without_a_domain_to_read_is_an_error(site: Site) -> None:
    segments = [{"name": "all"}, {"name": "b", "domain_ids": [2]}]
    output, error = site.failing_sync(ConfigValidationError, segments=segments, domain_ids=[1])
    assert error.errors == [
        "segments must have domain_ids that the tap reads, 'b' has none of them"
    ]
    assert {message["type"] for message in output.messages} == {"SCHEMA", "STATE"}


def test_only_configured_domains_are_read(serve: Serve) -> None:
    site = serve(domains=4)
    output = site.sync(domain_ids=[3, 1], end_date="2024-02-02")
    assert {row["domain_id"] for row in output.rows("pages")} == {1, 3}
    assert [row["id"] for row in output.rows("domains")] == [1, 3]
    assert not [target for target in site.requested("/api/domains/") if target[13] in "24"]


def test_a_domain_configured_twice_is_read_once(site: Site) -> None:
    output = site.sync(domain_ids=[1, 1, 2], end_date="2024-02-02")
    assert_complete(site.api, output, windows(FIRST, date(2024, 2, 2)))


def test_no_domain_is_ever_created(site: Site) -> None:
    site.sync(end_date="2024-02-02")
    assert site.api.creations == 0
    assert {request.method for request in site.api.log.requests} == {"GET"}


def test_an_account_without_domains_is_an_error(serve: Serve) -> None:
    """A daily run that reads nothing would stay unnoticed."""
    output, error = serve(domains=0).failing_sync(ConfigValidationError)
    assert str(error) == "api_token must belong to a user with a domain, the server lists none"
    assert output.text == ""


def assert_complete(
    api: Kindmetrics,
    output: Output,
    days: list[tuple[date, date]],
    *,
    segment: str = "all",
    **filters: Any,
) -> None:
    """Assert that each windowed stream has the sandbox's rows for ``days``, each once."""
    for stream in WINDOWED:
        arrived = Counter(
            _hashable(row, without="row_id")
            for row in output.rows(stream)
            if row["segment"] == segment
        )
        expected = Counter(
            _hashable(
                {
                    "domain_id": domain["id"],
                    "segment": segment,
                    "date": first.isoformat(),
                    "date_to": last.isoformat(),
                    **row,
                }
            )
            for domain in api.data.domains
            for first, last in days
            for row in api.data.rows(endpoint(stream), domain["id"], first, last, **filters)
        )
        assert arrived == expected, stream


def _hashable(row: Row, *, without: str = "") -> tuple[tuple[str, Any], ...]:
    return tuple((field, value) for field, value in row.items() if field != without)
