"""An export of 500,000 text rows with a hashed key for each row, compared with the usual ways."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contest import Case, Contestant, contest, scratch
from benchmarks.environments import executable, script, version
from benchmarks.khoros_site import EXPORT, TAP, finished_job, tenant
from benchmarks.measure import PIPE
from benchmarks.runs import catalog, tap_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options

ROWS = 500_000
OURS = "tap-khoros-analytics (ours)"
WAYS = {"json": "response.json()", "csv": "csv.DictReader"}
LOOPS = {"json": "orjson both ways", "csv": "csv.DictReader, orjson"}
NOTE = (
    "Our tap starts the job, polls it (200 ms) and downloads; the others only download. Our tap "
    "also counts equal rows, so that their keys differ."
)


def run(options: Options) -> Iterator[Case]:
    """Measure JSON and CSV, each into a file and into a pipe."""
    rows = options.sized(ROWS)
    with scratch() as name:
        folder = Path(name)
        with tenant("--rows", f"{EXPORT}={rows}", "--exclusive-end") as settings:
            chosen = catalog(TAP, settings, folder, EXPORT)
            for report_format in WAYS:
                everybody = contestants(settings, report_format, chosen)
                title = f"{rows:,} rows of 20 columns, {report_format.upper()}, into a file"
                case = Case(f"export_{report_format}", title, rows, NOTE)
                yield contest(case, everybody, options)
                title = title.replace("a file", "a pipe")
                case = Case(f"export_{report_format}_pipe", title, rows)
                yield contest(case, everybody[:3], options, place=PIPE)


def contestants(
    settings: dict[str, Any], report_format: str, chosen: list[str]
) -> list[Contestant]:
    """Return our tap, an idiomatic singer-sdk tap, a loop by hand, and one that only reads."""
    way, job = WAYS[report_format], finished_job(settings, report_format)
    mine = {**settings, "report_format": report_format}
    read_only = _loop("read only (the server's ceiling)", job, "--read-only")
    return [
        Contestant(OURS, lambda folder: [*tap_command(TAP, mine, folder), *chosen]),
        Contestant(
            f"singer-sdk tap, {way}",
            lambda folder: (
                executable("singer_sdk"),
                script("singer_sdk", "export_tap.py"),
                "--config",
                _config(folder, job),
            ),
            lambda: f"singer-sdk {version('singer_sdk', 'singer-sdk')}",
        ),
        _loop(f"loop by hand, {LOOPS[report_format]}", job),
        replace(read_only, count=None),
    ]


def _loop(label: str, job: dict[str, Any], *options: str) -> Contestant:
    return Contestant(
        label,
        lambda folder: (
            executable("bare"),
            script("bare", "export_loop.py"),
            _config(folder, job),
            *options,
        ),
        lambda: f"orjson {version('bare', 'orjson')}",
    )


def _config(folder: Path, job: dict[str, Any]) -> str:
    path = folder / "config.json"
    path.write_text(json.dumps(job))
    return str(path)
