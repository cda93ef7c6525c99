"""Make every log record safe to print, whichever library writes it and whoever wrote its text.

A vendor's text can contain control characters, which forge lines or operate the terminal, our own
credentials, or megabytes. So each record passes ``safe_text`` when it is made.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections import Counter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from singer_sdk.metrics import Point
from typing_extensions import override

from tap_kit.net.secrets import SECRETS
from tap_kit.net.sessions import remove_queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST_TEXT = 4_000  # characters
REPEATS = 100  # of one kind of warning; further ones are counted

# Beside the records: a formatter for JSON writes all attributes of a record.
_templates: WeakKeyDictionary[logging.LogRecord, str] = WeakKeyDictionary()


def safe_text(text: str) -> str:
    """Return ``text`` without secrets and control characters, at most ``LONGEST_TEXT`` long."""
    text = SECRETS.redact(text)
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text):,} characters)"
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    is_fine = character.isprintable()
    return character if is_fine else character.encode("unicode_escape").decode("ascii")


def make_records_safe() -> None:
    """Have ``logging`` make safe records from now on; safe to call twice."""
    factory = logging.getLogRecordFactory()
    if not getattr(factory, "makes_safe_records", False):
        logging.setLogRecordFactory(_safe_records(factory))


def _safe_records(factory: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        _templates[record] = str(record.msg)
        if not _is_metric(record):
            _make_safe(record)
        return record

    make.makes_safe_records = True  # type: ignore[attr-defined]
    return make


def _is_metric(record: logging.LogRecord) -> bool:
    """Return whether the SDK wrote the record, as JSON; its formatter needs the value itself."""
    return isinstance(record.args, tuple) and any(isinstance(arg, Point) for arg in record.args)


def _make_safe(record: logging.LogRecord) -> None:
    if record.name.startswith("urllib3"):
        remove_queries(record)
    with contextlib.suppress(TypeError, ValueError):  # a wrong format is reported by logging
        record.msg, record.args = safe_text(record.getMessage()), ()
    if record.exc_info and record.exc_info[1] is not None:
        kind, error, where = record.exc_info
        text = "".join(traceback.format_exception(kind, error, where)).rstrip("\n")
        # Indented, so that no line of it looks like a line of the log.
        record.exc_text = "\n".join(f"  {safe_text(line)}" for line in text.split("\n"))
        safe = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})
        record.exc_info = (safe, safe(safe_text(str(error))), where)


class _RepeatFilter(logging.Filter):
    """Lets ``REPEATS`` warnings of a kind pass: of a logger, and of a text without its values."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[tuple[str, str]] = Counter()
        self._passes: WeakKeyDictionary[logging.LogRecord, bool] = WeakKeyDictionary()

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        if record not in self._passes:  # several handlers ask about one record
            kind = (record.name, _templates.get(record, ""))
            self.counts[kind] += 1
            self._passes[record] = self.counts[kind] <= REPEATS
        return self._passes[record]


@contextlib.contextmanager
def repeats_counted(logger: logging.Logger) -> Iterator[None]:
    """Write only the first ``REPEATS`` warnings of a kind inside, and at the end how many more."""
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
            if count > REPEATS:
                logger.warning("… and %s more like: %s", f"{count - REPEATS:,}", template)
