"""What a run needs of the vendor's tenant: the API, and exports that are run to their end."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_kit import Once, snake_case

from tap_khoros_analytics.client import Client
from tap_khoros_analytics.exports.definitions import EXPORTS, export_options
from tap_khoros_analytics.exports.jobs import ExportJob, StartRules
from tap_khoros_analytics.exports.parameters import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_kit import Ids, JobTime, Params, Run

    from tap_khoros_analytics.exports.definitions import Export
    from tap_khoros_analytics.exports.jobs import FinishedExport

LONGEST_POLL_PAUSE_S = 120.0
POLL_GROWTH = 1.2  # as in the one public client that is known
TEAMS, TIME_ZONES = "/teams", "/config/timezones"


class Tenant:
    """The tenant that a run reads; safe to use from several threads."""

    def __init__(self, run: Run) -> None:
        self.run = run
        chosen = ((i, export_options(run.config, i).get("method")) for i in EXPORTS)
        self.start_rules = StartRules({i: method for i, method in chosen if method})
        self._look_ups: Once[list[dict[str, Any]]] = Once()

    @cached_property
    def client(self) -> Client:
        """The API with this run's settings."""
        return Client(self.run)

    def look_up(self, path: str) -> list[dict[str, Any]]:
        """Return the rows of a look-up, names in snake_case; requested once in a run.

        Raises:
            PartitionUnavailable: when the server refuses it.
        """
        return self._look_ups.get(path, lambda: self._looked_up(path))

    def _looked_up(self, path: str) -> list[dict[str, Any]]:
        if path == TEAMS:
            rows = self.client.teams()
        else:
            rows = self.client.look_up(path, {"locale": str(self.run.config["locale"])})
        return [{snake_case(name): value for name, value in row.items()} for row in rows]

    def claim(self, ids: Ids, export: Export, params: Params) -> None:
        """Remember whose job this is.

        Raises:
            JobFailed: when another request of this run has the same job.
        """
        request = (export.id, fingerprint(params))
        self.run.jobs.claim((ids["workflow_id"], ids["run_id"]), request)

    def finished(
        self,
        export: Export,
        params: Params,
        what: object,
        known: Ids | None = None,
        on_started: Callable[[Ids], None] = lambda _: None,
        job_time: JobTime | None = None,
    ) -> FinishedExport:
        """Start an export and wait until it can be downloaded.

        ``what`` names it in messages, ``known`` are the ids of a job of an earlier run that is
        resumed instead, and ``on_started`` receives the ids. ``job_time`` times its polls.

        Raises:
            PartitionUnavailable: when this user has no access to the export.
            JobFailed: when the job fails twice, or is not done in time.
        """
        job = ExportJob(self.client, export, params, self.start_rules)
        runner = self.run.job_runner(longest_s=LONGEST_POLL_PAUSE_S, growth=POLL_GROWTH)
        finished: FinishedExport = runner.run(job, what, known, on_started, job_time=job_time)
        return finished
