"""Valid and invalid URLs of an API."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.net.hosts import is_loopback, url_problem
from tap_kit.run.problems import setting_problems

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
