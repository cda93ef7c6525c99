"""The commands of docs/beyond_one_machine.md exist, and its arithmetic is right."""

from __future__ import annotations

import heapq
import re
import shlex
import subprocess
import sys
from collections import Counter
from datetime import date

import pytest
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_kit.rows.keys import shard_of

from orchestration.shards import ROOT

TEXT = (ROOT / "docs" / "beyond_one_machine.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"python -m (orchestration\.\w+[^`#\n]*)", TEXT)))
TARGETS = sorted(set(re.findall(r"(?:^|`)make ([\w-]+)", TEXT, re.MULTILINE)))
DOMAINS, DAYS = 1000, (date(2026, 1, 1) - date(2021, 1, 1)).days


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_accepts_its_options(command: str) -> None:
    """With ``--help`` at the end nothing runs, but the options before it must be known."""
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command), "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for option in re.findall(r"--[a-z]+", command):
        assert option in done.stdout, option


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("workers", "shards", "last", "times"),
    [(10, 10, 117, "8.5"), (10, 20, 107, "9.3"), (100, 100, 20, "50"), (100, 400, 14, "71")],
)
def test_table_of_a_thousand_domains_is_right(
    workers: int, shards: int, last: int, times: str
) -> None:
    assert f"| {workers} | {shards} | {last} | {times} |" in TEXT
    sizes = Counter(shard_of([domain, "all"], shards) for domain in range(1, DOMAINS + 1))
    read = [0] * workers
    for shard in range(shards):
        heapq.heappush(read, heapq.heappop(read) + sizes[shard])
    assert max(read) == last
    assert f"{DOMAINS / last:.3g}".startswith(times)


def test_division_of_twenty_domains_is_right() -> None:
    for count, expected in ((2, [9, 11]), (4, [4, 4, 5, 7])):
        sizes = Counter(shard_of([domain, "all"], count) for domain in range(1, 21))
        assert sorted(sizes.values()) == expected


def test_arithmetic_of_kindmetrics_is_right() -> None:
    requests = DOMAINS * DAYS * 7
    assert (
        f"1,000 domains x {DAYS:,} days x 7 streams                 = {requests:,} requests" in TEXT
    )
    assert (
        f"{requests:,} / 40                                        = {requests / 40:,.0f} s" in TEXT
    )
    assert round(requests / 40 / 86400, 1) == 3.7
    assert round(107 * DAYS * 7 / 40 / 3600, 1) == 9.5
    assert round(14 * DAYS * 7 / 40 / 3600, 1) == 1.2
    assert f"`max_concurrency` 40 would be {requests / 400 / 3600:.1f} h" in TEXT
    assert round(requests / 600 / 60 / 24, 1) == 14.8


def test_arithmetic_of_khoros_is_right() -> None:
    chosen = [export for export in EXPORTS.values() if export.selected]
    jobs = len(chosen) - 1 + 3
    assert (len(chosen), jobs) == (13, 15)
    weeks, months = -(-DAYS // 7), -(-DAYS // 30)
    requests = [
        DAYS * jobs * 3,
        weeks * (14 + 6) * 3,
        months * (14 + 24) * 3,
        months * jobs * 3,
    ]
    assert [f"{n:,}" for n in requests] == ["82,170", "15,660", "6,954", "2,745"]
    assert all(f"{n:,}" in TEXT for n in requests)
    assert [round(n / 20 / 60, 1) for n in requests] == [68.5, 13.1, 5.8, 2.3]
