"""A temporary MariaDB server on loopback."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST, USER, PASSWORD = "127.0.0.1", "sandbox", "sandbox"
PROGRAMS = {
    "mariadb-install-db": "mariadb-server",
    "mariadbd": "mariadb-server",
    "mariadb": "mariadb-client",
    "mariadb_config": "libmariadb-dev",  # the target's mysqlclient is compiled against it
}
PLACES = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/opt/homebrew/bin"
AS_JSON = "SELECT JSON_OBJECT({}) FROM `{}`.`{}`"
START_S = 120.0


class NoMariadbError(Exception):
    """No server is installed, or it does not start; the text is for the user."""


@dataclass(frozen=True)
class Mariadb:
    """Where the server listens; its user may do everything."""

    port: int

    @property
    def url(self) -> str:
        """The URL for SQLAlchemy, without a database."""
        return f"mysql+mysqldb://{USER}:{PASSWORD}@{HOST}:{self.port}"

    def run(self, statement: str) -> list[str]:
        """Run a statement; return its output lines."""
        command = [_program("mariadb"), "--no-defaults", "--batch", "--raw", "--skip-column-names"]
        command += [f"--host={HOST}", f"--port={self.port}", f"--user={USER}"]
        command += [f"--password={PASSWORD}", "--default-character-set=utf8mb4", "-e", statement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoMariadbError(done.stderr.strip()[-500:])
        return done.stdout.rstrip("\n").split("\n") if done.stdout else []

    def rows(self, database: str, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table, with values as the columns' types say."""
        columns = self.run(f"SHOW COLUMNS FROM `{database}`.`{table}`")
        kinds = dict(line.split("\t")[:2] for line in columns)
        pairs = ", ".join(f"'{name}', `{name}`" for name in kinds)
        found = self.run(AS_JSON.format(pairs, database, table))
        return [
            {name: _typed(value, kinds[name]) for name, value in json.loads(line).items()}
            for line in found
        ]

    def tables(self, database: str) -> list[str]:
        """Return the names of a database's tables."""
        return self.run(f"SHOW TABLES FROM `{database}`")


def missing_packages() -> list[str]:
    """Return Debian's packages that have to be installed."""
    return sorted({PROGRAMS[name] for name in PROGRAMS if not _program(name)})


@contextlib.contextmanager
def mariadb_running() -> Iterator[Mariadb]:
    """Start a new, empty server; stop and remove it when the block ends.

    Raises:
        NoMariadbError: MariaDB is not installed, or does not start.
    """
    if missing := missing_packages():
        msg = f"MariaDB is not installed; on Debian and Ubuntu: apt-get install {' '.join(missing)}"
        raise NoMariadbError(msg)
    with tempfile.TemporaryDirectory(prefix="mariadb-") as name:
        folder = Path(name)
        _initialise(folder)
        server = Mariadb(_free_port())
        with _started(folder, server.port) as process:
            _wait(server, process, folder / "log")
            yield server


def _program(name: str) -> str:
    """Return the path of a program; Debian has the server outside of a user's PATH."""
    return shutil.which(name, path=PLACES) or ""


def _initialise(folder: Path) -> None:
    done = subprocess.run(
        [
            *(_program("mariadb-install-db"), "--no-defaults", f"--datadir={folder / 'data'}"),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        msg = f"mariadb-install-db failed: {(done.stdout + done.stderr).strip()[-500:]}"
        raise NoMariadbError(msg)
    (folder / "users.sql").write_text(
        f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT ALL ON *.* TO '{USER}'@'%';\n",
        encoding="utf-8",
    )


@contextlib.contextmanager
def _started(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    # `root` must be named for the server to run as root; another user ignores the option.
    command = [
        *(_program("mariadbd"), "--no-defaults", "--user=root", f"--datadir={folder / 'data'}"),
        *(f"--bind-address={HOST}", f"--port={port}", f"--socket={folder / 'socket'}"),
        *(f"--init-file={folder / 'users.sql'}", f"--pid-file={folder / 'pid'}"),
        *("--character-set-server=utf8mb4", "--skip-name-resolve"),
        *("--innodb-flush-log-at-trx-commit=0", "--default-time-zone=+00:00"),
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def _wait(server: Mariadb, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server accepts the user.

    Raises:
        NoMariadbError: it ends, or takes too long.
    """
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(NoMariadbError):
            server.run("SELECT 1")
            return
        time.sleep(0.2)
    msg = f"MariaDB did not start: {log.read_text(encoding='utf-8', errors='replace')[-500:]}"
    raise NoMariadbError(msg)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _typed(value: Any, kind: str) -> Any:
    """Return a value of a JSON object as its column's type says."""
    if value is None:
        return None
    return datetime.fromisoformat(value) if kind in {"datetime", "timestamp"} else value
