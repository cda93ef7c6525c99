"""Every switch of the sandbox with its default; all are keywords of ``Khoros``.

What may differ from export to export is given once for all, or as a mapping from export ids; an
export that the mapping leaves out has the default. Switches may be changed while it runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeAlias, TypeVar

from sandbox.khoros.headers import KeyStyle

T = TypeVar("T")
PerExport: TypeAlias = T | Mapping[str, T]


def for_export(switch: PerExport[T], export: str, default: T) -> T:
    """Give what a switch says for an export."""
    return switch.get(export, default) if isinstance(switch, Mapping) else switch


@dataclass(frozen=True)
class Cut:
    """A download that breaks off in the middle of a row (from 0), or after so many bytes.

    It befalls the ``first`` downloads of each run, of one export or of all. The connection is
    reset, or closed in peace with fewer bytes than promised.
    """

    row: int | None = None
    byte: int = 0
    first: int = 1
    how: Literal["reset", "close"] = "reset"
    export: str = ""


@dataclass(kw_only=True, eq=False)
class _Account:
    """Who gets in, and how much there is."""

    username: str = "analytics-user"
    password: str = "demo-password"  # noqa: S105 (opens nothing but the sandbox)
    company_key: str = "demo-company"
    seed: str = "sandbox"
    # Stops the clock of the data at a time; None follows the real one.
    now: datetime | None = None
    # The first day with data; None is 90 days before the clock's day.
    since: date | None = None
    # Rows a UTC day. For team_performance, team_performance_interval and user a mapping gives
    # the number of agents instead (12 unless it does).
    rows_per_day: PerExport[int] = 40
    empty_days: Iterable[date] = ()
    # Actions of one more conversation a day in conversation_history_action: 500 are exported, or
    # 2000 with raiselimit.
    long_actions: int = 0
    latency_ms: int = 0
    keep_requests: int = 100_000


@dataclass(kw_only=True, eq=False)
class _Rules:
    """What the server takes."""

    # GET for every export, as the quick start shows it.
    lenient_methods: bool = False
    # Methods that the server takes for some exports, instead of the documented ones.
    methods: Mapping[str, Iterable[str]] = field(default_factory=dict)
    wrong_method_status: Literal[404, 405, 415] = 405
    body_types: Iterable[Literal["form", "json"]] = ("form", "json")
    # Passes over unknown parameters instead of refusing them.
    lenient_parameters: bool = False
    # Takes `+` in a run id as it is, not only as %2B.
    lenient_ids: bool = False
    # A window has the moment of its endTime, as a sample of the vendor's suggests.
    inclusive_end: bool = True
    max_buckets: int = 31
    company_timezone: str = "UTC"
    has_brand_posts: bool = True
    # Requests in any window of so many seconds, over creation, status and download.
    rate_limit: int | None = None
    rate_window: float = 60.0
    has_retry_after: bool = True


@dataclass(kw_only=True, eq=False)
class _Replies:
    """How the API answers."""

    # "mixed": creations are application/json, the rest is text/plain, since both are documented.
    content_type: Literal["mixed", "application/json", "text/plain"] = "mixed"
    empty_400: bool = False
    has_stray_line: bool = False
    creation_result: PerExport[Literal["object", "list"]] = "object"
    # Text of an exception in the place of a creation's result, by export.
    creation_errors: Mapping[str, str] = field(default_factory=dict)
    # Exports whose creation gives ids only, without both URLs.
    bare_creations: Iterable[str] = ()
    # Exports whose creation gives a downloadUrl already (documented for user).
    early_download_urls: Iterable[str] = ("user",)
    # "documented": an object when it is ready, a list of one while it runs and when it failed.
    status_result: Literal["documented", "object", "list"] = "documented"
    # Base URL of another host, for statusUrl and downloadUrl.
    foreign_url: str = ""


@dataclass(kw_only=True, eq=False)
class _Jobs:
    """How jobs go."""

    job_seconds: PerExport[float] = 0.0
    running_polls: PerExport[int] = 1
    # COMPLETED without a downloadUrl for so many polls.
    empty_url_polls: PerExport[int] = 0
    # The first so many runs of an export fail; -1 is all of them.
    failing_runs: PerExport[int] = 0
    failed_detail: PerExport[str] = "FAILED"
    failed_reason: str | None = None
    running_state: PerExport[str] = "RUNNING"
    # Whether a request like one before gets its run: never, while it runs, until it expires.
    attach: Literal["never", "running", "always"] = "running"
    job_hours: float = 24.0


@dataclass(kw_only=True, eq=False)
class _Files:
    """What is in the files, and how storage gives them."""

    # The tenant's enabled columns (metric ids) of some exports; others have the sandbox's.
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Columns that only exports of windows ending after a day have: {export: {metric id: day}}.
    late_columns: Mapping[str, Mapping[str, date]] = field(default_factory=dict)
    key_style: KeyStyle = "metric"
    has_bom: bool = False
    link_seconds: float = 60.0
    link_uses: int | None = None
    storage_type: str = "application/octet-stream"
    # Without a length, in chunks.
    is_chunked: bool = False
    # Compressed, for clients that take gzip; such a file has no length either.
    has_gzip: bool = False
    cuts: Sequence[Cut] = ()
    # An error in the place of the rows, for the first so many downloads of each run.
    error_bodies: Mapping[str, Literal["json", "xml"]] = field(default_factory=dict)
    error_body_downloads: int = 1


@dataclass(kw_only=True, eq=False)
class Switches(_Files, _Jobs, _Replies, _Rules, _Account):
    """All of them."""
