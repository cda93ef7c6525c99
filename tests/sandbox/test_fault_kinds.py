"""What a client receives for each kind of fault."""

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
def test_a_status_has_an_error_body(api: Kindmetrics, client: Client, status: int) -> None:
    api.faults.append(Fault("status", status=status))
    assert client.get(PAGES).status_code == status
    assert client.get(PAGES).headers.get("Retry-After") is None


def test_retry_after_is_in_seconds_or_a_date(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("status", status=429, retry_after=7, first=1))
    assert client.get(PAGES).headers["Retry-After"] == "7"
    api.faults[:] = [Fault("status", status=503, retry_after=7, retry_after_date=True)]
    until = parsedate_to_datetime(client.get(PAGES).headers["Retry-After"])
    assert 6 < until.timestamp() - time.time() <= 8


def test_reset_happens_before_the_response(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("reset"))
    with pytest.raises(ConnectionResetError):
        client.raw(PAGES)
    assert api.log.requests[0].status is None


def test_reset_body_resets_in_the_middle_of_the_body(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("reset_body"))
    connection = http.client.HTTPConnection(client.server.host, client.server.port, timeout=10)
    connection.request("GET", PAGES, headers=BEARER)
    response = connection.getresponse()
    assert response.status == 200
    with pytest.raises(ConnectionResetError):
        response.read()
    connection.close()


def test_cut_body_sends_less_than_promised(api: Kindmetrics, client: Client) -> None:
    whole = len(client.get(PAGES, {**BEARER, "Accept-Encoding": "identity"}).content)
    api.faults.append(Fault("cut_body"))
    head, _, body = client.raw(PAGES).partition(b"\r\n\r\n")
    assert f"content-length: {whole}".encode() in head
    assert len(body) == whole // 2
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get(PAGES)


def test_slow_body_pauses_half_way_and_is_complete(api: Kindmetrics, client: Client) -> None:
    expected = client.get(PAGES).json()
    api.faults.append(Fault("slow_body", wait_ms=300))
    response = client.request("GET", PAGES, stream=True)
    head_came = time.monotonic()
    assert response.json() == expected
    assert time.monotonic() - head_came >= 0.2


def test_stall_pauses_before_the_response(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("stall", wait_ms=300))
    assert client.get(PAGES).elapsed.total_seconds() >= 0.3
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.request("GET", PAGES, timeout=0.05)


def test_html_has_status_200_or_the_given_one(api: Kindmetrics, client: Client) -> None:
    api.faults.extend([Fault("html", only=frozenset({1})), Fault("html", status=503)])
    for status in (200, 503):
        response = client.get(PAGES)
        assert response.status_code == status
        assert response.headers["Content-Type"].startswith("text/html")
        assert response.text.startswith("<!DOCTYPE html>")


def test_wrong_shape_swaps_list_and_object(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("wrong_shape"))
    assert client.get(PAGES).json() == {"unexpected": True}
    assert client.get("/api/me").json() == [{"unexpected": True}]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_bad_json_is_cut_in_half_with_its_own_length(
    api: Kindmetrics, client: Client, encoding: str
) -> None:
    api.faults.append(Fault("bad_json"))
    response = client.get(PAGES, {**BEARER, "Accept-Encoding": encoding})
    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.content)


def test_wrong_encoding_claims_gzip_without_compression(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("wrong_encoding"))
    with pytest.raises(requests.exceptions.ContentDecodingError):
        client.get(PAGES)
    head, _, body = client.raw(PAGES, "Accept-Encoding: gzip").partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head
    assert json.loads(body)


def test_empty_returns_200_without_a_body(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("empty"))
    response = client.get(PAGES)
    assert (response.status_code, response.content) == (200, b"")


def test_redirect_has_the_given_location(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("redirect", location="http://127.0.0.1:9/x"))
    response = client.get(PAGES)
    assert (response.status_code, response.headers["Location"]) == (302, "http://127.0.0.1:9/x")


def test_the_server_continues_after_faults(api: Kindmetrics, client: Client) -> None:
    api.faults.extend([Fault("reset", first=1), Fault("cut_body", only=frozenset({2}))])
    for _ in range(2):
        with pytest.raises(requests.RequestException):
            client.get(PAGES)
    assert client.get(PAGES).status_code == 200


def test_long_responses_are_gzipped_for_clients_that_accept_it(client: Client) -> None:
    long, short = client.raw(PAGES, "Accept-Encoding: gzip"), client.raw("/api/me", "Accept: */*")
    head, _, body = long.partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head
    assert json.loads(gzip.decompress(body)) == client.get(PAGES).json()
    assert b"content-encoding" not in client.raw(PAGES)
    assert b"content-encoding" not in short
