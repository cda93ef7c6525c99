"""Every log record is one safe line, whichever library writes it."""

from __future__ import annotations

import io
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.logging import ConsoleFormatter, StructuredFormatter
from singer_sdk.metrics import Metric, Point
from tap_kit.net import logs
from tap_kit.net.logs import (
    MAX_REPEATS,
    MAX_TEXT_LENGTH,
    limit_repeats,
    make_records_safe,
    safe_text,
)
from tap_kit.net.secrets import SECRETS, Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "t0ken-0f-test-l0gs"  # noqa: S105  (not a real secret)
FORMATTERS = [ConsoleFormatter(), StructuredFormatter()]
HOSTILE = "\x1b[31m\x07\u202e\r\n2026-01-01 | ERROR | forged \x85\u2028 " + SECRET


@pytest.fixture(autouse=True)
def safe_records() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    make_records_safe()
    SECRETS.add(SECRET)
    yield
    logging.setLogRecordFactory(before)


def written(log: Any, formatter: logging.Formatter, name: str = "some.library") -> str:
    """Call ``log`` with a logger; return what a handler with this formatter writes."""
    logger, out = logging.getLogger(name), io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        log(logger)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    return out.getvalue()


@given(st.text())
def test_any_text_becomes_one_printable_line_of_bounded_length(text: str) -> None:
    safe = safe_text(text * 50)
    assert safe.isprintable()
    assert len(safe) <= 10 * (MAX_TEXT_LENGTH + 30)


@pytest.mark.parametrize(
    "formatter", [ConsoleFormatter(), StructuredFormatter()], ids=["console", "JSON"]
)
@pytest.mark.parametrize("as_argument", [True, False], ids=["argument", "message"])
def test_hostile_text_is_one_line_without_the_secret(
    formatter: logging.Formatter, *, as_argument: bool
) -> None:
    def log(logger: logging.Logger) -> None:
        if as_argument:
            logger.warning("the server sent %s", HOSTILE)
        else:
            logger.warning(HOSTILE)

    line = written(log, formatter)
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()
    assert SECRET not in line
    assert "forged" in line


@pytest.mark.parametrize(
    "formatter", [ConsoleFormatter(), StructuredFormatter()], ids=["console", "JSON"]
)
def test_traceback_forges_no_line_and_has_no_secret(formatter: logging.Formatter) -> None:
    def log(logger: logging.Logger) -> None:
        logger.error("a bug of the tap", exc_info=ValueError(HOSTILE))

    text = written(log, formatter)
    assert SECRET not in text
    assert "ValueError" in text
    lines = text.rstrip("\n").split("\n")
    assert all(line.startswith("  ") for line in lines[1:])
    assert all(line.isprintable() for line in lines)


def test_long_text_is_cut_and_its_length_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "SECRETS", Secrets())  # other tests add such as "xxxx"
    line = written(lambda logger: logger.info("%s", "x" * 2_000_000), ConsoleFormatter())
    assert len(line) < MAX_TEXT_LENGTH + 200
    assert line.endswith("… (2,000,000 characters)\n")


def test_metrics_of_the_sdk_are_unchanged() -> None:
    point: Point[int] = Point("counter", Metric.RECORD_COUNT, 7)
    line = written(lambda logger: logger.info("METRIC: %s", point), StructuredFormatter())
    assert json.loads(line)["metric_info"]["value"] == 7


def test_tags_of_metrics_are_safe() -> None:
    SECRETS.add("t0ken-in-a-tag")
    context = {"id": "\x1b\u202et0ken-in-a-tag" + "x" * 5000, "domain": 5, "\u202e": None}
    point: Point[int] = Point("counter", Metric.RECORD_COUNT, 7, {"context": context})
    line = written(lambda logger: logger.info("METRIC: %s", point), ConsoleFormatter())
    assert line.rstrip("\n").isprintable()
    assert "t0ken" not in line
    assert '"domain":5' in line
    assert len(line) < 2000


def test_text_beside_a_metric_is_safe() -> None:
    point: Point[int] = Point("counter", Metric.RECORD_COUNT, 7)
    line = written(lambda logger: logger.info("%s: %s", HOSTILE, point), ConsoleFormatter())
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()
    assert SECRET not in line
    assert '"value":7' in line


def test_wrong_format_is_not_changed() -> None:
    record = logging.getLogRecordFactory()("x", logging.INFO, "x", 1, "%d", ("a",), None)
    assert record.args == ("a",)


def test_second_call_changes_nothing() -> None:
    factory = logging.getLogRecordFactory()
    make_records_safe()
    assert logging.getLogRecordFactory() is factory


def test_urllib3_logs_no_queries() -> None:
    line = written(
        lambda logger: logger.debug('"%s %s"', "GET", "/list?key=5"),
        ConsoleFormatter(),
        "urllib3.connectionpool",
    )
    assert '"GET /list"' in line


def test_repeated_warnings_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tap-test-repeats")
    with limit_repeats(logger):
        for number in range(MAX_REPEATS + 13):
            logger.warning("partition %d is skipped", number)
            logger.info("fine")
        logger.warning("another kind")
    assert len([text for text in caplog.messages if text.endswith("is skipped")]) == MAX_REPEATS + 1
    assert caplog.messages[-1] == "13 more warnings like: partition %d is skipped"
    assert "another kind" in caplog.messages


def test_traceback_is_that_of_the_error_in_indented_lines() -> None:
    own = []

    def fail(logger: logging.Logger) -> None:
        try:
            json.loads("[")
        except ValueError:
            own.append(traceback.format_exc())
            logger.exception("failed")

    first, *lines = written(fail, logging.Formatter("%(message)s")).splitlines()
    assert first == "failed"
    assert lines == [f"  {line}" for line in own[0].splitlines()]


def test_metric_keeps_its_value() -> None:
    point = Point("counter", Metric.RECORD_COUNT, 7, {"stream": "a"})
    text = written(lambda logger: logger.info("METRIC: %s", point), logging.Formatter())
    assert json.loads(text.removeprefix("METRIC: "))["value"] == 7
