"""The server that tests, benchmarks and the demo load into."""

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


def test_it_takes_connections_with_its_password_only(postgres: Postgres) -> None:
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
def test_it_ends_with_the_process_that_began_it_also_when_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        url = holder.stdout.readline().strip()
        psycopg.connect(url).close()
        holder.kill()
    deadline = time.monotonic() + 20
    while (alive := answers(url)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_without_it_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sandbox.postgres.PLACES", (str(tmp_path / "*"),))
    with pytest.raises(NoPostgresError, match="apt-get install postgresql"):
        commands()


def test_the_one_on_the_path_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("initdb", "postgres", "pg_isready"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commands() == Path(tmp_path).resolve()
