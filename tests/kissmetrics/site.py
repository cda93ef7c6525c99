"""A Kissmetrics account on loopback, and the tap that reads it, in this process or its own."""

from __future__ import annotations

import functools
import json
import sys
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from sandbox.kissmetrics import Kissmetrics, Sizes
from tap_kissmetrics.tap import TapKissmetrics

from tests.forks import Forked
from tests.processes import Ended, clean_environment, collected, execute
from tests.singer import Output, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.kissmetrics import Addresses

E = TypeVar("E", bound=Exception)

TOKEN = "kissmetrics-s3cret-51d0e8"  # noqa: S105 (long enough to be found wherever it leaks)
NOW = datetime(
    2024, 2, 29, 12, tzinfo=timezone.utc
)  # the sandbox's clock; all data before it is final
FIRST, LAST = date(2024, 2, 1), date(2024, 2, 2)  # the days that the tests read by default
TAP = Path(sys.executable).with_name("tap-kissmetrics")
CORE = ("accounts", "products", "reports", "events", "properties", "metrics")
STREAMS = sorted([*CORE, "report_results"])
# The sandbox's forms of a page, by what they state besides the records.
WITH_NEXT = ["envelope", "link_header_only", "link_header_envelope", "next_in_body_only"]
WITH_TOTAL = ["envelope", "total_without_next"]


# Four of the eight reports are runnable: one of each time zone, and one without rows.
SMALL = Sizes(
    rows_per_day=8,
    report_types=(
        "people_search_v2",
        "people_search_v2",
        "funnel",
        "cohort",
        "people_search_v3",
        "people_search_v2",
        "cohort",
        "people_search_v2",
    ),
)


@dataclass(frozen=True)
class Site:
    """A running sandbox, and the folder for the tap's input files."""

    api: Kissmetrics
    at: Addresses
    folder: Path

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return the settings of a run; a change to None removes a setting."""
        settings = {
            "api_url": self.at.core,
            "query_url": self.at.query,
            "api_token": TOKEN,
            "start_date": FIRST.isoformat(),
            "end_date": LAST.isoformat(),
            "poll_interval_ms": 1,
            **changes,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def sync(
        self, *streams: str, state: State | None = None, catalog: Any = None, **changes: Any
    ) -> Output:
        """Run the tap in this process, with all streams or these; return its output."""
        if streams:
            catalog = self.catalog(*streams, **changes)
        settings = self.settings(**changes)
        with collected() as written:
            TapKissmetrics(config=settings, state=deepcopy(state), catalog=catalog).execute()
        return Output(written.getvalue().decode())

    def failing_sync(
        self, error: type[E], *streams: str, state: State | None = None, **changes: Any
    ) -> tuple[Output, E]:
        """Run the tap in this process, where it must fail; return its output and the error."""
        catalog = self.catalog(*streams, **changes) if streams else None
        settings = self.settings(**changes)
        with collected() as written, pytest.raises(error) as caught:
            TapKissmetrics(config=settings, state=deepcopy(state), catalog=catalog).execute()
        return Output(written.getvalue().decode()), caught.value

    def catalog(self, *streams: str, **changes: Any) -> dict[str, Any]:
        """Return a catalog of only these streams; without any, of all, none of them selected."""
        discovered = discovered_with(self.settings(**changes))
        entries = discovered["streams"]
        chosen = [one for one in entries if not streams or one["stream"] in streams]
        for entry in chosen:
            for metadata in entry["metadata"]:
                if not metadata["breadcrumb"]:
                    metadata["metadata"]["selected"] = entry["stream"] in streams
        return {**discovered, "streams": chosen}

    def command(
        self, *arguments: str, state: Any = None, catalog: Any = None, **changes: Any
    ) -> list[str]:
        """Write the input files; return the command line of the executable."""
        command = [str(TAP), "--config", str(self._write("config", self.settings(**changes)))]
        if state is not None:
            command += ["--state", str(self._write("state", state))]
        if catalog is not None:
            command += ["--catalog", str(self._write("catalog", catalog))]
        return [*command, *arguments]

    def execute(
        self, *arguments: str, state: Any = None, catalog: Any = None, **changes: Any
    ) -> Ended:
        """Run the executable to its end."""
        return execute(*self.command(*arguments, state=state, catalog=catalog, **changes))

    def started(self, **changes: Any) -> Forked:
        """Start the executable, with its outputs as pipes."""
        return Forked(self.command(**changes), clean_environment())

    def requested(self, path: str = "") -> list[str]:
        """Return path and query of the requests so far whose path contains ``path``."""
        return [request.target for request in self.api.log.requests if path in request.path]

    def runnable(self) -> list[str]:
        """Return the ids of the reports that run when none are configured."""
        return self.api.data.runnable_reports()

    def days_run(self, report_id: str) -> list[tuple[str, str]]:
        """Return the windows for which a report was run, as they were sent, sorted."""
        return sorted((run.start, run.end) for run in self.api.runs if run.report_id == report_id)

    def _write(self, name: str, value: Any) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return path


@contextmanager
def account(
    folder: Path = Path(), *, sizes: dict[str, Any] | None = None, **options: Any
) -> Iterator[Site]:
    """Serve a small account; ``sizes`` changes it, the other options are the sandbox's own.

    The tap's input files are in ``folder``; runs in this process have none.
    """
    size = replace(SMALL, **(sizes or {}))
    api = Kissmetrics(**{"token": TOKEN, "now": NOW, "sizes": size, **options})
    with api.serving() as at:
        yield Site(api, at, folder)


def discovered_with(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the catalog of a discovery, which depends on the settings but not on the addresses."""
    addresses = {"api_url", "query_url", "v3_url"}
    others = {name: value for name, value in settings.items() if name not in addresses}
    found: dict[str, Any] = json.loads(_discovered(json.dumps(others, sort_keys=True)))
    return found


@functools.cache
def _discovered(settings: str) -> str:
    tap = TapKissmetrics(config=json.loads(settings), setup_mapper=False)
    return json.dumps(tap.catalog_dict)


def days(first: date = FIRST, last: date = LAST) -> list[date]:
    """Return the days from first to last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
