"""Run a tap as a process and measure it, in turn with others, after a warm-up."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measure import plain_environment
from tools.workspace import ROOT, tap_class

Settings = Mapping[str, Any]
FLIGHTS = (1, 8)  # requests at a time


def tap_command(name: str, settings: Settings, folder: Path) -> list[str]:
    """Return the command line of a tap; write its config file into ``folder``."""
    config = folder / f"{name}-{abs(hash(json.dumps(settings, sort_keys=True)))}.json"
    config.write_text(json.dumps(settings))
    return [str(Path(sys.executable).with_name(name)), "--config", str(config)]


def catalog(tap: str, settings: Settings, folder: Path, *streams: str) -> list[str]:
    """Run discovery in this process; return the catalog option with these streams selected."""
    found = tap_class(ROOT / tap)(config=dict(settings)).catalog_dict
    for entry in found["streams"]:
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = entry["stream"] in streams
    path = folder / f"catalog-{len(streams)}.json"
    path.write_text(json.dumps(found))
    return ["--catalog", str(path)]


@contextmanager
def vendor(name: str, *options: str) -> Iterator[str]:
    """Start a sandbox and yield its address.

    It is a separate process, so that it does not slow down the tap.

    Raises:
        RuntimeError: the sandbox does not start.
    """
    command = [str(Path(sys.executable).with_name("sandbox")), name, *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=plain_environment()
    ) as server:
        address = server.stdout.readline().decode().strip() if server.stdout else ""
        if not address:
            msg = "the sandbox did not start"
            raise RuntimeError(msg)
        try:
            yield address
        finally:
            server.terminate()


def seconds(command: list[str]) -> float:
    """Return the wall time of a command; discard its output.

    Raises:
        RuntimeError: the command fails; the message has the end of its stderr.
    """
    began = time.perf_counter()
    result = subprocess.run(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        env=plain_environment(),
    )
    took = time.perf_counter() - began
    if result.returncode:
        raise RuntimeError(result.stderr.decode()[-2000:])
    return took


def first_record_s(command: list[str]) -> float:
    """Return the seconds from the start of a tap to its first RECORD line."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=plain_environment()
    ) as process:
        for line in process.stdout or ():
            if line.startswith(b'{"type":"RECORD"'):
                took = time.perf_counter() - began
                process.communicate()
                return took
    msg = "the tap wrote no record"
    raise RuntimeError(msg)


def alternating(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure each side in turn after one warm-up, so that disturbances affect all alike."""
    for measure in sides.values():
        measure()
    figures: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            figures[name].append(measure())
    return figures


def median_of(figures: list[float]) -> str:
    """Return ``median (min to max)`` in seconds."""
    return f"{statistics.median(figures):.2f} s ({min(figures):.2f} to {max(figures):.2f})"


class Span(NamedTuple):
    """One run: seconds of the whole process, and from the first request to the last."""

    process: float
    requests: float


def flights_table(runs: Mapping[int, list[Span]]) -> str:
    """Return a table of the runs with one and with eight requests in flight, and their ratio."""
    rows = []
    for part in Span._fields:
        one, eight = ([getattr(run, part) for run in runs[number]] for number in FLIGHTS)
        ratios = [a / b for a, b in zip(one, eight, strict=True)]
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        rows.append(f"| {part} | {median_of(one)} | {median_of(eight)} | {ratio} |\n")
    return (
        "| measured | 1 in flight | 8 in flight | ratio, pair by pair |\n"
        "|---|---|---|---|\n" + "".join(rows)
    )


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder for config files."""
    return tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get("TMPDIR"))
