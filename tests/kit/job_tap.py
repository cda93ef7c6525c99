"""A small tap over an API that does its work in jobs, and that API."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from requests.auth import AuthBase
from sandbox.exchange import Request as Asked
from sandbox.exchange import Response, json_response
from sandbox.frame import Frame
from singer_sdk import typing as th
from tap_kit.errors import SyncFailed
from tap_kit.flow.tasks import Outcome, Result, Task
from tap_kit.jobs.runner import Ids, JobRunner, JobState, Pace, Poll
from tap_kit.net.connections import api_at
from tap_kit.net.http import Api, Request
from tap_kit.run.settings import common_settings
from tap_kit.streams import WindowedStream
from tap_kit.tap import KitTap
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from requests import PreparedRequest
    from singer_sdk import Stream
    from tap_kit.net.http import ErrorResponse


class NoAuth(AuthBase):
    """No credentials."""

    @override
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


class JobApi:
    """Starts a job for a day; none is done before ``is_quick``, the ``broken`` days' never."""

    def __init__(self) -> None:
        self.is_quick = False
        self.broken: set[str] = set()
        self.started: list[str] = []  # the days; a job's id is its place in this list
        self.app = Frame(self._respond)
        self.log = self.app.log

    async def _respond(self, request: Asked) -> Response:
        if request.method == "POST":
            self.started.append(request.parameter("day") or "")
            return json_response({"id": str(len(self.started) - 1)})
        number = int(request.path.rpartition("/")[2])
        if number >= len(self.started):
            return json_response({"state": "gone"})
        day = self.started[number]
        if day in self.broken:
            return json_response({"state": "failed"})
        state = "done" if self.is_quick else "running"
        return json_response({"state": state, "rows": [{"id": number, "day": day}]})


@dataclass(frozen=True)
class DayJob:
    """The job of one day."""

    api: Api
    day: str

    def start(self) -> Ids:
        """Start it."""
        started = self.api.send(Request("/jobs", {"day": self.day}, "POST"), dict).value
        return {"id": started["id"]}

    def poll(self, ids: Ids) -> Poll:
        """Ask how far it is."""
        found = self.api.send(Request(f"/jobs/{ids['id']}", urgent=False), dict).value
        return Poll(JobState(found["state"]), found.get("rows"))


class Days(WindowedStream):
    """A row a day, by a job."""

    name = "days"
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType), th.Property("day", th.StringType)
    ).to_dict()
    primary_keys = ("id",)
    replication_key = "day"
    tap: JobTap

    @override
    def perform(self, task: Task) -> Outcome:
        return self.guarded(lambda: self._done(task))

    def _done(self, task: Task) -> Result:
        assert task.window is not None
        tap, job = self.tap, DayJob(self.tap.api, task.window.first.isoformat())
        known = tap.jobs.known(task)
        rows = tap.runner.run(job, task, known, lambda ids: tap.jobs.note(task, ids))
        return Result(self.row_check.rows(rows))

    @override
    def read(self, task: Task) -> Sequence[dict[str, Any]]:
        return ()

    @override
    def on_window_written(self, task: Task) -> None:
        super().on_window_written(task)
        self.tap.jobs.forget_up_to(task)


class JobTap(KitTap):
    """A tap of one stream."""

    name = "tap-jobs"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType), *common_settings(lookback_days=0)
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [Days(self)]

    @override
    def check_access(self) -> str:
        return "nobody to ask"

    @cached_property
    def runner(self) -> JobRunner:
        """Polls often."""
        return JobRunner(Pace(0.02, 0.1, 60), self.throttle.sleep)

    @cached_property
    def api(self) -> Api:
        """The API."""
        return api_at(self, self.config["api_url"], auth=NoAuth(), error_for=error_for)


def error_for(refusal: ErrorResponse) -> Exception:
    """What a refusal means here."""
    return SyncFailed(f"{refusal.source}: HTTP {refusal.status}")
