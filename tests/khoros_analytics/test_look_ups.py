"""The two lookups: complete, and what happens when a lookup fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sandbox.faults import Fault
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.one_export import serving
from tests.khoros_analytics.site import ONE_DAY

if TYPE_CHECKING:
    from tests.khoros_analytics.site import Site


def test_lookups_have_all_entries(site: Site) -> None:
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
    assert site.requested("timezones")[0]["locale"] == "de"


def test_a_lookup_without_a_list_stops_the_run_and_logs_only_the_keys(site: Site) -> None:
    with serving(b"[]", teams={"id": "s3cret"}) as url:
        _, error = site.failing_sync(SyncFailed, "teams", api_url=url)
    problem = "expected a list of objects under 'result', got the keys ['result', 'status']"
    expected = f"GET /api/public/teams: {problem}; failed after 5 tries"
    assert str(error) == expected


@pytest.mark.parametrize("status", [403, 404])
def test_a_rejected_lookup_is_a_warning_and_the_others_are_read(
    site: Site, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    site.api.faults.append(Fault("status", status=status, path="/config/timezones"))
    output = site.sync("teams", "timezones", "author", **ONE_DAY)
    assert output.rows("timezones") == []
    assert output.rows("teams") != []
    assert output.rows("author") != []
    (logged,) = [text for text in caplog.messages if "skipped" in text]
    assert logged.startswith("timezones: skipped: ")
    assert f"HTTP {status}" in logged
