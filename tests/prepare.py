"""``python -m tests.prepare``: what the tests need and pip cannot give: PostgreSQL, a browser.

Installs Debian's where the machine has none and lets us (root, or sudo without a password).
Otherwise it says in one line what to do and ends with 0: the other tests can still run, and those
that need it say the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.postgres import NoPostgresError, commands

if TYPE_CHECKING:
    from collections.abc import Callable

SWITCHED_OFF = "WITHOUT_POSTGRES"
WITHOUT_BROWSER = "WITHOUT_BROWSER"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends")
UPDATE = ("apt-get", "update")


@dataclass(frozen=True)
class Program:
    """A Debian package, how it is looked for, and the variable that does without it."""

    name: str
    package: str
    is_there: Callable[[], bool]
    switch: str


def main() -> int:
    """Make sure that all is there, or say what to do."""
    for program in PROGRAMS:
        if not os.environ.get(program.switch) and not program.is_there():
            _get(program)
    return 0


def _get(program: Program) -> None:
    sys.stderr.write(f"{program.name} is missing; installing Debian's for the tests ...\n")
    failed = "no apt-get here" if shutil.which("apt-get") is None else _install(program)
    if failed:
        sys.stderr.write(
            f"It could not be installed ({failed}). Install it (Debian: apt-get install "
            f"{program.package}), or leave its tests out: {program.switch}=1 make test\n"
        )


def browser() -> str | None:
    """The path of a Chromium or Chrome, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _has_browser() -> bool:
    return browser() is not None


def _has_postgres() -> bool:
    try:
        commands()
    except NoPostgresError:
        return False
    return True


PROGRAMS = (
    Program("PostgreSQL", "postgresql", _has_postgres, SWITCHED_OFF),
    Program("Chromium", "chromium", _has_browser, WITHOUT_BROWSER),
)


def _install(program: Program) -> str:
    """Run apt-get; what went wrong, nothing when all went well."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and (shutil.which("sudo") is None or _run([*root, "true"]).returncode):
        return "it takes root, or sudo without a password"
    for command in (UPDATE, (*INSTALL, program.package)):
        done = _run([*root, "env", "DEBIAN_FRONTEND=noninteractive", *command])
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2]
    return "" if program.is_there() else "it is not where it is looked for"


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
