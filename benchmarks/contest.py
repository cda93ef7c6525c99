"""Run several contestants at the same work in turn, check each run, and compare the medians."""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.measure import FILE, Measured, measured, record_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNS = 5
LONG_S, LONG_RUNS = 30, 3  # a contestant that takes longer than this has fewer runs


class Options(NamedTuple):
    """How a benchmark runs: how often, at which part of its full size, with which contestants.

    ``rows`` is another full size, of the benchmarks that count in rows alone.
    """

    runs: int = RUNS
    scale: float = 1.0
    only: tuple[str, ...] = ()
    rows: int | None = None

    def sized(self, full: int, unit: int = 1) -> int:
        """Return a size at this scale, in whole units, at least one."""
        return max(1, round((self.rows or full) * self.scale / unit)) * unit

    def wants(self, label: str) -> bool:
        """Return whether a contestant is selected, by a part of its label."""
        return not self.only or any(part in label for part in self.only)

    @property
    def is_whole(self) -> bool:
        """Whether this is a full run, whose figures are published."""
        return self.scale == 1.0 and not self.only


@dataclass(frozen=True)
class Contestant:
    """A program that does the work: ``command(folder)`` runs in the folder and writes the rows.

    ``count`` returns the number of rows in the folder after a run into a file; it is None for a
    program that writes no rows. Output into a pipe is counted in lines, of which up to
    ``OTHER_LINES`` may be other messages.
    """

    label: str
    command: Callable[[Path], Sequence[str]]
    version: Callable[[], str] = str  # empty for ours, whose version every page has
    count: Callable[[Path], int] | None = lambda folder: record_lines(folder / "out")


OTHER_LINES = 2000  # schemas, states and logs; Airbyte logs a line per partition


@dataclass
class Figures:
    """The measurements of all runs of one contestant."""

    label: str
    runs: list[Measured] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median wall time."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def cpu_s(self) -> float:
        """The median CPU time."""
        return statistics.median(run.cpu_s for run in self.runs)

    @property
    def peak_mib(self) -> float:
        """The largest peak of memory."""
        return max(run.peak_mib for run in self.runs)

    def span(self) -> str:
        """Return the median, the minimum and the maximum as text."""
        each = [run.seconds for run in self.runs]
        return f"{self.seconds:.2f} ({min(each):.2f} to {max(each):.2f})"

    def as_json(self) -> dict[str, Any]:
        """Return what the results file stores."""
        return {
            "label": self.label,
            "seconds": [round(run.seconds, 3) for run in self.runs],
            "cpu_s": [round(run.cpu_s, 3) for run in self.runs],
            "peak_mib": round(self.peak_mib, 1),
        }


@dataclass
class Case:
    """One piece of work and the figures of each contestant; the first contestant is ours."""

    name: str
    title: str
    rows: int
    note: str = ""
    is_race: bool = True  # all do the same work; otherwise the figures are parts of one work
    figures: list[Figures] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)  # of the contestants


def contest(
    case: Case,
    contestants: Sequence[Contestant],
    options: Options,
    *,
    warm_ups: Sequence[Contestant] = (),
    place: str = FILE,
) -> Case:
    """Run the contestants in turn, so that disturbances affect all alike; fill in the case.

    ``warm_ups`` are the same contestants with less work. They run once before a whole run, so that
    Python compiles what they import.
    """
    chosen = [c for c in contestants if options.wants(c.label)]
    case.figures = [Figures(contestant.label) for contestant in chosen]
    case.versions = [contestant.version() for contestant in chosen]
    for contestant in warm_ups if options.is_whole else ():
        if options.wants(contestant.label):
            with scratch() as name:
                measured(contestant.command(Path(name)), Path(name))
    for turn in range(options.runs):
        for contestant, figures in zip(chosen, case.figures, strict=True):
            if turn >= LONG_RUNS and figures.seconds > LONG_S:
                continue
            run = _one(contestant, case.rows, place)
            figures.runs.append(run)
            print_progress(f"{case.name}: run {turn + 1}, {contestant.label}: {run.seconds:.2f} s")
    return case


def _one(contestant: Contestant, rows: int, place: str) -> Measured:
    with scratch() as name:
        folder = Path(name)
        run = measured(contestant.command(folder), folder, place=place)
        _check(contestant, rows, run, folder)
    return run


def _check(contestant: Contestant, rows: int, run: Measured, folder: Path) -> None:
    """Check that all rows arrived.

    Raises:
        RuntimeError: rows are missing.
    """
    if contestant.count is None:
        return
    most = rows if run.lines is None else rows + OTHER_LINES
    found = contestant.count(folder) if run.lines is None else run.lines
    if not rows <= found <= most:
        msg = f"{contestant.label}: got {found} rows instead of {rows}"
        raise RuntimeError(msg)


def print_progress(line: str) -> None:
    """Print a line about the progress."""
    print(line, file=sys.stderr, flush=True)


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder for one run."""
    return tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)
