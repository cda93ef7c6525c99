"""Wherever a response points to, the credentials are sent to the vendor only."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import Kissmetrics, LinkRules, PageRules, RunRules, Sizes
from sandbox.server import running
from sandbox.stranger import Stranger
from singer_sdk.exceptions import ConfigValidationError

from tests.every_tap import EXECUTABLES, OTHER_TOKEN, TAPS, EveryTap
from tests.kissmetrics.site import NOW
from tests.secrets_of_taps.forms import found_in

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from tests.fault_matrix.parts import Served

# Targets of a redirect, made from the addresses of the vendor and of a stranger.
TARGETS = {
    "another host": "{stranger}/take",
    "another host without a scheme": "//{stranger_place}/take",
    "the same host at another port": "http://{host}:{stranger_port}/api/domains",
    "a user in front of another host": "http://{host}:{port}@{stranger_place}/take",
    "a user and a password in front": "http://someone:else@{stranger_place}/take",
    "a backslash": "http://{host}:{port}\\@{stranger_place}/take",
    "clear text": "http://elsewhere.invalid/take",
    "another host over https": "https://{stranger_place}/take",
    "another scheme": "ftp://{stranger_place}/take",
    "nothing that is an address": "http://[::1/take",
}
STATUSES = (301, 302, 303, 307, 308)
# The downloads of Khoros, from the vendor and from its storage, which may be on another host.
DOWNLOADED = ("/download", "/care-analytics-exports/*/*")


def _address(target: str, vendor: SplitResult, stranger: str) -> str:
    parts = urlsplit(stranger)
    return target.format(
        stranger=stranger,
        stranger_place=parts.netloc,
        stranger_port=parts.port,
        host=vendor.hostname,
        port=vendor.port,
    )


def assert_no_credentials_received(tap: EveryTap, stranger: Stranger) -> None:
    """Check that no request to the stranger had credentials."""
    for request in stranger.log.requests:
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers
        received = f"{request.target} {dict(request.headers)} {request.body!r}"
        assert found_in(received, tap.secrets.values()) == set()


@pytest.mark.parametrize("where", TARGETS)
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_redirect_receives_the_credentials(served: Served, tap: EveryTap, where: str) -> None:
    """Each kind of request is redirected, with one status after the other."""
    stranger = Stranger([])
    tried = served.tried(tap)
    with running(stranger.app) as elsewhere:
        vendor = urlsplit(tried.account.settings[tap.addresses[0]])
        location = _address(TARGETS[where], vendor, elsewhere.url)
        taken = 0
        for number, part in enumerate(tried.parts):
            place, status = part.place, STATUSES[number % len(STATUSES)]
            fault = Fault("redirect", status=status, location=location, path=place.path)
            part.account.faults[:] = [replace(fault, method=place.method)]
            ended = tap.run(part.account.settings, catalog=part.account.catalog)
            assert "Traceback" not in ended.stderr
            if place.kind.endswith(DOWNLOADED):  # downloads are on another host
                taken = stranger.log.count
                continue
            assert stranger.log.count == taken, place
            assert ended.code == 1, (place, ended.stderr[-500:])
            assert any("redirects elsewhere" in e or "HTTP 30" in e for e in ended.errors)
    assert_no_credentials_received(tap, stranger)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_redirects_of_every_status_are_refused(served: Served, tap: EveryTap, status: int) -> None:
    stranger = Stranger([])
    account = served.tried(tap).account
    with running(stranger.app) as elsewhere:
        location = f"{elsewhere.url}/take"
        account.faults.append(Fault("redirect", status=status, location=location))
        ended = tap.run(account.settings, catalog=account.catalog)
    ended.assert_one_error_line(f"{tap.addresses[0]} ", "redirects elsewhere")
    assert stranger.log.count == 0


LINKS: dict[str, Any] = {
    "next page": lambda url: {"pages": PageRules(next_host=url)},
    "lists of a product": lambda url: {"links": LinkRules(product_host=url)},
    "how a report is run": lambda url: {"links": LinkRules(run_host=url)},
    "where a query is": lambda url: {"run_rules": RunRules(location_host=url)},
    "link to a query": lambda url: {"run_rules": RunRules(link_host=url, location_header=False)},
    "next page of results": lambda url: {"run_rules": RunRules(pages=PageRules(next_host=url))},
}


@pytest.mark.parametrize("link", LINKS)
def test_no_link_receives_the_token(link: str) -> None:
    """The tap requests a link to another host from the vendor's own host."""
    stranger = Stranger({})
    (tap,) = (tap for tap in EXECUTABLES if tap.name == "tap-kissmetrics")
    with ExitStack() as stack:
        elsewhere = stack.enter_context(running(stranger.app))
        sizes = Sizes(rows_per_day=12, reports=2, events=25, properties=5)
        api = Kissmetrics(token=OTHER_TOKEN, now=NOW, sizes=sizes, **LINKS[link](elsewhere.url))
        at = stack.enter_context(api.serving())
        usual = stack.enter_context(tap.serving())
        settings = {**usual.settings, "api_url": at.core, "query_url": at.query}
        with_products = {"product_ids": [record["id"] for record in api.data.records("products")]}
        for changes in ({}, with_products):
            ended = tap.run({**settings, **changes})
            assert ended.code == 0, ended.stderr[-1000:]
    assert stranger.log.count == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://vendor.example",
        "http://192.0.2.1",
        "http://127.0.0.1.vendor.example",
        "http://localhost.vendor.example",
        "http://2130706433.example",
        "http://[2001:db8::1]",
        "HTTP://vendor.example",
        "http://0.0.0.0",
    ],
)
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_http_is_allowed_for_loopback_only(served: Served, tap: EveryTap, url: str) -> None:
    account = served.tried(tap).account
    for address in tap.addresses:
        settings = {**account.settings, address: url}
        with pytest.raises(ConfigValidationError) as caught:
            tap.tap(config=settings, catalog=account.catalog)
        (line,) = caught.value.errors
        assert line.startswith(f"{address} must begin with https://")
