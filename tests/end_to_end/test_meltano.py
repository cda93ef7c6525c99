"""What a user does with Meltano, offline, through the real command."""

from __future__ import annotations

import json
import os
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from sandbox.faults import Fault

from tests.end_to_end.conftest import OWN_PROXY
from tests.end_to_end.project import MELTANO, TOKEN, Done, Project, lines
from tests.kindmetrics.site import STREAMS, WINDOWED, endpoint, windows

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.kindmetrics import Kindmetrics

    from tests.end_to_end.proxy import Proxy

pytestmark = [pytest.mark.xdist_group("meltano"), pytest.mark.timeout(300)]

RUN = ("run", "tap-kindmetrics", "target-jsonl")
PYPI = {"pypi.org", "files.pythonhosted.org"}


def assert_well(done: Done) -> None:
    assert done.code == 0, (done.stdout + done.stderr)[-3000:]
    assert TOKEN not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def days_asked(api: Kindmetrics) -> list[str]:
    """The first days of the windows that were asked for of the first domain's pages."""
    asked = [dict(r.query) for r in api.log.requests if r.path == "/api/domains/1/pages"]
    return sorted(query["from"] for query in asked)


def rows_expected(api: Kindmetrics, stream: str, first: date, last: date) -> int:
    return sum(
        len(api.data.rows(endpoint(stream), domain["id"], *window))
        for domain in api.data.domains
        for window in windows(first, last)
    )


def test_a_run_loads_everything_and_the_next_one_what_is_new(
    project: Project, settings: dict[str, str], api: Kindmetrics, tmp_path: Path
) -> None:
    assert_well(project.meltano(*RUN, "--state-id-suffix=next", **settings))
    for stream in WINDOWED:
        wanted = rows_expected(api, stream, date(2024, 2, 1), date(2024, 2, 10))
        assert len(lines(tmp_path, stream)) == wanted, stream
    assert lines(tmp_path, "account") == [{"email": api.data.email}]
    assert len(lines(tmp_path, "domains")) == len(lines(tmp_path, "current_visitors")) == 2
    api.log.clear()
    later = {**settings, "TAP_KINDMETRICS_END_DATE": "2024-02-12"}
    assert_well(project.meltano(*RUN, "--state-id-suffix=next", **later))
    assert days_asked(api) == [f"2024-02-{day:02}" for day in (8, 9, 10, 11, 12)]
    again = rows_expected(api, "pages", date(2024, 2, 8), date(2024, 2, 12))
    assert len(lines(tmp_path, "pages")) == again + rows_expected(
        api, "pages", date(2024, 2, 1), date(2024, 2, 10)
    )
    api.log.clear()
    assert_well(project.meltano(*RUN, "--full-refresh", "--state-id-suffix=next", **settings))
    assert days_asked(api)[0] == "2024-02-01"
    listed = project.meltano("state", "list")
    assert_well(listed)
    assert "demo:tap-kindmetrics-to-target-jsonl:next" in listed.stdout + listed.stderr


def test_a_run_that_breaks_off_goes_on_where_it_was(
    project: Project, settings: dict[str, str], api: Kindmetrics, tmp_path: Path
) -> None:
    """The target has kept the last state that the tap wrote before it failed."""
    fault = Fault("status", status=422, path="/api/domains/2/pages.*2024-02-06")
    api.faults.append(fault)
    broken = project.meltano(*RUN, "--state-id-suffix=broken", **settings)
    assert broken.code == 1
    assert "GET /api/domains/2/pages: HTTP 422" in broken.stderr
    assert TOKEN not in broken.stdout + broken.stderr
    api.faults.clear()
    api.log.clear()
    assert_well(project.meltano(*RUN, "--state-id-suffix=broken", **settings))
    assert days_asked(api)[0] == "2024-02-08"  # the first domain was done, but for the look-back
    keys = [row["row_id"] for row in lines(tmp_path, "pages")]
    assert len(set(keys)) == rows_expected(api, "pages", date(2024, 2, 1), date(2024, 2, 10))


def test_select_lists_every_stream_and_field(project: Project, settings: dict[str, str]) -> None:
    done = project.meltano("select", "tap-kindmetrics", "--list", "--all", **settings)
    assert_well(done)
    for name in (*(f"{stream}." for stream in STREAMS), "pages.address", "countries.name"):
        assert name in done.stdout


def test_what_is_not_selected_is_not_asked_for(
    project: Project, settings: dict[str, str], api: Kindmetrics, tmp_path: Path
) -> None:
    chosen = {**settings, "TAP_KINDMETRICS__SELECT": '["goals.*", "!goals.kind"]'}
    assert_well(project.meltano(*RUN, "--state-id-suffix=chosen", **chosen))
    assert {request.path for request in api.log.requests} == {
        "/api/domains",
        "/api/domains/1/goals",
        "/api/domains/2/goals",
    }
    assert [path.stem for path in tmp_path.glob("*.jsonl")] == ["goals"]
    assert not any("kind" in row for row in lines(tmp_path, "goals"))


