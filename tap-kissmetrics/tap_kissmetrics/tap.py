"""The tap: its streams by the version of the API, and what they share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from tap_kit.tap import KitTap
from typing_extensions import override

from tap_kissmetrics import settings
from tap_kissmetrics.core.version import CoreVersion
from tap_kit.flow.once import Once
from tap_kissmetrics.reports.saved import Reports
from tap_kissmetrics.v3.version import V3Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Stream
    from tap_kit.flow.ahead import Work
    from tap_kit.jobs.runner import JobRunner
    from tap_kit.run.settings import Config

    from tap_kissmetrics.client import Client, Finished
    from tap_kissmetrics.versions import Version

LONGEST_POLL_PAUSE_S = 30.0
POLL_GROWTH = 1.2  # most reports take seconds


class TapKissmetrics(KitTap):
    """Reads a Kissmetrics account: what is tracked, and the people that its reports find."""

    name = "tap-kissmetrics"
    config_jsonschema = th.PropertiesList(*settings.SETTINGS).to_dict()

    @classmethod
    @override
    def required_settings(cls) -> list[list[str]]:
        # The version's own ways; `config_problems` tells which of them is missing.
        return [["api_token"], ["api_version", "username"]]

    @classmethod
    @override
    def variants(cls) -> Mapping[str, Config]:
        return {"core": {}, "v3": {"api_version": "v3"}}

    @override
    def discover_streams(self) -> list[Stream]:
        own = (
            self.version.named_report(entry["id"], settings.stream_part(entry), entry["columns"])
            for entry in self._entries_with_streams()
        )
        return [*self.version.streams(), *own]

    def _entries_with_streams(self) -> list[dict[str, Any]]:
        """Those of ``reports``; wrong ones are told later, when the streams are made already."""
        entries = self.config.get("reports")
        return list(filter(settings.has_stream, entries)) if isinstance(entries, list) else []

    @override
    def config_problems(self) -> Iterator[str]:
        problems = list(super().config_problems())
        yield from problems
        yield from settings.version_problems(self.config, self.config_jsonschema["properties"])
        if not any(problem.startswith(settings.WITH_ENTRIES) for problem in problems):
            yield from settings.id_problems(self.config)
            yield from settings.name_problems(self.config)

    @cached_property
    def version(self) -> Version:
        """The version of the API that the settings ask for."""
        is_v3 = self.config.get("api_version") == settings.V3
        return V3Version(self) if is_v3 else CoreVersion(self)

    @property
    def client(self) -> Client:
        """The API with this run's settings."""
        return self.version.client

    @cached_property
    def reports(self) -> Reports:
        """The reports that are run."""
        return Reports(self)

    @cached_property
    def runs(self) -> Once[Finished]:
        """The queries of this sync that are done."""
        return Once()

    @property
    @override
    def requests_per_minute(self) -> int | None:
        return super().requests_per_minute or self.version.requests_per_minute

    @cached_property
    def job_runner(self) -> JobRunner:
        """How running queries are waited for."""
        return self.job_runner_with(
            longest_s=LONGEST_POLL_PAUSE_S,
            growth=POLL_GROWTH,
            polling_share=self.version.polling_share,
        )

    @override
    def on_plan(self, work: Sequence[Work]) -> None:
        self.version.on_plan(work)

    @override
    def check_access(self) -> str:
        return self.client.check_access()
