"""The same days as JSONL files and in PostgreSQL, and dbt builds over both."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from demo.vendors import DEMOS, Days
from tests.end_to_end.transform.builds import SWITCHED_OFF, Build, Dbt, install
from tests.end_to_end.transform.further import Loaded, further_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.postgres import Postgres

    from demo.vendors import Vendor
    from tests.end_to_end.conftest import FirstDemo
    from tests.end_to_end.project import Project
    from tests.end_to_end.proxy import Proxy


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """Dbt in its own environment, which is made if it is missing."""
    if os.environ.get(SWITCHED_OFF):
        pytest.skip(f"{SWITCHED_OFF} is set")
    if error := install():
        pytest.fail(f"dbt cannot be installed (or set {SWITCHED_OFF}=1): {error}", pytrace=False)
    return Dbt(tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="session")
def further() -> list[Loaded]:
    """The streams that the demo does not load."""
    return further_rows()


@pytest.fixture(scope="session")
def over_files(
    dbt: Dbt,
    first_demo: FirstDemo,
    further: list[Loaded],
    tmp_path_factory: pytest.TempPathFactory,
) -> Dbt:
    """DuckDB over the JSONL files of the demo, and of further streams."""
    folder = tmp_path_factory.mktemp("jsonl")
    shutil.copytree(first_demo.output, folder, dirs_exist_ok=True)
    for loaded in further:
        loaded.write_files(folder)
    settings = {
        "ANALYTICS_JSONL": str(folder),
        "ANALYTICS_DUCKDB": str(tmp_path_factory.mktemp("duckdb") / "warehouse.duckdb"),
    }
    return Dbt(dbt.folder, settings)


@pytest.fixture(scope="session")
def over_postgres(
    dbt: Dbt, project: Project, first_demo: FirstDemo, further: list[Loaded], postgres: Postgres
) -> Dbt:
    """PostgreSQL with the days of the demo, loaded by Meltano, and with further streams."""
    days = Days(first_demo.first_day, first_demo.last_day)
    vendors: list[Vendor] = [demo(days) for demo in DEMOS]
    with contextlib.ExitStack() as stack:
        settings = dict(postgres.target_settings)
        for vendor in vendors:
            settings |= environment(vendor, stack.enter_context(vendor.serving()))
        steps = (word for vendor in vendors for word in (vendor.tap.name, "target-postgres"))
        done = project.meltano("run", "--full-refresh", *steps, **settings)
    assert done.code == 0, (done.stdout + done.stderr)[-3000:]
    for loaded in further:
        loaded.load(project, postgres, dbt.folder)
    return Dbt(dbt.folder, {"DBT_TARGET": "postgres", **postgres.target_settings})


def environment(vendor: Vendor, served: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a tap as the environment variables that Meltano reads."""
    prefix = f"{vendor.tap.name.upper().replace('-', '_')}_"
    days = {"START_DATE": vendor.days.first.isoformat(), "END_DATE": vendor.days.last.isoformat()}
    return {f"{prefix}{name}": value for name, value in {**served, **days}.items()}


@pytest.fixture(scope="session")
def files_build(over_files: Dbt, proxy: Proxy) -> Build:
    """A build of the whole project over the files, with as many threads as users have.

    A proxy records the hosts that it contacts.
    """
    before = len(proxy.hosts)
    build = over_files.build("--threads=4", **proxy.environment)
    return replace(build, contacted=proxy.hosts[before:])


@pytest.fixture(scope="session")
def postgres_build(over_postgres: Dbt) -> Build:
    """A build of the whole project over PostgreSQL."""
    return over_postgres.build()
