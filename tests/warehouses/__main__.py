"""``python -m tests.warehouses``: load into every target, kill at every point, write it down.

``targets`` and ``crashes`` are the halves; words after them choose: names of targets, of taps, of
victims. What was done is put into the tables of docs/targets.md at once, so that a command that
was stopped can be continued.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from sandbox.postgres import postgres_running

from tests.warehouses.accounts import ACCOUNTS
from tests.warehouses.bucket import bucket_served
from tests.warehouses.crashes import VICTIMS, Pipeline, killed
from tests.warehouses.loads import loaded
from tests.warehouses.page import CRASHES, LOADS, crash_line, load_line, write
from tests.warehouses.plugins import TAPS, installed, linked
from tests.warehouses.points import POINTS
from tests.warehouses.targets import TARGETS, Place, Target


def main() -> int:
    """Do what was asked for; 1 when a table was not as it should be after a crash."""
    parser = argparse.ArgumentParser(prog="python -m tests.warehouses", description=__doc__)
    parser.add_argument("what", choices=["all", "targets", "crashes"])
    parser.add_argument("only", nargs="*", help="targets, taps, victims; all unless named")
    options = parser.parse_args()
    only = set(options.only)
    good = True
    if options.what != "crashes":
        load_all(only)
    if options.what != "targets":
        good = crash_all(only)
    return 0 if good else 1


def chosen(name: str, names: set[str], only: set[str]) -> bool:
    """Whether a name is asked for: none of its kind is named, or it is."""
    return not names & only or name in only


def load_all(only: set[str]) -> None:
    """Every tap into every target, twice."""
    targets = [t for t in TARGETS if chosen(t.plugin, {t.plugin for t in TARGETS}, only)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres_running())
        has_s3 = any("s3" in target.plugin for target in targets)
        bucket = stack.enter_context(bucket_served()) if has_s3 else None
        project = linked(installed(folder / "plugins", definitions(targets)), folder / "project")
        for target in targets:
            for kind in ACCOUNTS:
                account = kind()
                if not chosen(account.name, set(TAPS), only):
                    continue
                name = f"{target.plugin}_{account.name}".replace("-", "_")
                (folder / name).mkdir()
                place = Place(name, folder / name, account, server, bucket)
                line = load_line(target, account, loaded(project, account, target, place))
                tell(" | ".join(line))
                write(LOADS, [line])


def crash_all(only: set[str]) -> bool:
    """Every tap, killed in every way at every point; whether all tables were equal."""
    good = True
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres_running())
        project = linked(installed(folder / "plugins", []), folder / "project")
        for kind in ACCOUNTS:
            if not chosen(kind().name, set(TAPS), only):
                continue
            calm = Pipeline(project, server, kind(), "calm").undisturbed()
            for number, point in enumerate(POINTS[kind]):
                for victim in VICTIMS:
                    if not chosen(victim, set(VICTIMS), only):
                        continue
                    pipeline = Pipeline(project, server, kind(), f"p{number}_{victim}")
                    outcome = killed(pipeline, point, victim)
                    is_equal = pipeline.tables() == calm
                    good = good and is_equal
                    line = crash_line(kind().name, point.name, victim)
                    tell(f"{' | '.join(line[:3])}: {outcome} {'equal' if is_equal else 'DIFFER'}")
                    if is_equal:
                        write(CRASHES, [line])
    return good


def definitions(targets: list[Target]) -> list[dict[str, object]]:
    """The loaders that ``meltano.yml`` does not have yet."""
    own = {"target-jsonl", "target-postgres"}
    return [target.definition for target in targets if target.plugin not in own]


def tell(text: str) -> None:
    """Say how far it is."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
