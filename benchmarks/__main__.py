"""``make bench``: run the given benchmarks, or all, and write ``benchmarks/results/``.

The results of a partial run (a smaller scale, or only some contestants) go to
``output/benchmarks/``.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks import report, summary
from benchmarks.contest import RUNS, Case, Options, print_progress

RESULTS = Path(__file__).parent / "results"
TRIALS = Path(__file__).parent.parent / "output" / "benchmarks"
BENCHMARKS = (
    "records",
    "latency",
    "exports",
    "kindmetrics_backfill",
    "kissmetrics_reports",
    "khoros_exports",
    "raw_export",
    "meltano_run",
    "warehouse",
    "taps",
    "soak",
    "shards",
)
IN_ROWS = ("warehouse", "taps")


def main() -> int:
    """Run the benchmarks one after the other."""
    chosen = _arguments()
    only = tuple(filter(None, chosen.only.split(",")))
    options = Options(chosen.runs, chosen.scale, only, chosen.rows)
    if chosen.quick:
        options = options._replace(runs=1, scale=min(chosen.scale, 0.02))
    folder = RESULTS if options.is_whole else TRIALS
    for name in chosen.names or BENCHMARKS:
        began = time.monotonic()
        module = import_module(f"benchmarks.{name}")
        parts = [part for part in module.run(options) if not _is_empty(part)]
        title = (module.__doc__ or name).splitlines()[0].rstrip(".")
        page, arguments = name, ""
        if options.rows:
            page = f"{name}_{options.rows}"
            arguments = f" ARGS='--rows {options.rows} --runs {options.runs}'"
        print(report.write(folder, page, title, parts, f"make bench ONLY={name}{arguments}"))
        print_progress(f"{page}: {time.monotonic() - began:.0f} s; written to {folder / page}.md")
    summary.main()
    return 0


def _is_empty(part: report.Part) -> bool:
    """Return whether a part has no contestant, since none of them was selected."""
    return isinstance(part, Case) and not part.figures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--runs", type=int, default=RUNS, help="runs per contestant (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size")
    parser.add_argument(
        "--rows",
        type=int,
        help=f"another number of rows, for {', '.join(IN_ROWS)}; the page has it in its name",
    )
    parser.add_argument(
        "--only",
        default="",
        metavar="PART,PART",
        help="only contestants with these parts of a label",
    )
    parser.add_argument("--quick", action="store_true", help="one run at a fiftieth of the size")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    has_rows = bool(chosen.names) and {*chosen.names} <= {*IN_ROWS}
    if chosen.rows is not None and (chosen.rows < 1 or not has_rows):
        parser.error(f"--rows must be at least 1, with a name: {', '.join(IN_ROWS)}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
