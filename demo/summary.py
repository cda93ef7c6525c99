"""The output of the demo: a summary that fits on one screen, and a file with all streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from demo.check import Arrival, StreamCheck
    from demo.figures import Figure

WHERE = """
  make show        opens output/demo/report.html, with these figures as charts
  make transform   builds typed and tested tables from the files, with dbt
  make demo        run again, reads only the days that may have changed
  output/demo/     has the JSONL files, and rows.txt with the rows of every stream
To try version 3 of Kissmetrics' API on this machine, see tap-kissmetrics/README.md
To load your own data, see docs/go_live.md"""


def verdict(arrival: Arrival) -> str:
    """Return one line about a run, and one for each stream whose rows differ."""
    streams, rows = len(arrival.streams), arrival.rows
    line = f"  {arrival.seconds:.1f} s: {streams} streams, {rows:,} rows"
    if arrival.is_good:
        again = "" if arrival.new_lines >= rows else f" ({arrival.new_lines:,} lines in this run)"
        notes = f"\n  The tap logged warnings: {arrival.log}" if arrival.log else ""
        return f"{line}{again}: every row arrived exactly once.{notes}"
    return "\n".join([f"{line}. The rows differ:", *map(_difference, _bad(arrival))])


def _bad(arrival: Arrival) -> Iterable[StreamCheck]:
    return (stream for stream in arrival.streams if not stream.is_good)


def _difference(stream: StreamCheck) -> str:
    if stream.expected is None:
        return f"    {stream.stream}: no new row"
    return f"    {stream.stream}: {stream.expected:,} rows expected, {stream.arrived:,} arrived"


def findings(figures: Iterable[Figure]) -> str:
    """Return one line for each figure of the report."""
    lines = (f"  {figure.tap:<22}{figure.finding}" for figure in figures)
    return "\n".join(["", "What arrived in the last seven days:", *lines])


def write_rows(path: Path, arrivals: Iterable[Arrival]) -> None:
    """Write the table of all streams, which the summary leaves out."""
    lines = [f"{'stream':<32}{'lines this run':>15}{'rows expected':>15}{'rows arrived':>15}"]
    for arrival in arrivals:
        lines += ["", arrival.tap, *map(_row, arrival.streams)]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def _row(stream: StreamCheck) -> str:
    expected = "new each run" if stream.expected is None else f"{stream.expected:,}"
    mark = "" if stream.is_good else "   <- differs"
    return f"  {stream.stream:<30}{stream.new_lines:>15,}{expected:>15}{stream.arrived:>15,}{mark}"
