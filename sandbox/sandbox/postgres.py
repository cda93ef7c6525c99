"""A temporary PostgreSQL server on loopback.

It runs the installed server (on the PATH, or where Debian, Fedora and Homebrew put it). Its data
need not survive a crash, so its settings avoid waiting for the disk.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Debian and Ubuntu, Fedora, Homebrew: none of them puts the server's commands on the PATH.
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
HOST, USER, DATABASE = "127.0.0.1", "sandbox", "postgres"
SWITCHES = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "60",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
}
START_SECONDS = 60
ATTEMPTS = 3  # another process may take the port before the server does
# Stops the server and removes its folder when standard input ends, which also happens if the
# process that started it is killed. Ends when the server ends.
GUARD = (
    'exec 3<&0; "$@" & server=$!; { read -r _ <&3; kill -QUIT $server; } & '
    'wait $server; kill $! || rm -rf "$0"'
)


class NoPostgresError(Exception):
    """No server is installed, or it does not start; the text is for the user."""


@dataclass(frozen=True)
class Postgres:
    """Where the server listens, and its superuser."""

    port: int
    password: str
    host: str = HOST
    user: str = USER
    database: str = DATABASE

    @property
    def url(self) -> str:
        """The URL for libpq, psycopg and SQLAlchemy."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"

    @property
    def target_settings(self) -> dict[str, str]:
        """Environment variables that make ``target-postgres`` in ``meltano.yml`` load into it."""
        parts = {
            "HOST": self.host,
            "PORT": str(self.port),
            "USER": self.user,
            "PASSWORD": self.password,
            "DATABASE": self.database,
        }
        return {f"TARGET_POSTGRES_{name}": value for name, value in parts.items()}


def commands() -> Path:
    """Return the folder with ``initdb`` and ``postgres``: the one on the PATH, else the newest.

    Raises:
        NoPostgresError: PostgreSQL's server is not installed.
    """
    found = [Path(place).resolve().parent for place in [shutil.which("postgres")] if place]
    for pattern in PLACES:
        found += sorted(Path("/").glob(pattern[1:]), key=_version, reverse=True)
    for folder in found:
        if all((folder / name).exists() for name in ("initdb", "postgres", "pg_isready")):
            return folder
    msg = "PostgreSQL's server is not installed; on Debian and Ubuntu: apt-get install postgresql"
    raise NoPostgresError(msg)


@contextlib.contextmanager
def postgres_running() -> Iterator[Postgres]:
    """Start a new, empty server; stop and remove it when the block ends.

    A process of root starts it as another user, since PostgreSQL refuses to run as root.

    Raises:
        NoPostgresError: PostgreSQL is not installed, or does not start.
    """
    programs, password = commands(), secrets.token_urlsafe(12)
    with _folder() as folder:
        _initialise(programs, folder, password)
        for _ in range(ATTEMPTS):
            postgres = Postgres(_free_port(), password)
            with _started(programs, folder, postgres.port) as process:
                if _is_ready(programs, postgres, process):
                    yield postgres
                    return
        log = (folder / "log").read_text(encoding="utf-8", errors="replace")
        msg = f"PostgreSQL did not start: {log.strip()[-500:]}"
        raise NoPostgresError(msg)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that the server's user can use; pytest's are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        if owner := _other_user():
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _other_user() -> pwd.struct_passwd | None:
    """Return the user to run as instead of root; None if this process is not root's."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    msg = "PostgreSQL refuses to run as root: create a user named postgres or nobody"
    raise NoPostgresError(msg)


def _privileges() -> dict[str, Any]:
    """Return the arguments of ``subprocess`` that drop root's privileges."""
    other = _other_user()
    if other is None:
        return {}
    return {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}


def _initialise(programs: Path, folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(f"{password}\n", encoding="utf-8")
    shutil.chown(secret, folder.stat().st_uid)
    made = subprocess.run(
        [
            *(str(programs / "initdb"), f"--pgdata={folder / 'data'}", f"--username={USER}"),
            *("--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync"),
            f"--pwfile={secret}",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **_privileges(),
    )
    if made.returncode:
        msg = f"PostgreSQL's initdb failed: {made.stderr.strip()[-500:]}"
        raise NoPostgresError(msg)


@contextlib.contextmanager
def _started(programs: Path, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    server = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port)]
    for name, value in SWITCHES.items():
        server += ["-c", f"{name}={value}"]
    # A new session, so that Ctrl-C in a terminal does not stop the server before its users.
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, str(folder), *server],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **_privileges(),
        )
    try:
        yield process
    finally:
        process.communicate()  # closes its standard input, and waits


def _is_ready(programs: Path, postgres: Postgres, process: subprocess.Popen[bytes]) -> bool:
    """Wait until it accepts connections; False if it ends or takes too long."""
    command = [str(programs / "pg_isready"), "-h", postgres.host, "-p", str(postgres.port)]
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if not subprocess.run(command, capture_output=True, check=False).returncode:
            return True
        time.sleep(0.05)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _version(folder: Path) -> int:
    """Return the major version in a path like /usr/lib/postgresql/15/bin, or 0."""
    digits = [part for part in folder.parts[-2].replace("@", "-").split("-") if part.isdecimal()]
    return int(digits[-1]) if digits else 0
