"""The jobs: how they start, run, end and expire, and what clients did with them."""

import base64
import hashlib
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from sandbox.khoros.clock import Clock
from sandbox.khoros.data import Recipe
from sandbox.khoros.query import Query
from sandbox.khoros.switches import Switches, for_export

HOUR_SECONDS = 3600


class Status(NamedTuple):
    """The result of a poll: the two texts, and whether there is a downloadUrl."""

    state: str
    detail: str
    has_url: bool


class Start(NamedTuple):
    """What a job was started for; times are epoch milliseconds."""

    export: str
    start: int
    end: int
    report_type: str


@dataclass
class Job:
    """One run of a workflow; times are seconds of the clock, None before the event.

    ``file`` is fixed when the job starts, so that every download has the same bytes.
    """

    query: Query
    file: Recipe
    workflow_id: str
    run_id: str
    token: str
    started: float
    will_fail: bool
    creations: int = 1
    polls: int = 0
    polls_when_done: int = 0
    downloads: int = 0
    bodies: int = 0
    first_poll: float | None = None
    last_poll: float | None = None
    first_download: float | None = None
    last_download: float | None = None

    @property
    def export(self) -> str:
        """The id of its export."""
        return self.query.export.id

    @property
    def start(self) -> Start:
        """What it was started for."""
        query = self.query
        return Start(self.export, query.start, query.end, query.report_type)


@dataclass
class Counts:
    """What clients did: ``creations`` are requests, ``starts`` the runs that they started."""

    creations: Counter[Start] = field(default_factory=Counter)
    starts: Counter[Start] = field(default_factory=Counter)
    polls: Counter[Start] = field(default_factory=Counter)
    downloads: Counter[Start] = field(default_factory=Counter)
    most_running: int = 0
    refused_by_rate: int = 0
    storage_credentials_seen: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the counts as JSON values, for a client in another process."""
        counters = {
            name: [{**start._asdict(), "count": count} for start, count in counter.items()]
            for name, counter in (
                ("creations", self.creations),
                ("starts", self.starts),
                ("polls", self.polls),
                ("downloads", self.downloads),
            )
        }
        return {
            **counters,
            "most_running": self.most_running,
            "refused_by_rate": self.refused_by_rate,
            "storage_credentials_seen": self.storage_credentials_seen,
        }

    def clear(self) -> None:
        """Reset all counts."""
        for counter in (self.creations, self.starts, self.polls, self.downloads):
            counter.clear()
        self.most_running = self.refused_by_rate = self.storage_credentials_seen = 0


class Jobs:
    """All jobs, oldest first in ``all``."""

    def __init__(self, switches: Switches, clock: Clock, counts: Counts) -> None:
        self.all: list[Job] = []
        self._switches = switches
        self._clock = clock
        self.counts = counts
        self._runs: dict[tuple[str, str], Job] = {}
        self._latest: dict[str, Job] = {}
        self._started: Counter[str] = Counter()

    def create(self, query: Query, request: object, file: Recipe) -> Job:
        """Start a job, or return the one that an identical request has started."""
        workflow_id = _workflow_id(self._switches.seed, request)
        job = self._attachable(workflow_id)
        if job is None:
            job = self._start(query, workflow_id, file)
        else:
            job.creations += 1
        self.counts.creations[job.start] += 1
        return job

    def find(self, workflow_id: str, run_id: str) -> Job | None:
        """Return a job; None if there is none or it has expired."""
        job = self._runs.get((workflow_id, run_id))
        return None if job is None or self._is_expired(job) else job

    def poll(self, job: Job) -> Status:
        """Count a poll, and return the status."""
        self.counts.polls[job.start] += 1
        job.last_poll = self._clock.seconds
        job.first_poll = job.first_poll or job.last_poll
        status = self._status(job)
        job.polls += 1
        if self.is_done(job) and status.state == "CLOSED":
            job.polls_when_done += 1
        return status

    def download(self, job: Job) -> bool:
        """Count a download and return True; False before the job has a downloadUrl."""
        if not self._status(job).has_url:
            return False
        self.counts.downloads[job.start] += 1
        job.downloads += 1
        job.last_download = self._clock.seconds
        job.first_download = job.first_download or job.last_download
        return True

    def is_done(self, job: Job) -> bool:
        """Whether the job has ended, successfully or not."""
        seconds = for_export(self._switches.job_seconds, job.export, 0.0)
        polls = for_export(self._switches.running_polls, job.export, 1)
        return self._age(job) >= seconds and job.polls >= polls

    @property
    def running(self) -> int:
        """The number of jobs that are running."""
        return sum(not (self._is_expired(job) or self.is_done(job)) for job in self.all)

    def _status(self, job: Job) -> Status:
        switches = self._switches
        if not self.is_done(job):
            state = for_export(switches.running_state, job.export, "RUNNING")
            return Status(state, "", has_url=False)
        if job.will_fail:
            detail = for_export(switches.failed_detail, job.export, "FAILED")
            return Status("CLOSED", detail, has_url=False)
        polls = for_export(switches.empty_url_polls, job.export, 0)
        return Status("CLOSED", "COMPLETED", has_url=job.polls_when_done >= polls)

    def _start(self, query: Query, workflow_id: str, file: Recipe) -> Job:
        failing = for_export(self._switches.failing_runs, query.export.id, 0)
        number = self._started[query.export.id]
        self._started[query.export.id] += 1
        text = f"{self._switches.seed} {workflow_id} {len(self.all)}"
        job = Job(
            query=query,
            file=file,
            workflow_id=workflow_id,
            run_id=_run_id(text),
            token=base64.b64encode(_digest(f"token {text}")[:16]).decode(),
            started=self._clock.seconds,
            will_fail=failing < 0 or number < failing,
        )
        self._runs[workflow_id, job.run_id] = self._latest[workflow_id] = job
        self.all.append(job)
        self.counts.starts[job.start] += 1
        self.counts.most_running = max(self.counts.most_running, self.running)
        return job

    def _attachable(self, workflow_id: str) -> Job | None:
        job = self._latest.get(workflow_id)
        if job is None or self._switches.attach == "never" or self._is_expired(job):
            return None
        if not self.is_done(job):
            return job
        return job if self._switches.attach == "always" and not job.will_fail else None

    def _age(self, job: Job) -> float:
        return self._clock.seconds - job.started

    def _is_expired(self, job: Job) -> bool:
        return self._age(job) > self._switches.job_hours * HOUR_SECONDS


def _workflow_id(seed: str, request: object) -> str:
    """Return a UUID derived from the request; the vendor's samples are all version 3."""
    return str(uuid.uuid3(uuid.NAMESPACE_URL, f"{seed} {request}"))


def _run_id(text: str) -> str:
    """Return an id like the vendor's that always has characters which a URL must encode."""
    attempt = 0
    while True:
        encoded = base64.b64encode(_digest(f"run {attempt} {text}")).decode()
        if "+" in encoded and "/" in encoded:
            return f"23{encoded}"
        attempt += 1


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
