"""What a client sees of each kind of fault."""

import gzip
import http.client
import json
import time
from email.utils import parsedate_to_datetime

import pytest
import requests
from sandbox.faults import Fault
from sandbox.kindmetrics import Kindmetrics

from .client import BEARER, Client

PAGES = "/api/domains/1/pages"


@pytest.mark.parametrize("status", [204, 408, 429, 500, 502, 503, 599])
def test_status_comes_with_an_error_body(api: Kindmetrics, client: Client, status: int) -> None:
    api.faults.append(Fault("status", status=status))
    assert client.get(PAGES).status_code == status
    assert client.get(PAGES).headers.get("Retry-After") is None


def test_retry_after_comes_as_seconds_or_as_a_date(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("status", status=429, retry_after=7, first=1))
    assert client.get(PAGES).headers["Retry-After"] == "7"
    api.faults[:] = [Fault("status", status=503, retry_after=7, retry_after_date=True)]
    until = parsedate_to_datetime(client.get(PAGES).headers["Retry-After"])
    assert 6 < until.timestamp() - time.time() <= 8


def test_reset_comes_before_any_answer(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("reset"))
    with pytest.raises(ConnectionResetError):
        client.raw(PAGES)
    assert api.log.requests[0].status is None


def test_reset_body_breaks_the_body_by_a_reset(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("reset_body"))
    connection = http.client.HTTPConnection(client.server.host, client.server.port, timeout=10)
    connection.request("GET", PAGES, headers=BEARER)
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises(ConnectionResetError):
        answer.read()
    connection.close()


def test_cut_body_sends_less_than_promised(api: Kindmetrics, client: Client) -> None:
    whole = len(client.get(PAGES, {**BEARER, "Accept-Encoding": "identity"}).content)
    api.faults.append(Fault("cut_body"))
    head, _, body = client.raw(PAGES).partition(b"\r\n\r\n")
    assert f"content-length: {whole}".encode() in head
    assert len(body) == whole // 2
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get(PAGES)


def test_slow_body_pauses_half_way_and_is_whole(api: Kindmetrics, client: Client) -> None:
    expected = client.get(PAGES).json()
    api.faults.append(Fault("slow_body", wait_ms=300))
    answer = client.ask("GET", PAGES, stream=True)
    head_came = time.monotonic()
    assert answer.json() == expected
    assert time.monotonic() - head_came >= 0.2


def test_stall_waits_before_the_answer(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("stall", wait_ms=300))
    assert client.get(PAGES).elapsed.total_seconds() >= 0.3
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.ask("GET", PAGES, timeout=0.05)


def test_html_comes_with_200_or_the_status_given(api: Kindmetrics, client: Client) -> None:
    api.faults.extend([Fault("html", only=frozenset({1})), Fault("html", status=503)])
    for status in (200, 503):
        answer = client.get(PAGES)
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.text.startswith("<!DOCTYPE html>")


def test_wrong_shape_swaps_list_and_object(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("wrong_shape"))
    assert client.get(PAGES).json() == {"unexpected": True}
    assert client.get("/api/me").json() == [{"unexpected": True}]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_bad_json_is_whole_but_stops_half_way(
    api: Kindmetrics, client: Client, encoding: str
) -> None:
    api.faults.append(Fault("bad_json"))
    answer = client.get(PAGES, {**BEARER, "Accept-Encoding": encoding})
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


def test_wrong_encoding_says_gzip_but_is_not(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("wrong_encoding"))
    with pytest.raises(requests.exceptions.ContentDecodingError):
        client.get(PAGES)
    head, _, body = client.raw(PAGES, "Accept-Encoding: gzip").partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head
    assert json.loads(body)


def test_empty_is_200_without_a_body(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("empty"))
    answer = client.get(PAGES)
    assert (answer.status_code, answer.content) == (200, b"")


def test_redirect_points_where_it_is_told(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("redirect", location="http://127.0.0.1:9/x"))
    answer = client.get(PAGES)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:9/x")


def test_the_server_goes_on_after_faults_of_all_kinds(api: Kindmetrics, client: Client) -> None:
    api.faults.extend([Fault("reset", first=1), Fault("cut_body", only=frozenset({2}))])
    for _ in range(2):
        with pytest.raises(requests.RequestException):
            client.get(PAGES)
    assert client.get(PAGES).status_code == 200


def test_long_answers_are_gzipped_for_those_who_ask(client: Client) -> None:
    long, short = client.raw(PAGES, "Accept-Encoding: gzip"), client.raw("/api/me", "Accept: */*")
    head, _, body = long.partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head
    assert json.loads(gzip.decompress(body)) == client.get(PAGES).json()
    assert b"content-encoding" not in client.raw(PAGES)
    assert b"content-encoding" not in short
