"""The token is in no output, whatever fails, at any log level."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.server import running
from sandbox.stranger import Stranger
from tap_kit.errors import SyncFailed

from tests.kindmetrics.site import TOKEN
from tests.processes import Ended, execute

if TYPE_CHECKING:
    from tests.kindmetrics.site import Site

DEBUG = {"LOGLEVEL": "debug", "TAP_KINDMETRICS_LOGLEVEL": "debug"}
FAILURES = {  # the fault matrix and the tests of the secrets of all taps try the others
    "none": None,
    "redirect": Fault("redirect", location=f"/elsewhere?token={TOKEN}", path="/pages"),
}


def assert_no_token(ended: Ended) -> None:
    """Assert that neither output has the token, plain or in base64."""
    for secret in (TOKEN, base64.b64encode(TOKEN.encode()).decode(), TOKEN[5:]):
        assert secret not in ended.output.text
        assert secret not in ended.stderr


def debug(site: Site, *arguments: str, **changes: Any) -> Ended:
    return execute(*site.command(*arguments, **changes), environment=DEBUG)


@pytest.mark.parametrize("name", FAILURES)
def test_the_token_is_not_in_the_output_of_a_run_at_debug_level(site: Site, name: str) -> None:
    if fault := FAILURES[name]:
        site.api.faults.append(fault)
    ended = debug(site, end_date="2024-02-01")
    assert_no_token(ended)
    assert "DEBUG" in ended.stderr  # the debug level is active
    assert ended.code == (1 if fault else 0), ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_token_is_not_in_errors_about_settings(site: Site) -> None:
    ended = debug(site, api_token=f"{TOKEN} ", start_date=TOKEN, shard=TOKEN, domain_ids=TOKEN)
    assert ended.code == 1
    assert len(ended.errors) == 4
    assert_no_token(ended)


@pytest.mark.parametrize("text", ['{"api_token": "%s"', "%s", '["%s"]', '"%s"', '{"%s": 1}'])
def test_the_token_is_not_in_the_error_about_a_broken_config_file(site: Site, text: str) -> None:
    path = site.folder / "broken.json"
    path.write_text(text % TOKEN)
    ended = execute(site.command()[0], "--config", str(path), environment=DEBUG)
    assert ended.code == 1
    assert ended.output.text == ""
    if '{"%s"' not in text:  # where the token is the name of a setting
        assert_no_token(ended)


def test_the_token_is_not_in_the_error_about_an_unreachable_server(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with running(Stranger().app) as gone:
        pass
    with caplog.at_level("DEBUG"):
        output, error = site.failing_sync(SyncFailed, api_url=gone.url, request_timeout=1)
    assert gone.url in str(error)
    for text in (output.text, caplog.text, str(error), repr(error.__cause__)):
        assert TOKEN not in text


def test_a_netrc_file_does_not_replace_the_token(site: Site) -> None:
    (site.folder / ".netrc").write_text("default login me password hunter2\n")
    (site.folder / ".netrc").chmod(0o600)
    environment = {"HOME": str(site.folder), "NETRC": str(site.folder / ".netrc")}
    ended = execute(*site.command(end_date="2024-02-01"), environment=environment)
    assert ended.code == 0, ended.stderr
    sent = {request.headers["authorization"] for request in site.api.log.requests}
    assert sent == {f"Bearer {TOKEN}"}
