"""Run the attacks and write ``docs/security.md``; exit code 1 when one ends wrong.

Without arguments, all run; otherwise those of the named kinds.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.attacks import page
from tests.attacks.accounts import ACCOUNTS
from tests.attacks.running import discovered, run
from tests.attacks.table import ATTACKS, KINDS


def main() -> int:
    """Run the attacks, two at a time."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="number of processes")
    parser.add_argument("kind", nargs="*", help=", ".join(KINDS))
    arguments = parser.parse_args()
    attacks = [one for one in ATTACKS if not arguments.kind or one.kind in arguments.kind]
    for name in ACCOUNTS:
        discovered(name)
    results = {}
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for attack, ended in zip(attacks, pool.map(run, attacks), strict=True):
            results[attack] = ended
            for problem in ended.problems:
                line = f"{attack.kind}: {attack.tried} ({attack.account}): {problem}\n"
                sys.stderr.write(line)
    page.write(results)
    return any(ended.problems for ended in results.values())


if __name__ == "__main__":
    sys.exit(main())
