"""Bookmarks of exports: what the next run reads."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import bookmark, catalog_of
from tests.singer import Loader

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site


def test_the_current_window_does_not_move_the_bookmark_past_itself(serve: Serve) -> None:
    site = serve(now=None)
    today = datetime.now(timezone.utc).date()
    start = (today - timedelta(days=3)).isoformat()
    loader = Loader()
    for _ in range(2):
        output = site.sync("author", state=loader.state, start_date=start, end_date=None)
        assert bookmark(output.state, "author") == f"{today}T00:00:00+00:00"
        loader.load(output)
        start = (today - timedelta(days=30)).isoformat()
    assert len({row["window_start"] for row in output.rows("author")}) <= 1
    weeks = site.sync("user", window_days=7, start_date=start, end_date=None)
    first = bookmark(weeks.state, "user")
    assert first is not None
    assert today - timedelta(days=6) <= datetime.fromisoformat(first).date() <= today


def test_a_second_run_reads_only_new_windows(site: Site) -> None:
    output = site.sync("author", "conversation")
    again = site.sync("author", "conversation", state=output.state, end_date="2024-02-03")
    windows = {row["window_start"] for row in again.rows("author") + again.rows("conversation")}
    assert windows == {"2024-02-03T00:00:00+00:00"}
    assert site.sync("author", state=again.state, end_date="2024-02-03").rows("author") == []


def test_a_lookback_reads_whole_windows_again_from_the_start_date_on(site: Site) -> None:
    state = site.sync("author", end_date="2024-02-03").state
    for lookback, first in ((0, "04"), (2, "02"), (30, "01")):
        output = site.sync("author", state=state, end_date="2024-02-04", lookback_days=lookback)
        assert output.rows("author")[0]["window_start"][:10] == f"2024-02-{first}"


def test_full_table_replication_reads_all_windows_again(site: Site) -> None:
    catalog = catalog_of("author")
    state = site.sync(catalog=catalog).state
    for entry in catalog["streams"]:
        if entry["stream"] == "author":
            entry["replication_method"] = "FULL_TABLE"
            for metadata in entry["metadata"]:
                if not metadata["breadcrumb"]:
                    metadata["metadata"]["forced-replication-method"] = "FULL_TABLE"
    again: list[dict[str, Any]] = site.sync(catalog=catalog, state=state).rows("author")
    assert again == expected_rows(site.api, "author", days())
