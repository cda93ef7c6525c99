"""Run the matrix and write its sections into ``docs/faults.md``; exit code 1 when a run is wrong.

Without arguments, all sections run; otherwise those whose headings begin with an argument.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.fault_matrix.sections import SECTIONS, Section
from tools.pages import fault_page
from tools.pages.fault_page import Results

CONNECTIONS = "connections"


def sections_named(prefixes: list[str]) -> list[Section]:
    """Return the sections whose headings begin with a prefix; all without prefixes."""
    return [s for s in SECTIONS if not prefixes or s.title.startswith(tuple(prefixes))]


def tasks_of(sections: list[Section]) -> list[tuple[int, str]]:
    """Return the tasks of a run: the number of a section, and the name of a kind of fault."""
    return [
        (SECTIONS.index(one), name)
        for one in sections
        for name in (*([CONNECTIONS] if one.connections else []), *(k.name for k in one.kinds))
    ]


def results_of_task(task: tuple[int, str]) -> Results:
    """Run one task."""
    number, name = task
    found = SECTIONS[number]
    if name == CONNECTIONS and found.connections is not None:
        return found.connections()
    (kind,) = (kind for kind in found.kinds if kind.name == name)
    return found.faults(kind)


def write(results: list[tuple[tuple[int, str], Results]]) -> bool:
    """Write the sections of these results into the page; return whether all runs ended well."""
    by_title: dict[str, tuple[Results, Results]] = {}
    for (number, name), found in results:
        title = SECTIONS[number].title
        parts = by_title.setdefault(title, (Results(title), Results(title)))
        parts[name == CONNECTIONS].merge(found)
    fault_page.write(by_title, [s.title for s in SECTIONS])
    return not any(part.wrong for parts in by_title.values() for part in parts)


def main() -> int:
    """Run the tasks, by default in one process per processor."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault_matrix", description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="number of processes")
    parser.add_argument(
        "section",
        nargs="*",
        help=f"first words of the headings: {', '.join(s.title for s in SECTIONS)}",
    )
    arguments = parser.parse_args()
    began = time.monotonic()
    tasks = tasks_of(sections_named(arguments.section))
    with ProcessPoolExecutor(arguments.jobs) as pool:
        results = []
        for task, found in zip(tasks, pool.map(results_of_task, tasks), strict=True):
            results.append((task, found))
            for problem in found.wrong:
                sys.stderr.write(f"{found.tap}: {problem}\n")
    all_well = write(results)
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")
    return not all_well


if __name__ == "__main__":
    sys.exit(main())
