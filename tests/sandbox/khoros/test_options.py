"""The options of ``sandbox khoros``."""

import argparse
import socket

import pytest
import requests
from sandbox.khoros import options
from sandbox.khoros.catalog import EXPORTS
from sandbox.server import UnusableAddressError, running

from .client import ACCESS, BASE, KEY, WINDOW


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    options.add_options(parser)
    return parser.parse_args(words)


def test_the_defaults_serve_both_addresses() -> None:
    with options.serving(parsed()) as account, running(account.app) as server:
        url = f"{server.url}{BASE}/reports/report/user"
        created = requests.get(url, params={**KEY, **WINDOW}, auth=ACCESS, timeout=10).json()
        for _ in range(2):
            status_url = created["result"]["statusUrl"]
            status = requests.get(status_url, auth=ACCESS, timeout=10).json()["result"]
        download = status["jobInfo"]["downloadUrl"]
        response = requests.get(download, auth=ACCESS, timeout=10)
    assert account.hint.endswith("downloads are at " + response.url.split("/care-")[0])
    assert len(response.json()) == 10


def test_options_configure_the_tenant() -> None:
    words = (
        "--username u --password p --company-key k --rows-per-day 5 --rows author=7 "
        "--rows user=3 --since 2026-01-01 --now 2026-02-01T00:00:00Z --job-seconds 1.5 "
        "--fail author=-1 --fail response=2 --rate-limit 20 --no-retry-after --exclusive-end "
        "--lenient-methods --key-style camel --bom --gzip --chunked --link-seconds 3"
    )
    tenant = options.tenant_of(parsed(*words.split()))
    assert (tenant.username, tenant.password, tenant.company_key) == ("u", "p", "k")
    rows = tenant.rows_per_day
    assert isinstance(rows, dict)
    assert (rows["author"], rows["response"], rows["user"]) == (7, 5, 3)
    assert "team_performance" not in rows
    assert str(tenant.data.since) == "2026-01-01"
    assert str(tenant.clock.now) == "2026-02-01 00:00:00+00:00"
    assert (tenant.job_seconds, tenant.failing_runs) == (1.5, {"author": -1, "response": 2})
    assert (tenant.rate_limit, tenant.has_retry_after, tenant.inclusive_end) == (20, False, False)
    assert (tenant.key_style, tenant.has_bom, tenant.link_seconds) == ("camel", True, 3.0)
    assert tenant.lenient_methods
    assert tenant.has_gzip
    assert tenant.is_chunked


@pytest.mark.parametrize(
    "words",
    [
        "--rows nothing=3",
        "--rows author",
        "--rows-per-day -1",
        "--job-seconds soon",
        "--job-seconds -1",
        "--since yesterday",
        "--now noon",
        "--key-style snake",
    ],
)
def test_invalid_options_are_usage_errors(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(*words.split())
    assert "error: argument" in capsys.readouterr().err


def test_the_error_names_a_taken_storage_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with (
            pytest.raises(UnusableAddressError, match=f"cannot listen on 127.0.0.1 port {port}"),
            options.serving(parsed("--storage-port", port)),
        ):
            pass


def test_every_export_has_distinct_known_columns() -> None:
    for export in EXPORTS.values():
        assert len(set(export.columns)) == len(export.columns) > 5
        assert export.attested | export.hidden <= set(export.columns)
        assert set(export.columns) <= set(export.values)
