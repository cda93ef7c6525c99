"""The Meltano commands that users run, offline."""

from __future__ import annotations

import json
import os
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from sandbox.faults import Fault

from tests.end_to_end.installation import hosts_of_install
from tests.end_to_end.project import MELTANO, TOKEN, Done, Project, lines
from tests.end_to_end.proxy import HAS_PROXY
from tests.kindmetrics.site import STREAMS, WINDOWED, endpoint, windows

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.kindmetrics import Kindmetrics

    from tests.end_to_end.proxy import Proxy

pytestmark = [pytest.mark.xdist_group("meltano"), pytest.mark.timeout(300)]

RUN = ("run", "tap-kindmetrics", "target-jsonl")
PYPI = {"pypi.org", "files.pythonhosted.org"}


def assert_succeeded(done: Done) -> None:
    assert done.code == 0, (done.stdout + done.stderr)[-3000:]
    assert TOKEN not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def days_requested(api: Kindmetrics) -> list[str]:
    """Return the first days of the requested windows of the first domain's pages."""
    queries = [dict(r.query) for r in api.log.requests if r.path == "/api/domains/1/pages"]
    return sorted(query["from"] for query in queries)


def rows_expected(api: Kindmetrics, stream: str, first: date, last: date) -> int:
    return sum(
        len(api.data.rows(endpoint(stream), domain["id"], *window))
        for domain in api.data.domains
        for window in windows(first, last)
    )


def test_run_loads_all_rows_and_the_next_run_new_ones(
    project: Project, settings: dict[str, str], api: Kindmetrics, proxy: Proxy, tmp_path: Path
) -> None:
    """No run contacts another host than the vendor's."""
    before = len(proxy.hosts)
    assert_succeeded(project.meltano(*RUN, "--state-id-suffix=next", **settings))
    for stream in WINDOWED:
        wanted = rows_expected(api, stream, date(2024, 2, 1), date(2024, 2, 10))
        assert len(lines(tmp_path, stream)) == wanted, stream
    assert lines(tmp_path, "account") == [{"email": api.data.email}]
    assert len(lines(tmp_path, "domains")) == len(lines(tmp_path, "current_visitors")) == 2
    api.log.clear()
    later = {**settings, "TAP_KINDMETRICS_END_DATE": "2024-02-12"}
    assert_succeeded(project.meltano(*RUN, "--state-id-suffix=next", **later))
    assert days_requested(api) == [f"2024-02-{day:02}" for day in (8, 9, 10, 11, 12)]
    again = rows_expected(api, "pages", date(2024, 2, 8), date(2024, 2, 12))
    assert len(lines(tmp_path, "pages")) == again + rows_expected(
        api, "pages", date(2024, 2, 1), date(2024, 2, 10)
    )
    api.log.clear()
    assert_succeeded(project.meltano(*RUN, "--full-refresh", "--state-id-suffix=next", **settings))
    assert days_requested(api)[0] == "2024-02-01"
    assert proxy.hosts[before:] == []
    listed = project.meltano("state", "list")
    assert_succeeded(listed)
    assert "demo:tap-kindmetrics-to-target-jsonl:next" in listed.stdout + listed.stderr


def test_run_after_a_failed_run_resumes(
    project: Project, settings: dict[str, str], api: Kindmetrics, tmp_path: Path
) -> None:
    """The target stores the last state that the tap writes before it fails."""
    fault = Fault("status", status=422, path="/api/domains/2/pages.*2024-02-06")
    api.faults.append(fault)
    broken = project.meltano(*RUN, "--state-id-suffix=broken", **settings)
    assert broken.code == 1
    assert "GET /api/domains/2/pages: HTTP 422" in broken.stderr
    assert TOKEN not in broken.stdout + broken.stderr
    api.faults.clear()
    api.log.clear()
    assert_succeeded(project.meltano(*RUN, "--state-id-suffix=broken", **settings))
    assert (
        days_requested(api)[0] == "2024-02-08"
    )  # the first domain is complete; only the lookback is read again
    keys = [row["row_id"] for row in lines(tmp_path, "pages")]
    assert len(set(keys)) == rows_expected(api, "pages", date(2024, 2, 1), date(2024, 2, 10))


def test_select_lists_every_stream_and_field(project: Project, settings: dict[str, str]) -> None:
    done = project.meltano("select", "tap-kindmetrics", "--list", "--all", **settings)
    assert_succeeded(done)
    for name in (*(f"{stream}." for stream in STREAMS), "pages.address", "countries.name"):
        assert name in done.stdout


