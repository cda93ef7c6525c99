"""The PostgreSQL server into which tests, benchmarks and the demo load."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sandbox.postgres import NoPostgresError, commands

if TYPE_CHECKING:
    from sandbox.postgres import Postgres

HOLD = """
import sys, time
from sandbox.postgres import postgres_running
with postgres_running() as server:
    print(server.url, flush=True)
    time.sleep(60)
"""


def test_the_server_requires_its_password(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        (port,) = connection.execute("SELECT inet_server_port()").fetchone() or (0,)
    assert port == postgres.port
    wrong = postgres.url.replace(postgres.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_settings_are_those_of_the_target_in_meltano_yml(postgres: Postgres) -> None:
    assert postgres.target_settings["TARGET_POSTGRES_PORT"] == str(postgres.port)
    assert set(postgres.target_settings) == {
        f"TARGET_POSTGRES_{name}" for name in ("HOST", "PORT", "USER", "PASSWORD", "DATABASE")
    }


@pytest.mark.usefixtures("postgres")
def test_the_server_ends_when_its_process_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        url = holder.stdout.readline().strip()
        psycopg.connect(url).close()
        holder.kill()
    deadline = time.monotonic() + 20
    while (alive := accepts_connections(url)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive


def accepts_connections(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_without_postgresql_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sandbox.postgres.PLACES", (str(tmp_path / "*"),))
    with pytest.raises(NoPostgresError, match="apt-get install postgresql"):
        commands()


def test_the_commands_on_the_path_have_precedence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("initdb", "postgres", "pg_isready"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commands() == Path(tmp_path).resolve()
