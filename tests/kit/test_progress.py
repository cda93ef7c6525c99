"""What a person sees of a long run."""

import io
import logging
import sys
import time
from itertools import pairwise

import pytest
import tap_kit.progress
from tap_kit.progress import INTERVAL_S, Progress
from typing_extensions import override

from tests.kit.canned import Table, run_of, tap_of

LOGGER = logging.getLogger("tap-canned")


class Clock:
    """The time, as far as the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 5_000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    @override
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("step_s", [0.5, 3.0, 9.9, 25.0])
def test_a_line_comes_at_least_every_interval_while_it_waits(
    clock: Clock, caplog: pytest.LogCaptureFixture, step_s: float
) -> None:
    caplog.set_level(logging.INFO, LOGGER.name)
    progress, told_at = Progress(LOGGER, 3), [clock.now]
    for _ in range(200):
        clock.now += step_s
        progress.waiting("pages, domain_id 1, 2024-01-01")
        if len(caplog.messages) == len(told_at):
            told_at.append(clock.now)
    gaps = [later - earlier for earlier, later in pairwise(told_at)]
    assert max(gaps) <= max(INTERVAL_S + step_s, step_s)
    assert min(gaps) >= INTERVAL_S, "and no more than one in that time"
    assert caplog.messages[0].endswith("waiting for pages, domain_id 1, 2024-01-01")


def test_a_short_run_says_nothing(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER.name)
    progress = Progress(LOGGER, 2)
    for _ in range(2):
        clock.now += 4.9
        progress.rows(1_000)
        progress.task_done()
    progress.close()
    assert caplog.messages == []


def test_the_line_has_tasks_rows_and_speed(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER.name)
    progress = Progress(LOGGER, 40)
    progress.rows(10_000)
    progress.task_done()
    clock.now += 10
    progress.rows(2_340)
    assert caplog.messages == ["1 of 40 tasks done, 12,340 rows, 1,234 rows/s, reading"]


def test_writing_rows_and_ending_tasks_tell_too(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER.name)
    progress = Progress(LOGGER, 40)
    clock.now += 11
    progress.task_done()
    clock.now += 11
    progress.rows(1)
    assert len(caplog.messages) == 2


def test_no_bar_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    progress = Progress(LOGGER, 2)
    progress.task_done()
    progress.close()
    assert stderr.getvalue() == ""


def test_a_terminal_has_a_bar_and_no_lines(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, LOGGER.name)
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress(LOGGER, 2)
    for _ in range(2):
        clock.now += 60
        progress.rows(1_234)
        progress.waiting("pages")
        progress.task_done()
    progress.close()
    assert isinstance(sys.stderr, Terminal)
    drawn = sys.stderr.getvalue()
    assert "1/2" in drawn
    assert "2,468 rows" in drawn
    assert caplog.messages == []


def test_a_bar_shows_what_is_waited_for(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person in front of a still bar wants to know what it is that takes so long."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress(LOGGER, 2)
    for _ in range(4):
        clock.now += 0.5
        progress.waiting("pages, domain_id 1")
    assert isinstance(sys.stderr, Terminal)
    assert "waiting for pages, domain_id 1" in sys.stderr.getvalue()
    progress.close()


@pytest.mark.parametrize("way", [{}, {"flattening_enabled": True, "flattening_max_depth": 1}])
def test_rows_are_counted_the_same_in_chunks_and_one_by_one(
    way: dict[str, object], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tap_kit.progress, "INTERVAL_S", 0)
    caplog.set_level(logging.INFO)
    table = Table({"id": {"type": "integer"}}, [{"id": number} for number in range(1234)])
    assert run_of(tap_of(table)(config=way)).error == ""
    told = [message for message in caplog.messages if "tasks done" in message]
    assert told[-1].startswith("1 of 1 tasks done, 1,234 rows, ")
