"""An anomaly: what a vendor or a file does, what the tap must do, and the run that tries it."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.anomalies.server import Received, Reply, serving
from tests.every_tap import captured_log, short_pauses
from tests.processes import Ended, collected
from tests.singer import Output

if TYPE_CHECKING:
    from tests.anomalies.vendors import Vendor

Does = Callable[[Received], Reply | None]
RETRY = re.compile(r"; (try|resuming after row) \d")
MAX_LISTED = 3  # lines of a run that a failed check shows


@dataclass(frozen=True)
class Anomaly:
    """An anomaly and what a run must end with.

    ``does`` responds in place of the vendor, or returns None. It is made anew for each run, as it
    can count. ``rows`` are the numbers of rows by stream, all with different keys. ``says`` are
    words that are in one line at level WARNING or ERROR; without any, a run with exit code 0 logs
    no such line but those of retries. ``is_reread``: a list is written again, for an upsert.
    """

    kind: str
    vendor: Vendor
    what: str
    must: str
    make: Callable[[], Does] = lambda: lambda _: None
    streams: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    says: Sequence[str] = ()
    is_reread: bool = False
    state: Any = None
    environment: Mapping[str, str] | None = None  # for --config=ENV, with {url} for the address
    dotenv: str = ""
    edit: Callable[[dict[str, Any]], None] = lambda _: None  # of the catalog
    check: Callable[[Ended], object] = lambda _: True

    def run(self) -> Ended:
        """Run the tap in this process, on a fake with the anomaly."""
        does = self.make()

        def respond(request: Received) -> Reply:
            return does(request) or self.vendor.respond(request)

        with short_pauses(), serving(respond) as url, ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory())
            stack.callback(os.chdir, Path.cwd())
            os.chdir(folder)
            settings = {**self.vendor.settings(url), **self.settings}
            settings = {name: value for name, value in settings.items() if value is not ...}
            catalog = self._catalog(settings)
            if self.environment is not None:
                texts = {k: v.replace("{url}", url) for k, v in self.environment.items()}
                stack.enter_context(patch.dict(os.environ, texts))
            if self.dotenv:
                Path(folder, ".env").write_text(self.dotenv, encoding="utf-8")
            return self._invoked(settings, catalog)

    def _catalog(self, settings: Mapping[str, Any]) -> str | None:
        if not self.streams:
            return None
        catalog = self.vendor.tap(config=dict(settings), validate_config=False).catalog_dict
        chosen = [entry for entry in catalog["streams"] if entry["stream"] in self.streams]
        catalog = {"streams": chosen}
        self.edit(catalog)
        return json.dumps(catalog)

    def _invoked(self, settings: Mapping[str, Any], catalog: str | None) -> Ended:
        code = 0
        with collected() as written, captured_log() as lines:
            try:
                self.vendor.tap.invoke(
                    config=SimpleNamespace(config=settings, parse_env=self.environment is not None),
                    state=None if self.state is None else io.StringIO(json.dumps(self.state)),
                    catalog=None if catalog is None else io.StringIO(catalog),
                )
            except SystemExit as end:
                code = int(str(end.code))
        return Ended(code, Output(written.getvalue().decode()), "".join(lines))

    def problems(self, ended: Ended) -> list[str]:
        """Return in what a run differs from what it must do."""
        lines = [line for line in (*ended.errors, *ended.warnings) if not RETRY.search(line)]
        found = [] if ended.code == self.code else [f"exit code {ended.code}, not {self.code}"]
        keys = {name: _keys(ended, name) for name in ended.output.streams}
        counts = {name: len({*found}) for name, found in keys.items()}
        found += [
            f"{name}: {counts.get(name, 0)} rows, not {count}"
            for name, count in self.rows.items()
            if counts.get(name, 0) != count
        ]
        if not self.is_reread:
            twice = [name for name, count in counts.items() if count < len(keys[name])]
            found += [f"{name}: a key occurs twice" for name in twice]
        if "Traceback" in ended.stderr:
            found.append("a traceback")
        if self.says and not any(all(word in line for word in self.says) for line in lines):
            found.append(f"no line with {' and '.join(self.says)}")
        if not self.says and not self.code and lines:
            found.append("a line for nothing")
        if not found and self.check(ended) is False:
            found.append("the check of its output")
        return [*found, *lines[:MAX_LISTED]] if found else []


def _keys(ended: Ended, stream: str) -> list[tuple[str, ...]]:
    """Return the key of each row of a stream."""
    schemas = [one for one in ended.output.messages if one["type"] == "SCHEMA"]
    fields = next(one["key_properties"] for one in schemas if one["stream"] == stream)
    return [tuple(str(row.get(field)) for field in fields) for row in ended.output.rows(stream)]
