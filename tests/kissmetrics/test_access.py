"""Where the token is sent, where it never is, and what an error response means."""

from __future__ import annotations

import base64
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import LinkRules, PageRules, RunRules
from sandbox.server import running
from sandbox.stranger import Stranger
from singer_sdk.exceptions import ConfigValidationError
from tap_kit import SyncFailed

from tests.kissmetrics.rows import comparable, expected_list, expected_rows
from tests.kissmetrics.site import CORE, TOKEN, WITH_NEXT, days
from tests.processes import Ended, execute

if TYPE_CHECKING:
    from sandbox.kissmetrics.rules import Form

    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site

DEBUG = {"LOGLEVEL": "debug", "TAP_KISSMETRICS_LOGLEVEL": "debug"}


@pytest.mark.parametrize(("form", "escaped"), [*zip(WITH_NEXT, cycle([True, False]))])
def test_links_to_another_host_are_requested_from_the_configured_hosts(
    serve: Serve, form: Form, *, escaped: bool
) -> None:
    """All links lead to the other host: those to pages, products, runs, statuses and results."""
    stranger = Stranger([])
    with running(stranger.app) as elsewhere:
        host = elsewhere.url
        pages = PageRules(form=form, next_host=host, escaped_links=escaped)
        runs = RunRules(location_host=host, link_host=host, pages=pages)
        links = LinkRules(product_host=host, run_host=host)
        sizes = {"events": 15, "properties": 12}
        site = serve(pages=pages, run_rules=runs, links=links, sizes=sizes)
        output = site.sync(page_size=5, end_date="2024-02-01")
        for name in CORE:
            assert output.rows(name) == expected_list(site.api, name)
        assert comparable(output.rows("report_results")) == expected_rows(site.api, days()[:1])
        chosen = site.api.data.ids("products")
        assert len(site.sync("events", product_ids=chosen, page_size=5).rows("events")) == 15
        for setting in ("core_url", "query_url"):
            setattr(site.api, setting, host)
        again = site.sync(page_size=5, end_date="2024-02-01")
        assert again.record_counts == output.record_counts
    assert stranger.log.count == 0, "no request either with or without the token"


@pytest.mark.parametrize("host", ["https://apikissmetrics.com", "https://evil.example:8443"])
def test_links_to_hosts_that_do_not_exist_are_requested_from_the_configured_hosts(
    serve: Serve, host: str
) -> None:
    pages = PageRules(form="next_in_body_only", next_host=host)
    site = serve(pages=pages, links=LinkRules(product_host=host), sizes={"events": 15})
    assert len(site.sync("events", page_size=5).rows("events")) == 15


@pytest.mark.parametrize(
    ("path", "status"),
    [("/core/events", 301), ("/run$", 308), ("/status$", 301), ("/results", 308)],
)
def test_redirect_to_another_host_is_not_followed(site: Site, path: str, status: int) -> None:
    stranger = Stranger([])
    with running(stranger.app) as elsewhere:
        fault = Fault("redirect", status=status, location=f"{elsewhere.url}/core", path=path)
        site.api.faults.append(fault)
        _, error = site.failing_sync(ConfigValidationError)
    assert stranger.log.count == 0
    setting = "api_url" if "core" in path else "query_url"
    assert error.errors == [
        f"{setting} redirects elsewhere (HTTP {status}); set it to the final address"
    ]


def test_token_is_sent_in_the_header_only(site: Site) -> None:
    site.sync(end_date="2024-02-01")
    for request in site.api.log.requests:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in request.target
        assert TOKEN.encode() not in request.body
        assert request.headers["accept"] == "application/json"


@pytest.mark.parametrize("arguments", [(), ("--test",)], ids=["run", "test"])
def test_wrong_token_is_one_line_that_names_the_setting(
    site: Site, arguments: tuple[str, ...]
) -> None:
    ended = site.execute(*arguments, api_token="not-the-token")  # noqa: S106
    ended.assert_one_error_line("api_token", "401")
    assert ended.output.text == ""
    assert len(site.requested()) == 1
    assert "not-the-token" not in ended.stderr


