"""Runs that are killed, and the next run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.kissmetrics.raw import RawExport, RawSizes
from tap_kissmetrics.raw_exports.reading import FileReader
from tap_kit import SyncFailed

from tests.forks import Forked
from tests.kissmetrics.raw_exports.exports import LINES, STREAMS, FolderExport
from tests.processes import clean_environment, collected
from tests.singer import Loader, Output

if TYPE_CHECKING:
    from tests.singer import State

MADE = RawExport(RawSizes(files=5, lines=500))
KINDS = ("event", "properties", "alias", "reject")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FolderExport:
    export = FolderExport(tmp_path_factory.mktemp("export"), {})
    MADE.write(export.folder)
    return export


def assert_complete(loader: Loader) -> None:
    counts = MADE.total()
    expected = {stream: counts[kind] for kind, stream in zip(KINDS, LINES, strict=True)}
    assert {stream: loader.count(stream) for stream in LINES} == expected
    assert sum(row["line_count"] for row in loader.rows["raw_files"]) == counts["lines"]


def revisions_in(output: Output) -> set[int]:
    return {row["revision"] for stream in STREAMS for row in output.rows(stream)}


@pytest.mark.parametrize("batches", [0, 1, 2, 3])
def test_error_within_a_file_costs_only_this_file(
    batches: int, made: FolderExport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_kissmetrics.raw_exports.content.BATCH_LINES", 200)
    read, third = FileReader.rows, MADE.revisions[2]

    def failing(self: FileReader, *arguments: Any) -> Any:
        for number, rows in enumerate(read(self, *arguments)):
            if self._entry.revision == third and number == batches:
                msg = "the machine stops"
                raise SyncFailed(msg)
            yield rows

    loader = Loader()
    with monkeypatch.context() as patch:
        patch.setattr(FileReader, "rows", failing)
        output, _ = made.failing()
    loader.load(output)
    after = output.state["bookmarks"]["raw_events"]["partitions"][0]["replication_key_value"]
    assert after == MADE.revisions[1]
    rest = made.sync(state=loader.state)
    assert revisions_in(rest) == {*MADE.revisions[2:]}
    loader.load(rest)
    assert_complete(loader)


def test_killed_run_is_continued(made: FolderExport, tmp_path: Path) -> None:
    """The process is killed while it writes; what it wrote and the last state are kept."""
    config = tmp_path / "config.json"
    exports = [{"product": "shop", "url": str(made.folder)}]
    config.write_text(json.dumps({"raw_exports": exports, "state_interval": 1}), encoding="utf-8")
    loader = Loader()
    output = killed(config, loader.state, tmp_path, after=MADE.counts(MADE.revisions[0])["lines"])
    assert 0 < len(output.rows("raw_events")) < MADE.total()["event"]
    loader.load(output)
    with collected() as written:
        made.tap(state=loader.state).execute()
    loader.load(Output(written.getvalue().decode()))
    assert_complete(loader)


def killed(config: Path, state: State, folder: Path, *, after: int) -> Output:
    """Run the tap with a state until it has written so many lines, then kill it."""
    command = [str(Path(sys.executable).with_name("tap-kissmetrics")), "--config", str(config)]
    if state:
        (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
        command += ["--state", str(folder / "state.json")]
    found = b""
    with Forked(command, clean_environment(), stderr=subprocess.DEVNULL) as process:
        for number, line in enumerate(process.stdout):
            found += line
            if number == after:
                process.send_signal(signal.SIGKILL)
                break
    return Output(found.decode())
