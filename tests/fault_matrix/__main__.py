"""Run the whole matrix and write ``docs/faults.md``; exit code 1 when a run ended wrongly."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.every_tap import TAPS, hurried
from tests.fault_matrix.kinds import KINDS
from tests.fault_matrix.matrix import Results, connection_results, results_of
from tests.fault_matrix.table import page
from tests.tls import Certificate

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
CONNECTIONS = "connections"


def _work(tap_number: int, kind: str) -> Results:
    tap = TAPS[tap_number]
    with hurried(), tap.serving() as account:
        if kind != CONNECTIONS:
            return results_of(tap, account, [k for k in KINDS if k.name == kind])
        with tempfile.TemporaryDirectory() as folder:
            return connection_results(tap, account, Certificate.made_in(Path(folder)))


def _one(piece: tuple[int, str]) -> Results:
    return _work(*piece)


def main() -> int:
    """Run it, in as many processes as there are processors."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault_matrix", description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    arguments = parser.parse_args()
    began = time.monotonic()
    work = [(n, kind) for n in range(len(TAPS)) for kind in (CONNECTIONS, *(k.name for k in KINDS))]
    by_tap = [(Results(tap.name), Results(tap.name)) for tap in TAPS]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for (number, kind), results in zip(work, pool.map(_one, work), strict=True):
            by_tap[number][kind == CONNECTIONS].merge(results)
            for problem in results.wrong:
                sys.stderr.write(f"{results.tap}: {problem}\n")
    text = page(by_tap)
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")
    return any(part.wrong for parts in by_tap for part in parts)


if __name__ == "__main__":
    sys.exit(main())
