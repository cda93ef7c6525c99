"""The parameters that start an export: see docs/reference/khoros.md, section 2.1."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_kit import row_id

from tap_khoros_analytics.exports.definitions import MAX_INTERVALS, REPEATED, export_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_kit import Config, Partition, Window

    from tap_khoros_analytics.exports.definitions import Export
    from tap_khoros_analytics.exports.spellings import Column

REPORT_TYPE = "conversation_report_type"
INTERVAL_EXPORT = "team_performance_interval"


class Span(NamedTuple):
    """The time that one job covers, from ``begin`` to ``end``, both UTC."""

    begin: datetime
    end: datetime

    def end_by(self, now: datetime) -> datetime:
        """Return the end to request, which is not in the future.

        It is also the next span's begin. Whether or not the vendor includes the last millisecond,
        no row is missed, and a row that comes twice has the same key.
        """
        return max(self.begin, min(self.end, now))


def spans_of(export: Export, window: Window, config: Config) -> Iterator[Span]:
    """Return the spans of a window: one, or more where the vendor limits the intervals of a job."""
    begin, end = midnight(window.first), midnight(window.last + timedelta(days=1))
    step = end - begin
    if export.id == INTERVAL_EXPORT:
        step = timedelta(milliseconds=config["time_interval"] * MAX_INTERVALS)
    now = datetime.now(timezone.utc)
    while begin < end and begin <= now:
        yield Span(begin, min(begin + step, end))
        begin += step


def parameters(export: Export, span: Span, partition: Partition, config: Config) -> dict[str, Any]:
    """Return the parameters of a start, without the company key and the columns."""
    filters = export_options(config, export.id).get("filters", {})
    params: dict[str, Any] = {
        "startTime": epoch_ms(span.begin),
        "endTime": epoch_ms(span.end_by(datetime.now(timezone.utc))),
        "reportFormat": config["report_format"],
        "locale": config["locale"],
        **{name: as_parameter(name, value) for name, value in filters.items()},
    }
    if export.has_timezone and "timezoneOffset" not in params:
        params["timezone"] = config["timezone"]
    if export.id == INTERVAL_EXPORT:
        params["timeInterval"] = str(config["time_interval"])
    if export.id == "conversation_history_action":
        params["raiselimit"] = "true"
    if REPORT_TYPE in partition:
        params["conversationReportType"] = partition[REPORT_TYPE]
    return params


def header_locale(config: Config) -> str:
    """Return the locale of the headers that discovery requests.

    Headers depend on the locale. Keys of JSON exports are metric ids, like English headers.
    """
    return str(config["locale"]) if config["report_format"] == "csv" else "en"


def metrics(
    known: Sequence[Column], chosen: Sequence[Column], *, is_fixed: bool, is_csv: bool
) -> list[str]:
    """Return the columns to request; none where the vendor's default set has all of them."""
    if not is_fixed and len(chosen) == len(known):
        return []
    return [column.metric for column in chosen if not (is_csv and column.json_only)]


def fingerprint(params: Mapping[str, Any]) -> str:
    """Return a hash that is equal for equal parameters, whatever the end of the window."""
    return row_id(sorted([name, value] for name, value in params.items() if name != "endTime"))


def midnight(day: date) -> datetime:
    """Return the first moment of a UTC day."""
    return datetime.combine(day, time(), tzinfo=timezone.utc)


def epoch_ms(moment: datetime) -> str:
    """Return the milliseconds since 1970 as text, as the vendor expects times."""
    return str(int(moment.timestamp() * 1000))


def as_parameter(name: str, value: Any) -> str | list[str]:
    """Return a filter as a parameter: booleans in lower case, lists with commas or repeated."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        texts = [str(item) for item in value]
        return texts if name in REPEATED else ",".join(texts)
    return str(value)
