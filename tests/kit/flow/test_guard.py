"""Unexpected errors become one line; expected ones stay as they are."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.errors import Interrupted, JobFailed, PartitionUnavailable, Retriable, SyncFailed
from tap_kit.flow.guard import guard
from tap_kit.flow.pipeline import Pipeline
from tap_kit.net.exchange import Exchange, exchanging

from tests.kit.pipelines import no_heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable

HINT = "log level DEBUG shows the traceback"


def deep(level: int = 0) -> None:
    """Recurse without an end."""
    deep(level + 1)


@pytest.mark.parametrize(
    ("fail", "text"),
    [
        (lambda: dict[str, int]()["x"], "KeyError: 'x'"),
        ([].pop, "IndexError: pop from empty list"),
        (
            lambda: int("x" * 400),
            f"ValueError: invalid literal for int() with base 10: '{'x' * 100}",
        ),
        (deep, "RecursionError: maximum recursion depth exceeded"),
    ],
    ids=["KeyError", "IndexError", "long text", "RecursionError"],
)
def test_unexpected_error_is_one_line_that_names_the_request(
    fail: Callable[[], object], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with exchanging(Exchange("GET /pages", 1)):
        pass
    with pytest.raises(SyncFailed) as caught, guard("pages, domain_id 1"):
        fail()
    line = str(caught.value)
    about = "unexpected error while it read the response to GET /pages"
    assert line.startswith(f"pages, domain_id 1: {about} ({text}")
    assert line.endswith(f"); {HINT}")
    assert "\n" not in line
    assert [record.levelname for record in caplog.records if record.exc_info] == ["DEBUG"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(24, "Too many open files"), "pages: OSError: [Errno 24] Too many open files"),
        (MemoryError(), "pages: MemoryError"),
    ],
)
def test_error_of_the_machine_does_not_blame_a_response(error: Exception, line: str) -> None:
    with pytest.raises(SyncFailed) as caught, guard("pages"):
        raise error
    assert str(caught.value) == line


@pytest.mark.parametrize(
    "error",
    [
        SyncFailed("x"),
        JobFailed("x"),
        Retriable("x"),
        PartitionUnavailable("x"),
        Interrupted("x"),
        ConfigValidationError("x"),
        KeyboardInterrupt(),
        SystemExit(3),
    ],
)
def test_expected_error_is_unchanged(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, guard("pages"):
        raise error
    assert caught.value is error


def test_tasks_of_a_pipeline_are_guarded() -> None:
    def work(task: str) -> int:
        return len(task) // 0

    pipeline = Pipeline(iter(["pages"]), work, workers=2)
    with pytest.raises(SyncFailed, match=r"^pages: unexpected error"):
        pipeline.take(no_heartbeat)
    assert pipeline.head is None
