"""The parameters of an export, checked and converted to their types."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone, tzinfo
from typing import Literal, NamedTuple, cast

from sandbox.exchange import Refusal
from sandbox.khoros.catalog import Export
from sandbox.khoros.places import LOCALES, OFFSETS, zone_at, zone_of
from sandbox.khoros.values import PRIORITIES

Format = Literal["json", "csv"]
Pairs = Sequence[tuple[str, str]]
REPORT_TYPES = ("OPEN_AT_END", "CLOSED", "CREATED")
WEEK_MS = 604_800_000
INTERVALS_MS = frozenset(
    minutes * 60_000 for minutes in (5, 10, 15, 30, 60, 120, 240, 480, 720, 1440)
) | {WEEK_MS}
REPEATABLE = frozenset({"reportMetrics", "agentId", "teamId"})
FURTHEST_OFFSET_MS = 18 * 3_600_000
SMART_VIEWS = frozenset({11, 12, 13})  # high priority, first queue, business hours
BUCKETS_TEXT = (
    "Unable to hydrate filter for export info: "
    "com.lithium.socialweb.analytics.webapp.models.filter.HydrationException: "
    "Too many buckets ({}) requested. Select a larger interval?"
)


class TooManyBucketsError(Refusal):
    """The window has more intervals than the server allows; the text is the vendor's."""

    def __init__(self, buckets: int) -> None:
        super().__init__(200, BUCKETS_TEXT.format(buckets))


@dataclass(frozen=True)
class Filters:
    """Filters of rows; None does not filter. ``business`` is inside (true) or outside the hours."""

    priorities: frozenset[int] | None = None
    queues: frozenset[int] | None = None
    smart_view: int | None = None
    teams: frozenset[int] | None = None
    agents: frozenset[str] | None = None
    include_disabled: bool = False
    business: bool | None = None


@dataclass(frozen=True)
class Query:
    """A request for an export; times are epoch milliseconds, as given.

    Empty ``metrics`` stands for the tenant's columns; ``zone`` is only used to format times.
    """

    export: Export
    start: int
    end: int
    format: Format = "json"
    metrics: tuple[str, ...] = ()
    locale: str = "en"
    zone: tzinfo = timezone.utc
    zone_text: str = "UTC"
    report_type: str = ""
    interval: int = 0
    is_raised: bool = False
    filters: Filters = field(default=Filters())


class Server(NamedTuple):
    """The server's columns and limits.

    ``columns`` are the metric ids that a client can request; ``company_zone`` formats times if a
    request has neither a time zone nor an offset; ``is_lenient`` ignores parameters that the
    export does not have.
    """

    columns: Collection[str]
    company_zone: str
    max_buckets: int
    is_lenient: bool


def query_of(export: Export, pairs: Pairs, server: Server) -> Query:
    """Return the query of a creation, with the parameters of its export.

    Raises:
        Refusal: 400; the message names the parameter.
        TooManyBucketsError: the window has more intervals than the server allows.
    """
    if server.is_lenient:
        pairs = [pair for pair in pairs if pair[0] in export.parameters]
    _check_names(pairs, export.parameters)
    given = _Given(pairs)
    start, end = given.window()
    zone_text, zone = _zone(given, server.company_zone)
    return Query(
        export=export,
        start=start,
        end=end,
        format=cast("Format", given.choice("reportFormat", ("json", "csv"))),
        metrics=_metrics(export, given.all("reportMetrics"), server.columns),
        locale=given.choice("locale", LOCALES),
        zone=zone,
        zone_text=zone_text,
        report_type=_report_type(export, given),
        interval=_interval(export, given, end - start, server.max_buckets),
        is_raised=given.flag("raiselimit") is True,
        filters=_filters(given),
    )


class _Given:
    """The given parameters, read one at a time."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self._pairs if key == name)

    def one(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def window(self) -> tuple[int, int]:
        start, end = self.time("startTime"), self.time("endTime")
        if end < start:
            raise Refusal(400, "endTime is before startTime")
        return start, end

    def time(self, name: str) -> int:
        text = self.one(name)
        if text is None:
            raise Refusal(400, f"Required parameter {name} is not present")
        if not re.fullmatch(r"[0-9]{1,14}", text):
            raise Refusal(400, f"{name} must be epoch milliseconds")
        return int(text)

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Return the value, or the first choice without one; case-sensitive."""
        value = self.one(name)
        if value is not None and value not in choices:
            raise Refusal(400, f"{name} must be one of {', '.join(choices)}")
        return value or choices[0]

    def flag(self, name: str) -> bool | None:
        value = self.one(name)
        if value not in {None, "true", "false"}:
            raise Refusal(400, f"{name} must be true or false")
        return None if value is None else value == "true"

    def numbers(self, name: str, *, repeated: bool = False) -> frozenset[int] | None:
        values = self.all(name)
        parts = values if repeated else [part for value in values for part in value.split(",")]
        if not all(part.isdecimal() for part in parts):
            raise Refusal(400, f"{name} must be a list of numbers")
        return frozenset(map(int, parts)) if values else None


