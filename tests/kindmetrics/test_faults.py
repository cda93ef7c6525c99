"""No temporary fault of the server or the network changes the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import KINDS, Fault
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.errors import SyncFailed

from tests.kindmetrics.responses import Responses
from tests.kindmetrics.site import TOKEN
from tests.spread import in_turn, retries, spread

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site

SETTINGS: dict[str, Any] = {"start_date": "2024-02-04", "request_timeout": 1}
PASSING: dict[str, dict[str, Any]] = {
    "408": {"status": 408},
    "429": {"status": 429},
    "429 with Retry-After 0": {"status": 429, "retry_after": 0},
    "500": {"status": 500},
    "502": {"status": 502},
    "503": {"status": 503},
    "504": {"status": 504},
    "520, which http.HTTPStatus does not know": {"status": 520},
    "599": {"status": 599},
    "204": {"status": 204},
    "reset": {"kind": "reset"},
    "reset_body": {"kind": "reset_body"},
    "cut_body": {"kind": "cut_body"},
    "slow_body, in time": {"kind": "slow_body", "wait_ms": 200},
    "stall, in time": {"kind": "stall", "wait_ms": 200},
    "html": {"kind": "html"},
    "html 503": {"kind": "html", "status": 503},
    "wrong_shape": {"kind": "wrong_shape"},
    "other_fields": {"kind": "other_fields"},
    "bad_json": {"kind": "bad_json"},
    "wrong_encoding": {"kind": "wrong_encoding"},
    "empty": {"kind": "empty"},
    "slow_body, too slow": {"kind": "slow_body", "wait_ms": 1200},
    "stall, too long": {"kind": "stall", "wait_ms": 1200},
}


@pytest.fixture
def site(serve: Serve) -> Site:
    """One domain, on a server with the documented route for referrers, so without a 404."""
    return serve(domains=1, referrers_route="documented")


def test_all_kinds_of_faults_are_tested() -> None:
    tried = {fault.get("kind", "status") for fault in PASSING.values()}
    assert tried | {"redirect"} == set(KINDS)


def test_a_temporary_fault_of_every_kind_does_not_change_the_output(site: Site) -> None:
    settings = {**SETTINGS, "start_date": "2024-02-01"}
    undisturbed = site.sync(**settings)
    requests = site.api.log.count
    site.api.log.clear()
    site.api.faults[:] = spread(PASSING, requests)
    assert site.sync(max_concurrency=8, **settings).without_clock == undisturbed.without_clock
    assert site.api.log.count == requests + retries(PASSING)


def test_faults_in_all_first_attempts_do_not_change_the_output(site: Site) -> None:
    undisturbed = site.sync(**SETTINGS)
    requests = site.api.log.count
    site.api.log.clear()
    fast = {name: fault for name, fault in PASSING.items() if "wait_ms" not in fault}
    site.api.faults[:] = in_turn(fast)
    output = site.sync(max_concurrency=1, **SETTINGS)
    assert output.without_clock == undisturbed.without_clock
    assert site.api.log.count == 2 * requests


def test_all_requests_wait_as_long_as_retry_after_says(site: Site) -> None:
    """Requests of other streams wait, too: the pause holds for the server."""
    undisturbed = site.sync(**SETTINGS)
    site.api.log.clear()
    site.api.faults.append(Fault("status", status=429, retry_after=1, only=frozenset({10})))
    assert site.sync(**SETTINGS).without_clock == undisturbed.without_clock
    (rejected,) = [r for r in site.api.log.requests if r.status == 429]
    assert rejected.ended is not None
    pause = [r for r in site.api.log.requests if 0.3 < r.started - rejected.ended < 0.95]
    assert pause == []


@pytest.mark.parametrize("kind", ["html", "bad_json", "wrong_shape", "empty", "cut_body", "reset"])
def test_a_permanent_fault_stops_the_run_after_five_tries(site: Site, kind: str) -> None:
    path = "/api/domains/1/pages"
    site.api.faults.append(Fault(**PASSING[kind], path=path))
    _, error = site.failing_sync(SyncFailed, max_concurrency=1, **SETTINGS)
    assert str(error).startswith(f"GET {path}: ")
    assert str(error).endswith("; failed after 5 tries")
    assert "\n" not in str(error)
    assert len(site.requested(path)) == 5


@pytest.mark.parametrize("status", [400, 405, 406, 409, 410, 418, 422])
def test_a_final_status_fails_its_windows_without_a_retry(
    site: Site, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = "/api/domains/1/pages"
    site.api.faults.append(Fault("status", status=status, path=path))
    _, error = site.failing_sync(SyncFailed, max_concurrency=1, **SETTINGS)
    assert "these failed: pages, domain_id 1, segment all, 2024-02-0" in str(error)
    assert f"pages: HTTP {status}" in caplog.text
    requested = site.requested(path)
    assert len(requested) == len(set(requested))


def test_a_redirect_to_another_host_name_is_reported_as_a_wrong_api_url(serve: Serve) -> None:
    site = serve(known_hosts=["app.kindmetrics.example"])
    _, error = site.failing_sync(ConfigValidationError)
    assert error.errors == [
        "api_url must be the final address, the server redirects elsewhere (HTTP 301)"
    ]


@pytest.mark.parametrize(
    ("stream", "path", "body", "words"),
    [
        ("pages", "/api/domains/1/pages", [{"address": 5, "visitors": 1}], "pages: field address"),
        ("pages", "/api/domains/1/pages", [{"visitors": "one"}], "pages: field visitors"),
        ("pages", "/api/domains/1/pages", [{"visitors": 1.5}], "pages: field visitors"),
        ("pages", "/api/domains/1/pages", [{"visitors": True}], "pages: field visitors"),
        ("pages", "/api/domains/1/pages", ["/pricing"], "pages"),
        ("pages", "/api/domains/1/pages", [None], "pages"),
        ("pages", "/api/domains/1/pages", [[1, 2]], "pages"),
        ("domain_stats", "/api/domains/1", {"visitors": []}, "domain_stats: field visitors"),
        ("current_visitors", "/api/domains/1/current", {"current": {}}, "field current_visitors"),
        ("account", "/api/me", {"email": None}, "account: field email"),
        ("account", "/api/me", {}, "email"),
        ("domains", "/api/domains", [{"address": "shop.example"}], "id"),
        ("domains", "/api/domains", [{"id": "1"}], "id"),
        ("pages", "/api/domains", [{"address": "shop.example"}], "/api/domains"),
        ("domains", "/api/domains", ["shop.example"], "domains"),
        ("domains", "/api/domains", [None], "domains"),
    ],
    ids=str,
)
def test_a_response_of_another_structure_is_one_error_without_the_value(
    stream: str, path: str, body: Any, words: str
) -> None:
    """The error names stream and field. The value can be personal data, so it is left out."""
    with Responses({path: body}) as server, pytest.raises(SyncFailed) as caught:
        server.sync(stream)
    assert words in str(caught.value)
    assert "pricing" not in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_new_field_is_reported_once_and_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = [{"address": "/", "visitors": 1, "percentage": 100, "bounces": 1}] * 3
    with Responses({"/api/domains/1/pages": body}) as server:
        rows = server.sync("pages", end_date="2024-02-03").rows("pages")
    assert len(rows) == 9
    assert not any("bounces" in row for row in rows)
    logged = [text for text in caplog.messages if "bounces" in text]
    assert logged == ["pages: ignoring fields that are not in the catalog: 'bounces'"]


def test_a_field_missing_in_the_response_is_missing_in_the_row() -> None:
    with Responses({"/api/domains/1/pages": [{"address": "/", "visitors": 1}]}) as server:
        (row,) = server.sync("pages").rows("pages")
    assert row["visitors"] == 1
    assert "percentage" not in row


def test_a_number_beyond_64_bits_is_null() -> None:
    body = [{"address": "/", "visitors": 2**70, "percentage": 100}]
    with Responses({"/api/domains/1/pages": body}) as server:
        (row,) = server.sync("pages").rows("pages")
    assert row["visitors"] is None
