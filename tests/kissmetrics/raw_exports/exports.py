"""Exports in folders, and runs of the tap that read them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tap_kissmetrics.tap import TapKissmetrics
from tap_kit import KitError

from tests.processes import collected
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.singer import State

STREAMS = ("raw_aliases", "raw_events", "raw_files", "raw_properties", "raw_rejects")
LINES = ("raw_events", "raw_properties", "raw_aliases", "raw_rejects")
HEADER = "filename,min_timestamp,max_timestamp,min_utc_date,max_utc_date\n"
T = 1_362_920_827
EVENT = b'{"_n":"e","_p":"a","_t":1362920827,"x":1}\n'


@dataclass
class FolderExport:
    """A folder with an export; ``files`` are the bytes of each revision."""

    folder: Path
    files: Mapping[int, bytes]
    index: str | None = None  # else of the files
    status: str | None = "total_revisions,exported_revisions\n3,3\n"
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the files."""
        (self.folder / "revisions").mkdir(parents=True, exist_ok=True)
        for revision, content in self.files.items():
            self.put(revision, content)
        rows = [f"revisions/{revision}.json,{T},{T + 9},-,-\n" for revision in self.files]
        self.write("index.csv", HEADER + "".join(rows) if self.index is None else self.index)
        if self.status is not None:
            self.write("status.csv", self.status)

    def put(self, revision: int, content: bytes) -> None:
        """Write the file of a revision."""
        (self.folder / "revisions" / f"{revision}.json").write_bytes(content)

    def write(self, name: str, text: str) -> None:
        """Write another file."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def tap(self, state: State | None = None, catalog: Any = None, **settings: Any) -> Any:
        """Return a tap that reads the export."""
        config = {"raw_exports": [{"product": "shop", "url": str(self.folder)}], **self.settings}
        return TapKissmetrics(config={**config, **settings}, state=state, catalog=catalog)

    def sync(self, state: State | None = None, catalog: Any = None, **settings: Any) -> Output:
        """Run the tap; return its output."""
        with collected() as written:
            self.tap(state, catalog, **settings).execute()
        return Output(written.getvalue().decode())

    def failing(self, state: State | None = None, **settings: Any) -> tuple[Output, str]:
        """Run the tap, which must fail; return its output and the error."""
        with collected() as written, pytest.raises(Exception) as caught:  # noqa: PT011
            self.tap(state, **settings).execute()
        assert isinstance(caught.value, KitError) or hasattr(caught.value, "errors"), caught.value
        return Output(written.getvalue().decode()), str(caught.value)


def bookmarks(state: State) -> dict[str, int | None]:
    """Return the bookmark of each stream, of the only product."""
    found = {}
    for stream, entry in state.get("bookmarks", {}).items():
        parts = entry.get("partitions") or [{}]
        found[stream] = parts[0].get("replication_key_value")
    return found


def read_again(path: Path) -> None:
    """Change the time of a file, as writing it again does."""
    times = path.stat().st_mtime_ns
    os.utime(path, ns=(times + 10, times + 10))
