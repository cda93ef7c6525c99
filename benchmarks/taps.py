"""The three taps themselves, each compared with a stock singer-sdk tap of the same stream."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import exports
from benchmarks.contest import Case, Contestant, contest, scratch
from benchmarks.environments import executable, script, version
from benchmarks.khoros_site import TAP
from benchmarks.measure import FILE, measured, record_lines
from benchmarks.runs import catalog, tap_command
from benchmarks.soak import DOMAINS, PAGE, SOAKS, Soak

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

ROWS = 100_000
SDK = "singer-sdk tap, idiomatic"
NOTE = (
    "Both read the same stream of the sandbox, and write the same rows; those of Khoros differ in "
    "their key, and ours have the window. The sandbox makes its responses before the first run."
)


def run(options: Options) -> Iterator[Case]:
    """Measure a list of each vendor into a file."""
    rows = options.sized(ROWS, PAGE * DOMAINS)
    for soak in SOAKS:
        with scratch() as name, soak.site(rows) as settings:
            folder = Path(name)
            chosen = catalog(soak.tap, settings, folder, soak.stream)
            ours = [*tap_command(soak.tap, settings, folder), *chosen]
            measured(ours, folder, place=FILE)
            count = record_lines(folder / "out")
            what = f"{count:,} rows of {soak.tap}, {soak.stream} ({soak.what})"
            case = Case(soak.tap, what, count, NOTE)
            yield contest(case, [_ours(soak, ours), _peer(soak, settings)], options)


def _ours(soak: Soak, command: list[str]) -> Contestant:
    return Contestant(f"{soak.tap} (ours)", lambda _: command)


def _peer(soak: Soak, settings: dict[str, Any]) -> Contestant:
    """Return a stock tap of the same stream."""
    if soak.tap == TAP:
        _, peer, *_ = exports.contestants(settings, "json", [])
        return peer
    package = importlib.import_module(soak.tap.replace("-", "_"))
    schema = Path(str(package.__path__[0])) / "schemas" / f"{soak.stream}.json"
    own = {name: value for name, value in settings.items() if name != "query_url"}
    own |= {"stream": soak.stream, "schema": str(schema)}
    own |= {"domain_ids": list(range(1, DOMAINS + 1))} if soak.stream == "pages" else {}

    def command(folder: Path) -> list[str]:
        config = folder / "config.json"
        config.write_text(json.dumps(own), encoding="utf-8")
        program = script("singer_sdk", "vendor_tap.py")
        return [executable("singer_sdk"), program, "--config", str(config)]

    return Contestant(SDK, command, lambda: f"singer-sdk {version('singer_sdk', 'singer-sdk')}")
