"""The command line: discovery, about, test. The kit's tests have missing and malformed files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault

from tests.kindmetrics.site import STREAMS, TAP, WINDOWED
from tests.processes import execute

if TYPE_CHECKING:
    from tests.kindmetrics.conftest import Serve
    from tests.kindmetrics.site import Site


def test_discover_needs_no_settings_and_no_server() -> None:
    ended = execute(str(TAP), "--discover")
    assert ended.code == 0
    streams = json.loads(ended.output.text)["streams"]
    assert [entry["stream"] for entry in streams] == STREAMS
    for entry in streams:
        assert entry["key_properties"]
        assert (entry.get("replication_key") == "date") == (entry["stream"] in WINDOWED)
        for field, definition in entry["schema"]["properties"].items():
            assert definition.get("description"), f"{entry['stream']}.{field}"


def test_about_describes_every_setting() -> None:
    ended = execute(str(TAP), "--about", "--format=json")
    assert ended.code == 0
    about = json.loads(ended.output.text)
    assert about["name"] == "tap-kindmetrics"
    assert about["description"].startswith("Reads a Kindmetrics account")
    settings = about["settings"]["properties"]
    assert settings["api_token"]["secret"] is True
    assert {"api_token", "api_url", "domain_ids", "segments", "start_date"} <= settings.keys()
    for name, definition in settings.items():
        assert definition.get("description") or "properties" in definition, name


def test_about_has_text_and_markdown_and_version_is_printed() -> None:
    assert "api_token" in execute(str(TAP), "--about").output.text
    assert "| api_token |" in execute(str(TAP), "--about", "--format=markdown").output.text
    version = execute(str(TAP), "--version")
    assert re.match(r"tap-kindmetrics v\d+\.\d+\.\d+, Meltano SDK v0\.", version.output.text)


def test_help_lists_the_options() -> None:
    text = execute(str(TAP), "--help").output.text
    assert all(option in text for option in ("--config", "--state", "--catalog", "--discover"))


def test_the_option_test_reports_the_token_and_the_domains(site: Site) -> None:
    ended = site.execute("--test")
    assert ended.code == 0
    assert "The token works; the tap reads 2 domain(s)" in ended.stderr
    assert "Every stream could be read" in ended.stderr
    assert "METRIC" not in ended.errors
    assert ended.errors == []
    assert len(site.requested()) <= 2 + 2 + 2 * 8  # one record of each stream, not all of them


def test_the_option_test_fails_when_a_stream_cannot_be_read(site: Site) -> None:
    site.api.faults.append(Fault("status", status=422, path="/goals"))
    ended = site.execute("--test")
    assert ended.code == 1
    assert "Every stream could be read" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert any("/api/domains/1/goals: HTTP 422" in text for text in ended.errors)


def test_the_option_test_schema_writes_schemas_without_reading_rows(site: Site) -> None:
    ended = site.execute("--test=schema")
    assert ended.code == 0
    assert ended.output.streams == STREAMS
    assert {message["type"] for message in ended.output.messages} == {"SCHEMA"}
    assert site.requested("/pages") == []


def test_a_successful_run_logs_no_warnings(serve: Serve) -> None:
    ended = serve(referrers_route="documented").execute()
    assert ended.code == 0
    assert ended.errors == []
    assert ended.warnings == []
    assert ended.output.record_counts.keys() == set(STREAMS)


def test_a_run_in_this_process_writes_what_the_executable_writes(site: Site) -> None:
    assert site.execute().output.without_clock == site.sync().without_clock


@pytest.mark.parametrize("state", [{}, {"bookmarks": {}}, {"bookmarks": {"pages": {}}}], ids=str)
def test_an_empty_state_is_a_first_run(site: Site, state: Any) -> None:
    one_day: dict[str, Any] = {"end_date": "2024-02-01"}
    assert site.sync(state=state, **one_day).record_counts == site.sync(**one_day).record_counts
