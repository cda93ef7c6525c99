"""The pauses between polls: settings, and the share of the rate limit."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from singer_sdk import typing as th
from tap_kit.jobs.running import RunningJob
from tap_kit.jobs.times import Pace
from tap_kit.run.problems import setting_problems
from tap_kit.run.settings import common_settings, polling_settings

from tests.kit.canned import CannedTap


def schema(*more: th.Property[Any]) -> dict[str, Any]:
    """Return the settings of a tap whose vendor runs jobs."""
    polling = polling_settings("report run", first_ms=2000, longest_ms=30_000, timeout_s=3600)
    return th.PropertiesList(*polling, *more).to_dict()


class PollingTap(CannedTap):
    """A tap with these settings."""

    config_jsonschema: ClassVar[dict[str, Any]] = schema(*common_settings(lookback_days=0))


def test_polling_settings_have_limits_defaults_and_descriptions() -> None:
    assert schema()["properties"] == {
        "poll_interval_ms": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": 30_000,
            "default": 2000,
            "title": "Poll interval",
            "description": (
                "Initial polling interval of a report run, in milliseconds; backs off to 30000. "
                "Later ones are timed by how long the last one took"
            ),
        },
        "poll_timeout": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": 7 * 24 * 3600,
            "default": 3600,
            "title": "Poll timeout",
            "description": "Maximum time to wait for a report run, in seconds",
        },
    }


@pytest.mark.parametrize(
    ("config", "lines"),
    [
        ({"poll_interval_ms": 1, "poll_timeout": 1}, []),
        ({"poll_interval_ms": 30_000, "poll_timeout": 604_800}, []),
        ({"poll_interval_ms": 0}, ["poll_interval_ms must be at least 1"]),
        ({"poll_interval_ms": 30_001}, ["poll_interval_ms must be at most 30000"]),
        ({"poll_timeout": 0}, ["poll_timeout must be at least 1"]),
        ({"poll_timeout": 604_801}, ["poll_timeout must be at most 604800"]),
    ],
)
def test_polling_settings_outside_their_limits_are_reported(
    config: dict[str, int], lines: list[str]
) -> None:
    assert list(setting_problems(config, schema())) == lines


def test_pace_follows_from_the_settings() -> None:
    tap = PollingTap(config={"poll_interval_ms": 250, "poll_timeout": 90})
    runner = tap.run.job_runner(longest_s=30, growth=2)
    assert runner.pace == Pace(first_s=0.25, longest_s=30, timeout_s=90, growth=2)


def running(tap: CannedTap, count: int) -> None:
    """Add ``count`` running jobs, which are not polled here."""
    for _ in range(count):
        tap.run.running_jobs.add(RunningJob(object(), {}, lambda: None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("budget", "share", "jobs", "min_s"),
    [
        (61, 0.5, 0, 0),
        (61, 0.5, 1, 2),
        (61, 0.5, 4, 8),
        (61, 1, 4, 4),
        (122, 0.25, 5, 10),
        (61, None, 5, 0),
        (None, 0.5, 5, 0),
    ],
)
def test_minimum_pause_grows_with_the_number_of_running_jobs(
    budget: int | None, share: float | None, jobs: int, min_s: float
) -> None:
    """All polls together use at most their share of the rate limit."""
    tap = PollingTap(config={"requests_per_minute": budget})
    runner = tap.run.job_runner(longest_s=30, growth=2, polling_share=share)
    assert runner.running_jobs is tap.run.running_jobs
    assert runner.pace.request_s == pytest.approx(61 / budget if budget else 0)
    running(tap, jobs)
    assert runner.min_pause_s() == pytest.approx(min_s)
