"""The tap: which streams there are, and what they share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from tap_kit.errors import setting_error
from tap_kit.tap import KitTap
from typing_extensions import override

from tap_khoros_analytics import discovery, look_ups, settings
from tap_khoros_analytics.client import AccessRefused, Client, MethodRefused
from tap_khoros_analytics.exports import streams
from tap_khoros_analytics.exports.catalogue import EXPORTS
from tap_khoros_analytics.exports.columns import attested, columns_from, columns_of
from tap_khoros_analytics.exports.jobs import Lessons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream
    from tap_kit.jobs.runner import JobRunner

    from tap_khoros_analytics.exports.catalogue import Export
    from tap_khoros_analytics.exports.columns import Column

LONGEST_POLL_PAUSE_S = 120.0
POLL_GROWTH = 1.2  # each pause by the one before, as in the one client that is known


class TapKhorosAnalytics(KitTap):
    """Reads the exports of Khoros Care analytics: conversations, responses, agents, teams."""

    name = "tap-khoros-analytics"
    config_jsonschema = th.PropertiesList(*settings.SETTINGS).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        columns = self._columns()
        exports = [streams.ExportStream(self, e, columns[e.id]) for e in EXPORTS.values()]
        return [*exports, look_ups.Teams(self), look_ups.Timezones(self)]

    def _columns(self) -> dict[str, list[Column]]:
        """The columns of each export: the catalog's, the settings', the tenant's, the attested."""
        given = {export.id: self._given_columns(export) for export in EXPORTS.values()}
        columns = {i: list(attested(i)) if found is None else found for i, found in given.items()}
        to_learn = [export for export in EXPORTS.values() if given[export.id] is None]
        if to_learn and self._can_learn():
            self.check_access()  # one request, so that a wrong password is not tried 14 times
            columns.update((e.id, found) for e, found in discovery.learned(self, to_learn))
        return columns

    def _given_columns(self, export: Export) -> list[Column] | None:
        """The columns that need no asking; None where there are none."""
        entry = self.input_catalog.get_stream(export.id) if self.input_catalog else None
        if entry is not None:
            return columns_of(export.id, entry.schema.to_dict())
        names = self.options(export.id).get("columns")
        return columns_from(export.id, names, are_metrics=True) if names else None

    def _can_learn(self) -> bool:
        if self.input_catalog is not None or not self.config.get("discover_columns"):
            return False
        return not list(self.config_problems())

    def options(self, export_id: str) -> dict[str, Any]:
        """What the settings say of an export; nothing where they are wrong, which is told."""
        exports = self.config.get("exports")
        options = exports.get(export_id) if isinstance(exports, dict) else None
        return options if isinstance(options, dict) else {}

    @override
    def config_problems(self) -> Iterator[str]:
        found = list(super().config_problems())
        yield from found
        told = {problem.partition(":")[0].partition(".")[0] for problem in found}
        rest = {k: v for k, v in self.config.items() if k not in told}
        yield from settings.problems(rest)

    @cached_property
    def client(self) -> Client:
        """The API with this run's settings."""
        return Client(self)

    @cached_property
    def lessons(self) -> Lessons:
        """How each export is started, where that is not as documented."""
        chosen = ((export_id, self.options(export_id).get("method")) for export_id in EXPORTS)
        return Lessons(ways={export_id: way for export_id, way in chosen if way})

    @cached_property
    def job_runner(self) -> JobRunner:
        """How running jobs are waited for."""
        return self.job_runner_with(longest_s=LONGEST_POLL_PAUSE_S, growth=POLL_GROWTH)

    @override
    def check_access(self) -> str:
        return self._access

    @cached_property
    def _access(self) -> str:
        try:
            teams = self.client.look_up("/teams", {})
        except AccessRefused:
            setting, problem = "company_key", "the server refuses it for this user (HTTP 403)"
        except MethodRefused as error:
            setting, problem = "api_url", f"there is no Analytics Reports API there ({error})"
        else:
            return f"The credentials work; the company has {len(teams)} team(s)"
        raise setting_error(setting, problem)
