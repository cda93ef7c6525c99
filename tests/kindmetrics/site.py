"""A Kindmetrics account on loopback, and runs of the tap in this process or in another one."""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from tap_kindmetrics.tap import TapKindmetrics

from tests.forks import Forked
from tests.processes import Ended, clean_environment, collected, execute
from tests.singer import Output, State

if TYPE_CHECKING:
    from sandbox.kindmetrics import Kindmetrics

E = TypeVar("E", bound=Exception)

TOKEN = "kindmetrics-s3cret-7f3a9c"  # noqa: S105
NOW = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)  # the sandbox's clock
FIRST, LAST = date(2024, 2, 1), date(2024, 2, 5)  # the days that tests read by default
TAP = Path(sys.executable).with_name("tap-kindmetrics")

WINDOWED = ("countries", "domain_stats", "entry_pages", "goals", "pages", "referrers", "sources")
STREAMS = sorted([*WINDOWED, "account", "domains", "current_visitors"])
FAST = {"visitors_per_day": 12, "pages_per_day": 6}  # enough for tests that do not compare figures


def endpoint(stream: str) -> str:
    """Return the sandbox's name for the source of a stream."""
    return "stats" if stream == "domain_stats" else stream


@dataclass(frozen=True)
class Site:
    """A running sandbox, and the folder for the input files of the tap."""

    api: Kindmetrics
    url: str
    folder: Path

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return the settings of a run; a change to None removes a setting."""
        settings = {
            "api_url": self.url,
            "api_token": TOKEN,
            "start_date": FIRST.isoformat(),
            "end_date": LAST.isoformat(),
            **changes,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def sync(
        self, *streams: str, state: State | None = None, catalog: Any = None, **changes: Any
    ) -> Output:
        """Return the output of a run in this process, of ``streams`` or of all."""
        catalog = catalog_of(*streams) if streams else catalog
        settings = self.settings(**changes)
        with collected() as written:
            TapKindmetrics(config=settings, state=state, catalog=catalog).execute()
        return Output(written.getvalue().decode())

    def failing_sync(
        self,
        error: type[E],
        *streams: str,
        state: State | None = None,
        catalog: Any = None,
        **changes: Any,
    ) -> tuple[Output, E]:
        """Return the output of a run in this process that fails, and its error."""
        catalog = catalog_of(*streams) if streams else catalog
        settings = self.settings(**changes)
        with collected() as written, pytest.raises(error) as caught:
            TapKindmetrics(config=settings, state=state, catalog=catalog).execute()
        return Output(written.getvalue().decode()), caught.value

    def command(
        self, *arguments: str, state: Any = None, catalog: Any = None, **changes: Any
    ) -> list[str]:
        """Return a command line of the executable, and write its input files."""
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

    def interrupted(self, *, seconds: float, by: int = signal.SIGINT, **changes: Any) -> Ended:
        """Run the executable and send it a signal some time after its first line."""
        with self.started(**changes) as tap:
            begun = tap.stdout.readline()
            time.sleep(seconds)
            tap.send_signal(by)
            rest, stderr = tap.communicate(timeout=20)
        return Ended(tap.returncode, Output((begun + rest).decode()), stderr.decode())

    def started(self, **changes: Any) -> Forked:
        """Start the executable."""
        return Forked(self.command(**changes), clean_environment())

    def requested(self, path: str = "") -> list[str]:
        """Return path and query of the requests so far whose path contains ``path``."""
        return [request.target for request in self.api.log.requests if path in request.path]

    def days_requested(self, part: str, domain_id: int = 1) -> list[tuple[str, str]]:
        """Return the windows that were requested of a part of a domain (empty: its figures)."""
        path = f"/api/domains/{domain_id}/{part}".rstrip("/")
        queries = [dict(r.query) for r in self.api.log.requests if r.path == path]
        return sorted((query["from"], query["to"]) for query in queries)

    def _write(self, name: str, value: Any) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return path


def windows(first: date, last: date, days: int = 1) -> list[tuple[date, date]]:
    """Return windows, computed without the kit: the last one ends with ``last``."""
    result = []
    while first <= last:
        end = min(first + timedelta(days=days - 1), last)
        result.append((first, end))
        first = end + timedelta(days=1)
    return result


@cache
def _discovered() -> str:
    return json.dumps(TapKindmetrics(config={"api_token": TOKEN}).catalog_dict)


def catalog_of(*streams: str) -> dict[str, Any]:
    """Return a catalog in which only ``streams`` are selected, with all fields."""
    discovered: dict[str, Any] = json.loads(_discovered())
    for entry in discovered["streams"]:
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = entry["stream"] in streams
    return discovered