def test_config_test_says_whether_the_settings_are_good(
    project: Project, settings: dict[str, str]
) -> None:
    done = project.meltano("config", "test", "tap-kindmetrics", **settings)
    assert_well(done)
    assert "valid" in (done.stdout + done.stderr).lower()


def test_config_test_with_a_wrong_token_names_the_setting(
    project: Project, settings: dict[str, str]
) -> None:
    wrong = {**settings, "TAP_KINDMETRICS_API_TOKEN": "not-the-token"}
    done = project.meltano("config", "test", "tap-kindmetrics", **wrong)
    assert done.code == 1
    assert "api_token" in done.stdout + done.stderr
    assert "not-the-token" not in done.stdout + done.stderr


def test_a_run_with_wrong_settings_names_them_all(
    project: Project, settings: dict[str, str], tmp_path: Path
) -> None:
    wrong = {**settings, "TAP_KINDMETRICS_SHARD": "2/2", "TAP_KINDMETRICS_WINDOW_DAYS": "0"}
    done = project.meltano(*RUN, "--state-id-suffix=wrong", **wrong)
    assert done.code == 1
    assert "shard must be i/n" in done.stderr
    assert "window_days must be at least 1" in done.stderr
    assert list(tmp_path.glob("*.jsonl")) == []


def test_settings_are_listed_and_the_token_is_hidden(
    project: Project, settings: dict[str, str]
) -> None:
    done = project.meltano("config", "list", "tap-kindmetrics", "--all", **settings)
    assert_well(done)
    for name in ("api_token", "segments", "lookback_days", "window_days"):
        assert name in done.stdout


def test_a_list_of_segments_comes_from_the_environment(
    project: Project, settings: dict[str, str], tmp_path: Path
) -> None:
    segments: list[dict[str, Any]] = [{"name": "all"}, {"name": "se", "country": "SE"}]
    some = {
        **settings,
        "TAP_KINDMETRICS_SEGMENTS": json.dumps(segments),
        "TAP_KINDMETRICS_DOMAIN_IDS": "[1]",
        "TAP_KINDMETRICS_MAX_CONCURRENCY": "8",
    }
    assert_well(project.meltano(*RUN, "--state-id-suffix=segments", **some))
    rows = lines(tmp_path, "domain_stats")
    assert {(row["domain_id"], row["segment"]) for row in rows} == {(1, "all"), (1, "se")}


def test_invoke_discovers_without_an_account(project: Project) -> None:
    done = project.meltano("invoke", "tap-kindmetrics", "--discover")
    assert_well(done)
    assert [entry["stream"] for entry in json.loads(done.stdout)["streams"]] == STREAMS


def test_jobs_and_schedules_are_listed(project: Project) -> None:
    jobs = project.meltano("job", "list", "--format=json")
    assert_well(jobs)
    assert "kindmetrics" in jobs.stdout
    schedules = project.meltano("schedule", "list", "--format=json")
    assert_well(schedules)
    assert "kindmetrics-daily" in schedules.stdout


def test_meltano_is_the_one_of_the_environment() -> None:
    assert MELTANO.exists(), "make setup leaves it there"


@pytest.mark.skipif(OWN_PROXY, reason="this machine has a proxy of its own")
def test_only_pypi_is_asked_when_plugins_are_installed(installed_from: list[str]) -> None:
    mirrors = {
        urlsplit(os.environ[name]).hostname
        for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_INDEX_URL")
        if os.environ.get(name)
    }
    assert set(installed_from) <= PYPI | mirrors


@pytest.mark.skipif(OWN_PROXY, reason="this machine has a proxy of its own")
def test_nobody_is_asked_when_it_runs(
    project: Project, settings: dict[str, str], proxy: Proxy
) -> None:
    before = len(proxy.hosts)
    assert_well(project.meltano(*RUN, "--state-id-suffix=offline", **settings))
    assert proxy.hosts[before:] == []


def test_a_choice_of_streams_changes_one_line_of_the_project(tmp_path: Path) -> None:
    """Else a user's first change would be lost among those of the file's form."""
    own = Project.copied_to(tmp_path, {})
    before = (tmp_path / "meltano.yml").read_text().splitlines()
    command = [str(MELTANO), "select", "--no-install", "tap-kindmetrics", "--exclude", "pages"]
    done = own.run(command, {"PYTHONPATH": ""})
    assert done.code == 0, done.stderr
    after = (tmp_path / "meltano.yml").read_text().splitlines()
    after.remove("    - '!pages.*'")
    assert after == before
