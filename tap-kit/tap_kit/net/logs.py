"""Make every log record safe to print, from any library and with any text.

A text from a vendor can contain control characters, which forge lines or control the terminal,
our credentials, or megabytes. So ``safe_text`` cleans each record when it is created.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from singer_sdk.metrics import Point, Tag
from typing_extensions import override

from tap_kit.net.secrets import SECRETS
from tap_kit.net.sessions import remove_queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_TEXT_LENGTH = 4_000  # characters
_TAG_LENGTH = 1_000  # of a text in a metric
MAX_REPEATS = 100  # of one kind of warning; further ones are only counted

# Not attributes of the records, because a JSON formatter writes all of these.
_templates: WeakKeyDictionary[logging.LogRecord, str] = WeakKeyDictionary()


def safe_text(text: str) -> str:
    """Return ``text`` without secrets and control characters, at most ``MAX_TEXT_LENGTH`` long."""
    safe = SECRETS.redact_beginning(text, MAX_TEXT_LENGTH)
    if len(text) > MAX_TEXT_LENGTH:
        safe = f"{safe}… ({len(text):,} characters)"
    return safe if safe.isprintable() else "".join(map(_printable, safe))


def _printable(character: str) -> str:
    is_printable = character.isprintable()
    return character if is_printable else character.encode("unicode_escape").decode("ascii")


def make_records_safe() -> None:
    """Make ``logging`` create only safe records from now on; safe to call twice."""
    factory = logging.getLogRecordFactory()
    if not getattr(factory, "makes_safe_records", False):
        logging.setLogRecordFactory(_safe_records(factory))


def _safe_records(factory: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        _templates[record] = str(record.msg)
        if _is_metric(record):
            record.args = tuple(map(_safe_metric, record.args or ()))
        else:
            _make_safe(record)
        return record

    make.makes_safe_records = True  # type: ignore[attr-defined]
    return make


def _is_metric(record: logging.LogRecord) -> bool:
    """Return whether a record is a metric of the SDK, whose formatter needs the value itself."""
    return isinstance(record.args, tuple) and any(isinstance(arg, Point) for arg in record.args)


def _safe_metric(argument: object) -> object:
    """Return a metric with safe tags, such as the ids of a partition; or another safe argument."""
    if isinstance(argument, Point):
        return replace(argument, tags=_safe_value(argument.tags))
    return _safe_value(argument)


def _safe_value(value: object) -> Any:
    if isinstance(value, str):
        return value if isinstance(value, Tag) else safe_text(value)[:_TAG_LENGTH]
    if isinstance(value, dict):
        return {_safe_value(key): _safe_value(one) for key, one in value.items()}
    return value


def _make_safe(record: logging.LogRecord) -> None:
    if record.name.startswith("urllib3"):
        remove_queries(record)
    with contextlib.suppress(TypeError, ValueError):  # logging itself reports a wrong format
        record.msg, record.args = safe_text(record.getMessage()), ()
    if record.exc_info and record.exc_info[1] is not None:
        kind, error, trace = record.exc_info
        text = "".join(traceback.format_exception(kind, error, trace)).rstrip("\n")
        # Indented, so that no line looks like a log line.
        record.exc_text = "\n".join(f"  {safe_text(line)}" for line in text.split("\n"))
        safe = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})
        record.exc_info = (safe, safe(safe_text(str(error))), trace)


class _RepeatFilter(logging.Filter):
    """Passes ``MAX_REPEATS`` warnings of a kind: of the same logger and the same format."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[tuple[str, str]] = Counter()
        self._passes: WeakKeyDictionary[logging.LogRecord, bool] = WeakKeyDictionary()

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        if record not in self._passes:  # several handlers filter the same record
            kind = (record.name, _templates.get(record, ""))
            self.counts[kind] += 1
            self._passes[record] = self.counts[kind] <= MAX_REPEATS
        return self._passes[record]


@contextlib.contextmanager
def limit_repeats(logger: logging.Logger) -> Iterator[None]:
    """Log only ``MAX_REPEATS`` warnings of a kind inside, and finally the number of others."""
    repeats = _RepeatFilter()
    handlers = logging.getLogger().handlers[:]
    for handler in handlers:
        handler.addFilter(repeats)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(repeats)
        for (_, template), count in repeats.counts.items():
            if count > MAX_REPEATS:
                logger.warning("%s more warnings like: %s", f"{count - MAX_REPEATS:,}", template)
