"""The example tap reads each of its streams once, resumes, and names what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.frame import Frame
from sandbox.server import running
from singer_sdk.exceptions import ConfigValidationError
from tap_example.tap import TapExample

from tests.examples.api import SITES, TOKEN, InventedApi
from tests.processes import collected
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-03", "lookback_days": 0}


class Served:
    """The invented API and the settings of the tap for it."""

    def __init__(self, api: InventedApi, url: str) -> None:
        self.api = api
        self.settings = {
            **DAYS,
            "api_url": url,
            "api_token": TOKEN,
            "site_ids": [1, 2],
            "poll_interval_ms": 10,
        }

    def run(self, state: dict[str, Any] | None = None, **changes: Any) -> Output:
        """Return what one run writes."""
        with collected() as written:
            TapExample(config={**self.settings, **changes}, state=state).execute()
        return Output(written.getvalue().decode())


@pytest.fixture
def served() -> Iterator[Served]:
    api = InventedApi()
    with running(Frame(api.respond)) as server:
        yield Served(api, server.url)


def test_every_page_every_window_and_every_export_is_read_once(served: Served) -> None:
    output = served.run()
    assert [row["id"] for row in output.rows("sites")] == [site["id"] for site in SITES]
    visits = [(row["site_id"], row["date"], row["visits"]) for row in output.rows("visits")]
    days = ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert visits == [(site, day, site * 10) for site in (1, 2) for day in days]
    assert [row["day"] for row in output.rows("orders")] == days
    assert served.api.exports_started == 3


def test_a_second_run_reads_from_the_bookmarks(served: Served) -> None:
    first = served.run()
    again = served.run(state=first.state)
    assert {row["date"] for row in again.rows("visits")} == {"2024-01-03"}
    assert {row["day"] for row in again.rows("orders")} == {"2024-01-03"}


def test_a_started_export_is_resumed_instead_of_started_again(served: Served) -> None:
    jobs = {"2024-01-01": {"export_id": "2024-01-01"}}
    output = served.run(state={"bookmarks": {"orders": {"jobs": jobs}}})
    assert len(output.rows("orders")) == 3
    assert served.api.exports_started == 2


def test_a_site_that_the_server_refuses_is_skipped(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    served.api.refused_sites = frozenset({"1"})
    output = served.run()
    assert {row["site_id"] for row in output.rows("visits")} == {2}
    warning = "visits, site_id 1: skipped: the server refuses it (HTTP 404)"
    assert warning in caplog.messages


def test_a_wrong_token_is_an_error_of_the_setting(served: Served) -> None:
    with pytest.raises(ConfigValidationError) as caught:
        served.run(api_token="wrong")  # noqa: S106
    assert caught.value.errors == ["api_token was rejected by the server (HTTP 401)"]


def test_discovery_needs_no_credentials() -> None:
    streams = TapExample(validate_config=False).catalog_dict["streams"]
    assert [stream["tap_stream_id"] for stream in streams] == ["orders", "sites", "visits"]
