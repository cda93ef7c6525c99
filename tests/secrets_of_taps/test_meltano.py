"""No secret is in what Meltano prints, logs, stores or loads, with debug logging."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

import pytest
from sandbox.faults import Fault

from tests.end_to_end.installation import shared_project
from tests.end_to_end.project import variables
from tests.every_tap import TAPS, EveryTap
from tests.secrets_of_taps.forms import found_in, found_in_files
from tests.warehouses.runs import started, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.project import Done, Project
    from tests.every_tap import Account

pytestmark = [pytest.mark.xdist_group("meltano-secrets"), pytest.mark.timeout(600)]
OWN_FILE = ".env"  # where a user keeps the credentials
# The file in which Meltano passes settings to a plugin. It exists while the plugin runs. It remains
# when Meltano is killed by SIGKILL, as docs/go_live.md says.
CONFIG = re.compile(r"\.meltano/run/tap-[a-z-]+/tap\.[0-9a-f-]+\.config\.json")
FOREVER_MS = 3_600_000
# The credentials of these are a token, and a name with a password.
WITH_TOKEN, WITH_PASSWORD = (
    [tap for tap in TAPS if str(tap) == name] for name in ("tap-kindmetrics", "tap-kissmetrics v3")
)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose files are searched for secrets."""
    return shared_project(tmp_path_factory, "secrets")


@pytest.fixture
def _private_files() -> Iterator[None]:
    """Only this user may read what is written, as with ``umask 077`` in a shell."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def configure(project: Project, tap: EveryTap, account: Account) -> None:
    """Write the account's settings to the file where a user has them."""
    settings = variables(tap.name, account.settings)
    quoted = "".join(f"{name}='{value}'\n" for name, value in settings.items())
    (project.folder / OWN_FILE).write_text(quoted, encoding="utf-8")


def run_in_debug(project: Project, tap: EveryTap) -> Done:
    """Run the tap with debug logging of Meltano, the tap and its libraries."""
    own = [f"--state-id-suffix={tap.version}"] if tap.version else []  # versions share no state
    return project.meltano("--log-level=debug", "run", *own, tap.name, "target-jsonl")


def files_with_secrets(project: Project, tap: EveryTap) -> set[str]:
    """Return the files of the project that contain a secret, except the user's own.

    The user's file contains all of them, which proves that the search finds them.
    """
    found = found_in_files(project.folder, tap.secrets.values())
    assert set(tap.secrets.values()) - {tap.secrets.get("login")} <= found.pop(OWN_FILE)
    return set(found)


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_secret_is_in_the_output_and_files_of_a_run(project: Project, tap: EveryTap) -> None:
    with tap.serving() as account:
        configure(project, tap, account)
        done = run_in_debug(project, tap)
    assert done.code == 0, done.stderr[-3000:]
    assert_no_secrets(project, tap, done)
    assert 'HTTP/1.1" 200' in done.stderr  # debug logging is on
    for folder, pattern in (
        (project.folder, ".meltano/meltano.db"),
        (project.folder / "output", "**/*.jsonl"),
        (project.logs, f"elt/*{tap.name}*/*/elt.log"),
    ):
        assert list(folder.glob(pattern)), pattern


@pytest.mark.parametrize("tap", WITH_TOKEN, ids=str)
def test_no_secret_is_in_the_output_and_files_of_a_rejected_run(
    project: Project, tap: EveryTap
) -> None:
    with tap.serving() as account:
        configure(project, tap, account)
        account.faults.append(Fault("status", status=401))
        done = run_in_debug(project, tap)
    assert done.code == 1
    assert_no_secrets(project, tap, done)
    assert 'HTTP/1.1" 401' in done.stderr


def assert_no_secrets(project: Project, tap: EveryTap, done: Done) -> None:
    """Check that no secret is in the output, nor in any file except the user's own."""
    assert found_in(done.stdout + done.stderr, tap.secrets.values()) == set()
    assert files_with_secrets(project, tap) == set()


@pytest.mark.usefixtures("_private_files")
@pytest.mark.parametrize("tap", WITH_PASSWORD, ids=str)
def test_settings_left_by_a_killed_meltano_are_readable_by_this_user_only(
    project: Project, tap: EveryTap, tmp_path: Path
) -> None:
    with tap.serving() as account:
        configure(project, tap, account)
        account.faults.append(Fault("stall", wait_ms=FOREVER_MS))
        before = len(account.log.requests)
        own = f"--state-id-suffix=killed-{tap.version}"  # each state id has a lock
        with started(project, tmp_path / "log", own, tap.name, "target-jsonl") as run:
            wait_until(lambda: len(account.log.requests) > before, run, "a request")
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
