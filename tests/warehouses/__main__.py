"""``python -m tests.warehouses``: test all targets, crashes and stops, and write the tables.

The parts are ``targets``, ``crashes`` and ``stops``. Words after a part select targets, taps and
victims. Each result is written to docs/targets.md immediately: with ``--missing`` a stopped command
resumes, and with ``--minutes`` it stops by itself.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.postgres import postgres_running

from tests.end_to_end.installation import TAPS, temporary_project
from tests.prepare import WITHOUT_MARIADB
from tests.warehouses.accounts import ACCOUNTS
from tests.warehouses.bucket import bucket_served
from tests.warehouses.crashes import VICTIMS, Pipeline, kill_and_rerun
from tests.warehouses.loads import load_twice
from tests.warehouses.mariadb import mariadb_running
from tests.warehouses.matrix import all_keys
from tests.warehouses.points import POINTS
from tests.warehouses.stops import WAYS, measure_stops
from tests.warehouses.target import Place
from tests.warehouses.targets import TARGETS
from tools.pages.target_page import (
    CRASHES,
    LOADS,
    STOPS,
    crash_line,
    lines,
    load_line,
    stop_line,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {kind().name: kind for kind in ACCOUNTS}
TITLES = {target.title: target for target in TARGETS}
NAMES = ({target.plugin for target in TARGETS}, set(TAPS), set(VICTIMS))


def main() -> int:
    """Run the selected parts; return 1 if a table differed after a crash."""
    parser = argparse.ArgumentParser(prog="python -m tests.warehouses", description=__doc__)
    parser.add_argument("what", choices=["all", "targets", "crashes", "stops"])
    parser.add_argument("only", nargs="*", help="targets, taps, victims; default: all")
    parser.add_argument("--missing", action="store_true", help="skip the rows that the page has")
    parser.add_argument(
        "--minutes", type=float, default=600, help="start nothing more after this time"
    )
    parser.add_argument(
        "--batches", action="store_true", help="crashes: with batch files; write no table"
    )
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    selection = Selection(set(options.only), options.missing, deadline)
    good = True
    if options.what in {"all", "targets"}:
        load_all(selection)
    if options.what in {"all", "crashes"}:
        good = crash_all(selection, has_batches=options.batches)
    if options.what in {"all", "stops"}:
        stop_all(selection)
    return 0 if good else 1


@dataclass(frozen=True)
class Selection:
    """The rows to make: their names, whether only missing ones, and the time to stop at."""

    only: set[str]
    only_missing: bool
    deadline: float

    def keys(self, table: str) -> Iterator[tuple[str, ...]]:
        """Yield the rows of a table to make, until the deadline."""
        known = lines(table) if self.only_missing else {}
        for key in all_keys(table):
            if os.environ.get(WITHOUT_MARIADB) and _needs_mariadb(key):
                continue
            if key not in known and self._is_selected(key) and time.monotonic() < self.deadline:
                yield key

    def _is_selected(self, key: tuple[str, ...]) -> bool:
        """Whether the names of a row are selected; without names of a kind, all are."""
        words = {TITLES[cell].plugin if cell in TITLES else cell for cell in key}
        return all(
            words & names <= self.only for names in NAMES if names & self.only and words & names
        )


def _needs_mariadb(key: tuple[str, ...]) -> bool:
    return key[0] in TITLES and "mariadb" in TITLES[key[0]].needs


def load_all(selection: Selection) -> None:
    """Load every tap into every target, twice."""
    targets = [TITLES[title] for title in {key[0]: None for key in selection.keys(LOADS)}]
    with ExitStack() as stack:
        needs = {need for target in targets for need in target.needs}
        mariadb = stack.enter_context(mariadb_running()) if "mariadb" in needs else None
        bucket = stack.enter_context(bucket_served()) if "s3" in needs else None
        server = stack.enter_context(postgres_running())
        project = stack.enter_context(temporary_project(targets))
        for title, tap in selection.keys(LOADS):
            target, account = TITLES[title], KINDS[tap]()
            name = f"{target.plugin}_{tap}".replace("-", "_")
            (project.folder / name).mkdir()
            place = Place(name, project.folder / name, account, server, bucket, mariadb)
            line = load_line(title, tap, load_twice(project, account, target, place))
            report(" | ".join(line))
            write(LOADS, [line], all_keys(LOADS))


def crash_all(selection: Selection, *, has_batches: bool) -> bool:
    """Kill every tap in every way at every point; return whether all tables were equal."""
    good = True
    undisturbed = {}
    with temporary_project() as project, postgres_running() as server:
        for tap, name, victim in selection.keys(CRASHES):
            kind = KINDS[tap]
            if tap not in undisturbed:
                undisturbed[tap] = Pipeline(project, server, kind(), "undisturbed").undisturbed()
            number = [point.name for point in POINTS[kind]].index(name)
            schema = f"p{number}_{victim}"
            pipeline = Pipeline(project, server, kind(), schema, has_batches=has_batches)
            try:
                outcome: object = kill_and_rerun(pipeline, POINTS[kind][number], victim)
                is_equal = pipeline.tables() == undisturbed[tap]
            except AssertionError as error:  # the other rows are tried nevertheless
                outcome, is_equal = error, False
            good = good and is_equal
            report(f"{tap} | {name} | {victim}: {'equal' if is_equal else 'DIFFER'}; {outcome}")
            if is_equal and not has_batches:
                write(CRASHES, [crash_line(tap, name, victim)], all_keys(CRASHES))
    return good


def stop_all(selection: Selection) -> None:
    """Stop every tap in every way while a vendor's job runs, and measure how long that takes."""
    ways = {way.name: way for way in WAYS}
    with temporary_project() as project, postgres_running() as server:
        for tap, name in selection.keys(STOPS):
            seconds = measure_stops(project, server, KINDS[tap], ways[name])
            report(f"{tap} | {name}: {', '.join(f'{s:.2f}' for s in seconds)} s")
            write(STOPS, [stop_line(tap, name, seconds)], all_keys(STOPS))


def report(text: str) -> None:
    """Print the progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
