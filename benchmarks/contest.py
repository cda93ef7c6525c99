"""Several contestants at the same work: in turn, each run checked, medians compared."""

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
LONG_S, LONG_RUNS = 30, 3  # who takes longer than that is run so often only


class Options(NamedTuple):
    """How a benchmark is run: how often, at what part of its full size, and with whom."""

    runs: int = RUNS
    scale: float = 1.0
    only: tuple[str, ...] = ()

    def sized(self, full: int, unit: int = 1) -> int:
        """A size at this scale, in whole units, one at least."""
        return max(1, round(full * self.scale / unit)) * unit

    def wants(self, label: str) -> bool:
        """Whether a contestant is among those that were asked for, by a part of its label."""
        return not self.only or any(part in label for part in self.only)

    @property
    def is_whole(self) -> bool:
        """Whether the figures are those that are shown."""
        return self.scale == 1.0 and not self.only


@dataclass(frozen=True)
class Contestant:
    """Somebody who does the work: ``command(folder)`` is run there, and has to give the rows.

    ``count`` says how many rows there are in that folder after a run into a file, None for one who
    gives none. What went into a pipe is counted by its lines, where up to ``OTHER_LINES`` are other
    messages.
    """

    label: str
    command: Callable[[Path], Sequence[str]]
    version: Callable[[], str] = str  # empty for ours, which is told anyway
    count: Callable[[Path], int] | None = lambda folder: record_lines(folder / "out")


OTHER_LINES = 2000  # schemas, states and logs, such as Airbyte's one for each partition


@dataclass
class Figures:
    """What the runs of one contestant took."""

    label: str
    runs: list[Measured] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def cpu_s(self) -> float:
        """The median."""
        return statistics.median(run.cpu_s for run in self.runs)

    @property
    def peak_mib(self) -> float:
        """The largest."""
        return max(run.peak_mib for run in self.runs)

    def span(self) -> str:
        """The median, and from the least to the most."""
        each = [run.seconds for run in self.runs]
        return f"{self.seconds:.2f} ({min(each):.2f} to {max(each):.2f})"

    def as_json(self) -> dict[str, Any]:
        """All that is kept of it."""
        return {
            "label": self.label,
            "seconds": [round(run.seconds, 3) for run in self.runs],
            "cpu_s": [round(run.cpu_s, 3) for run in self.runs],
            "peak_mib": round(self.peak_mib, 1),
        }


@dataclass
class Case:
    """One work and what each contestant took for it; the first one is ours."""

    name: str
    title: str
    rows: int
    note: str = ""
    is_race: bool = True  # the same work for all; otherwise the parts of one work
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
    """Let the contestants run in turn, so that noise hits all alike; fill in the case.

    ``warm_ups`` are the same with less work, run once before: they compile what is imported.
    """
    chosen = [c for c in contestants if options.wants(c.label)]
    case.figures = [Figures(contestant.label) for contestant in chosen]
    case.versions = [contestant.version() for contestant in chosen]
    for contestant in warm_ups:
        if options.wants(contestant.label):
            with scratch() as name:
                measured(contestant.command(Path(name)), Path(name))
    for turn in range(options.runs):
        for contestant, figures in zip(chosen, case.figures, strict=True):
            if turn >= LONG_RUNS and figures.seconds > LONG_S:
                continue
            run = _one(contestant, case.rows, place)
            figures.runs.append(run)
            tell(f"{case.name}: run {turn + 1}, {contestant.label}: {run.seconds:.2f} s")
    return case


def _one(contestant: Contestant, rows: int, place: str) -> Measured:
    with scratch() as name:
        folder = Path(name)
        run = measured(contestant.command(folder), folder, place=place)
        _check(contestant, rows, run, folder)
    return run


def _check(contestant: Contestant, rows: int, run: Measured, folder: Path) -> None:
    """See that all rows came.

    Raises:
        RuntimeError: when they did not.
    """
    if contestant.count is None:
        return
    most = rows if run.lines is None else rows + OTHER_LINES
    found = contestant.count(folder) if run.lines is None else run.lines
    if not rows <= found <= most:
        msg = f"{contestant.label}: {found} rows, not {rows}"
        raise RuntimeError(msg)


def tell(line: str) -> None:
    """Say how far it is."""
    print(line, file=sys.stderr, flush=True)


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for one run."""
    return tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)
