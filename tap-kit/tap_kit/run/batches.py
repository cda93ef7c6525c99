"""Write rows into files that the target reads itself: BATCH messages instead of RECORD lines.

A file is complete and closed before its BATCH message is written, and all files before a STATE
message. Nothing tells the tap when the target has read a file. But a bookmark returns to the tap
only after the target has stored the rows before it. So the state contains the run and the number of
its last file, and the next run deletes the files up to this one.
"""

from __future__ import annotations

import gzip
import os
import re
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import msgspec
from singer_sdk.singerlib import RecordMessage, SchemaMessage
from typing_extensions import override

from tap_kit.errors import SyncFailed, setting_error
from tap_kit.rows.chunks import ChunkWriter, encode_rows, write_lines
from tap_kit.rows.utc import set_to_utc
from tap_kit.run.batch_options import ROOT_SETTING, BatchOptions
from tap_kit.run.versions import VersionedTap

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Sequence

    from singer_sdk.singerlib import Message

    from tap_kit.rows.check import Row

STATE_KEY = "batches"
STALE_S = 24 * 3600  # after which a file that no state mentions is not needed any more
MAX_BYTES = 64 << 20  # of a file's JSON: the target reads a file as a whole


class BatchWriter(ChunkWriter):
    """Writes Singer messages; after ``start``, the rows of chunks go into batch files."""

    _files: BatchFiles | None = None

    def start(self, files: BatchFiles) -> None:
        """Write the rows of chunks into ``files`` from now on."""
        self._files = files

    @override
    def write_message(self, message: Message) -> None:
        if self._files is None:
            super().write_message(message)
            return
        if isinstance(message, SchemaMessage):
            self._files.learn_schema(message.stream, message.schema)
        if not isinstance(message, RecordMessage):
            self._files.finish_all()
        # A state behind rows that could not be written would lose them.
        if not self._files.has_failed:
            super().write_message(message)

    @override
    def write_rows(self, message: RecordMessage, rows: Sequence[Row]) -> None:
        if self._files:
            self._files.add(message.stream, rows)
        else:
            super().write_rows(message, rows)


