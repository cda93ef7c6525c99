"""The whole command line of a tap, in this process: options, files, log lines, exit codes."""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.errors import SyncFailed
from typing_extensions import override

from tests.kit.canned import ID, TEXT, CannedTap, Table, tap_of
from tests.singer import Output

if TYPE_CHECKING:
    from pathlib import Path

    from tap_kit.flow.tasks import WindowTask

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-03"}
SITES = ({"site": 1}, {"site": 2})


def rows_of(task: WindowTask) -> list[dict[str, Any]]:
    """Return two rows per day."""
    day = task.window.first
    return [{"id": day.day * 10 + n, "date": day.isoformat()} for n in (1, 2)]


FIGURES = Table({"id": ID, "date": TEXT}, rows_of, replication_key="date")
NAMES = Table({"id": ID, "name": TEXT}, [{"id": 1, "name": "a"}], name="names")


class Refused(CannedTap):
    """A tap whose vendor rejects the credentials."""

    tables = (NAMES,)

    @override
    def check_access(self) -> str:
        message = "api_token was rejected by the server"
        raise ConfigValidationError(message, errors=[message])


def ended(tap: type[CannedTap], *arguments: str) -> tuple[object, Output]:
    """Run the command; return the exit code and the standard output."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(out):
        try:
            code = tap.get_singer_command().main(list(arguments), standalone_mode=False)
        except SystemExit as error:
            code = error.code
    out.seek(0)
    return code or 0, Output(out.read())


def file(folder: Path, content: object, name: str = "config.json") -> str:
    """Write a file with this JSON; return its path."""
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def _log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log lines of level ERROR, none of which has a traceback."""
    assert [record for record in caplog.records if record.exc_info] == []
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def test_settings_are_read_from_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    code, run = ended(tap_of(FIGURES), "--config", file(tmp_path, DAYS))
    assert code == 0
    assert [row["id"] for row in run.rows("figures")] == [11, 12, 21, 22, 31, 32]
    assert errors(caplog) == []
    assert any(m.startswith("tap-canned v") for m in caplog.messages), "for bug reports"
    end = [m for m in caplog.messages if m.startswith("Done after 0 s: ")]
    assert end == ["Done after 0 s: 6 rows (figures 6), 0 requests, 0 warnings"]


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in DAYS.items():
        monkeypatch.setenv(f"TAP_CANNED_{name.upper()}", value)
    code, run = ended(tap_of(FIGURES), "--config", "ENV")
    assert (code, len(run.rows("figures"))) == (0, 6)


def test_last_thirty_days_are_read_by_default() -> None:
    code, run = ended(tap_of(FIGURES))
    assert (code, len({row["date"] for row in run.rows("figures")})) == (0, 31)


def test_run_uses_state_and_catalog(
    tmp_path: Path,
) -> None:
    tap, config = tap_of(FIGURES, NAMES), file(tmp_path, DAYS)
    _, found = ended(tap, "--config", config, "--discover")
    catalog = json.loads(found.text)
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == "names":
            entry["metadata"] = [{"breadcrumb": [], "metadata": {"selected": False}}]
    entry = {"replication_key": "date", "replication_key_value": "2024-01-03"}
    state = file(tmp_path, {"bookmarks": {"figures": entry}}, "state.json")
    chosen = file(tmp_path, catalog, "catalog.json")
    code, run = ended(tap, "--config", config, "--state", state, "--catalog", chosen)
    assert code == 0
    assert [row["id"] for row in run.rows("figures")] == [31, 32]
    assert run.streams == ["figures"]


