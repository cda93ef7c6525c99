"""The Meltano command of each shard, and its share of the request budget."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tap_kit.run.settings import Shard

from orchestration.shards import EMPTY_SHARD, ROOT, TABLES, Job

if TYPE_CHECKING:
    from pathlib import Path

FOUR = Job("tap-kindmetrics", shards=4, workers=2)


def test_state_id_of_a_shard_contains_the_number_of_shards() -> None:
    ids = FOUR.state_ids
    assert ids[1] == "prod:tap-kindmetrics-to-target-postgres:shard-1-of-4"
    others = {*Job("tap-kindmetrics", shards=3).state_ids, FOUR.state_id(TABLES)}
    assert len({*ids, *others}) == len(ids) + len(others), "two shards share a state"


def test_one_shard_has_the_state_id_of_meltano_run() -> None:
    whole = Job("tap-khoros-analytics", "target-x", shards=1, environment="demo")
    assert whole.state_ids == ["demo:tap-khoros-analytics-to-target-x"]


@pytest.mark.parametrize("number", [TABLES, 0, 3])
def test_shell_line_has_all_that_a_shard_needs(number: int) -> None:
    program, *words = shlex.split(FOUR.shell_line(number))
    shard = EMPTY_SHARD if number == TABLES else f"{number}/4"
    assert (program, words[0]) == ("env", f"TAP_KINDMETRICS_SHARD={shard}")
    assert words[1:3] == ["meltano", "--environment=prod"]
    assert words[3] == "el", "`meltano run` has one run folder for all state ids"
    assert f"--state-id={FOUR.state_id(number)}" in words
    assert words[-2:] == ["tap-kindmetrics", "target-postgres"]
    assert "--force" not in words
    assert ("--no-install" in words) == (number != TABLES), "only one may install"


def test_shard_that_creates_the_tables_is_valid_for_the_taps() -> None:
    assert Shard.parse(EMPTY_SHARD).index == 1, "shard 0 reads the streams without partitions"


@pytest.mark.parametrize(
    ("shards", "workers", "each"), [(4, 2, 10), (2, 4, 10), (3, 3, 6), (1, 8, 20), (20, 20, 1)]
)
def test_budget_is_divided_among_running_shards(shards: int, workers: int, each: int) -> None:
    job = Job("tap-x-y", shards=shards, workers=workers, budget=20)
    assert job.settings(0)["TAP_X_Y_REQUESTS_PER_MINUTE"] == str(each)
    assert each * job.max_running <= 20


def test_without_a_budget_the_tap_setting_is_not_changed() -> None:
    assert FOUR.settings(0) == {"TAP_KINDMETRICS_SHARD": "0/4"}


@pytest.mark.parametrize(
    ("shards", "workers", "budget", "message"),
    [(0, 2, None, "at least one"), (2, 0, None, "at least one"), (2, 2, 1, "not enough for 2")],
)
def test_budget_that_cannot_be_divided_is_refused(
    shards: int, workers: int, budget: int | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Job("tap-kindmetrics", shards=shards, workers=workers, budget=budget)


def test_invalid_number_is_one_error_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.dask_runner", "tap-x", "--shards=3", "--budget=1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "1 requests a minute are not enough for 2 shards" in done.stderr
    assert "Traceback" not in done.stderr


def test_shell_lines_are_printed_for_other_engines() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "orchestration.shards", "tap-kindmetrics", "--budget=20"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    job = Job("tap-kindmetrics", shards=4, workers=2, budget=20)
    assert printed.splitlines() == [job.shell_line(number) for number in (TABLES, 0, 1, 2, 3)]


def test_stopped_worker_sends_sigterm_to_meltano(tmp_path: Path) -> None:
    """A killed Meltano would leave tap and target running, and lock the shard for minutes."""
    fake, note = tmp_path / "meltano", tmp_path / "note"
    fake.write_text(
        f"#!/bin/sh\ntrap 'echo terminated > {note}; exit 143' TERM\n"
        f"echo begun > {note}\nwhile :; do sleep 0.5; done\n"
    )
    fake.chmod(0o755)
    code = "from orchestration.shards import Job; Job('tap-x').run(0)"
    worker = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not note.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.send_signal(signal.SIGINT)
    worker.wait(60)
    assert note.read_text() == "terminated\n"
