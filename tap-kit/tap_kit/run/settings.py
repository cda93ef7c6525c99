"""The settings of all taps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import EMIT_ACTIVATE_VERSION_CONFIG
from typing_extensions import override

from tap_kit.net.http import DEFAULT_MAX_MB

Config = Mapping[str, Any]
"""The settings of a tap, by name."""


class NonEmptyList(th.ArrayType[Any]):
    """A list with at least one item: an empty selection would read everything, as without it."""

    @property
    @override
    def type_dict(self) -> dict[str, Any]:
        return {**super().type_dict, "minItems": 1}


def _setting(name: str, kind: Any, title: str, description: str, **more: Any) -> th.Property[Any]:
    return th.Property(name, kind, title=title, description=description, **more)


DEFAULT_BATCH_ROWS = 10_000  # as in the SDK
DEFAULT_DAYS = 30  # before today, where a run without a start_date begins
HEADER_PATTERN = r"^([!-~]([ -~]*[!-~])?)?$(?!\n)"  # valid in an HTTP header
TOKEN_PATTERN = r"^[!-~]*$(?!\n)"  # noqa: S105 (a pattern)
"""The pattern of a token in a header; it rejects a space or line feed that was copied with it."""

_RUN_SETTINGS = (
    _setting(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=300),
        "Request timeout",
        "Maximum time to wait for a connection or for more data of a response, in seconds",
        default=60,
    ),
    _setting(
        "max_response_mb",
        th.IntegerType(minimum=1, maximum=1024),
        "Maximum response size",
        "Maximum size of a response that is read as a whole, decompressed, in MiB. Downloads of "
        "exports have no limit",
        default=DEFAULT_MAX_MB,
    ),
    _setting(
        "state_interval",
        th.IntegerType(minimum=1, maximum=3600),
        "State interval",
        "Interval between state messages, in seconds",
        default=10,
    ),
    _setting(
        "shard",
        th.StringType,
        "Shard",
        "i/n: read only shard i of n shards of the partitions, with i from 0 to n-1",
    ),
    _setting(
        "user_agent",
        th.StringType(min_length=1, pattern=HEADER_PATTERN),
        "User agent",
        "User-Agent header of requests. Unset: name and version of the tap",
    ),
)


def _day_settings(time_zone: str) -> tuple[th.Property[Any], ...]:
    return (
        _setting(
            "start_date",
            th.StringType,
            "Start date",
            f"First day to read, YYYY-MM-DD ({time_zone}). Unset: {DEFAULT_DAYS} days before today",
        ),
        _setting(
            "end_date",
            th.StringType,
            "End date",
            f"Last day to read, YYYY-MM-DD ({time_zone}). Unset, or in the future: today",
        ),
        _setting(
            "window_days",
            th.IntegerType(minimum=1, maximum=366),
            "Window length",
            "Number of days per window; a row of aggregates covers one window",
            default=1,
        ),
    )


def common_settings(
    *,
    lookback_days: int,
    time_zone: str = "UTC",
    requests_per_minute: int | None = None,
    unset_budget: str = "no limit",
    max_concurrency: int = 4,
) -> tuple[th.Property[Any], ...]:
    """Return the settings of every tap, with the defaults for its vendor.

    ``time_zone`` is the zone of the days that the tap reads, for the descriptions. ``unset_budget``
    describes the rate limit if ``requests_per_minute`` has no default and is not set.
    """
    unset = f". Unset: {unset_budget}" if requests_per_minute is None else ""
    vendor_settings = (
        _setting(
            "lookback_days",
            th.IntegerType(minimum=0, maximum=3660),
            "Lookback days",
            "Number of days before the bookmark to read again, because data can arrive late",
            default=lookback_days,
        ),
        _setting(
            "max_concurrency",
            th.IntegerType(minimum=1, maximum=64),
            "Concurrent requests",
            "Maximum number of concurrent requests, over all streams",
            default=max_concurrency,
        ),
        _setting(
            "requests_per_minute",
            th.IntegerType(minimum=1, maximum=1_000_000),
            "Requests per minute",
            f"Maximum number of requests per minute{unset}",
            default=requests_per_minute,
        ),
    )
    return (*_day_settings(time_zone), *vendor_settings, *_RUN_SETTINGS)


def add_missing_settings(config_jsonschema: dict[str, Any]) -> None:
    """Add the settings that the SDK uses without adding them itself."""
    settings = config_jsonschema["properties"]
    for name, definition in EMIT_ACTIVATE_VERSION_CONFIG["properties"].items():
        settings.setdefault(name, definition)
    batch_size = _setting(
        "batch_size",
        th.IntegerType(minimum=1, maximum=1_000_000),
        "Batch Size",
        f"Maximum number of rows of a batch file. Unset: {DEFAULT_BATCH_ROWS}",
    )
    settings["batch_config"]["properties"].update(batch_size.to_dict())


def polling_settings(
    job: str, *, first_ms: int, longest_ms: int, timeout_s: int
) -> tuple[th.Property[int], ...]:
    """Return the settings for polling jobs of the vendor, for ``Run.job_runner``.

    ``job`` is the vendor's word for a job.
    """
    return (
        _setting(
            "poll_interval_ms",
            th.IntegerType(minimum=1, maximum=longest_ms),
            "Poll interval",
            f"Initial polling interval of a {job}, in milliseconds; backs off to {longest_ms}. "
            "Later ones are timed by how long the last one took",
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
    """A part of the partitions: number ``index``, from 0, of ``count``."""

    index: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that ``i/n`` names.

        Raises:
            ValueError: if the text is not two whole numbers with 0 <= i < n.
        """
        if not re.fullmatch("[0-9]+/[0-9]+", text):
            raise ValueError(text)
        shard = cls(*map(int, text.split("/")))
        if not shard.index < shard.count:
            raise ValueError(text)
        return shard
