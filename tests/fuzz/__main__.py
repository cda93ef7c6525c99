"""Search for inputs that break a target, for some time; store each in the corpus.

Exit code 1 if one was found.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Flaky

from tests.fuzz.inputs import add_to_corpus, inputs_of
from tests.fuzz.targets import TARGETS

_EXAMPLES = 1000  # of a target, before the next one


def search(name: str, seconds: float) -> bytes | None:
    """Return an input that breaks a target, as small as possible; None if none was found."""
    last: list[bytes] = []
    until = time.monotonic() + seconds
    is_broken = False

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs_of(name))
    def attempt(data: bytes) -> None:
        nonlocal is_broken
        if time.monotonic() > until and not is_broken:
            return
        try:
            TARGETS[name](data)
        except BaseException:
            is_broken = True
            last[:] = [data]
            raise

    try:
        attempt()
    except (Exception, Flaky):  # noqa: BLE001  (whatever the target raises is a finding)
        traceback.print_exc()
        return last[0]
    return None


def main() -> int:
    """Search in all targets by turns, or in those that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("seconds", type=float, help="time for all targets together")
    parser.add_argument("target", nargs="*", help=", ".join(TARGETS))
    arguments = parser.parse_args()
    logging.disable()
    names = arguments.target or list(TARGETS)
    until, found, rounds = time.monotonic() + arguments.seconds, 0, 0
    while names and time.monotonic() < until:
        rounds += 1
        for name in list(names):
            data = search(name, (until - time.monotonic()) / len(names))
            if data is not None:
                found += 1
                names.remove(name)  # mend it first
                sys.stderr.write(f"{name}: {data!r} in {add_to_corpus(name, data)}\n")
    sys.stderr.write(f"{rounds} rounds of {_EXAMPLES:,} inputs for each target, {found} found\n")
    return found > 0


if __name__ == "__main__":
    sys.exit(main())
