"""A small tap for an API that runs jobs, and that API."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from requests.auth import AuthBase
from sandbox.exchange import Request as Received
from sandbox.exchange import Response, json_response
from sandbox.frame import Frame
from singer_sdk import typing as th
from tap_kit.errors import SyncFailed
from tap_kit.flow.tasks import Result, WindowTask
from tap_kit.jobs.protocol import Ids, JobState, Poll
from tap_kit.jobs.runner import JobRunner
from tap_kit.jobs.times import Pace
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
    """An API with one job per day; jobs end if ``is_quick``, those of ``broken`` days fail."""

    def __init__(self) -> None:
        self.is_quick = False
        self.broken: set[str] = set()
        self.started: list[str] = []  # the days; the id of a job is its index in this list
        self.app = Frame(self._respond)
        self.log = self.app.log

    async def _respond(self, request: Received) -> Response:
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
        """Start the job."""
        started = self.api.send(Request("/jobs", {"day": self.day}, "POST"), dict).value
        return {"id": started["id"]}

    def poll(self, ids: Ids) -> Poll:
        """Request the state of the job."""
        found = self.api.send(Request(f"/jobs/{ids['id']}", urgent=False), dict).value
        return Poll(JobState(found["state"]), found.get("rows"))


class Days(WindowedStream):
    """A stream with one row per day, from a job."""

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
    """A tap with one stream."""

    name = "tap-jobs"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType), *common_settings(lookback_days=0)
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [Days(self, self.run)]

    @override
    def check_access(self) -> str:
        return "no access to check"

    @cached_property
    def runner(self) -> JobRunner:
        """The runner of the jobs, with short pauses."""
        return JobRunner(Pace(0.02, 0.1, 60), self.run.throttle.sleep)

    @cached_property
    def api(self) -> Api:
        """The client of the API."""
        return self.run.open_api(self.config["api_url"], auth=NoAuth(), error_for=error_for)


def error_for(response: ErrorResponse) -> Exception:
    """Return the error for an error response."""
    return SyncFailed(f"{response.source}: HTTP {response.status}")
