"""Faults, latency and control on both hosts."""

from typing import Any

import pytest
import requests
from sandbox.faults import Fault

from .client import Client, received
from .conftest import Serve


@pytest.mark.parametrize("kind", ["reset_body", "cut_body"])
def test_faults_break_off_files_in_the_middle(client: Client, kind: Any) -> None:
    client.khoros.faults.append(Fault(kind, path="care-analytics", first=1))
    job = client.done("author")
    broken = received(client, client.link(job))
    whole = client.fetch(client.link(job)).content
    assert broken == whole[: len(whole) // 2]


def test_the_storage_supports_every_kind_of_fault(client: Client) -> None:
    job = client.done("author")
    whole = client.fetch(client.link(job)).content

    def with_fault(**fault: Any) -> requests.Response:
        client.khoros.faults[:] = [Fault(path="care-analytics", first=1, **fault)]
        return client.fetch(client.link(job))

    busy = with_fault(status=503, retry_after=1)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "1")
    assert with_fault(kind="html").text.startswith("<!DOCTYPE html>")
    assert with_fault(kind="wrong_shape").json() == {"unexpected": True}
    assert with_fault(kind="bad_json").content == whole[: len(whole) // 2]
    assert with_fault(kind="empty").content == b""
    assert with_fault(kind="slow_body", wait_ms=10).content == whole
    assert with_fault(kind="stall", wait_ms=10).content == whole
    with pytest.raises(requests.exceptions.ContentDecodingError):
        with_fault(kind="wrong_encoding")
    with pytest.raises(requests.ConnectionError):
        with_fault(kind="reset")
    assert with_fault(status=503, method="POST").content == whole


def test_faults_hit_the_api_too(client: Client) -> None:
    client.khoros.faults.append(Fault(status=500, path="/status", first=1))
    job = client.started("author")
    assert [client.job(job, "status").status_code for _ in range(2)] == [500, 200]


def test_both_hosts_have_the_control_routes(client: Client) -> None:
    client.export("author")
    for url in client.at:
        seen = requests.get(f"{url}/_sandbox/requests", timeout=10).json()
        assert seen["count"] == 5


def test_both_hosts_have_the_latency(serve: Serve) -> None:
    client = serve(latency_ms=20)
    client.export("author")
    times = [(entry.ended or 0) - entry.started for entry in client.khoros.log.requests]
    assert min(times) >= 0.02


def test_an_empty_file_can_be_slow(serve: Serve) -> None:
    client = serve(rows_per_day=0)
    client.khoros.faults.append(Fault("slow_body", wait_ms=5, path="care-analytics"))
    assert client.rows("author") == []
