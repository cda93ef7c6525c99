"""All switches with their defaults; they are the keywords of ``Khoros``.

A switch of type ``PerExport`` has one value for all exports, or a mapping from export ids to
values; exports that are not in the mapping have the default. Switches may change at any time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeAlias, TypeVar

from sandbox.khoros.headers import KeyStyle

T = TypeVar("T")
PerExport: TypeAlias = T | Mapping[str, T]


def for_export(switch: PerExport[T], export: str, default: T) -> T:
    """Return the value of a switch for an export."""
    return switch.get(export, default) if isinstance(switch, Mapping) else switch


@dataclass(frozen=True)
class Cut:
    """A download that breaks off in the middle of a row (from 0), or after a number of bytes.

    It applies to the ``first`` downloads of each run, of one export or of all. The connection is
    reset, or closed after fewer bytes than promised.
    """

    row: int | None = None
    byte: int = 0
    first: int = 1
    how: Literal["reset", "close"] = "reset"
    export: str = ""


@dataclass(kw_only=True, eq=False)
class _Account:
    """The credentials, and the amount of data."""

    username: str = "analytics-user"
    password: str = "demo-password"  # noqa: S105 (only valid in the sandbox)
    company_key: str = "demo-company"
    seed: str = "sandbox"
    # Stops the clock of the data at a time; None follows the real time.
    now: datetime | None = None
    # The first day with data; None is 90 days before the clock's day.
    since: date | None = None
    # Rows per UTC day. For team_performance, team_performance_interval and user a mapping sets
    # the number of agents instead (12 by default).
    rows_per_day: PerExport[int] = 40
    empty_days: Iterable[date] = ()
    # Actions of an additional conversation per day in conversation_history_action, of which 500
    # are exported, or 2000 with raiselimit.
    long_actions: int = 0
    latency_ms: int = 0
    keep_requests: int = 100_000


@dataclass(kw_only=True, eq=False)
class _Rules:
    """The requests that the server accepts."""

    # Every export accepts GET, as in the quick start.
    lenient_methods: bool = False
    # The methods of some exports, instead of the documented ones.
    methods: Mapping[str, Iterable[str]] = field(default_factory=dict)
    wrong_method_status: Literal[404, 405, 415] = 405
    body_types: Iterable[Literal["form", "json"]] = ("form", "json")
    # Ignores unknown parameters instead of refusing them.
    lenient_parameters: bool = False
    # Accepts `+` in a run id, not only %2B.
    lenient_ids: bool = False
    # The window includes its endTime, as a sample of the vendor suggests.
    inclusive_end: bool = True
    max_buckets: int = 31
    company_timezone: str = "UTC"
    has_brand_posts: bool = True
    # Requests for creations, status and downloads in any window of rate_window seconds.
    rate_limit: int | None = None
    rate_window: float = 60.0
    has_retry_after: bool = True


@dataclass(kw_only=True, eq=False)
class _Responses:
    """How the API responds."""

    # "mixed": application/json for creations, text/plain for the rest; both are documented.
    content_type: Literal["mixed", "application/json", "text/plain"] = "mixed"
    empty_400: bool = False
    has_stray_line: bool = False
    creation_result: PerExport[Literal["object", "list"]] = "object"
    # The text of an exception instead of a creation's result, by export.
    creation_errors: Mapping[str, str] = field(default_factory=dict)
    # Exports whose creation returns only the ids, without the URLs.
    bare_creations: Iterable[str] = ()
    # Exports whose creation already returns a downloadUrl (documented for user).
    early_download_urls: Iterable[str] = ("user",)
    # "documented": an object for a job that is ready, a list of one object for any other.
    status_result: Literal["documented", "object", "list"] = "documented"
    # Base URL of the API; empty takes it from the request's Host header.
    api_url: str = ""
    # Base URL of another host, for statusUrl and downloadUrl.
    foreign_url: str = ""
    # Base URL of the storage, to which downloads are redirected; ``serving`` sets it.
    storage_url: str = ""


@dataclass(kw_only=True, eq=False)
class _Jobs:
    """How jobs run."""

    job_seconds: PerExport[float] = 0.0
    running_polls: PerExport[int] = 1
    # How many polls return COMPLETED without a downloadUrl.
    empty_url_polls: PerExport[int] = 0
    # How many of the first runs of an export fail; -1 is all.
    failing_runs: PerExport[int] = 0
    failed_detail: PerExport[str] = "FAILED"
    failed_reason: str | None = None
    running_state: PerExport[str] = "RUNNING"
    # Until when a repeated request gets the run of the first: never, while it runs, until it
    # expires.
    attach: Literal["never", "running", "always"] = "running"
    job_hours: float = 24.0


@dataclass(kw_only=True, eq=False)
class _Files:
    """The contents of the files, and how the storage sends them."""

    # The tenant's enabled columns (metric ids) of some exports; others have the default ones.
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Columns that exist only in windows that end after a day: {export: {metric id: day}}.
    late_columns: Mapping[str, Mapping[str, date]] = field(default_factory=dict)
    key_style: KeyStyle = "metric"
    has_bom: bool = False
    link_seconds: float = 60.0
    link_uses: int | None = None
    storage_type: str = "application/octet-stream"
    # Sent in chunks, without a length.
    is_chunked: bool = False
    # Compressed for clients that accept gzip, and then without a length.
    has_gzip: bool = False
    cuts: Sequence[Cut] = ()
    # An error instead of the rows, in the first downloads of each run.
    error_bodies: Mapping[str, Literal["json", "xml"]] = field(default_factory=dict)
    error_body_downloads: int = 1


@dataclass(kw_only=True, eq=False)
class Switches(_Files, _Jobs, _Responses, _Rules, _Account):
    """All switches."""
