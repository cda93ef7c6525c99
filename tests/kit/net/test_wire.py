"""``Retry-After`` in seconds; messages for errors of connections and for JSON types."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from tap_kit.errors import Retriable, SyncFailed
from tap_kit.net.exchange import Exchange
from tap_kit.net.wire import connection_error, retry_after_s, shape_problem


@pytest.mark.parametrize("ahead_s", [0.25, 0.75, 90.5])
def test_retry_after_date_becomes_exact_seconds(
    ahead_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 1_700_000_000
    monkeypatch.setattr(time, "time", lambda: moment - ahead_s)
    assert retry_after_s(formatdate(moment, usegmt=True)) == ahead_s


DATES = st.from_regex(
    r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{1,9} ([+-][0-9]{1,25}|GMT)",
    fullmatch=True,
)


@given(st.text(max_size=60) | DATES | st.integers().map(str))
@example("Wed, 21 Oct 2026 07:28:00 +99999999999999999999")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("9" * 5000)
def test_any_retry_after_is_read(header: str) -> None:
    seconds = retry_after_s(header)
    assert seconds is None or 0 <= seconds < 1e12


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.ConnectTimeout("…"), "no connection to https://a.test within 30 s"),
        (requests.ReadTimeout("…"), "no response within 30 s"),
        (requests.ConnectionError("NewConnectionError(…)"), "no connection to https://a.test"),
        (
            requests.ConnectionError("NameResolutionError"),
            "the host of https://a.test cannot be resolved",
        ),
        (requests.ConnectionError("reset"), "the connection was lost"),
        (
            requests.ConnectionError("NewConnectionError([Errno 24] Too many open files)"),
            "too many files are open; lower max_concurrency, or raise the limit with `ulimit -n`",
        ),
        (
            requests.exceptions.ProxyError("https://user:s3cret@proxy.test"),
            "no connection to the proxy that the environment sets (HTTPS_PROXY or HTTP_PROXY)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_connection_error_is_described(error: Exception, reason: str) -> None:
    made = connection_error(error, Exchange("GET /list", 30), "https://a.test", 30)
    assert type(made) is Retriable
    assert str(made) == f"GET /list: {reason}"
    assert made.retry_after is None


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("EOF occurred in violation of protocol", Retriable, ""),
        ("CERTIFICATE_VERIFY_FAILED", SyncFailed, ": its certificate cannot be verified"),
    ],
)
def test_tls_error_is_described(text: str, kind: type[Exception], reason: str) -> None:
    error = requests.exceptions.SSLError(text)
    made = connection_error(error, Exchange("GET /list", 30), "https://a.test", 30)
    assert type(made) is kind
    assert str(made) == f"GET /list: no secure connection to https://a.test{reason}"


class Other:
    """A type that JSON has no name for."""


@pytest.mark.parametrize(
    ("shape", "value", "problem"),
    [
        (list, {}, "expected a JSON array, got object"),
        ((list, dict), "x", "expected a JSON array or object, got string"),
        ((dict, type(None)), 1, "expected a JSON object or null, got number"),
        (str, 1.5, "expected a JSON string, got number"),
        (bool, None, "expected a JSON boolean, got null"),
        (Other, True, "expected a JSON object, got boolean"),
        ((Other, list), [], "expected a JSON object or array, got array"),
    ],
)
def test_wrong_shape_is_described_by_its_types(
    shape: type | tuple[type, ...], value: object, problem: str
) -> None:
    assert shape_problem(shape, value) == problem
