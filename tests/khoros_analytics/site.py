"""A Khoros tenant on loopback, and runs of the tap in this process or in another one."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

import pytest
from sandbox.khoros import Khoros
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_khoros_analytics.tap import TapKhorosAnalytics

from tests.forks import Forked
from tests.processes import Ended, clean_environment, collected, execute
from tests.singer import Output, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.khoros import Addresses, Start

E = TypeVar("E", bound=Exception)
Catalog = dict[str, Any]

PASSWORD = "khoros-s3cret-9b41e7"  # noqa: S105
COMPANY_KEY = "company-k3y-c07d2a"
ACCESS: dict[str, Any] = {
    "username": "reports@tenant",
    "password": PASSWORD,
    "company_key": COMPANY_KEY,
}
NOW = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)  # the sandbox's clock
FIRST, LAST = date(2024, 2, 1), date(2024, 2, 2)  # the days that tests read by default
ONE_DAY: dict[str, Any] = {"end_date": FIRST.isoformat()}
TAP = Path(sys.executable).with_name("tap-khoros-analytics")
EVENTS = sorted(i for i, e in EXPORTS.items() if not e.aggregate and i != "conversation")
AGGREGATES = sorted(i for i, export in EXPORTS.items() if export.aggregate)
STREAMS = sorted([*EXPORTS, "teams", "timezones"])


@dataclass(frozen=True)
class Site:
    """A running sandbox, and the folder for the input files of the tap."""

    api: Khoros
    at: Addresses
    folder: Path

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return the settings of a run; a change to None removes a setting."""
        settings = {
            **ACCESS,
            "api_url": self.at.api,
            "start_date": FIRST.isoformat(),
            "end_date": LAST.isoformat(),
            "poll_interval_ms": 1,
            "requests_per_minute": 1_000_000,
            **changes,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def tap(self, **changes: Any) -> TapKhorosAnalytics:
        """Return the tap without a catalog: it discovers the columns."""
        return TapKhorosAnalytics(config=self.settings(**changes))

    def sync(
        self,
        *streams: str,
        state: State | None = None,
        catalog: Catalog | None = None,
        **changes: Any,
    ) -> Output:
        """Return the output of a run in this process, of ``streams`` or of the default ones."""
        catalog = catalog or catalog_of(*streams)
        settings = self.settings(**changes)
        with collected() as written:
            TapKhorosAnalytics(config=settings, state=state, catalog=catalog).execute()
        return Output(written.getvalue().decode())

    def sync_without_catalog(self, *, state: State | None = None, **changes: Any) -> Output:
        """Return the output of a run in this process that discovers the columns itself."""
        settings = self.settings(**changes)
        with collected() as written:
            TapKhorosAnalytics(config=settings, state=state).execute()
        return Output(written.getvalue().decode())

    def failing_sync(
        self,
        error: type[E],
        *streams: str,
        state: State | None = None,
        catalog: Catalog | None = None,
        **changes: Any,
    ) -> tuple[Output, E]:
        """Return the output of a run in this process that fails, and its error."""
        catalog = catalog or catalog_of(*streams)
        settings = self.settings(**changes)
        with collected() as written, pytest.raises(error) as caught:
            TapKhorosAnalytics(config=settings, state=state, catalog=catalog).execute()
        return Output(written.getvalue().decode()), caught.value

    def command(
        self,
        *arguments: str,
        state: Any = None,
        catalog: Catalog | None = None,
        **changes: Any,
    ) -> list[str]:
        """Return a command line of the executable, and write its input files."""
        command = [str(TAP), "--config", str(self._write("config", self.settings(**changes)))]
        if state is not None:
            command += ["--state", str(self._write("state", state))]
        if catalog is not None:
            command += ["--catalog", str(self._write("catalog", catalog))]
        return [*command, *arguments]

    def execute(
        self,
        *arguments: str,
        state: Any = None,
        catalog: Catalog | None = None,
        environment: dict[str, str] | None = None,
        **changes: Any,
    ) -> Ended:
        """Run the executable to its end."""
        command = self.command(*arguments, state=state, catalog=catalog, **changes)
        return execute(*command, environment=environment)

    def started(
        self, *, state: Any = None, catalog: Catalog | None = None, **changes: Any
    ) -> Forked:
        """Start the executable."""
        return Forked(
            self.command(state=state, catalog=catalog, **changes),
            clean_environment(),
            stderr=subprocess.DEVNULL,
        )

    def requested(self, path: str = "", method: str = "") -> list[dict[str, Any]]:
        """Return the parameters, in query or form, of the requests whose path contains ``path``."""
        return [
            parameters_of(request.query, request.body)
            for request in self.api.log.requests
            if path in request.path and method in {"", request.method}
        ]

    @property
    def starts(self) -> dict[Start, int]:
        """The number of starts of each export and window."""
        return dict(self.api.counts.starts)

    def _write(self, name: str, value: Any) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return path


@contextmanager
def tenant(folder: Path = Path(), **options: Any) -> Iterator[Site]:
    """Serve a tenant with a few rows a day; the options are those of ``Khoros``.

    The tap's input files are in ``folder``; runs in this process have none.
    """
    api = Khoros(**{**ACCESS, "now": NOW, "rows_per_day": 8, **options})
    with api.serving() as at:
        yield Site(api, at, folder)


def parameters_of(query: tuple[tuple[str, str], ...], body: bytes) -> dict[str, Any]:
    """Return parameters by name; repeated ones as a list."""
    found: dict[str, Any] = {}
    pairs = [*query, *([] if body[:1] == b"{" else parse_qsl(body.decode()))]
    for name, value in pairs:
        found[name] = [*found[name], value] if name in found else [value]
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def given_except(*discovered: str) -> dict[str, Any]:
    """Return the setting ``exports`` with which a discovery requests only these exports."""
    return {name: {"columns": ["AGENT_ID"]} for name in EXPORTS if name not in discovered}


def discovered_catalog() -> Catalog:
    """Return the catalog of a discovery of the sandbox's tenant."""
    catalog: Catalog = json.loads(_discovered("json"))
    return catalog


@cache
def _discovered(report_format: str) -> str:
    with tenant() as site:
        return json.dumps(site.tap(report_format=report_format).catalog_dict)


def catalog_of(*streams: str, report_format: str = "json") -> Catalog:
    """Return a catalog of the sandbox's tenant: with ``streams`` only, with which the tap is fast.

    Without them, it has all streams and selects the default ones.
    """
    catalog = json.loads(_discovered(report_format))
    if streams:
        catalog["streams"] = [one for one in catalog["streams"] if one["stream"] in streams]
    chosen = streams or [name for name in STREAMS if name != "raw_brand_posts"]
    return selecting(catalog, *chosen)


def selecting(catalog: Catalog, *streams: str) -> Catalog:
    """Select ``streams`` in a catalog, and no others; return it."""
    for entry in catalog["streams"]:
        select(entry, (), is_selected=entry["stream"] in streams)
    return catalog


def select(entry: dict[str, Any], breadcrumb: tuple[str, ...], *, is_selected: bool) -> None:
    """Select or deselect a stream or a field in an entry of a catalog."""
    for metadata in entry["metadata"]:
        if tuple(metadata["breadcrumb"]) == breadcrumb:
            metadata["metadata"]["selected"] = is_selected


def deselected(catalog: Catalog, stream: str, *fields: str) -> Catalog:
    """Return a catalog without some fields of a stream."""
    catalog = copy.deepcopy(catalog)
    for entry in catalog["streams"]:
        if entry["stream"] == stream:
            for field in fields:
                select(entry, ("properties", field), is_selected=False)
    return catalog


def catalog_fields(catalog: Catalog, stream: str) -> list[str]:
    """Return the fields of a stream in a catalog."""
    (entry,) = [entry for entry in catalog["streams"] if entry["stream"] == stream]
    return list(entry["schema"]["properties"])


def bookmark(state: State, stream: str, report_type: str | None = None) -> str | None:
    """Return the bookmark of a stream or of one report type; None where there is none."""
    entry = entry_of(state, stream, report_type)
    value: str | None = entry.get("replication_key_value")
    return value


def entry_of(state: State, stream: str, report_type: str | None = None) -> State:
    """Return the entry in a state for a stream or for one report type."""
    entry: State = state.get("bookmarks", {}).get(stream, {})
    if report_type is None:
        return entry
    parts = (p for p in entry.get("partitions", []) if report_type in p["context"].values())
    return next(parts, {})


def all_jobs(state: State) -> dict[str, Any]:
    """Return the unfinished jobs in a state, by stream, report type and window."""
    found = {}
    for stream, entry in state.get("bookmarks", {}).items():
        for part in [entry, *entry.get("partitions", [])]:
            kind = "".join(part.get("context", {}).values())
            found.update({f"{stream} {kind} {n}": j for n, j in part.get("jobs", {}).items()})
    return found
