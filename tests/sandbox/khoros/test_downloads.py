"""Downloads: the redirect to the storage, and the storage's faults."""

import gzip
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sandbox.khoros import Cut, Khoros

from .client import ACCESS, Client, host_of, received
from .conftest import NOON, Serve


def test_a_download_redirects_with_307_to_the_storage(client: Client) -> None:
    response = client.job(client.done("response"), "download")
    assert response.status_code == 307
    link = response.headers["Location"]
    assert host_of(link) == host_of(client.at.storage) != host_of(client.at.api)
    assert "X-Amz-Signature=" in link
    assert response.content == b""


def test_a_client_that_follows_without_credentials_receives_the_file(client: Client) -> None:
    url = client.at.api + client.job_target(client.done("response"), "download")
    response = requests.get(url, auth=ACCESS, timeout=10)
    assert response.json() == client.khoros.data.rows("response", *client.window)
    assert client.khoros.counts.storage_credentials_seen == 0


@pytest.mark.parametrize(
    "shown",
    [
        {"auth": ACCESS},
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"Referer": "https://a.example/?companyKey=demo-company"}},
        {"headers": {"X-Token": "demo-password"}},
        {"params": {"analyticsAccessToken": "x"}},
    ],
    ids=str,
)
def test_the_storage_refuses_credentials_and_counts_them(
    client: Client, shown: dict[str, Any]
) -> None:
    link = client.link(client.done("response"))
    response = client.fetch(link, **shown)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/xml"
    assert client.khoros.counts.storage_credentials_seen == 1
    assert client.fetch(link).status_code == 200


def test_a_link_expires_and_another_download_returns_a_new_one(client: Client) -> None:
    job = client.done("response")
    first = client.link(job)
    body = client.fetch(first).content
    client.khoros.clock.advance(60)
    expired = client.fetch(first)
    assert expired.status_code == 403
    assert "<Message>Request has expired</Message>" in expired.text
    second = client.link(job)
    assert second != first
    assert client.fetch(second).content == body


def test_the_uses_of_a_link_can_be_limited(serve: Serve) -> None:
    client = serve(link_uses=2)
    link = client.link(client.done("response"))
    assert [client.fetch(link).status_code for _ in range(3)] == [200, 200, 403]


def test_a_modified_link_returns_403(client: Client) -> None:
    link = client.link(client.done("response"))
    for wrong in (link + "0", link.replace("/care-", "/other-"), link.partition("?")[0]):
        assert client.fetch(wrong).status_code == 403
    assert client.session.put(link, timeout=10).status_code == 403


def test_the_address_of_the_storage_can_be_set_first() -> None:
    khoros = Khoros(now=NOON, running_polls=0)
    khoros.storage_url = "https://storage.example"
    with khoros.serving() as at:
        client = Client(khoros, at)
        assert host_of(client.link(client.done("author"))) == "storage.example"
        client.session.close()
    assert (khoros.storage_url, khoros.api_url) == ("https://storage.example", "")


def test_a_download_without_a_storage_address_returns_500(client: Client) -> None:
    job = client.done("response")
    client.khoros.storage_url = ""
    assert client.job(job, "download").status_code == 500


@pytest.mark.parametrize("form", ["json", "csv"])
def test_every_download_of_a_run_has_the_same_bytes(client: Client, form: str) -> None:
    job = client.done("response", reportFormat=form)
    bodies = {client.fetch(client.link(job)).content for _ in range(3)}
    assert len(bodies) == 1
    assert client.fetch(client.link(job)).headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_body_can_break_off_in_the_middle_of_a_row(serve: Serve, form: str, how: Any) -> None:
    client = serve(cuts=[Cut(row=5, first=2, how=how)])
    job = client.done("incoming_post", reportFormat=form)
    broken = [received(client, client.link(job)) for _ in range(2)]
    whole = client.fetch(client.link(job)).content
    assert broken[0] == broken[1] == whole[: len(broken[0])]
    rows = client.khoros.data.rows("incoming_post", *client.window)
    sixth = str(rows[5]["POST_ID"]).encode()
    assert str(rows[4]["POST_ID"]).encode() in broken[0]
    assert sixth not in broken[0] or not broken[0].endswith((b"}", b"\n"))
    assert str(rows[6]["POST_ID"]).encode() not in broken[0]


def test_a_body_of_one_export_can_break_off_after_some_bytes(serve: Serve) -> None:
    client = serve(cuts=[Cut(byte=100, export="author")])
    assert len(client.export("response").content) > 100
    assert len(received(client, client.link(client.done("author")))) == 100


def test_a_cut_after_the_last_row_breaks_off_before_the_end(serve: Serve) -> None:
    client = serve(cuts=[Cut(row=10**6, how="close")])
    job = client.done("author")
    broken = received(client, client.link(job))
    assert broken + b"]" == client.fetch(client.link(job)).content


def test_a_chunked_body_can_break_off(serve: Serve) -> None:
    client = serve(is_chunked=True, cuts=[Cut(row=3, how="close")])
    job = client.done("author")
    assert received(client, client.link(job))
    whole = client.fetch(client.link(job))
    assert whole.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in whole.headers
    assert len(whole.json()) == 40


def test_a_body_can_be_compressed(serve: Serve) -> None:
    client = serve(has_gzip=True)
    job = client.done("author")
    packed = client.fetch(client.link(job), stream=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    plain = gzip.decompress(packed.raw.read(decode_content=False))
    assert len(json.loads(plain)) == 40
    unpacked = client.fetch(client.link(job), headers={"Accept-Encoding": "identity"})
    assert unpacked.content == plain
    assert "Content-Encoding" not in unpacked.headers


def test_a_compressed_body_can_break_off(serve: Serve) -> None:
    client = serve(has_gzip=True, cuts=[Cut(row=3, how="close")])
    job = client.done("author")
    broken = received(client, client.link(job))
    assert 0 < len(broken) < len(client.fetch(client.link(job)).content)


@pytest.mark.parametrize(
    ("kind", "start", "content_type"),
    [("json", b'{"message"', "application/json"), ("xml", b"<Error>", "application/xml")],
)
def test_a_body_can_be_an_error(serve: Serve, kind: str, start: bytes, content_type: str) -> None:
    client = serve(error_bodies={"author": kind})
    job = client.done("author")
    wrong = client.fetch(client.link(job))
    assert wrong.status_code == 200
    assert wrong.content.startswith(start)
    assert wrong.headers["Content-Type"] == content_type
    assert len(client.fetch(client.link(job)).json()) == 40
    assert len(client.rows("response")) == 40


def test_the_content_type_of_files_is_configurable(serve: Serve) -> None:
    response = serve(storage_type="text/plain").export("author")
    assert response.headers["Content-Type"] == "text/plain"


def test_a_client_that_disconnects_does_not_block_the_storage(serve: Serve) -> None:
    client = serve(rows_per_day=2_000_000)
    link = urlsplit(client.link(client.done("author")))
    with socket.create_connection((link.hostname or "", link.port or 0), timeout=10) as wire:
        wire.sendall(f"GET {link.path}?{link.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert wire.recv(1000).startswith(b"HTTP/1.1 200 OK")
    client.khoros.rows_per_day = 10
    assert len(client.rows("author")) == 10