@pytest.mark.parametrize("path", ["/core/reports", "/run$", "/status$", "/results"])
def test_token_that_is_revoked_during_a_run_fails_the_run(site: Site, path: str) -> None:
    site.api.faults.append(Fault("status", status=401, path=path))
    output, error = site.failing_sync(ConfigValidationError)
    assert error.errors == ["api_token was rejected by the server (HTTP 401)"]
    assert len(output.rows("events")) in {0, 45}


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (403, "api_token gives no access to the list of accounts: the token has no access to it"),
        (404, "api_url gives no access to the list of accounts: not found (HTTP 404)"),
    ],
)
def test_refused_list_of_accounts_names_the_wrong_setting_before_anything_is_written(
    site: Site, status: int, line: str
) -> None:
    site.api.faults.append(Fault("status", status=status, path="/core/accounts"))
    output, error = site.failing_sync(ConfigValidationError)
    assert [one[: len(line)] for one in error.errors] == [line]
    assert output.text == ""


@pytest.mark.parametrize("name", ["events", "reports", "products"])
@pytest.mark.parametrize("status", [403, 404])
def test_refused_list_is_skipped_with_a_warning_and_the_others_are_read(
    site: Site, name: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    site.api.faults.append(Fault("status", status=status, path=f"/core/{name}"))
    output = site.sync(*CORE)
    assert output.rows(name) == []
    assert len(output.rows("properties")) == 60
    assert [text for text in caplog.messages if text.startswith(f"{name}: skipped: ")]


@pytest.mark.parametrize("name", ["reports", "products"])
def test_refused_list_that_the_plan_needs_fails_the_run(site: Site, name: str) -> None:
    site.api.faults.append(Fault("status", status=403, path=f"/core/{name}"))
    _, error = site.failing_sync(SyncFailed, "report_results")
    assert str(error) == f"GET /core/{name}: the token has no access to it (HTTP 403)"


@pytest.mark.parametrize("setting", ["api_url", "query_url"])
def test_plain_http_is_accepted_for_the_local_machine_only(site: Site, setting: str) -> None:
    ended = site.execute(**{setting: "http://10.0.0.1"})
    ended.assert_one_error_line(f"{setting} must begin with https://")
    assert ended.output.text == ""
    assert site.requested() == []


# The fault matrix and the tests of the secrets of all taps try the others.
FAILURES: dict[str, Fault | None] = {
    "none": None,
    "redirect": Fault("redirect", location=f"/elsewhere?token={TOKEN}", path="/core/events"),
}


def assert_silent(ended: Ended) -> None:
    """Check that the token is in no output, neither as it is nor encoded as in headers."""
    for secret in (TOKEN, base64.b64encode(TOKEN.encode()).decode(), TOKEN[6:]):
        assert secret not in ended.output.text
        assert secret not in ended.stderr


@pytest.mark.parametrize("name", FAILURES)
def test_token_is_in_no_output_at_debug_level(site: Site, name: str) -> None:
    if fault := FAILURES[name]:
        site.api.faults.append(fault)
    command = site.command(reports=[{"id": site.runnable()[0]}], end_date="2024-02-01")
    ended = execute(*command, environment=DEBUG)
    assert_silent(ended)
    assert "DEBUG" in ended.stderr  # the level was in effect
    assert ended.code == (1 if fault else 0), ended.stderr
    assert "Traceback" not in ended.stderr


def test_tracking_key_is_written_only_with_its_setting(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    keys = {record["tracking_key"] for record in site.api.data.records("products")}
    chosen = site.api.data.ids("products")
    with caplog.at_level("DEBUG"):
        plain = site.sync("products")
        scoped = site.sync("products", product_ids=chosen)
    for output in (plain, scoped):
        assert not any(key in output.text for key in keys)
        assert "tracking_key" not in output.text
        assert len(output.rows("products")) == 3
    assert "not in the catalog" not in caplog.text
    assert not any(key in caplog.text for key in keys)
    both: list[dict[str, Any]] = [{}, {"product_ids": chosen}]
    for changes in both:
        output = site.sync("products", include_tracking_key=True, **changes)
        assert {row["tracking_key"] for row in output.rows("products")} == keys
