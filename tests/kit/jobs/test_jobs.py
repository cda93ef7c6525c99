"""Jobs of the vendor are started once, polled, and resumed after a crash."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.server import running
from tap_kit.errors import Interrupted, JobFailed
from tap_kit.flow.windows import Window
from tap_kit.jobs.protocol import Ids, JobState, Poll
from tap_kit.jobs.runner import JobRunner
from tap_kit.jobs.times import Pace
from typing_extensions import override

from tests.kit.canned import run_of
from tests.kit.job_tap import JobApi, JobTap

if TYPE_CHECKING:
    from pathlib import Path

RUNNING, DONE = Poll(JobState.RUNNING), Poll(JobState.DONE, "rows")
FAILED, GONE = Poll(JobState.FAILED, reason="no disk"), Poll(JobState.GONE)
DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-02"}
FIRST, SECOND = (Window(date(2024, 1, day), date(2024, 1, day)) for day in (1, 2))


class Canned:
    """A job with canned polls, and a clock that only its pauses advance."""

    def __init__(self, *polls: Poll) -> None:
        self.polls = list(polls)
        self.calls: list[str] = []
        self.recorded: list[Ids] = []
        self.pauses: list[float] = []
        self.now = 1000.0

    def start(self) -> Ids:
        """Start; the ids are 1, 2, ..."""
        self.calls.append("start")
        return {"id": str(self.calls.count("start"))}

    def poll(self, ids: Ids) -> Poll:
        """Return the next of the polls, and the last one repeatedly."""
        self.calls.append(f"poll {ids['id']}")
        return self.polls.pop(0) if len(self.polls) > 1 else self.polls[0]

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.pauses.append(seconds)
        self.now += seconds

    def run(self, known: Ids | None = None, pace: Pace | None = None) -> Any:
        """Run the job to its end."""
        runner = JobRunner(pace or Pace(2, 10, 100), self.sleep, clock=lambda: self.now)
        return runner.run(self, "days, 2024-01-01", known, self.recorded.append)


def test_pauses_grow_by_half_up_to_the_longest() -> None:
    job = Canned(*[RUNNING] * 7, DONE)
    assert job.run() == "rows"
    assert job.pauses == [2, 3, 4.5, 6.75, 10, 10, 10, 10]
    assert job.recorded == [{"id": "1"}]


def test_last_pause_ends_at_the_timeout() -> None:
    job = Canned(RUNNING)
    with pytest.raises(JobFailed):
        job.run(pace=Pace(2, 10, 5.5))
    assert job.pauses == [2, 3, 0.5]


def test_timeout_is_an_error_that_names_the_job() -> None:
    job = Canned(RUNNING)
    with pytest.raises(JobFailed) as caught:
        job.run(pace=Pace(2, 10, 30))
    assert str(caught.value) == "days, 2024-01-01: the vendor's job is still running after 30 s"
    assert sum(job.pauses) == 30, "the last pause ends at the timeout"
    assert job.calls.count("start") == 1


@pytest.mark.parametrize("end", [FAILED, GONE], ids=["failed", "gone"])
def test_failed_job_is_started_again_once(end: Poll) -> None:
    job = Canned(RUNNING, end, RUNNING, DONE)
    assert job.run() == "rows"
    assert job.calls == ["start", "poll 1", "poll 1", "start", "poll 2", "poll 2"]
    assert job.recorded == [{"id": "1"}, {"id": "2"}]
    assert job.pauses == [2, 3, 2, 3], "the second start begins with the first pause"


@pytest.mark.parametrize(("end", "reason"), [(FAILED, "no disk"), (GONE, "gone")])
@pytest.mark.parametrize("known", [None, {"id": "old"}], ids=["new", "known"])
def test_job_that_fails_twice_is_an_error(end: Poll, reason: str, known: Ids | None) -> None:
    job = Canned(end)
    with pytest.raises(JobFailed) as caught:
        job.run(known)
    problem = "the vendor's job ended without a result"
    assert str(caught.value) == f"days, 2024-01-01: {problem}: {reason}"
    assert job.calls.count("start") == (1 if known else 2)


def test_known_job_is_polled_immediately_and_not_started(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "tap_kit.jobs.runner")
    job = Canned(DONE)
    assert job.run({"id": "old"}) == "rows"
    assert (job.calls, job.pauses, job.recorded) == (["poll old"], [], [{"id": "old"}])
    assert caplog.messages == ["days, 2024-01-01: resuming the job that an earlier run started"]


def test_known_job_that_is_running_is_polled_until_done() -> None:
    job = Canned(RUNNING, RUNNING, DONE)
    assert job.run({"id": "old"}) == "rows"
    assert (job.calls, job.pauses) == (["poll old"] * 3, [2, 3])


@pytest.mark.parametrize("end", [FAILED, GONE], ids=["failed", "gone"])
def test_known_job_without_a_result_is_started_again(end: Poll) -> None:
    job = Canned(end, DONE)
    assert job.run({"id": "old"}) == "rows"
    assert job.calls == ["poll old", "start", "poll 1"]
    assert job.recorded == [{"id": "old"}, {"id": "1"}]


@pytest.mark.parametrize("known", [None, {"id": "7"}], ids=["new", "known"])
@pytest.mark.parametrize("first", [RUNNING, FAILED], ids=["first start", "second start"])
def test_timeout_of_a_second_start_names_the_job(first: Poll, known: Ids | None) -> None:
    with pytest.raises(
        JobFailed, match=r"^days, 2024-01-01: the vendor's job is still running after 5 s$"
    ):
        Canned(first, RUNNING).run(known, Pace(2, 10, 5))


@pytest.mark.parametrize(
    ("end", "reason"), [(FAILED, "no disk"), (GONE, "gone"), (Poll(JobState.FAILED), "failed")]
)
def test_second_start_is_logged_with_its_reason(
    end: Poll, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert Canned(end, DONE).run() == "rows"
    assert caplog.messages == [f"days, 2024-01-01: {reason}; starting it again"]


def test_interruption_while_waiting_is_raised() -> None:
    class Stopped(Canned):
        @override
        def sleep(self, seconds: float) -> None:
            msg = "the run is being stopped"
            raise Interrupted(msg)

    job = Stopped(DONE)
    with pytest.raises(Interrupted):
        job.run()
    assert job.calls == ["start"]
    assert job.recorded == [{"id": "1"}], "so that the next run finds the job"


# Whole runs


def begin(url: str, folder: Path) -> subprocess.Popen[str]:
    """Start a run in its own process."""
    file = folder / "config.json"
    file.write_text(json.dumps({**DAYS, "api_url": url, "max_concurrency": 1}), encoding="utf-8")
    code = "from tests.kit.job_tap import JobTap; JobTap.cli()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "--config", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def first_state(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the first state that a run writes."""
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["type"] == "STATE":
            state: dict[str, Any] = json.loads(line)["value"]
            return state
    raise AssertionError