@pytest.mark.parametrize(
    ("option", "content", "problem"),
    [
        ("--state", [1], "Expected `object`"),
        ("--state", "2024-02-01", "Expected `object`"),
        ("--catalog", [], "Expected `object`"),
        ("--catalog", {"streams": {}}, "Expected `array`"),
        ("--catalog", {"streams": [{}]}, "Object missing required field"),
    ],
)
def test_invalid_state_or_catalog_is_one_line(
    option: str, content: object, problem: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, wrong = file(tmp_path, DAYS), file(tmp_path, content, "wrong.json")
    code, run = ended(tap_of(FIGURES), "--config", config, option, wrong)
    assert (code, run.text) == (1, "")
    (line,) = errors(caplog)
    assert line.startswith(f"{option} must be a Singer {option[2:]}: {problem}")


@pytest.mark.parametrize("option", ["--state", "--catalog"])
def test_state_or_catalog_that_is_not_json_is_one_line(
    option: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, wrong = file(tmp_path, DAYS), tmp_path / "wrong.json"
    wrong.write_text("{x", encoding="utf-8")
    code, run = ended(tap_of(FIGURES), "--config", config, option, str(wrong))
    assert (code, run.text) == (1, "")
    (line,) = errors(caplog)
    assert line.startswith(f"{option} must be JSON: ")


def test_all_invalid_settings_are_reported_one_per_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = file(tmp_path, {"window_days": 0, "shard": "2/2"})
    code, run = ended(tap_of(FIGURES), "--config", config)
    assert (code, run.text) == (1, "")
    lines = errors(caplog)
    assert sorted(line.partition(" ")[0] for line in lines) == ["shard", "window_days"]
    assert caplog.messages[-1] == f"2 problems: {'; '.join(lines)}"


@pytest.mark.parametrize("content", ["[1]", "{", "7", "null"])
def test_config_file_that_is_not_an_object_is_one_line(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "config.json"
    path.write_text(content, encoding="utf-8")
    code, run = ended(tap_of(FIGURES), "--config", str(path))
    assert (code, run.text) == (1, "")
    (line,) = errors(caplog)
    assert line.startswith("--config must be a JSON object: ")


def test_missing_config_file_is_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    code, run = ended(tap_of(FIGURES), "--config", str(tmp_path / "none.json"))
    assert (code, run.text) == (1, "")
    (line,) = errors(caplog)
    assert line.startswith("--config cannot be read: ")
    assert "none.json" in line


def test_discovery_needs_no_settings() -> None:
    code, run = ended(tap_of(FIGURES, NAMES), "--discover")
    assert code == 0
    found = {entry["tap_stream_id"]: entry for entry in json.loads(run.text)["streams"]}
    assert {name: entry["key_properties"] for name, entry in found.items()} == {
        "figures": ["id"],
        "names": ["id"],
    }
    assert found["figures"]["replication_key"] == "date"


def test_error_in_discovery_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(CannedTap):
        @override
        def discover_streams(self) -> list[Any]:
            message = "the vendor does not list its fields"
            raise SyncFailed(message)

    code, run = ended(Failing, "--discover")
    assert (code, run.text) == (1, "")
    assert errors(caplog) == ["the vendor does not list its fields"]


@pytest.mark.parametrize("arguments", [("--test",), ("--test=all",)], ids=str)
def test_option_test_checks_access_and_reads_a_record_of_each_stream(
    arguments: tuple[str, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    read: list[str] = []

    def record(task: WindowTask) -> list[dict[str, Any]]:
        read.append(str(task))
        return rows_of(task)

    recorded = Table({"id": ID, "date": TEXT}, record, replication_key="date")
    code, run = ended(tap_of(recorded, NAMES), "--config", file(tmp_path, DAYS), *arguments)
    assert code == 0
    assert read == ["figures, 2024-01-01"]
    assert run.text == ""
    assert errors(caplog) == []
    lines = ["no access to check", "Every stream could be read"]
    assert [m for m in caplog.messages if m in lines] == lines


def test_option_test_skips_deselected_streams(tmp_path: Path) -> None:
    read: list[str] = []

    def record(task: WindowTask) -> list[dict[str, Any]]:
        read.append(task.stream.name)
        return rows_of(task)

    recorded = Table({"id": ID, "date": TEXT}, record, replication_key="date")
    made = tap_of(recorded, NAMES)
    catalog = made(config=DAYS).catalog_dict
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == "figures":
            entry["metadata"][-1]["metadata"]["selected"] = False
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog))
    arguments = ["--config", file(tmp_path, DAYS), "--test", "--catalog", str(path)]
    code, run = ended(made, *arguments)
    assert (code, run.text, read) == (0, "", [])


def test_option_test_schema_writes_no_record(tmp_path: Path) -> None:
    config = file(tmp_path, DAYS)
    code, run = ended(tap_of(FIGURES, NAMES), "--config", config, "--test=schema")
    assert code == 0
    assert [message["type"] for message in run.messages] == ["SCHEMA", "SCHEMA"]


def test_option_test_without_access_is_one_line_and_reads_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    code, run = ended(Refused, "--test")
    assert (code, run.text) == (1, "")
    assert errors(caplog) == ["api_token was rejected by the server"]


@pytest.mark.parametrize("kind", ["all", "schema"])
def test_option_test_reports_all_invalid_settings(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = file(tmp_path, {"window_days": "x", "nothing": 1})
    code, run = ended(tap_of(NAMES), "--config", config, f"--test={kind}")
    assert (code, run.text) == (1, "")
    names = sorted(line.partition(" ")[0] for line in errors(caplog))
    assert names == ["nothing", "window_days"]


def test_about_in_markdown_lists_the_streams_after_the_settings() -> None:
    titled = Table({"id": ID}, (), name="sites", keys=("id", "date"))
    code, run = ended(tap_of(FIGURES, titled), "--about", "--format=markdown")
    assert code == 0
    settings, _, streams = run.text.partition("## Streams")
    assert "start_date" in settings
    assert streams.strip().splitlines() == [
        "| stream | key | replication | a row |",
        "|---|---|---|---|",
        "| `figures` | `id` | by `date` |  |",
        "| `sites` | `id`, `date` | whole |  |",
    ]


def test_about_has_a_table_for_each_variant_of_the_tap() -> None:
    class Variants(CannedTap):
        tables = (NAMES,)

        @classmethod
        @override
        def variants(cls) -> dict[str, dict[str, Any]]:
            return {"of the old version": {}, "of the new version": {"shard": "no/shard"}}

    _, run = ended(Variants, "--about", "--format=markdown")
    assert [line for line in run.text.splitlines() if line.startswith("## Streams")] == [
        "## Streams of the old version",
        "## Streams of the new version",
    ]


@pytest.mark.parametrize("more", [(), ("--format=json",)], ids=str)
def test_about_in_other_formats_has_the_settings(more: tuple[str, ...]) -> None:
    code, run = ended(tap_of(FIGURES), "--about", *more)
    assert code == 0
    assert "emit_activate_version_messages" in run.text
    assert "## Streams" not in run.text