def _check_names(pairs: Pairs, known: Iterable[str]) -> None:
    names = [name for name, _ in pairs]
    for name in names:
        if name not in known:
            raise Refusal(400, f"Unknown parameter {name}")
        if names.count(name) > 1 and name not in REPEATABLE:
            raise Refusal(400, f"{name} must not be repeated")


def _metrics(export: Export, names: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Return the requested ids in that order; they may be disabled columns."""
    aliases = dict(export.aliases)
    metrics = dict.fromkeys(aliases.get(name, name) for name in names)
    if unknown := [name for name in metrics if name not in known]:
        raise Refusal(400, f"Unknown reportMetrics {unknown[0]}")
    return tuple(metrics)


def _report_type(export: Export, given: _Given) -> str:
    known = "conversationReportType" in export.parameters
    return given.choice("conversationReportType", REPORT_TYPES) if known else ""


def _zone(given: _Given, company_zone: str) -> tuple[str, tzinfo]:
    """Return the zone for formatting; its id has precedence over an offset (undocumented)."""
    zone_id, offset = given.one("timezone"), given.one("timezoneOffset")
    if offset is not None and not (
        re.fullmatch(r"-?[0-9]{1,8}", offset) and abs(int(offset)) <= FURTHEST_OFFSET_MS
    ):
        raise Refusal(400, "timezoneOffset must be an offset in milliseconds")
    if zone_id is None and offset is not None:
        zone = zone_at(int(offset))
        return str(zone), zone
    chosen = zone_id or company_zone
    if chosen not in OFFSETS:
        raise Refusal(400, "timezone must be one of /config/timezones")
    return chosen, zone_of(chosen)


def _interval(export: Export, given: _Given, length: int, most: int) -> int:
    if "timeInterval" not in export.parameters:
        return 0
    text = given.one("timeInterval") or ""
    interval = int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0
    if interval not in INTERVALS_MS and interval <= WEEK_MS:
        raise Refusal(400, "timeInterval must be one of the documented intervals")
    # The vendor counts 745 intervals in a month of hours: the end starts another one.
    if interval <= WEEK_MS and -(-length // interval) > most:
        raise TooManyBucketsError(length // interval + 1)
    return interval


def _filters(given: _Given) -> Filters:
    view, views = given.one("smartViewId"), [*map(str, sorted(SMART_VIEWS))]
    if view is not None and view not in views:
        raise Refusal(400, f"smartViewId must be one of {', '.join(views)}")
    priorities = given.numbers("priorities")
    if priorities is not None and max(priorities) >= PRIORITIES:
        raise Refusal(400, f"priorities must be 0 to {PRIORITIES - 1}")
    teams = given.numbers("teamIds")
    return Filters(
        priorities=priorities,
        queues=given.numbers("workqueueIds"),
        smart_view=None if view is None else int(view),
        teams=given.numbers("teamId", repeated=True) if teams is None else teams,
        agents=frozenset(given.all("agentId")) or None,
        include_disabled=given.flag("includeDisabled") is True,
        business=_business(given, is_view_with_hours=view == "13"),
    )


def _business(given: _Given, *, is_view_with_hours: bool) -> bool | None:
    """Return whether to filter business hours; a smart view has precedence over parameters."""
    enabled, inside = given.flag("enableBusinessHour"), given.flag("businessHourType")
    if inside is not None and not enabled:
        raise Refusal(400, "businessHourType requires enableBusinessHour=true")
    return True if is_view_with_hours else inside


def is_business_hour(at: int) -> bool:
    """Whether a time is in the tenant's business hours: Monday to Friday, 9 to 17, UTC."""
    moment = datetime.fromtimestamp(at // 1000, tz=timezone.utc)
    return moment.weekday() < 5 and 9 <= moment.hour < 17
