"""No secret is in what Meltano says, logs, stores or loads, with all the logging that there is."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

import pytest
from sandbox.faults import Fault

from tests.end_to_end.project import variables
from tests.every_tap import TAPS, EveryTap
from tests.secrets_of_taps.forms import found_in, found_in_files
from tests.warehouses.plugins import begun, until
from tests.warehouses.projects import shared_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.project import Done, Project
    from tests.every_tap import Account

pytestmark = [pytest.mark.xdist_group("meltano-secrets"), pytest.mark.timeout(600)]
OWN_FILE = ".env"  # where a user keeps the credentials
# What Meltano tells a plugin its settings by: it is there as long as the plugin runs, and stays
# when Meltano is killed hard. docs/go_live.md says so.
CONFIG = re.compile(r"\.meltano/run/tap-[a-z-]+/tap\.[0-9a-f-]+\.config\.json")
FOR_EVER_MS = 3_600_000


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose files are searched."""
    return shared_project(tmp_path_factory, "secrets")


@pytest.fixture
def _closed() -> Iterator[None]:
    """What is written is for this user only, as ``umask 077`` in a shell has it."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def told(project: Project, tap: EveryTap, account: Account) -> None:
    """Put the account's settings where a user has them."""
    settings = variables(tap.name, account.settings)
    quoted = "".join(f"{name}='{value}'\n" for name, value in settings.items())
    (project.folder / OWN_FILE).write_text(quoted, encoding="utf-8")


def in_debug(project: Project, tap: EveryTap) -> Done:
    """One run with everything logged that Meltano, the tap and its libraries can say."""
    return project.meltano("--log-level=debug", "run", tap.name, "target-jsonl")


def files_with_secrets(project: Project, tap: EveryTap) -> set[str]:
    """The files of the project in which there is a secret, besides the user's own.

    That one has them all: else the search would be none.
    """
    found = found_in_files(project.folder, tap.secrets.values())
    assert set(tap.secrets.values()) - {tap.secrets.get("login")} <= found.pop(OWN_FILE)
    return set(found)


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_secret_is_in_what_a_run_leaves(project: Project, tap: EveryTap) -> None:
    with tap.serving() as account:
        told(project, tap, account)
        done = in_debug(project, tap)
    assert done.code == 0, done.stderr[-3000:]
    assert_silent(project, tap, done)
    assert 'HTTP/1.1" 200' in done.stderr  # it did say all it can say
    for folder, pattern in (
        (project.folder, ".meltano/meltano.db"),
        (project.folder / "output", "**/*.jsonl"),
        (project.logs, f"elt/*{tap.name}*/*/elt.log"),
    ):
        assert list(folder.glob(pattern)), pattern


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_secret_is_in_what_a_refused_run_leaves(project: Project, tap: EveryTap) -> None:
    with tap.serving() as account:
        told(project, tap, account)
        account.faults.append(Fault("status", status=401))
        done = in_debug(project, tap)
    assert done.code == 1
    assert_silent(project, tap, done)
    assert 'HTTP/1.1" 401' in done.stderr


def assert_silent(project: Project, tap: EveryTap, done: Done) -> None:
    """No secret is in what was said, nor in any file but the user's own."""
    assert found_in(done.stdout + done.stderr, tap.secrets.values()) == set()
    assert files_with_secrets(project, tap) == set()


@pytest.mark.usefixtures("_closed")
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_a_killed_meltano_leaves_the_settings_to_this_user_only(
    project: Project, tap: EveryTap, tmp_path: Path
) -> None:
    with tap.serving() as account:
        told(project, tap, account)
        account.faults.append(Fault("stall", wait_ms=FOR_EVER_MS))
        asked = len(account.log.requests)
        own = f"--state-id-suffix=killed-{tap.version}"  # each has a lock
        with begun(project, tmp_path / "log", own, tap.name, "target-jsonl") as run:
            until(lambda: len(account.log.requests) > asked, run, "a request")
            family = run.family()
            run.process.kill()
            run.ended(family)
    left = files_with_secrets(project, tap)
    assert left
    for name in left:
        assert CONFIG.fullmatch(name)
        path = project.folder / name
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        path.unlink()
