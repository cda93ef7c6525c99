"""A Kissmetrics account with version 3 of the API, and the tap that reads it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.kissmetrics.ids import v3_id
from typing_extensions import override

from tests.kissmetrics.site import FIRST, LAST, Site, account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.kissmetrics.rules import ListName
    from sandbox.requestlog import LoggedRequest

USERNAME, PASSWORD = "demo@kissmetrics.example", "v3-s3cret-77ab01"
LISTS: tuple[ListName, ...] = ("products", "reports", "events", "properties")
STREAMS = sorted([*LISTS, "report_results", "metric_results", "query_results"])
SQL: dict[str, Any] = {
    "name": "latest",
    "query_type": "sql",
    "query_params": {"statement": "SELECT timestamp_ms, person FROM records"},
}


@dataclass(frozen=True)
class V3Site(Site):
    """A running sandbox, with the settings of version 3."""

    @override
    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return the settings of a run; a change to None removes a setting.

        The rate limit is so high that no test waits for it.
        """
        settings = {
            "api_version": "v3",
            "v3_url": f"{self.at.query}/v3",
            "username": USERNAME,
            "password": PASSWORD,
            "start_date": FIRST.isoformat(),
            "end_date": LAST.isoformat(),
            "poll_interval_ms": 1,
            "requests_per_minute": 1_000_000,
            **changes,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def ids(self, name: Any) -> list[int]:
        """Return the ids of a list of all products."""
        return [record["id"] for record in self.api.v3_data.records(name)]

    @property
    def metric_ids(self) -> list[int]:
        """The ids of all metrics, which version 3 does not list."""
        return [v3_id(number) for number in self.api.data.catalog.numbers("metrics")]

    def requests(self, method: str, path: str = "") -> list[LoggedRequest]:
        """Return the requests so far with this method whose path contains ``path``."""
        log = self.api.log.requests
        return [one for one in log if one.method == method and path in one.path]

    def bodies(self, path: str) -> list[Any]:
        """Return the bodies of the requests that started queries."""
        return [json.loads(one.body) for one in self.requests("POST") if one.path.endswith(path)]


@contextmanager
def v3_account(
    folder: Path = Path(), *, sizes: dict[str, Any] | None = None, **options: Any
) -> Iterator[V3Site]:
    """Serve a small account as ``account`` does; version 3 runs its reports of every type."""
    access = {"email": USERNAME, "password": PASSWORD}
    sizes = {"reports": 4, **(sizes or {})}
    with account(folder, sizes=sizes, **{**access, **options}) as site:
        yield V3Site(site.api, site.at, site.folder)