def test_run_that_was_killed_is_resumed_with_the_ids_in_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(request.config.rootpath)
    vendor = JobApi()
    with running(vendor.app) as server:
        with begin(server.url, tmp_path) as process:
            state, now = first_state(process), time.monotonic()
            process.kill()
        started = next(r.ended for r in vendor.log.requests if r.method == "POST")
        assert state["bookmarks"]["days"]["jobs"] == {"2024-01-01": {"id": "0"}}
        assert started is not None
        assert now - started < 1.5, "written at the next heartbeat, plus the time of a slow machine"
        vendor.is_quick = True
        done = run_of(JobTap(config={**DAYS, "api_url": server.url}, state=state))
    assert done.error == ""
    assert vendor.started == ["2024-01-01", "2024-01-02"], "no job is started twice"
    assert done.records == [{"id": 0, "day": "2024-01-01"}, {"id": 1, "day": "2024-01-02"}]
    last = done.of("STATE")[-1]["value"]["bookmarks"]["days"]
    assert last == {"replication_key": "day", "replication_key_value": "2024-01-02"}


def test_job_that_the_vendor_no_longer_knows_is_started_again() -> None:
    vendor = JobApi()
    vendor.is_quick = True
    state = {"bookmarks": {"days": {"jobs": {"2024-01-01": {"id": "99"}}}}}
    with running(vendor.app) as server:
        done = run_of(JobTap(config={**DAYS, "api_url": server.url}, state=state))
    assert sorted(vendor.started) == ["2024-01-01", "2024-01-02"]
    assert [record["day"] for record in done.records] == ["2024-01-01", "2024-01-02"]


def test_run_with_a_job_that_fails_twice_names_it() -> None:
    vendor = JobApi()
    vendor.is_quick, vendor.broken = True, {"2024-01-02"}
    with running(vendor.app) as server:
        done = run_of(JobTap(config={**DAYS, "api_url": server.url}))
    assert vendor.started.count("2024-01-02") == 2
    assert [record["day"] for record in done.records] == ["2024-01-01"]
    assert "days, 2024-01-02" in done.error
    last = done.of("STATE")[-1]["value"]["bookmarks"]["days"]
    assert last["replication_key_value"] == "2024-01-01"
