"""Temporary faults of a server or a network do not change the output."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import KINDS, Fault
from sandbox.kissmetrics import PageRules, RunRules
from tap_kit import SyncFailed

from tests.kissmetrics.rows import comparable, settled
from tests.spread import in_turn, retried, retries, spread

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site
    from tests.singer import Output

SETTINGS: dict[str, Any] = {"end_date": "2024-02-01", "page_size": 10, "request_timeout": 1}
PATHS = ["/core/events", "/run$", "/status$", "/results"]
FORMS = ["envelope", "bare"]
PASSING: dict[str, dict[str, Any]] = {
    "408": {"status": 408},
    "429": {"status": 429, "retry_after": 0},
    "500": {"status": 500},
    "502": {"status": 502},
    "520": {"status": 520},
    "204": {"status": 204},
    "reset": {"kind": "reset"},
    "reset_body": {"kind": "reset_body"},
    "cut_body": {"kind": "cut_body"},
    "html": {"kind": "html"},
    "html 503": {"kind": "html", "status": 503},
    "wrong_shape": {"kind": "wrong_shape"},
    "bad_json": {"kind": "bad_json"},
    "wrong_encoding": {"kind": "wrong_encoding"},
    "empty": {"kind": "empty"},
    "slow_body": {"kind": "slow_body", "wait_ms": 1200},
    "stall": {"kind": "stall", "wait_ms": 1200},
}


def content(output: Output) -> list[Any]:
    """Return a run's messages without query ids: a lost response to a start causes another one."""
    messages = settled(output).without_clock
    return [
        {**message, "record": comparable([message["record"]])} if "record" in message else message
        for message in messages
    ]


@pytest.fixture
def site(serve: Serve) -> Site:
    """Return an account with few reports: its first, middle and last request differ in kind."""
    return serve(sizes={"reports": 2, "events": 25, "properties": 5}, run_rules=RunRules(polls=1))


def test_every_kind_of_fault_is_tested() -> None:
    tried = {fault.get("kind", "status") for fault in PASSING.values()}
    assert tried | {"redirect", "other_fields"} == set(KINDS)  # the fault matrix tests those two


FAST = {name: fault for name, fault in PASSING.items() if "wait_ms" not in fault}
BROKEN = [*zip(["html", "bad_json", "wrong_shape", "cut_body", "reset"], cycle(PATHS))]


def test_temporary_fault_of_every_kind_does_not_change_the_output(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    site = serve(sizes={"reports": 4}, run_rules=RunRules(polls=2))
    undisturbed = site.sync(max_concurrency=1, **SETTINGS)
    requests = site.api.log.count
    site.api.log.clear()
    site.api.faults[:] = spread(PASSING, requests)
    assert content(site.sync(max_concurrency=1, **SETTINGS)) == content(undisturbed)
    assert len(retried(caplog)) == retries(PASSING)


@pytest.mark.parametrize("form", FORMS)
def test_faults_in_all_first_attempts_do_not_change_the_output(
    serve: Serve, form: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = {"reports": 2, "events": 25, "properties": 30}
    site = serve(pages=PageRules(form=form), run_rules=RunRules(polls=0), sizes=sizes)
    undisturbed = site.sync(max_concurrency=8, **SETTINGS)
    site.api.log.clear()
    site.api.faults[:] = in_turn(FAST)
    assert content(site.sync(max_concurrency=1, **SETTINGS)) == content(undisturbed)
    assert len(retried(caplog)) == site.api.log.count / 2 >= len(FAST)
    assert site.api.early_reads == 0


@pytest.mark.parametrize(("kind", "path"), BROKEN)
def test_permanent_fault_fails_the_run_after_five_tries(site: Site, kind: str, path: str) -> None:
    site.api.faults.append(Fault(**PASSING[kind], path=path))
    _, error = site.failing_sync(SyncFailed, max_concurrency=1, **SETTINGS)
    assert str(error).startswith("POST " if "run" in path else "GET ")
    assert str(error).endswith("; failed after 5 tries")
    assert "\n" not in str(error)
    assert len([r for r in site.api.log.requests if path.strip("$") in r.path]) == 5


@pytest.mark.parametrize("status", [400, 405, 409, 422])
def test_rejected_request_fails_its_window_without_a_retry(
    site: Site, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    site.api.faults.append(Fault("status", status=status, path="/status$"))
    output, error = site.failing_sync(SyncFailed, max_concurrency=1, **SETTINGS)
    assert "these failed: report_results, report_id" in str(error)
    assert f"HTTP {status}" in caplog.text
    polls = site.requested("/status")
    assert len(polls) == len(set(polls))
    assert output.rows("products")
