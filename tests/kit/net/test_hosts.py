"""Valid and invalid URLs of an API."""

from urllib.parse import unquote

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import SyncFailed
from tap_kit.net.hosts import is_loopback, quoted_path, url_problem
from tap_kit.run.problems import setting_problems
from urllib3.util import parse_url

CLEAR_TEXT = "must begin with https://, or the credentials would be sent in clear text"
NO_ADDRESS = "must be a URL with https:// and a host"
USER = "must not contain a user name or password"
QUERY = "must not contain a query (?) or a fragment (#)"


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com:8443/base/path",
        "https://[2001:db8::1]:443",
        "HTTPS://APP.EXAMPLE.COM",
        "http://localhost:8000",
        "http://LOCALHOST:8000",
        "http://127.0.0.1:8000",
        "http://127.9.9.9",
        "http://[::1]:8000",
    ],
)
def test_https_and_http_on_loopback_are_valid(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://app.example.com", CLEAR_TEXT),
        ("http://localhost.example.com", CLEAR_TEXT),
        ("http://127.0.0.1.example.com", CLEAR_TEXT),
        ("http://128.0.0.1", CLEAR_TEXT),
        ("http://0.0.0.0", CLEAR_TEXT),
        ("http://0x7f000001", CLEAR_TEXT),
        ("http://[::2]", CLEAR_TEXT),
        ("app.example.com", NO_ADDRESS),
        ("//app.example.com", NO_ADDRESS),
        ("ftp://app.example.com", NO_ADDRESS),
        ("file:///etc/passwd", NO_ADDRESS),
        ("https://", NO_ADDRESS),
        ("https:///path", NO_ADDRESS),
        ("https://:8443", NO_ADDRESS),
        ("", NO_ADDRESS),
        ("https://user@app.example.com", USER),
        ("https://user:pass@app.example.com", USER),
        ("http://localhost:80@app.example.com", USER),
        ("https://@app.example.com", USER),
        ("https://app.example.com?token=x", QUERY),
        ("https://app.example.com/#part", QUERY),
        ("https://app.example.com:port", "must be a valid URL"),
        ("https://app.example.com:99999", "must be a valid URL"),
        ("https://[::1", "must be a valid URL"),
    ],
)
def test_invalid_url_is_reported_as_a_predicate(url: str, problem: str) -> None:
    assert url_problem(url) == problem
    schema = {"properties": {"api_url": {"type": "string", "format": "uri"}}}
    assert list(setting_problems({"api_url": url}, schema)) == [f"api_url {problem}"]


@pytest.mark.parametrize("url", ["https://a b.example", "https://a.example/\n", "https://a\\b"])
def test_url_with_stray_characters_is_invalid(url: str) -> None:
    assert url_problem(url) is not None


@given(url=st.text() | st.text().map("https://{}".format) | st.text().map("http://{}".format))
def test_any_text_is_valid_or_has_a_problem(url: str) -> None:
    problem = url_problem(url)
    assert problem is None or problem.split()[0] in {"is", "must", "has"}


@pytest.mark.parametrize(
    ("host", "is_it"), [("localhost", True), ("::1", True), ("10.0.0.1", False)]
)
def test_loopback_hosts_are_recognized(host: str, *, is_it: bool) -> None:
    assert is_loopback(host) is is_it


@pytest.mark.parametrize(
    ("ids", "path"),
    [
        (("a", 1), "/v2/a/reports/1"),
        (("../../admin/delete?all=1#", "x"), "/v2/..%2F..%2Fadmin%2Fdelete%3Fall%3D1%23/reports/x"),
        (("%2e%2e", "ü"), "/v2/%252e%252e/reports/%C3%BC"),
        (("a\r\nHost: b", "{}"), "/v2/a%0D%0AHost%3A%20b/reports/%7B%7D"),
        (("...", "a/.."), "/v2/.../reports/a%2F.."),
    ],
)
def test_id_becomes_one_segment(ids: tuple[object, object], path: str) -> None:
    assert quoted_path("/v2/{}/reports/{}", *ids) == path


@pytest.mark.parametrize("bad", ["", ".", "..", "\ud800", "x" * 1001])
def test_id_that_cannot_be_a_segment_is_refused(bad: str) -> None:
    with pytest.raises(SyncFailed) as caught:
        quoted_path("/v2/{}/x", bad)
    assert str(caught.value) == f"an id cannot be part of a path: {bad[:40]!r}; refused"


@given(st.text())
def test_request_keeps_the_segments_of_the_template(text: str) -> None:
    """The library that sends the request is the judge: it normalizes paths."""
    try:
        path = quoted_path("/v2/{}/run", text)
    except SyncFailed:
        return
    sent = requests.Request("GET", f"https://a.example{path}").prepare()
    assert sent.url is not None
    parts = parse_url(sent.url)
    assert (parts.scheme, parts.host, parts.query) == ("https", "a.example", None)
    first, second, segment, last = (parts.path or "").split("/")
    assert (first, second, last) == ("", "v2", "run")
    assert unquote(segment) == text
