"""Where the redirect of a download may lead, and where not."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import SyncFailed
from tap_kit.net.exchange import Exchange
from tap_kit.net.hosts import address_kind, host_kind, redirect_target, url_problem
from tap_kit.net.http import Request
from tap_kit.net.redirects import MAX_REDIRECTS, Redirects

from tests.kit.apis import TOKEN, URL, Reply, client, mock_replies, serving

if TYPE_CHECKING:
    from requests_mock import Mocker

FILE = Request("/file")
BODY = Reply(body=b"[1]")
STORAGE = "https://storage.example"


def to(location: str) -> Reply:
    """Return a redirect."""
    return Reply(302, b"", {"Location": location})


def failure(url: str) -> str:
    """Return the line with which a download fails."""
    with client(url) as api, pytest.raises(SyncFailed) as caught:
        list(api.open(FILE))
    return str(caught.value)


@pytest.mark.parametrize("hops", range(1, MAX_REDIRECTS + 1))
def test_up_to_five_redirects_are_followed_without_credentials(
    hops: int, requests_mock: Mocker
) -> None:
    mock_replies(requests_mock, to(f"{STORAGE}/0"))
    replies = [to(f"{STORAGE}/{hop}") for hop in range(1, hops)]
    mock_replies(requests_mock, *replies, BODY, url=STORAGE)
    with client(URL) as api:
        assert b"".join(api.open(FILE)) == b"[1]"
    first, *others = requests_mock.request_history
    assert first.headers["Authorization"] == f"Bearer {TOKEN}"
    assert len(others) == hops
    assert not any("Authorization" in request.headers for request in others)


def test_sixth_redirect_is_refused(requests_mock: Mocker) -> None:
    mock_replies(requests_mock, to(f"{STORAGE}/x"))
    mock_replies(requests_mock, to(f"{STORAGE}/x"), url=STORAGE)
    assert failure(URL) == "GET /file: more than 5 redirects in a row; refused"
    assert requests_mock.call_count == 1 + MAX_REDIRECTS


def test_relative_redirect_is_resolved_and_followed_without_credentials() -> None:
    with serving(to("/signed/1?x=1"), to("2"), BODY) as server, client(server.url) as api:
        assert b"".join(api.open(FILE)) == b"[1]"
    assert [path for path, _ in server.seen] == ["/file", "/signed/1?x=1", "/signed/2"]
    assert ["Authorization" in headers for _, headers in server.seen] == [True, False, False]


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/signed/1", "https://a.example/signed/1"),
        ("other?x=%2F", "https://a.example/files/other?x=%2F"),
        ("//b.example/x", "https://b.example/x"),
        ("https://b.example/x#part", "https://b.example/x"),
        ("https://b.example/M\xc3\xbcller", "https://b.example/M%C3%BCller"),
        ("https://b.example/M\xfcller", "https://b.example/M%EF%BF%BDller"),
        ("https://b.example/a b", "https://b.example/a%20b"),
        ("http://b.example/x", None),
        ("https://b.example:x/", None),
        ("https://[b", None),
        ("https://user:pass@b.example/x", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https:///x", "https://a.example/x"),
    ],
)
def test_target_is_resolved_against_the_request(location: str, target: str | None) -> None:
    assert redirect_target("https://a.example/files/1?key=x", location) == target


@given(st.text(max_size=40) | st.text(st.sampled_from("hts:/@.[]%#?\\\r\n 1a\xff"), max_size=30))
def test_any_location_gives_a_valid_target_or_none(location: str) -> None:
    target = redirect_target("https://a.example/files/1", location)
    if target is not None:
        assert url_problem(target.partition("?")[0]) is None
        assert target.isascii()
        assert target.isprintable()


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
        ("10.1.2.3", "private"),
        ("192.168.0.1", "private"),
        ("172.16.0.1", "private"),
        ("100.64.0.1", "private"),
        ("0.0.0.1", "private"),
        ("fd00::1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("8.8.8.8", "public"),
        ("2606:4700::1111", "public"),
    ],
)
def test_kind_of_an_address(address: str, kind: str) -> None:
    assert address_kind(address) == kind


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://localhost/x", "loopback"),
        ("https://10.0.0.1:8443", "private"),
        ("https://[::1]", "loopback"),
        ("https://a.example", None),
    ],
)
def test_kind_of_a_host(url: str, kind: str | None) -> None:
    assert host_kind(url) == kind


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("[::1]", "loopback"),
        ("localhost", "loopback"),
        ("169.254.169.254", "link-local"),
        ("192.168.1.1", "private"),
        ("[::ffff:10.0.0.1]", "private"),
    ],
)
def test_redirect_of_a_public_api_to_a_local_address_is_refused(
    host: str, kind: str, requests_mock: Mocker
) -> None:
    mock_replies(requests_mock, to(f"https://{host}/latest/meta-data"))
    refusal = f"the redirect leads to a {kind} address, where the API is not; refused"
    assert failure(URL) == f"GET /file: {refusal}"
    assert requests_mock.call_count == 1


def test_name_that_resolves_to_a_local_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The address that was connected to counts, so a name cannot hide it."""

    def resolve_locally(_host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with serving(BODY) as storage:
        monkeypatch.setattr(socket, "getaddrinfo", resolve_locally)
        port = storage.url.rpartition(":")[2]
        target = f"https://storage.example:{port}/x"
        following = Redirects(URL, set(), "x").follow(URL, target, Exchange("GET /file", 10), 5)
        with pytest.raises(SyncFailed, match="leads to a loopback address"), following:
            pass
    assert storage.seen == []


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("2130706433", "loopback"),
        ("0x7f.1", "loopback"),
        ("0177.0.0.1", "loopback"),
        ("127.1", "loopback"),
        ("localhost.", "loopback"),
        ("a.localhost", "loopback"),
        ("0xa9fea9fe", "link-local"),
        ("[::ffff:7f00:1]", "loopback"),
        ("[2002:a9fe:a9fe::1]", "link-local"),
        ("[64:ff9b::a00:1]", "private"),
        ("[64:ff9b::808:808]", "public"),
        ("8.8.8.8", "public"),
        ("storage.example", None),
    ],
)
def test_other_spellings_of_an_address_are_recognized(host: str, kind: str | None) -> None:
    assert host_kind(f"https://{host}/x") == kind