def test_lists_and_selection_are_read_from_the_environment(
    project: Project, settings: dict[str, str], api: Kindmetrics, tmp_path: Path
) -> None:
    segments: list[dict[str, Any]] = [{"name": "all"}, {"name": "se", "country": "SE"}]
    some = {
        **settings,
        "TAP_KINDMETRICS_SEGMENTS": json.dumps(segments),
        "TAP_KINDMETRICS_DOMAIN_IDS": "[1]",
        "TAP_KINDMETRICS_MAX_CONCURRENCY": "8",
        "TAP_KINDMETRICS__SELECT": '["goals.*", "!goals.kind"]',
    }
    assert_succeeded(project.meltano(*RUN, "--state-id-suffix=chosen", **some))
    requested = {request.path for request in api.log.requests}
    assert requested == {"/api/domains", "/api/domains/1/goals"}
    assert [path.stem for path in tmp_path.glob("*.jsonl")] == ["goals"]
    rows = lines(tmp_path, "goals")
    assert {(row["domain_id"], row["segment"]) for row in rows} == {(1, "all"), (1, "se")}
    assert not any("kind" in row for row in rows)


def test_config_test_accepts_valid_settings(project: Project, settings: dict[str, str]) -> None:
    done = project.meltano("config", "test", "tap-kindmetrics", **settings)
    assert_succeeded(done)
    assert "valid" in (done.stdout + done.stderr).lower()


def test_config_test_with_a_wrong_token_names_the_setting(
    project: Project, settings: dict[str, str]
) -> None:
    wrong = {**settings, "TAP_KINDMETRICS_API_TOKEN": "not-the-token"}
    done = project.meltano("config", "test", "tap-kindmetrics", **wrong)
    assert done.code == 1
    assert "api_token" in done.stdout + done.stderr
    assert "not-the-token" not in done.stdout + done.stderr


def test_run_and_config_test_with_invalid_settings_name_them_all(
    project: Project, settings: dict[str, str], tmp_path: Path
) -> None:
    wrong = {**settings, "TAP_KINDMETRICS_SHARD": "2/2", "TAP_KINDMETRICS_WINDOW_DAYS": "0"}
    tested = project.meltano("config", "test", "tap-kindmetrics", **wrong)
    assert tested.code == 1
    shown = tested.stdout + tested.stderr
    assert "2 problems: window_days must be at least 1; shard must be i/n" in shown
    done = project.meltano(*RUN, "--state-id-suffix=wrong", **wrong)
    assert done.code == 1
    assert "shard must be i/n" in done.stderr
    assert "window_days must be at least 1" in done.stderr
    assert list(tmp_path.glob("*.jsonl")) == []


def test_config_list_has_the_settings_of_the_tap(
    project: Project, settings: dict[str, str]
) -> None:
    done = project.meltano("config", "list", "tap-kindmetrics", "--all", **settings)
    assert_succeeded(done)
    for name in ("api_token", "segments", "lookback_days", "window_days"):
        assert name in done.stdout


def test_invoke_discovers_without_an_account(project: Project) -> None:
    done = project.meltano("invoke", "tap-kindmetrics", "--discover")
    assert_succeeded(done)
    assert [entry["stream"] for entry in json.loads(done.stdout)["streams"]] == STREAMS


def test_jobs_and_schedules_are_listed(project: Project) -> None:
    jobs = project.meltano("job", "list", "--format=json")
    assert_succeeded(jobs)
    assert "kindmetrics" in jobs.stdout
    schedules = project.meltano("schedule", "list", "--format=json")
    assert_succeeded(schedules)
    assert "kindmetrics-daily" in schedules.stdout


def test_meltano_is_installed_in_the_environment() -> None:
    assert MELTANO.exists(), "run: make setup"


@pytest.mark.skipif(HAS_PROXY, reason="this machine has a proxy of its own")
def test_pypi_is_the_only_host_contacted_by_install(project: Project) -> None:
    mirrors = {
        urlsplit(os.environ[name]).hostname
        for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_INDEX_URL")
        if os.environ.get(name)
    }
    hosts = set(hosts_of_install(project))
    assert hosts
    assert hosts <= PYPI | mirrors


def test_select_changes_one_line_of_meltano_yml(tmp_path: Path) -> None:
    """Otherwise reformatting would hide a user's first change."""
    own = Project.copied_to(tmp_path, {})
    before = (tmp_path / "meltano.yml").read_text().splitlines()
    command = [str(MELTANO), "select", "--no-install", "tap-kindmetrics", "--exclude", "pages"]
    done = own.run(command, {"PYTHONPATH": ""})
    assert done.code == 0, done.stderr
    after = (tmp_path / "meltano.yml").read_text().splitlines()
    after.remove("    - '!pages.*'")
    assert after == before
