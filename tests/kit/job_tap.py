"""A small tap over an API that does its work in jobs, and that API."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from requests.auth import AuthBase
from sandbox.exchange import Request as Asked
from sandbox.exchange import Response, json_response
from sandbox.frame import Frame
from singer_sdk import typing as th
from tap_kit.errors import SyncFailed
from tap_kit.flow.tasks import Result, WindowTask
from tap_kit.jobs.protocol import Ids, JobState, Poll
from tap_kit.jobs.runner import JobRunner, Pace
from tap_kit.net.http import Api, Request
from tap_kit.run.settings import common_settings
from tap_kit.streams import WindowedStream
from tap_kit.tap import KitTap
from typing_extensions import override

if TYPE_CHECKING:
    from requests import PreparedRequest
    from singer_sdk import Stream
    from tap_kit.net.http import ErrorResponse
    from tap_kit.run.run import Run


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

    def __init__(self, tap: JobTap, run: Run) -> None:
        super().__init__(tap, run)
        self._job_tap = tap

    @override
    def fetch(self, task: WindowTask) -> Result:
        job, jobs = DayJob(self._job_tap.api, task.window.first.isoformat()), self.run.jobs
        record = partial(jobs.record, task)
        rows = self._job_tap.runner.run(job, task, jobs.known(task), record)
        return Result(self.checked(rows))

    @override
    def on_window_written(self, task: WindowTask) -> None:
        super().on_window_written(task)
        self.run.jobs.forget_up_to(task)


class JobTap(KitTap):
    """A tap of one stream."""

    name = "tap-jobs"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType), *common_settings(lookback_days=0)
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [Days(self, self.run)]

    @override
    def check_access(self) -> str:
        return "nobody to ask"

    @cached_property
    def runner(self) -> JobRunner:
        """Polls often."""
        return JobRunner(Pace(0.02, 0.1, 60), self.run.throttle.sleep)

    @cached_property
    def api(self) -> Api:
        """The API."""
        return self.run.open_api(self.config["api_url"], auth=NoAuth(), error_for=error_for)


def error_for(refusal: ErrorResponse) -> Exception:
    """What a refusal means here."""
    return SyncFailed(f"{refusal.source}: HTTP {refusal.status}")
