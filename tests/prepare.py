"""``python -m tests.prepare``: install what pip cannot install: PostgreSQL and a browser.

With ``--matrix``, MariaDB too, which only ``make matrix`` needs. Installs Debian's packages if they
are missing and the user may (root, or sudo without a password). Otherwise it prints what to do and
ends with exit code 0, since the other tests can still run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.postgres import NoPostgresError, commands

from tests.warehouses.mariadb import missing_packages

if TYPE_CHECKING:
    from collections.abc import Callable

SWITCHED_OFF = "WITHOUT_POSTGRES"
WITHOUT_BROWSER = "WITHOUT_BROWSER"
WITHOUT_MARIADB = "WITHOUT_MARIADB"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends")
UPDATE = ("apt-get", "update")


@dataclass(frozen=True)
class Program:
    """Debian packages, the check for them, and the variable and command that skip its tests."""

    name: str
    package: str
    is_installed: Callable[[], bool]
    switch: str
    command: str = "make test"


def main() -> int:
    """Install what is missing, or print what to do."""
    for program in (*PROGRAMS, *([MARIADB] if "--matrix" in sys.argv else [])):
        if not os.environ.get(program.switch) and not program.is_installed():
            _install_or_explain(program)
    return 0


def _install_or_explain(program: Program) -> None:
    sys.stderr.write(f"{program.name} is missing; installing Debian's for the tests ...\n")
    failed = "no apt-get here" if shutil.which("apt-get") is None else _install(program)
    if failed:
        sys.stderr.write(
            f"It could not be installed ({failed}). Install it (Debian: apt-get install "
            f"{program.package}), or skip its tests: {program.switch}=1 {program.command}\n"
        )


def browser() -> str | None:
    """Return the path of a Chromium or Chrome; None if there is none."""
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
MARIADB = Program(
    "MariaDB",
    "mariadb-server libmariadb-dev",
    lambda: not missing_packages(),
    WITHOUT_MARIADB,
    "make matrix",
)


def _install(program: Program) -> str:
    """Run apt-get; return the error, empty on success."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and (shutil.which("sudo") is None or _run([*root, "true"]).returncode):
        return "this needs root, or sudo without a password"
    for command in (UPDATE, (*INSTALL, *program.package.split())):
        done = _run([*root, "env", "DEBIAN_FRONTEND=noninteractive", *command])
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2]
    return "" if program.is_installed() else "it was not found after the installation"


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
