"""What a shard is to Meltano, and what each of them may ask of the vendor."""

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


def test_every_shard_has_a_state_id_with_the_number_of_shards_in_it() -> None:
    ids = FOUR.state_ids
    assert ids[1] == "prod:tap-kindmetrics-to-target-postgres:shard-1-of-4"
    others = {*Job("tap-kindmetrics", shards=3).state_ids, FOUR.state_id(TABLES)}
    assert len({*ids, *others}) == len(ids) + len(others), "no two share a state"


def test_one_shard_goes_on_where_meltano_run_was() -> None:
    whole = Job("tap-khoros-analytics", "target-x", shards=1, environment="demo")
    assert whole.state_ids == ["demo:tap-khoros-analytics-to-target-x"]


@pytest.mark.parametrize("number", [TABLES, 0, 3])
def test_the_line_for_a_shell_has_all_that_a_shard_needs(number: int) -> None:
    program, *words = shlex.split(FOUR.shell_line(number))
    shard = EMPTY_SHARD if number == TABLES else f"{number}/4"
    assert (program, words[0]) == ("env", f"TAP_KINDMETRICS_SHARD={shard}")
    assert words[1:3] == ["meltano", "--environment=prod"]
    assert words[3] == "el", "`meltano run` has one run folder for all state ids"
    assert f"--state-id={FOUR.state_id(number)}" in words
    assert words[-2:] == ["tap-kindmetrics", "target-postgres"]
    assert "--force" not in words
    assert ("--no-install" in words) == (number != TABLES), "only one may install"


def test_the_shard_that_makes_the_tables_is_one_the_taps_take() -> None:
    assert Shard.parse(EMPTY_SHARD).index == 1, "shard 0 would read what has no partitions"


@pytest.mark.parametrize(
    ("shards", "workers", "each"), [(4, 2, 10), (2, 4, 10), (3, 3, 6), (1, 8, 20), (20, 20, 1)]
)
def test_the_budget_is_shared_out_among_those_at_work(shards: int, workers: int, each: int) -> None:
    job = Job("tap-x-y", shards=shards, workers=workers, budget=20)
    assert job.settings(0)["TAP_X_Y_REQUESTS_PER_MINUTE"] == str(each)
    assert each * job.max_running <= 20


def test_without_a_budget_the_setting_of_the_tap_holds() -> None:
    assert FOUR.settings(0) == {"TAP_KINDMETRICS_SHARD": "0/4"}


@pytest.mark.parametrize(
    ("shards", "workers", "budget", "said"),
    [(0, 2, None, "at least one"), (2, 0, None, "at least one"), (2, 2, 1, "not enough for 2")],
)
def test_what_cannot_be_shared_out_is_refused(
    shards: int, workers: int, budget: int | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Job("tap-kindmetrics", shards=shards, workers=workers, budget=budget)


def test_a_wrong_number_is_one_line() -> None:
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


def test_the_lines_are_printed_for_any_other_engine() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "orchestration.shards", "tap-kindmetrics", "--budget=20"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    job = Job("tap-kindmetrics", shards=4, workers=2, budget=20)
    assert printed.splitlines() == [job.shell_line(number) for number in (TABLES, 0, 1, 2, 3)]


def test_a_worker_that_is_stopped_stops_meltano_gently(tmp_path: Path) -> None:
    """Killed, Meltano could end neither tap nor target, and would hold the shard for minutes."""
    fake, told = tmp_path / "meltano", tmp_path / "told"
    fake.write_text(
        f"#!/bin/sh\ntrap 'echo terminated > {told}; exit 143' TERM\n"
        f"echo begun > {told}\nwhile :; do sleep 0.5; done\n"
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
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.send_signal(signal.SIGINT)
    worker.wait(60)
    assert told.read_text() == "terminated\n"
