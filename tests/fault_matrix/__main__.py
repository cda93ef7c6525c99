"""Run the matrix and write its sections into ``docs/faults.md``; exit code 1 when a run is wrong.

All of it, or the sections whose headings begin with what is given.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.fault_matrix.kinds import KINDS
from tests.fault_matrix.sections import SECTIONS, Section
from tools.pages import fault_page
from tools.pages.fault_page import Results

CONNECTIONS = "connections"


def chosen(beginnings: list[str]) -> list[Section]:
    """The sections whose headings begin so; all where nothing is given."""
    return [s for s in SECTIONS if not beginnings or s.title.startswith(tuple(beginnings))]


def work_of(sections: list[Section]) -> list[tuple[int, str]]:
    """What there is to do: the number of a section, and the name of a kind of fault."""
    return [
        (SECTIONS.index(one), name)
        for one in sections
        for name in (*([CONNECTIONS] if one.connections else []), *(k.name for k in KINDS))
    ]


def done(piece: tuple[int, str]) -> Results:
    """One piece of the work."""
    number, name = piece
    found = SECTIONS[number]
    if name == CONNECTIONS and found.connections is not None:
        return found.connections()
    (kind,) = (kind for kind in KINDS if kind.name == name)
    return found.faults(kind)


def write(results: list[tuple[tuple[int, str], Results]]) -> bool:
    """Put the sections of these results into the page; whether all runs ended well."""
    by_title: dict[str, tuple[Results, Results]] = {}
    for (number, name), found in results:
        title = SECTIONS[number].title
        parts = by_title.setdefault(title, (Results(title), Results(title)))
        parts[name == CONNECTIONS].merge(found)
    fault_page.write(by_title, [s.title for s in SECTIONS])
    return not any(part.wrong for parts in by_title.values() for part in parts)


def main() -> int:
    """Run it, in as many processes as there are processors."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault_matrix", description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("section", nargs="*", help=f"of {', '.join(s.title for s in SECTIONS)}")
    arguments = parser.parse_args()
    began = time.monotonic()
    work = work_of(chosen(arguments.section))
    with ProcessPoolExecutor(arguments.jobs) as pool:
        results = []
        for piece, found in zip(work, pool.map(done, work), strict=True):
            results.append((piece, found))
            for problem in found.wrong:
                sys.stderr.write(f"{found.tap}: {problem}\n")
    is_well = write(results)
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")
    return not is_well


if __name__ == "__main__":
    sys.exit(main())
