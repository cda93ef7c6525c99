"""``python -m tests.prepare``: what the tests need and pip cannot give, which is PostgreSQL.

Installs Debian's where the machine has none and lets us (root, or sudo without a password).
Otherwise it says in one line what to do and ends with 0: the other tests can still run, and those
that need the server fail with the same words.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from sandbox.postgres import NoPostgresError, commands

SWITCHED_OFF = "WITHOUT_POSTGRES"
INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", "postgresql")
UPDATE = ("apt-get", "update")


def main() -> int:
    """Make sure that there is a PostgreSQL, or say what to do."""
    if os.environ.get(SWITCHED_OFF) or _is_there():
        return 0
    sys.stderr.write("PostgreSQL is missing; installing Debian's for the tests ...\n")
    failed = "no apt-get here" if shutil.which("apt-get") is None else _install()
    if failed:
        sys.stderr.write(
            f"It could not be installed ({failed}). Install it (Debian: apt-get install "
            f"postgresql), or leave its tests out: {SWITCHED_OFF}=1 make test\n"
        )
    return 0


def _is_there() -> bool:
    try:
        commands()
    except NoPostgresError:
        return False
    return True


def _install() -> str:
    """Run apt-get; what went wrong, nothing when all went well."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and (shutil.which("sudo") is None or _run([*root, "true"]).returncode):
        return "it takes root, or sudo without a password"
    for command in (UPDATE, INSTALL):
        done = _run([*root, "env", "DEBIAN_FRONTEND=noninteractive", *command])
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2]
    return "" if _is_there() else "its commands are not where they are looked for"


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
