"""Credentials and the company key go to the configured host, and nowhere else."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from sandbox.faults import Fault
from sandbox.server import running
from sandbox.stranger import Stranger

from tests.khoros_analytics.one_export import serving
from tests.khoros_analytics.site import ACCESS, COMPANY_KEY, ONE_DAY, PASSWORD, catalog_of

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site
    from tests.processes import Ended

DEBUG = {"LOGLEVEL": "debug", "TAP_KHOROS_ANALYTICS_LOGLEVEL": "debug"}
BASIC = base64.b64encode(f"{ACCESS['username']}:{PASSWORD}".encode()).decode()
SECRETS = (PASSWORD, COMPANY_KEY, BASIC, base64.b64encode(PASSWORD.encode()).decode())
SELECTED = ("author", "conversation", "teams", "timezones", "user")


def assert_no_secrets(ended: Ended) -> None:
    """Assert that neither output has a secret, an access token or a signed link."""
    for secret in (*SECRETS, "analyticsAccessToken", "X-Amz-Signature"):
        assert secret not in ended.output.text
        assert secret not in ended.stderr


# The fault matrix and the tests of the secrets of all taps try the others. These have links.
FAILURES: dict[str, Fault | None] = {
    "none": None,
    "503": Fault("status", status=503, path="/status", only=frozenset({1})),
    "reset": Fault("reset", path="/download", only=frozenset({1})),
    "redirect": Fault("redirect", location=f"/elsewhere?key={COMPANY_KEY}", path="report/author"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_no_secret_is_in_the_output_of_a_run_at_debug_level(site: Site, name: str) -> None:
    if fault := FAILURES[name]:
        site.api.faults.append(fault)
    ended = site.execute(catalog=catalog_of(*SELECTED), environment=DEBUG, **ONE_DAY)
    assert_no_secrets(ended)
    assert "urllib3.connectionpool" in ended.stderr  # the debug level is active
    assert "Traceback" not in ended.stderr
    assert ended.code == (1 if name == "redirect" else 0)


@pytest.mark.parametrize("arguments", [("--test",), ("--discover",)], ids=str)
def test_no_secret_is_in_the_output_of_other_commands(
    site: Site, arguments: tuple[str, ...]
) -> None:
    ended = site.execute(*arguments, environment=DEBUG, **ONE_DAY)
    assert ended.code == 0, ended.stderr[-2000:]
    assert_no_secrets(ended)


def test_no_secret_is_in_a_state_with_running_jobs(serve: Serve) -> None:
    site = serve(job_seconds=60)
    ended = site.execute(catalog=catalog_of("author"), poll_timeout=1, environment=DEBUG)
    assert "started_at" in json.dumps(ended.output.state)
    assert_no_secrets(ended)


def test_exception_texts_of_the_server_are_logged_without_secrets(serve: Serve) -> None:
    text = f"No access for {COMPANY_KEY} by {ACCESS['username']}:{PASSWORD}"
    site = serve(creation_errors={"author": text})
    ended = site.execute(catalog=catalog_of("author"), environment=DEBUG)
    assert "the server did not start the export: No access for *** by ***:***" in ended.stderr
    assert_no_secrets(ended)


def test_the_reason_of_a_failed_job_is_logged_without_secrets(site: Site) -> None:
    failed = {"runnerState": "CLOSED", "detail": f"DENIED {COMPANY_KEY}\n{PASSWORD}"}
    with serving(b"[]", status={"jobInfo": {}, "result": failed}) as url:
        ended = site.execute(catalog=catalog_of("author"), api_url=url, environment=DEBUG)
    assert "the vendor's job ended as DENIED *** ***" in ended.stderr
    assert_no_secrets(ended)


def test_no_request_goes_to_other_hosts_in_responses(serve: Serve) -> None:
    stranger = Stranger()
    with running(stranger.app) as elsewhere:
        site = serve(foreign_url=elsewhere.url)
        output = site.sync(**ONE_DAY)
    assert stranger.log.requests == []
    assert len(output.rows("author")) == 9


def test_a_storage_on_another_host_receives_no_credentials_and_no_company_key(serve: Serve) -> None:
    stranger = Stranger([])
    with running(stranger.app) as elsewhere:
        site = serve()
        site.api.storage_url = elsewhere.url
        site.sync("author", **ONE_DAY)
    (request,) = stranger.log.requests
    shown = json.dumps([dict(request.headers), request.target])
    assert "authorization" not in request.headers
    assert not [secret for secret in SECRETS if secret in shown]


def test_a_netrc_file_is_never_used(site: Site) -> None:
    (site.folder / ".netrc").write_text("default login me password hunter2\n")
    (site.folder / ".netrc").chmod(0o600)
    environment = {"HOME": str(site.folder), "NETRC": str(site.folder / ".netrc")}
    ended = site.execute(catalog=catalog_of("author"), environment=environment, **ONE_DAY)
    assert ended.code == 0
    sent = {request.headers.get("authorization") for request in site.api.log.requests}
    assert sent == {f"Basic {BASIC}", None}


def test_the_storage_receives_no_credentials(site: Site) -> None:
    site.sync(**ONE_DAY)
    seen = [r for r in site.api.log.requests if r.path.startswith("/care-analytics-exports/")]
    assert len(seen) == 15
    for request in seen:
        assert {"authorization", "cookie"}.isdisjoint(request.headers)
        assert "companyKey" not in request.target
    assert site.api.counts.storage_credentials_seen == 0
