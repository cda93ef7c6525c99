"""HTTP sessions: their connections, and log lines of libraries without queries."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tap_kit.net.sessions import open_session, remove_queries


@pytest.mark.parametrize("url", ["https://a.example/v1", "http://127.0.0.1:8000"])
def test_session_has_a_connection_for_each_worker(url: str) -> None:
    """With fewer, connections would be dropped and opened all the time."""
    with open_session(url, user_agent="x", connections=7) as session:
        adapter: Any = session.get_adapter(url)
        assert adapter.poolmanager.connection_pool_kw["maxsize"] == 7


def record_with(arguments: Any) -> logging.LogRecord:
    """Return a log record with these arguments."""
    return logging.LogRecord("urllib3", logging.DEBUG, "", 0, "a line", arguments, None)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("GET", "/list?key=s3cret", 200, b"?"), ("GET", "/list", 200, b"?")),
        (("/a?b?c", None), ("/a", None)),
        ((), ()),
    ],
)
def test_log_record_loses_its_queries_only(
    arguments: tuple[Any, ...], expected: tuple[Any, ...]
) -> None:
    record = record_with(arguments)
    remove_queries(record)
    assert record.args == expected


def test_log_record_with_named_values_is_unchanged() -> None:
    record = record_with(({"url": "/list?key=x"},))
    remove_queries(record)
    assert record.args == {"url": "/list?key=x"}
