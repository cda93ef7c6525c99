"""The settings that all taps have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from singer_sdk import typing as th

Config = Mapping[str, Any]


def _setting(name: str, kind: Any, title: str, description: str, **more: Any) -> th.Property[Any]:
    return th.Property(name, kind, title=title, description=description, **more)


HEADER_TEXT = r"^([!-~]([ -~]*[!-~])?)?$(?!\n)"  # what may stand in an HTTP header
# Of that, what a token can be: a line feed or a space that was copied with it is told at once.
TOKEN_TEXT = r"^[!-~]*$(?!\n)"  # noqa: S105 (a pattern)

_DAYS = (
    _setting(
        "start_date",
        th.StringType,
        "Start date",
        "First day to read, YYYY-MM-DD (UTC). Unset: 30 days before today",
    ),
    _setting(
        "end_date",
        th.StringType,
        "End date",
        "Last day to read, YYYY-MM-DD (UTC). Unset, or in the future: today",
    ),
    _setting(
        "window_days",
        th.IntegerType(minimum=1, maximum=366),
        "Days a window",
        "How many days one row of figures covers",
        default=1,
    ),
)
_MANNERS = (
    _setting(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=300),
        "Time-out of a request",
        "Seconds to wait for a connection, and for each further piece of an answer",
        default=60,
    ),
    _setting(
        "state_interval",
        th.IntegerType(minimum=1, maximum=3600),
        "State interval",
        "Seconds after which the bookmarks are written out, at the latest",
        default=10,
    ),
    _setting(
        "shard",
        th.StringType,
        "Shard",
        "i/n: read only the i-th of n parts of the partitions, i from 0 to n-1",
    ),
    _setting(
        "user_agent",
        th.StringType(min_length=1, pattern=HEADER_TEXT),
        "User agent",
        "How the tap names itself to the vendor. Unset: its name and version",
    ),
)


def common_settings(
    *,
    lookback_days: int,
    requests_per_minute: int | None = None,
    unset_budget: str = "no limit",
    max_concurrency: int = 4,
) -> tuple[th.Property[Any], ...]:
    """The settings of every tap, with the defaults that suit its vendor.

    ``unset_budget`` says in words how many requests a minute there are where none are set.
    """
    own_defaults = (
        _setting(
            "lookback_days",
            th.IntegerType(minimum=0, maximum=3660),
            "Look-back days",
            "How many days before the bookmark are read again, since data comes late",
            default=lookback_days,
        ),
        _setting(
            "max_concurrency",
            th.IntegerType(minimum=1, maximum=64),
            "Requests at a time",
            "How many requests may be under way at once, over the whole tap",
            default=max_concurrency,
        ),
        _setting(
            "requests_per_minute",
            th.IntegerType(minimum=1, maximum=1_000_000),
            "Requests a minute",
            f"How many requests may begin in any minute. Unset: {unset_budget}",
            default=requests_per_minute,
        ),
    )
    return (*_DAYS, *own_defaults, *_MANNERS)


def polling_settings(
    job: str, *, first_ms: int, longest_ms: int, timeout_s: int
) -> tuple[th.Property[int], ...]:
    """Return the settings of a tap whose vendor runs jobs, for ``Run.job_runner``.

    ``job`` is the vendor's word for a job.
    """
    return (
        _setting(
            "poll_interval_ms",
            th.IntegerType(minimum=1, maximum=longest_ms),
            "Poll interval",
            f"Initial polling interval of a {job}, in milliseconds; backs off to {longest_ms}",
            default=first_ms,
        ),
        _setting(
            "poll_timeout",
            th.IntegerType(minimum=1, maximum=604_800),
            "Poll timeout",
            f"Maximum time to wait for a {job}, in seconds",
            default=timeout_s,
        ),
    )


@dataclass(frozen=True)
class Shard:
    """The ``index``-th of ``count`` parts, counted from 0."""

    index: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that ``i/n`` names.

        Raises:
            ValueError: when the text is not two whole numbers with 0 <= i < n.
        """
        if not re.fullmatch("[0-9]+/[0-9]+", text):
            raise ValueError(text)
        shard = cls(*map(int, text.split("/")))
        if not shard.index < shard.count:
            raise ValueError(text)
        return shard
