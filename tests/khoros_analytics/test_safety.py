"""Credentials and the company key go to the configured host, and into nothing that is written."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.server import running
from sandbox.stranger import Stranger

from tests.khoros_analytics.answers import serving
from tests.khoros_analytics.site import ACCESS, COMPANY_KEY, PASSWORD, catalog_of

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site
    from tests.processes import Ended

DEBUG = {"LOGLEVEL": "debug", "TAP_KHOROS_ANALYTICS_LOGLEVEL": "debug"}
BASIC = base64.b64encode(f"{ACCESS['username']}:{PASSWORD}".encode()).decode()
SECRETS = (PASSWORD, COMPANY_KEY, BASIC, base64.b64encode(PASSWORD.encode()).decode())
SELECTED = ("author", "conversation", "teams", "timezones", "user")


def assert_silent(ended: Ended) -> None:
    """No secret, no access token and no signed link in what was written."""
    for secret in (*SECRETS, "analyticsAccessToken", "X-Amz-Signature"):
        assert secret not in ended.output.text
        assert secret not in ended.stderr


FAILURES: dict[str, Fault | None] = {
    "none": None,
    "400": Fault("status", status=400, path="report/author"),
    "403": Fault("status", status=403, path="report/author"),
    "404": Fault("status", status=404, path="report/author"),
    "503": Fault("status", status=503, path="/status", only=frozenset({1})),
    "html": Fault("html", path="/status", only=frozenset({1})),
    "wrong shape": Fault("wrong_shape", path="report/author", only=frozenset({1})),
    "reset": Fault("reset", path="/download", only=frozenset({1})),
    "redirect": Fault("redirect", location=f"/elsewhere?key={COMPANY_KEY}", path="report/author"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_no_secret_is_in_any_output_at_debug_level(site: Site, name: str) -> None:
    if fault := FAILURES[name]:
        site.api.faults.append(fault)
    ended = site.execute(catalog=catalog_of(*SELECTED), environment=DEBUG, end_date="2024-02-01")
    assert_silent(ended)
    assert "urllib3.connectionpool" in ended.stderr  # it did say all it can say
    assert "Traceback" not in ended.stderr
    assert ended.code == (1 if name in {"400", "redirect"} else 0)


@pytest.mark.parametrize("arguments", [(), ("--test",), ("--discover",), ("--about",)], ids=str)
def test_no_secret_is_in_any_other_output(site: Site, arguments: tuple[str, ...]) -> None:
    ended = site.execute(*arguments, environment=DEBUG, end_date="2024-02-01")
    assert ended.code == 0, ended.stderr[-2000:]
    assert_silent(ended)


def test_no_secret_is_in_a_state_with_running_jobs(serve: Serve) -> None:
    site = serve(job_seconds=60)
    ended = site.execute(catalog=catalog_of("author"), poll_timeout=1, environment=DEBUG)
    assert "started_at" in json.dumps(ended.output.state)
    assert_silent(ended)


def test_an_exception_text_of_the_server_is_told_without_secrets(serve: Serve) -> None:
    text = f"No access for {COMPANY_KEY} by {ACCESS['username']}:{PASSWORD}"
    site = serve(creation_errors={"author": text})
    ended = site.execute(catalog=catalog_of("author"), environment=DEBUG)
    assert "the server did not start it: No access for *** by ***:***" in ended.stderr
    assert_silent(ended)


def test_what_a_server_says_of_a_failed_job_is_told_without_secrets(site: Site) -> None:
    failed = {"runnerState": "CLOSED", "detail": f"DENIED {COMPANY_KEY}\n{PASSWORD}"}
    with serving(b"[]", status={"jobInfo": {}, "result": failed}) as url:
        ended = site.execute(catalog=catalog_of("author"), api_url=url, environment=DEBUG)
    assert "the vendor's job ended as DENIED *** ***" in ended.stderr
    assert_silent(ended)


def test_addresses_of_another_host_in_answers_are_never_asked(serve: Serve) -> None:
    stranger = Stranger()
    with running(stranger.app) as elsewhere:
        site = serve(foreign_url=elsewhere.url)
        output = site.sync()
    assert stranger.log.requests == []
    assert len(output.rows("author")) == 18


def test_a_redirect_of_the_api_to_another_host_is_not_followed(serve: Serve) -> None:
    stranger = Stranger()
    with running(stranger.app) as elsewhere:
        site = serve()
        site.api.faults.append(Fault("redirect", location=elsewhere.url, path="/status"))
        ended = site.execute(catalog=catalog_of("author"))
    assert stranger.log.requests == []
    ended.assert_told_in_one_line("api_url")


def test_a_storage_that_is_a_stranger_sees_neither_credentials_nor_key(serve: Serve) -> None:
    stranger = Stranger([])
    with running(stranger.app) as elsewhere:
        site = serve()
        site.api.storage_url = elsewhere.url
        site.sync("author", end_date="2024-02-01")
    (request,) = stranger.log.requests
    shown = json.dumps([dict(request.headers), request.target])
    assert "authorization" not in request.headers
    assert not [secret for secret in SECRETS if secret in shown]


def test_a_netrc_replaces_no_credentials_and_goes_to_no_storage(site: Site) -> None:
    (site.folder / ".netrc").write_text("default login me password hunter2\n")
    (site.folder / ".netrc").chmod(0o600)
    environment = {"HOME": str(site.folder), "NETRC": str(site.folder / ".netrc")}
    ended = site.execute(
        catalog=catalog_of("author"), environment=environment, end_date="2024-02-01"
    )
    assert ended.code == 0
    sent = {request.headers.get("authorization") for request in site.api.log.requests}
    assert sent == {f"Basic {BASIC}", None}


WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"password": "nonsense-1"}, ("username", "password", "401")),
    ({"username": "nonsense-1"}, ("username", "password", "401")),
    ({"company_key": "nonsense-1"}, ("company_key", "403")),
]


@pytest.mark.parametrize(
    ("arguments", "changes", "words"),
    [
        *(((), *wrong) for wrong in WRONG),
        *((arguments, *WRONG[0]) for arguments in (("--test",), ("--discover",))),
        (("--discover",), *WRONG[2]),
    ],
    ids=str,
)
def test_wrong_credentials_are_one_line_that_names_the_settings(
    site: Site, arguments: tuple[str, ...], changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    ended = site.execute(*arguments, **changes)
    ended.assert_told_in_one_line(*words)
    assert ended.output.text == ""
    assert "nonsense-1" not in ended.stderr
    assert len(site.api.log.requests) == 1  # an account may be locked after some wrong tries


def test_credentials_that_are_revoked_in_the_middle_stop_the_run(site: Site) -> None:
    site.api.faults.append(Fault("status", status=401, path="report/user"))
    ended = site.execute(catalog=catalog_of(*SELECTED))
    ended.assert_told_in_one_line("username", "password", "401")
    assert len(ended.output.rows("author")) == 18


def test_an_address_without_the_api_is_one_line(site: Site) -> None:
    site.api.faults.append(Fault("status", status=404, path="/teams"))
    site.execute().assert_told_in_one_line("api_url", "404")


def test_credentials_may_have_any_letters(serve: Serve) -> None:
    access: dict[str, Any] = {
        "username": "bérénice",
        "password": "pass:wörd ☃",
        "company_key": "a&b=c d/é+%",
    }
    site = serve(**access)
    assert len(site.sync("author", **access).rows("author")) == 18
