"""``python -m tests.warehouses``: load into every target, kill at every point, write it down.

``targets``, ``crashes`` and ``stops`` are the parts; words after them choose: names of targets, of
taps, of victims. What was done is put into the tables of docs/targets.md at once: with
``--missing`` a command that was stopped goes on where it was, and with ``--minutes`` it stops by
itself.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.warehouses.accounts import ACCOUNTS
from tests.warehouses.bucket import bucket_served
from tests.warehouses.crashes import VICTIMS, Pipeline, killed
from tests.warehouses.loads import loaded
from tests.warehouses.matrix import all_keys
from tests.warehouses.plugins import TAPS
from tests.warehouses.points import POINTS
from tests.warehouses.projects import meltano_and_postgres
from tests.warehouses.stops import WAYS, stopped
from tests.warehouses.targets import TARGETS, Place
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
    """Do what was asked for; 1 when a table was not as it should be after a crash."""
    parser = argparse.ArgumentParser(prog="python -m tests.warehouses", description=__doc__)
    parser.add_argument("what", choices=["all", "targets", "crashes", "stops"])
    parser.add_argument("only", nargs="*", help="targets, taps, victims; all unless named")
    parser.add_argument("--missing", action="store_true", help="what the page has is left out")
    parser.add_argument("--minutes", type=float, default=600, help="then nothing more is begun")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60
    wanted = Wanted(set(options.only), options.missing, deadline)
    good = True
    if options.what in {"all", "targets"}:
        load_all(wanted)
    if options.what in {"all", "crashes"}:
        good = crash_all(wanted)
    if options.what in {"all", "stops"}:
        stop_all(wanted)
    return 0 if good else 1


@dataclass(frozen=True)
class Wanted:
    """What was asked for: only these names, only what the page lacks, nothing after a moment."""

    only: set[str]
    is_missing: bool
    deadline: float

    def keys(self, table: str) -> Iterator[tuple[str, ...]]:
        """The rows of a table that are to be made, as long as there is time."""
        known = lines(table) if self.is_missing else {}
        for key in all_keys(table):
            if key not in known and self._has(key) and time.monotonic() < self.deadline:
                yield key

    def _has(self, key: tuple[str, ...]) -> bool:
        """Whether each name of a row is asked for: it is, or none of its kind is."""
        words = {TITLES[cell].plugin if cell in TITLES else cell for cell in key}
        return all(
            words & names <= self.only for names in NAMES if names & self.only and words & names
        )


def load_all(wanted: Wanted) -> None:
    """Every tap into every target, twice."""
    targets = [TITLES[title] for title in {key[0]: None for key in wanted.keys(LOADS)}]
    with ExitStack() as stack:
        project, server = stack.enter_context(meltano_and_postgres(targets))
        has_s3 = any("s3" in target.plugin for target in targets)
        bucket = stack.enter_context(bucket_served()) if has_s3 else None
        for title, tap in wanted.keys(LOADS):
            target, account = TITLES[title], KINDS[tap]()
            name = f"{target.plugin}_{tap}".replace("-", "_")
            (project.folder / name).mkdir()
            place = Place(name, project.folder / name, account, server, bucket)
            line = load_line(title, tap, loaded(project, account, target, place))
            tell(" | ".join(line))
            write(LOADS, [line], all_keys(LOADS))


def crash_all(wanted: Wanted) -> bool:
    """Every tap, killed in every way at every point; whether all tables were equal."""
    good = True
    calm = {}
    with meltano_and_postgres() as (project, server):
        for tap, name, victim in wanted.keys(CRASHES):
            kind = KINDS[tap]
            if tap not in calm:
                calm[tap] = Pipeline(project, server, kind(), "calm").undisturbed()
            number = [point.name for point in POINTS[kind]].index(name)
            pipeline = Pipeline(project, server, kind(), f"p{number}_{victim}")
            try:
                outcome: object = killed(pipeline, POINTS[kind][number], victim)
                is_equal = pipeline.tables() == calm[tap]
            except AssertionError as error:  # the others are tried all the same
                outcome, is_equal = error, False
            good = good and is_equal
            tell(f"{tap} | {name} | {victim}: {'equal' if is_equal else 'DIFFER'}; {outcome}")
            if is_equal:
                write(CRASHES, [crash_line(tap, name, victim)], all_keys(CRASHES))
    return good


def stop_all(wanted: Wanted) -> None:
    """Every tap, stopped in every way while a job runs at the vendor; how long that takes."""
    ways = {way.name: way for way in WAYS}
    with meltano_and_postgres() as (project, server):
        for tap, name in wanted.keys(STOPS):
            seconds = stopped(project, server, KINDS[tap], ways[name])
            tell(f"{tap} | {name}: {', '.join(f'{s:.2f}' for s in seconds)} s")
            write(STOPS, [stop_line(tap, name, seconds)], all_keys(STOPS))


def tell(text: str) -> None:
    """Say how far it is."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
