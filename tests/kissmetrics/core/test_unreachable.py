"""If a host of the Core API is not reached, the error names version 3, which replaced it."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from tap_kit import SyncFailed

from tests.tls import Certificate, needs_openssl, serving_tls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.kissmetrics.site import Site

HINT = (
    "; Kissmetrics has probably switched off the Core API; use version 3 instead, with username "
    "and password in place of api_token"
)


@pytest.fixture(autouse=True)
def two_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_kit.net.retries.TRIES", 2)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Yield the address of a server that accepts connections and sends nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def failed(site: Site, **settings: Any) -> str:
    """Return the error of a run that reads nothing."""
    output, error = site.failing_sync(SyncFailed, "accounts", "report_results", **settings)
    assert output.rows("report_results") == []
    return str(error)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9", "no connection to http://127.0.0.1:9; failed after 2 tries"),
        (
            "https://core.invalid",
            "the host of https://core.invalid cannot be resolved; failed after 2 tries",
        ),
    ],
)
def test_host_that_is_gone(site: Site, url: str, reason: str) -> None:
    assert failed(site, api_url=url) == f"GET /core/accounts: {reason}{HINT}"


def test_host_that_does_not_respond(site: Site, silent_server: str) -> None:
    text = failed(site, api_url=silent_server, request_timeout=1)
    assert text == f"GET /core/accounts: no response within 1 s; failed after 2 tries{HINT}"


def test_host_without_tls(site: Site) -> None:
    url = site.at.core.replace("http:", "https:")
    text = failed(site, api_url=url)
    assert text == (
        f"GET /core/accounts: no secure connection to {url}; failed after 2 tries{HINT}"
    )


@needs_openssl
def test_host_with_a_certificate_of_another(site: Site, tmp_path: Path) -> None:
    with serving_tls(site.at.core, Certificate.made_in(tmp_path)) as proxy:
        text = failed(site, api_url=proxy.url)
    assert text.endswith(f"its certificate cannot be verified{HINT}")


def test_host_of_queries_that_is_gone(site: Site) -> None:
    text = failed(site, query_url="http://127.0.0.1:9")
    assert text.startswith("POST /v2/products/")
    assert text.endswith(HINT)


def test_host_that_responds_is_not_gone(site: Site) -> None:
    site.api.faults.append(Fault("status", status=503, path="/core/accounts"))
    assert failed(site) == "GET /core/accounts: HTTP 503; failed after 2 tries"
