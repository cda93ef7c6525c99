"""Access: the token, the plan, deleted domains; the others are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import Response
from sandbox.faults import Fault
from singer_sdk.exceptions import ConfigValidationError
from tap_kit import SyncFailed

from tests.kindmetrics.responses import Responses
from tests.kindmetrics.site import STREAMS, TOKEN, WINDOWED
from tests.singer import Loader, bookmark

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site

NO_PLAN = r"/api/domains/2(/|\?|$)"


@pytest.mark.parametrize("arguments", [(), ("--test",)], ids=["run", "test"])
def test_a_wrong_token_is_reported_in_one_line_with_the_setting(
    site: Site, arguments: tuple[str, ...]
) -> None:
    ended = site.execute(*arguments, api_token="not-the-token")  # noqa: S106
    ended.assert_one_error_line("api_token", "401")
    assert ended.output.text == ""
    assert len(site.requested()) == 1
    assert "not-the-token" not in ended.stderr


def test_a_token_revoked_during_a_run_stops_it(site: Site) -> None:
    site.api.faults.append(Fault("status", status=401, path="/api/domains/2/entry_pages"))
    output, error = site.failing_sync(ConfigValidationError)
    assert error.errors == ["api_token was rejected by the server (HTTP 401)"]
    assert output.rows("entry_pages") != []
    assert bookmark(output.state, "entry_pages", 1) == "2024-02-05"
    assert bookmark(output.state, "entry_pages", 2) is None


def test_a_domain_whose_plan_ended_does_not_stop_the_others(serve: Serve) -> None:
    ended = serve(domains=3, ended_domains=[2]).execute()
    assert ended.code == 0
    assert ended.errors == []
    assert {row["domain_id"] for row in ended.output.rows("pages")} == {1, 3}
    assert [row["id"] for row in ended.output.rows("domains")] == [1, 2, 3]
    (logged,) = [text for text in ended.warnings if "domain_id 2" in text]
    assert "skipped: no active plan or trial (HTTP 403)" in logged
    for stream in WINDOWED:
        assert bookmark(ended.output.state, stream, 2) is None
        assert bookmark(ended.output.state, stream, 3) == "2024-02-05"


def test_after_a_renewed_plan_the_missing_days_are_read(serve: Serve) -> None:
    """The bookmark of a domain without a plan does not move, and no lookback reads its days."""
    site = serve(domains=3)
    loader = Loader()
    loader.load(site.sync(end_date="2024-02-01"))
    site.api.faults.append(Fault("status", status=403, path=NO_PLAN))
    loader.load(site.sync(state=loader.state, end_date="2024-02-03", lookback_days=0))
    for stream in WINDOWED:
        reached = [bookmark(loader.state, stream, number) for number in (1, 2, 3)]
        assert reached == ["2024-02-03", "2024-02-01", "2024-02-03"]
    site.api.faults.clear()
    loader.load(site.sync(state=loader.state, end_date="2024-02-04", lookback_days=0))
    whole = Loader()
    whole.load(site.sync(end_date="2024-02-04"))
    assert loader.content == whole.content
    assert loader.state == whole.state


def test_a_plan_that_ends_during_a_run_keeps_what_was_read(serve: Serve) -> None:
    site = serve(domains=2)
    site.api.faults.append(Fault("status", status=403, path="/api/domains/1/pages.*02-0[3-5]"))
    output, _ = site.failing_sync(SyncFailed)
    days = {row["date"] for row in output.rows("pages") if row["domain_id"] == 1}
    assert days == {"2024-02-01", "2024-02-02"}
    assert bookmark(output.state, "pages", 1) == "2024-02-02"
    assert bookmark(output.state, "pages", 2) == "2024-02-05"


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_rejected_day_between_others_costs_only_itself(serve: Serve, status: int) -> None:
    """The bookmark does not pass it, or the day would be missing."""
    site = serve(domains=1)
    site.api.faults.append(Fault("status", status=status, path="/pages.*from=2024-02-02"))
    output, error = site.failing_sync(SyncFailed, "pages", max_concurrency=8)
    days = {row["date"] for row in output.rows("pages")}
    assert days == {f"2024-02-0{day}" for day in (1, 3, 4, 5)}
    assert bookmark(output.state, "pages", 1) == "2024-02-01"
    assert str(error).endswith("failed: pages, domain_id 1, segment all, 2024-02-02")


def test_two_rejected_days_do_not_stop_the_run(serve: Serve) -> None:
    site = serve(domains=2)
    site.api.faults += [
        Fault("status", status=403, path="/domains/1/pages.*from=2024-02-02"),
        Fault("status", status=400, path="/domains/1/pages.*from=2024-02-03"),
    ]
    output, _ = site.failing_sync(SyncFailed, max_concurrency=8)
    days = {row["date"] for row in output.rows("pages") if row["domain_id"] == 1}
    assert days == {"2024-02-01", "2024-02-04", "2024-02-05"}
    for stream in WINDOWED:
        assert bookmark(output.state, stream, 2) == "2024-02-05"
        assert bookmark(output.state, stream, 1) == f"2024-02-0{1 if stream == 'pages' else 5}"


@pytest.mark.parametrize("status", [403, 404])
def test_a_rejected_domain_gets_no_further_requests(serve: Serve, status: int) -> None:
    site = serve(domains=2, referrers_route="documented")
    site.api.faults.append(Fault("status", status=status, path=NO_PLAN))
    site.sync("pages", max_concurrency=1, start_date="2024-02-01", end_date="2024-02-20")
    assert len(site.days_requested("pages", 2)) <= 5  # three, and those already sent, of 20


def test_a_configured_domain_that_is_not_listed_is_one_warning(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    output = site.sync("pages", domain_ids=[77, 2, 1, 77])
    assert {row["domain_id"] for row in output.rows("pages")} == {1, 2}
    logged = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert logged == ["domain_ids: the account has no domain 77; reading the others"]
    assert site.requested("/77") == []


def test_a_run_without_any_configured_domain_is_an_error_before_the_first_row(site: Site) -> None:
    output, error = site.failing_sync(ConfigValidationError, domain_ids=[77, 78])
    expected = "domain_ids must have ids from the stream domains, the account has none of these"
    assert error.errors == [f"{expected} domains"]
    assert output.text == ""
    assert len(site.requested()) == 1


def test_a_domain_that_is_listed_twice_is_read_once(caplog: pytest.LogCaptureFixture) -> None:
    domain = {"id": 1, "address": "shop.example"}
    with Responses({"/api/domains": [domain, {**domain, "address": "other.example"}]}) as server:
        assert server.sync("domains").rows("domains") == [domain]
    expected = "domains: the server lists domain 1 more than once; reading it once"
    assert [text for text in caplog.messages if "more than once" in text] == [expected]


@pytest.mark.parametrize("bad", [True, -1, 0, 1.5, "1", None, 2**63, 10**300], ids=str)
def test_a_domain_needs_a_positive_number_as_its_id(bad: Any) -> None:
    domains = [{"id": 1}, {"id": bad}]
    with Responses({"/api/domains": domains}) as server, pytest.raises(SyncFailed) as caught:
        server.sync("domains")
    assert "expected objects, each with a number as its id" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (Response(404, b"{}"), "not found (HTTP 404)"),
        (Response(200, b"<html>Welcome</html>", "text/html"), "not JSON (20 bytes, HTML)"),
        (Response(200, b"", "text/plain"), "not JSON (0 bytes)"),
        ({"message": "hello"}, "expected a list of domains"),
        (None, "expected a list of domains"),
    ],
    ids=str,
)
def test_an_address_of_another_service_is_reported_as_a_wrong_api_url(
    body: Any, words: str
) -> None:
    responses = Responses({"/api/domains": body})
    with responses as server, pytest.raises(ConfigValidationError) as caught:
        server.sync("domains")
    (line,) = caught.value.errors
    assert line.startswith("api_url does not lead to a Kindmetrics API: ")
    assert words in line


def test_an_account_without_a_plan_has_a_warning_for_each_domain(serve: Serve) -> None:
    ended = serve(domains=2, ended_account=True).execute()
    assert ended.code == 0
    counts = ended.output.record_counts
    assert counts == {**dict.fromkeys(STREAMS, 0), "account": 1, "domains": 2}
    assert {f"domain_id {number}" in text for text in ended.warnings for number in (1, 2)}


def test_a_rejected_account_is_reported_as_a_wrong_token(site: Site) -> None:
    site.api.faults.append(Fault("status", status=403, path="/api/domains$"))
    ended = site.execute()
    ended.assert_one_error_line("api_token", "403", "no active plan")
    assert ended.output.text == ""


@pytest.mark.parametrize("options", [{"has_me": False}, {}], ids=["404", "403"])
def test_a_server_without_the_account_route_is_a_warning(
    serve: Serve, options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(**options)
    if not options:
        site.api.faults.append(Fault("status", status=403, path="/api/me"))
    output = site.sync("account", "domains")
    assert output.rows("account") == []
    assert "account" in output.streams
    assert len(output.rows("domains")) == 2
    assert [text for text in caplog.messages if text.startswith("account: skipped")]


@pytest.mark.parametrize("route", ["server", "documented"])
def test_referrers_are_read_from_the_route_that_the_server_has(serve: Serve, route: str) -> None:
    site = serve(referrers_route=route)
    rows = site.sync("referrers", max_concurrency=1).rows("referrers")
    days = {(row["domain_id"], row["date"]) for row in rows}
    assert len(days) >= 9
    spellings = {path.split("/")[4].split("?")[0] for path in site.requested("eferrers")}
    assert spellings == ({"referrers", "Referrers"} if route == "server" else {"referrers"})


def test_the_referrers_route_that_worked_is_remembered(serve: Serve) -> None:
    site = serve(referrers_route="server")
    site.sync("referrers", max_concurrency=1)
    assert len(site.requested("/referrers")) == 1
    site.api.log.clear()
    site.sync("referrers", max_concurrency=8)
    assert len(site.requested("/referrers")) <= 8 + 8 // 4, "one for each thread"


def test_a_deleted_domain_does_not_change_the_referrers_route(serve: Serve) -> None:
    site = serve(referrers_route="documented", domains=3)
    site.api.faults.append(Fault("status", status=404, path="/domains/1/[Rr]eferrers"))
    site.sync("referrers", max_concurrency=1)
    assert [path for path in site.requested("/Referrers") if "/1/" not in path] == []


def test_the_token_is_sent_only_in_the_header(site: Site) -> None:
    site.sync()
    for request in site.api.log.requests:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in request.target
        assert request.headers["accept"] == "application/json"