class BatchingTap(VersionedTap):
    """A tap that writes batch files if its settings say so."""

    message_writer_class = BatchWriter

    @property
    def _json_state(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.state)

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Keep the number of the last file that the target has loaded, beside the bookmarks."""
        super().load_state(state)
        if STATE_KEY in state:
            self._json_state[STATE_KEY] = state[STATE_KEY]

    def start_batches(self) -> None:
        """Write batch files from now on, if the settings say so; delete those of earlier runs.

        Raises:
            ConfigValidationError: if the folder cannot be written.
        """
        if batch_config := self.config.get("batch_config"):
            files = BatchFiles(BatchOptions.of(batch_config), self.name)
            files.prepare(self._json_state, self.logger)
            cast("BatchWriter", self.message_writer).start(files)


@dataclass
class _BatchFile:
    path: Path
    disk: IO[bytes]
    out: IO[bytes]
    rows: int = 0
    size: int = 0

    @classmethod
    def create(cls, path: Path, *, is_compressed: bool) -> _BatchFile:
        """Create a file that only this user can read."""
        disk = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        out: Any = disk
        if is_compressed:
            out = gzip.GzipFile("", "wb", compresslevel=1, fileobj=disk, mtime=0)
        return cls(path, disk, out)

    def add(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        lines = encode_rows(rows)
        self.out.write(lines)
        self.rows += len(rows)
        self.size += len(lines)

    def close(self) -> None:
        """Write everything to the disk, and close the file."""
        if self.out is not self.disk:
            self.out.close()  # writes the end of the gzip stream
        self.disk.flush()
        os.fsync(self.disk.fileno())
        self.disk.close()

    def discard(self) -> None:
        """Delete the file, which could not be written."""
        with suppress(OSError):
            self.path.unlink()
        # The rest of the buffers goes nowhere: on a full disk they could not be closed, and Python
        # prints an error for a gzip stream that is still open when it is deleted.
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.disk.fileno(), inheritable=False)
            self.out.close()
            self.disk.close()


@dataclass
class BatchFiles:
    """The batch files of one run."""

    options: BatchOptions
    tap: str
    run_id: str = field(default_factory=lambda: secrets.token_hex(8))
    has_failed: bool = False

    def __post_init__(self) -> None:
        self._open: dict[str, _BatchFile] = {}
        self._times: dict[str, list[str]] = {}
        self._mark: dict[str, Any] = {"run": self.run_id, "files": 0}
        self._count = 0

    def prepare(self, state: dict[str, Any], logger: logging.Logger) -> None:
        """Check the folder, delete files of earlier runs, and put the files into ``state``.

        Raises:
            ConfigValidationError: if the folder cannot be written.
        """
        folder = self.options.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _BatchFile.create(self._path("check"), is_compressed=False).discard()
            deleted = self._delete_old(state.get(STATE_KEY, {}))
        except OSError as error:
            problem = f"cannot be written: {error.strerror}: {folder}"
            raise setting_error(ROOT_SETTING, problem) from None
        logger.info("Writing batch files into %s", folder)
        if deleted:
            logger.info("Deleted %s batch files of earlier runs", f"{deleted:,}")
        state[STATE_KEY] = self._mark

    def _delete_old(self, stored: dict[str, Any]) -> int:
        """Delete the files that the target has loaded, and old ones; return their number."""
        name = re.compile(rf"{re.escape(self._start)}([0-9a-f]{{16}})-([0-9]+)-\w+\.jsonl(\.gz)?")
        deleted = 0
        for entry in os.scandir(self.options.folder):
            found = name.fullmatch(entry.name)
            if not found or not entry.is_file(follow_symlinks=False):
                continue
            is_loaded = found[1] == stored.get("run") and int(found[2]) <= stored.get("files", 0)
            with suppress(FileNotFoundError):  # another shard may delete its files meanwhile
                if is_loaded or time.time() - entry.stat().st_mtime > STALE_S:
                    Path(entry.path).unlink()
                    deleted += 1
        return deleted

    @property
    def _start(self) -> str:
        return f"{self.options.prefix}{self.tap}-"

    def _path(self, stream: str) -> Path:
        suffix = ".jsonl.gz" if self.options.is_compressed else ".jsonl"
        name = re.sub(r"\W", "_", stream, flags=re.ASCII)[:80]
        return self.options.folder / f"{self._start}{self.run_id}-{self._count:06}-{name}{suffix}"

    def learn_schema(self, stream: str, schema: dict[str, Any]) -> None:
        """Remember the date-times of a stream, which a target does not convert in batch files."""
        properties = schema.get("properties", {})
        self._times[stream] = [f for f, p in properties.items() if p.get("format") == "date-time"]

    def add(self, stream: str, rows: Sequence[Row]) -> None:
        """Write rows into the file of a stream; finish each file that is full.

        Raises:
            SyncFailed: if a file cannot be written.
        """
        set_to_utc(rows, self._times.get(stream, ()))
        while rows:
            with self._written(self.options.folder):
                file = self._open.get(stream) or self._create(stream)
                space = self.options.max_rows - file.rows
                file.add(rows[:space])
            rows = rows[space:]
            if file.rows >= self.options.max_rows or file.size >= MAX_BYTES:
                self._finish(stream)

    def _create(self, stream: str) -> _BatchFile:
        self._count += 1
        self._mark["files"] = self._count  # so the state has changed, and will be written
        path = self._path(stream)
        self._open[stream] = _BatchFile.create(path, is_compressed=self.options.is_compressed)
        return self._open[stream]

    def finish_all(self) -> None:
        """Finish all files.

        Raises:
            SyncFailed: if a file cannot be written.
        """
        for stream in list(self._open):
            self._finish(stream)

    def _finish(self, stream: str) -> None:
        file = self._open[stream]
        with self._written(file.path):
            file.close()
        del self._open[stream]
        message = {
            "type": "BATCH",
            "stream": stream,
            "encoding": self.options.encoding,
            "manifest": [f"file://{file.path}"],  # without characters to quote
        }
        write_lines(msgspec.json.encode(message) + b"\n")

    @contextmanager
    def _written(self, path: Path) -> Iterator[None]:
        """Turn an error of a file into one line, and delete the files that are not complete."""
        try:
            yield
        except OSError as error:
            self.has_failed = True
            for file in self._open.values():
                file.discard()
            self._open.clear()
            msg = (
                f"The batch files cannot be written: {error.strerror}: {path}; free some space, "
                f"or set {ROOT_SETTING} to another folder"
            )
            raise SyncFailed(msg) from None
