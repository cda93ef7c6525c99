"""The server starts and stops quickly, only serves loopback, and leaves nothing open."""

import contextlib
import gc
import socket
import sys
import threading
import time

import pytest
import requests
from sandbox.faults import Fault
from sandbox.kindmetrics import Kindmetrics
from sandbox.server import Running, UnusableAddressError, running
from sandbox.stranger import Stranger

from .client import Client


def test_the_server_starts_and_stops_quickly() -> None:
    api = Kindmetrics()
    with running(api.app):
        pass  # do not measure the imports of the first start
    started = time.perf_counter()
    with running(api.app) as server:
        requests.get(server.url, timeout=10)
    assert time.perf_counter() - started < 10


def test_the_server_stops_with_waiting_clients_and_idle_connections() -> None:
    api = Kindmetrics()
    api.faults.append(Fault("stall", wait_ms=60_000, path="/api/me"))
    with running(api.app) as server, Client(server) as idle, Client(server) as waiting:
        idle.get("/api/domains")
        errors: list[Exception] = []
        thread = threading.Thread(target=_expect_error, args=(waiting, errors))
        thread.start()
        while api.log.in_flight == 0:
            time.sleep(0.001)
        started = time.perf_counter()
    assert time.perf_counter() - started < 10
    thread.join()
    assert len(errors) == 1


def test_the_server_stops_while_connections_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stays open until garbage collection, whose warnings would fail another test."""
    left: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", left.append)
    for _ in range(4):
        _stop_with_callers()
    gc.collect()
    assert left == []


def _stop_with_callers() -> None:
    over = threading.Event()
    with running(Kindmetrics().app) as server:
        callers = [threading.Thread(target=_call, args=(server, over)) for _ in range(2)]
        for caller in callers:
            caller.start()
        time.sleep(0.01)
    over.set()
    for caller in callers:
        caller.join()


def _call(server: Running, over: threading.Event) -> None:
    while not over.wait(0.0002):  # so that the server has time to stop
        with contextlib.suppress(OSError), socket.create_connection((server.host, server.port), 1):
            pass


def _expect_error(client: Client, errors: list[Exception]) -> None:
    try:
        client.get("/api/me")
    except requests.ConnectionError as error:
        errors.append(error)


def test_two_servers_run_on_different_ports() -> None:
    with running(Kindmetrics().app) as one, running(Stranger().app) as other:
        assert one.port != other.port
        assert requests.get(one.url, timeout=10).status_code == 404
        assert requests.get(other.url, timeout=10).json() == {}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::"])  # noqa: S104
def test_hosts_other_than_loopback_are_refused(host: str) -> None:
    with (
        pytest.raises(UnusableAddressError, match="must be a loopback address"),
        running(Stranger().app, host=host),
    ):
        pass


def test_the_error_names_a_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(UnusableAddressError, match=f"port {port}: Address already in use"),
            running(Stranger().app, port=port),
        ):
            pass


def test_a_stranger_logs_all_headers() -> None:
    stranger = Stranger(["hello"])
    with running(stranger.app) as server:
        response = requests.get(f"{server.url}/x?y=1", headers={"X-Secret": "s"}, timeout=10)
    assert response.json() == ["hello"]
    assert stranger.log.requests[0].headers["x-secret"] == "s"
    assert stranger.log.requests[0].target == "/x?y=1"
