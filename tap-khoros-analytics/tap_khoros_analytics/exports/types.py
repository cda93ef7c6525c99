"""The types of columns: learned from texts, and the values that texts have in a type.

The vendor sends every value as a text. A text that does not fit its column's type is never lost:
see `Conversion`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from tap_khoros_analytics.exports.definitions import export_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Texts = Sequence[str | None]

    from tap_kit import Config

    from tap_khoros_analytics.exports.definitions import Export

    Converter = Callable[[Texts], "Conversion"]
    Parser = Callable[[str], Any]

TEXT, INTEGER, NUMBER, BOOLEAN, MOMENT, DURATION = (
    *("text", "integer", "number", "boolean", "date-time", "duration"),
)
TYPES = (TEXT, INTEGER, NUMBER, BOOLEAN, MOMENT, DURATION)
# From the narrowest on: a number that is also an integer is one in all values of a sample.
LEARNED = (BOOLEAN, INTEGER, NUMBER, DURATION, MOMENT)
MIN_SAMPLE = 20  # values; fewer do not show what a column can have
MAX_OFFSETS = 100_000  # of minutes, two months of them
EXACT_DIGITS = 15  # of a number that a double keeps
# Of zones on earth. A database refuses other offsets, and the load would fail.
FARTHEST_WEST, FARTHEST_EAST = timedelta(hours=-12), timedelta(hours=14)
DAY_FIRST = {"es": True, "fr": True, "de": True, "tr": True, "en_US": False}  # by locale

_Integer = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_LISTS: dict[str, Any] = {
    INTEGER: list[_Integer | None],
    NUMBER: list[float | None],
    BOOLEAN: list[bool | None],
}
# The texts of a batch that JSON decodes to the same values as `_one_by_one` does.
_PLAIN = {
    INTEGER: re.compile(r"[-0-9,nul]*"),
    NUMBER: re.compile(r"[-0-9.,nul]*"),
    BOOLEAN: re.compile(r"[a-z,]*"),
}
_IDENTIFIER = re.compile(r"(?:.*_)?(?:id|ids|uuid)")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DURATION = re.compile(r"([0-9]{1,7}):([0-5][0-9]):([0-5][0-9])")
_TIME = r"[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,6})?)?"
_ISO = re.compile(
    rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}}){_TIME} ?(Z|[+-][0-9]{{2}}:?[0-9]{{2}})?"
)
_LOCAL = re.compile(rf"([0-9]{{1,2}})([./])([0-9]{{1,2}})\2([0-9]{{4}}){_TIME}")
_ISO_LENGTH = 19  # of 2024-01-31 23:59:59


class Conversion(NamedTuple):
    """The values of a column; ``misfits`` are the texts that have no value in its type, or None.

    The value is null then.
    """

    values: Sequence[Any]
    misfits: Texts


class Zone:
    """The zone of the times in an export, which the request asked for; None if it asked for none.

    ``day_first``: how the locale orders a date with slashes; None if that is not known.
    """

    def __init__(self, zone: tzinfo | None, *, day_first: bool | None) -> None:
        self.zone = zone
        self.day_first = day_first
        self.offsets: dict[str, str] = {}

    def offset(self, minute: str) -> str:
        """Return the offset of a minute such as ``2024-01-31 23:59``, and keep it in ``offsets``.

        Raises:
            ValueError: if it is no minute, or the zone is not known.
        """
        if minute[10:11] not in {" ", "T"}:  # Python accepts any character here
            raise ValueError
        found = self.text_of(datetime.fromisoformat(minute))[-6:]
        if len(self.offsets) > MAX_OFFSETS:
            self.offsets.clear()
        self.offsets[minute] = found
        return found

    def text_of(self, moment: datetime) -> str:
        """Return a time as RFC 3339, in the zone if it has none.

        Raises:
            ValueError: if there is no zone, or a warehouse cannot store the time.
        """
        if moment.tzinfo is None:
            if self.zone is None:
                raise ValueError
            moment = moment.replace(tzinfo=self.zone)
        text, offset = moment.isoformat(), moment.utcoffset() or timedelta()
        is_storable = FARTHEST_WEST <= offset <= FARTHEST_EAST and _is_in_a_year_of_utc(moment)
        if not is_storable or text[-6] not in "+-":  # seconds in the offset of a historical time
            raise ValueError
        return text


def zone_of(export: Export, config: Config) -> Zone:
    """Return the zone of the times in an export: that of the filter, or that of the settings."""
    day_first = DAY_FIRST.get(str(config["locale"]))
    offset = export_options(config, export.id).get("filters", {}).get("timezoneOffset")
    zone: tzinfo | None = None
    try:
        if offset is not None:
            zone = timezone(timedelta(milliseconds=int(offset)))
        elif export.has_timezone:
            zone = ZoneInfo(str(config["timezone"]))
    except (ValueError, OSError, KeyError):  # KeyError: a zone that this machine does not know
        zone = None
    return Zone(zone, day_first=day_first)


def learned_type(field: str, texts: Iterable[str], zone: Zone) -> str:
    """Return the narrowest type that all texts of a sample have; text if the sample is small.

    Ids stay texts: they are compared with ids in other exports, and not computed with.
    """
    sample = [text for text in texts if text]
    if len(sample) < MIN_SAMPLE or _IDENTIFIER.fullmatch(field):
        return TEXT
    fitting = (kind for kind in LEARNED if not any(converter(kind, zone)(sample).misfits))
    return next(fitting, TEXT)


def converter(kind: str, zone: Zone) -> Converter:
    """Return the function that makes values of texts; an empty text is null in all types."""
    if kind == MOMENT:
        return partial(_moments, zone)
    if kind == DURATION:
        return partial(_one_by_one, _seconds)
    return partial(_as_json, msgspec.json.Decoder(_LISTS[kind]), kind)


def _as_json(decoder: msgspec.json.Decoder[list[Any]], kind: str, texts: Texts) -> Conversion:
    """Convert all texts at a time: in JSON, these types have the form in which they are texts."""
    array = ",".join([text or "null" for text in texts])
    if kind == BOOLEAN:
        array = array.lower()
    is_plain = _PLAIN[kind].fullmatch(array) and (
        kind != NUMBER or max(map(len, filter(None, texts)), default=0) <= EXACT_DIGITS
    )
    try:
        values = decoder.decode(f"[{array}]") if is_plain else []
    except msgspec.DecodeError:
        values = []
    # A text can be "null", or have a comma.
    is_whole = len(values) == len(texts) and values.count(None) == sum(not text for text in texts)
    return Conversion(values, ()) if is_whole else _one_by_one(_PARSERS[kind], texts)


def _one_by_one(parse: Parser, texts: Texts) -> Conversion:
    values: list[Any] = []
    misfits: list[str | None] = []
    for text in texts:
        value = misfit = None
        if text:
            try:
                value = parse(text)
            except ValueError:
                misfit = text
        values.append(value)
        misfits.append(misfit)
    return Conversion(values, misfits if any(misfits) else ())


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text) or not -(1 << 63) <= int(text) < 1 << 63:
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text) or len(re.sub("[-.]", "", text)) > EXACT_DIGITS:
        raise ValueError
    return float(text)


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError
    return text.lower() == "true"


def _seconds(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _moments(zone: Zone, texts: Texts) -> Conversion:
    """Convert times; those in the form of ISO 8601 all at a time."""
    if {*map(len, filter(None, texts))} <= {_ISO_LENGTH}:
        offsets, offset = zone.offsets, zone.offset
        try:
            values = [
                text.replace(" ", "T") + (offsets.get(text[:16]) or offset(text[:16]))
                if text
                else None
                for text in texts
            ]
            msgspec.convert(values, list[datetime | None])
        except ValueError:  # also that of msgspec
            pass
        else:
            return Conversion(values, ())
    return _one_by_one(partial(_moment, zone), texts)


def _moment(zone: Zone, text: str) -> str:
    if found := _ISO.fullmatch(text):
        year, month, day, hour, minute, second, fraction, offset = found.groups()
    elif found := _LOCAL.fullmatch(text):
        first, sign, other, year, hour, minute, second, fraction = found.groups()
        offset, is_day_first = None, True if sign == "." else zone.day_first
        if is_day_first is None:
            raise ValueError
        day, month = (first, other) if is_day_first else (other, first)
    else:
        raise ValueError
    micros = int((fraction or ".")[1:].ljust(6, "0"))
    parts = map(int, (year, month, day, hour, minute, second or 0))
    moment = datetime(*parts, micros, tzinfo=_zone_of(offset))  # type: ignore[misc,arg-type]
    return zone.text_of(moment)


def _is_in_a_year_of_utc(moment: datetime) -> bool:
    """Return whether a time is between the years 1 and 9999 in UTC, too."""
    try:
        moment.astimezone(timezone.utc)
    except OverflowError:
        return False
    return True


def _zone_of(offset: str | None) -> tzinfo | None:
    if offset is None:
        return None
    return timezone.utc if offset == "Z" else datetime.strptime(offset, "%z").tzinfo


_PARSERS: dict[str, Parser] = {INTEGER: _integer, NUMBER: _number, BOOLEAN: _boolean}
