"""What the streams of one run share: settings, rate limit, connections, jobs, progress, state."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING

from tap_kit.errors import Interrupted
from tap_kit.flow.ahead import ReadAhead
from tap_kit.flow.windows import DayRange, parse_day
from tap_kit.jobs.book import JobBook
from tap_kit.jobs.runner import JobRunner
from tap_kit.jobs.running import RunningJobs
from tap_kit.jobs.times import Pace
from tap_kit.net.auth import secrets_added_by
from tap_kit.net.http import Api
from tap_kit.net.secrets import SECRETS
from tap_kit.net.throttle import Throttle
from tap_kit.run.progress import Progress
from tap_kit.run.settings import DEFAULT_DAYS, Shard

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Sequence

    from requests.auth import AuthBase

    from tap_kit.flow.ahead import Work
    from tap_kit.flow.tasks import Task, TaskStream
    from tap_kit.net.http import ErrorMapper
    from tap_kit.run.settings import Config

CANCEL_TIMEOUT_S = 2.0  # to cancel running jobs; less than the EXIT_TIMEOUT_S of a stopped run


class Run:
    """One run of a tap, as its streams and the client of its vendor see it.

    ``began`` is the time of its start. ``write_state`` writes the current bookmarks. ``streams``
    returns the selected streams in the order of their sync. ``on_plan`` receives the streams and
    partitions to read. Settings are read on access, so that a tap without any can describe itself.
    """

    def __init__(
        self,
        config: Config,
        *,
        default_user_agent: str,
        logger: logging.Logger,
        began: datetime,
        write_state: Callable[[], None],
        streams: Callable[[], Iterable[TaskStream]],
        on_plan: Callable[[Sequence[Work]], None] = lambda _: None,
        default_requests_per_minute: int | None = None,
    ) -> None:
        self.config = config
        self._default_user_agent = default_user_agent
        self._logger = logger
        self._began = began
        self._write_state = write_state
        self._streams = streams
        self._on_plan = on_plan
        self._state_written_at = time.monotonic()
        self._default_requests_per_minute = default_requests_per_minute
        self.stop = Event()
        self.jobs = JobBook()
        self.running_jobs = RunningJobs()
        self.failed: list[str] = []  # the tasks whose job failed
        self.connections = ExitStack()  # closed when the run ends

    # Settings

    @cached_property
    def shard(self) -> Shard:
        """The shard of the partitions that this run reads."""
        return Shard.parse(self.config.get("shard", "0/1"))

    def today(self, zone: tzinfo = timezone.utc) -> date:
        """Return the day on which the run started, in ``zone``."""
        return self._began.astimezone(zone).date()

    def day_range(self, zone: tzinfo = timezone.utc) -> DayRange:
        """Return the days that this run reads, in ``zone``."""
        config, today = self.config, self.today(zone)
        start = parse_day(config["start_date"]) if "start_date" in config else None
        end = parse_day(config["end_date"]) if "end_date" in config else today
        return DayRange(
            start=start or today - timedelta(days=DEFAULT_DAYS),
            end=min(end, today),
            days=config["window_days"],
            lookback=config["lookback_days"],
        )

    # The vendor

    @property
    def requests_per_minute(self) -> int | None:
        """The rate limit; None for no limit."""
        per_minute: int | None = self.config.get("requests_per_minute")
        return per_minute or self._default_requests_per_minute

    @cached_property
    def throttle(self) -> Throttle:
        """The rate limit and the limit of concurrent requests, shared by all threads."""
        concurrency = self.config["max_concurrency"]
        return Throttle(self.requests_per_minute, self.stop, concurrency=concurrency)

    @property
    def user_agent(self) -> str:
        """The User-Agent header of all requests."""
        return str(self.config.get("user_agent", self._default_user_agent))

    def open_api(
        self,
        url: str,
        *,
        auth: AuthBase,
        error_for: ErrorMapper,
        prefixes: tuple[str, ...] = ("/",),
        unreachable: str = "",
    ) -> Api:
        """Return the API at ``url`` with the limits of this run; see ``Api`` for the parameters.

        Its connections are closed when the run ends.
        """
        SECRETS.add(*secrets_added_by(auth, url))
        api = Api(
            url,
            auth=auth,
            error_for=error_for,
            throttle=self.throttle,
            timeout_s=self.config["request_timeout"],
            user_agent=self.user_agent,
            prefixes=prefixes,
            max_response_mb=self.config["max_response_mb"],
        )
        api.unreachable = unreachable
        self.connections.callback(api.close)
        return api

    def job_runner(
        self, *, longest_s: float, growth: float, polling_share: float | None = None
    ) -> JobRunner:
        """Return a runner of the vendor's jobs with the settings of ``polling_settings``.

        ``polling_share`` is the share of the rate limit, from 0 to 1, that polls may use: with more
        jobs running, the pauses between the polls of each are longer. Without it, the rate limit
        does not change the pauses.
        """
        first_s = self.config["poll_interval_ms"] / 1000
        request_s = self.throttle.seconds_per_request
        pace = Pace(first_s, longest_s, self.config["poll_timeout"], growth, request_s)

        def min_pause_s() -> float:
            requests = self.running_jobs.count / polling_share if polling_share else 0
            return requests * self.throttle.seconds_per_request

        sleep, running = self.throttle.sleep, self.running_jobs
        return JobRunner(pace, sleep, running_jobs=running, min_pause_s=min_pause_s)

    # Work, progress and state

    @cached_property
    def ahead(self) -> ReadAhead:
        """The tasks of all streams, read ahead in plan order."""
        return ReadAhead(
            self._streams,
            concurrency=self.config["max_concurrency"],
            progress=self.progress,
            on_plan=self._on_plan,
            heartbeat=self.heartbeat,
        )

    def heartbeat(self, task: Task) -> None:
        """Show that the main thread waits for ``task``, and write the state if it is due.

        Raises:
            Interrupted: if the run is being stopped.
        """
        self.progress.show_waiting(task)
        self.write_state_if_due()

    @cached_property
    def progress(self) -> Progress:
        """The progress of the run, as the user sees it."""
        return Progress(self._logger)

    def write_state_if_due(self) -> None:
        """Write the bookmarks if ``state_interval`` has passed or the jobs in the state changed.

        Raises:
            Interrupted: if the run is being stopped; the main thread stops only here.
        """
        if self.stop.is_set():
            msg = "the run is being stopped"
            raise Interrupted(msg)
        is_due = time.monotonic() - self._state_written_at >= self.config["state_interval"]
        if self.jobs.write_to_state() or is_due:
            self._state_written_at = time.monotonic()
            self._write_state()

    def finish(self, outcome: str) -> None:
        """End the run: cancel running jobs if it is stopped, write the bookmarks, log a summary."""
        self.ahead.close()
        if self.stop.is_set():
            self.running_jobs.cancel_all(CANCEL_TIMEOUT_S)
        self.jobs.write_to_state()
        self._write_state()
        self.progress.log_summary(outcome, self.throttle.requests)
