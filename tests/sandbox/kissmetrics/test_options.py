"""The options of ``sandbox kissmetrics``, and both hosts at one address."""

import argparse

import pytest
import requests
from sandbox.kissmetrics import Kissmetrics, options
from sandbox.server import running

from tests.sandbox.kissmetrics.client import links_of


def parse(text: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    options.add_options(parser)
    return parser.parse_args(text.split())


def made(text: str) -> Kissmetrics:
    return options.account_of(parse(text))


def test_without_options_the_account_has_the_defaults() -> None:
    api, default = made(""), Kissmetrics()
    for name in ("sizes", "fields", "pages", "links", "run_rules", "v3", "now", "token"):
        assert getattr(api, name) == getattr(default, name)


def test_options_configure_the_account() -> None:
    api = made(
        "--token t --events 7 --rows-per-day 5 --timezone UTC --report-type people_search_v2 "
        "--form bare --max-limit 3 --run-seconds 0.5 --budget 15 --now 2026-01-31T14:30:00Z "
        "--columns labels --row-form object --extra-field --seed s --next-host http://x.example"
    )
    assert (api.token, api.sizes.events, api.sizes.rows_per_day) == ("t", 7, 5)
    assert (api.sizes.timezones, api.sizes.seed) == (["UTC"], "s")
    assert len(api.data.runnable_reports()) == 8
    assert (api.pages.form, api.pages.max_limit) == ("bare", 3)
    assert api.pages.next_host == "http://x.example"
    assert (api.run_rules.run_seconds, api.run_rules.row_form) == (0.5, "object")
    assert (api.v3.budget, api.v3.retry_after) == (15, True)
    assert api.data.now.isoformat() == "2026-01-31T14:30:00+00:00"
    assert api.fields.extra_field


@pytest.mark.parametrize(
    ("switches", "complaint"),
    [
        ("--events 0", "must be a whole number from 1, got '0'"),
        ("--polls -1", "must be a whole number, got '-1'"),
        ("--run-seconds soon", "must be a number of seconds, got 'soon'"),
        ("--now soon", "must be a time such as"),
        ("--form odd", "invalid choice"),
    ],
)
def test_invalid_options_are_usage_errors(
    switches: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(switches)
    assert complaint in capsys.readouterr().err


def test_the_hint_has_the_token() -> None:
    with options.serving(parse("")) as account:
        assert "Bearer demo-token" in account.hint


def test_one_address_serves_both_hosts() -> None:
    api = made("--polls 0")
    with running(api.app) as server, requests.Session() as session:
        session.headers["Authorization"] = "Bearer demo-token"
        report = session.get(f"{server.url}/core/reports", timeout=10).json()["data"][0]
        start, end = api.data.day_window(report["id"], api.data.now.date())
        body = {"start_date": start, "end_date": end}
        run = links_of(report)["run_v2"]
        assert run.startswith(server.url)
        started = session.post(run, json=body, timeout=10)
        status = session.get(started.headers["Location"], timeout=10)
        assert session.get(status.headers["Location"], timeout=10).status_code == 200
        v3 = requests.get(f"{server.url}/v3/products", auth=("demo-key", ""), timeout=10)
        assert len(v3.json()["data"]) == 3
        assert requests.get(f"{server.url}/elsewhere", timeout=10).status_code == 401
    with running(api.query) as server:
        assert requests.get(f"{server.url}/core", timeout=10).status_code == 404
