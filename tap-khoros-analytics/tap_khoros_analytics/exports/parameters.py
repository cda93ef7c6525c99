"""What an export is asked for: the parameters of its creation [reference, section 2.1]."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_kit.rows.keys import row_id

from tap_khoros_analytics.exports.catalogue import MOST_BUCKETS, REPEATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_kit.flow.tasks import Partition
    from tap_kit.flow.windows import Window

    from tap_khoros_analytics.exports.catalogue import Export
    from tap_khoros_analytics.exports.columns import Column

REPORT_TYPE = "conversation_report_type"
INTERVAL_EXPORT = "team_performance_interval"


class Span(NamedTuple):
    """What one job covers: from ``begin`` up to ``end``, both UTC."""

    begin: datetime
    end: datetime

    def end_by(self, now: datetime) -> datetime:
        """Where it ends for the vendor: what has not happened yet cannot be asked for.

        It is the next window's begin. Whether the vendor counts the last millisecond or not, no
        row is missed; one that is given twice has the same key.
        """
        return max(self.begin, min(self.end, now))


def spans_of(export: Export, window: Window, config: Mapping[str, Any]) -> Iterator[Span]:
    """A window as one job, or as several where the vendor limits the number of buckets."""
    begin, end = midnight(window.first), midnight(window.last + timedelta(days=1))
    step = end - begin
    if export.id == INTERVAL_EXPORT:
        step = timedelta(milliseconds=config["time_interval"] * MOST_BUCKETS)
    now = datetime.now(timezone.utc)
    while begin < end and begin <= now:
        yield Span(begin, min(begin + step, end))
        begin += step


def parameters(
    export: Export, span: Span, partition: Partition | None, config: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters of a creation, without the company key and the columns."""
    filters = config["exports"].get(export.id, {}).get("filters") or {}
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
    if partition:
        params["conversationReportType"] = partition[REPORT_TYPE]
    return params


def metrics(
    known: Sequence[Column], chosen: Sequence[Column], *, is_fixed: bool, is_csv: bool
) -> list[str]:
    """The columns to ask for; none when the vendor's default set is what is wanted."""
    if not is_fixed and len(chosen) == len(known):
        return []
    return [column.metric for column in chosen if not (is_csv and column.json_only)]


def fingerprint(params: Mapping[str, Any]) -> str:
    """What tells one request from another, but for the end of its window."""
    return row_id(sorted([name, value] for name, value in params.items() if name != "endTime"))


def midnight(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime.combine(day, time(), tzinfo=timezone.utc)


def epoch_ms(moment: datetime) -> str:
    """Milliseconds since 1970 as text, as the vendor wants its times."""
    return str(int(moment.timestamp() * 1000))


def as_parameter(name: str, value: Any) -> str | list[str]:
    """A filter as a parameter: true and false in lower case, lists with commas or repeated."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        texts = [str(item) for item in value]
        return texts if name in REPEATED else ",".join(texts)
    return str(value)
