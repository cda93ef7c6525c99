"""After kill -9 of the tap, the target or Meltano, Meltano's next run completes the tables.

The tests kill one process of each tap, each process once. ``python -m tests.warehouses crashes``
runs all combinations, and docs/targets.md has the results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.warehouses.accounts import ACCOUNTS, KindmetricsAccount
from tests.warehouses.crashes import VICTIMS, Pipeline, kill_and_rerun
from tests.warehouses.database import primary_key
from tests.warehouses.matrix import all_keys
from tests.warehouses.points import POINTS
from tools.pages.target_page import CRASHES, lines

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.accounts import Account

pytestmark = [pytest.mark.xdist_group("warehouses"), pytest.mark.timeout(900)]
# Each tap with another victim, at another point.
CASES = list(zip(ACCOUNTS, VICTIMS, (1, 2, 4), strict=True))


@pytest.mark.parametrize(("kind", "victim", "number"), CASES)
def test_next_run_after_a_kill_completes_the_tables(
    project: Project,
    postgres: Postgres,
    undisturbed: Callable[[type[Account]], dict[str, Counter[str]]],
    kind: type[Account],
    victim: str,
    number: int,
) -> None:
    expected = undisturbed(kind)
    pipeline = Pipeline(project, postgres, kind(), f"p{number}_{victim}")
    outcome = kill_and_rerun(pipeline, POINTS[kind][number], victim)
    assert outcome.rows_at_kill >= POINTS[kind][number].rows
    assert pipeline.tables() == expected
    assert all(expected.values())
    for stream in pipeline.account.tap(validate_config=False).streams.values():
        if stream.name in expected:
            assert primary_key(postgres, pipeline.schema, stream.name) == {*stream.primary_keys}


def test_next_run_after_a_kill_completes_the_tables_from_batch_files(
    project: Project,
    postgres: Postgres,
    undisturbed: Callable[[type[Account]], dict[str, Counter[str]]],
) -> None:
    """The tables are those of RECORD messages, and the run after it deletes its files."""
    pipeline = Pipeline(project, postgres, KindmetricsAccount(), "batches", has_batches=True)
    kill_and_rerun(pipeline, POINTS[KindmetricsAccount][2], "target")
    assert pipeline.tables() == undisturbed(KindmetricsAccount)
    before = {path.name for path in pipeline.batch_folder.iterdir()}
    third = pipeline.undisturbed()
    assert third == undisturbed(KindmetricsAccount)
    after = {path.name for path in pipeline.batch_folder.iterdir()}
    of_second = run_ids(after & before)
    assert len(of_second) <= 1  # of the killed run, whose files are deleted after a day
    assert len(run_ids(after)) == len(of_second) + 1


def run_ids(names: set[str]) -> set[str]:
    """Return the ids of the runs that wrote these files."""
    return {name.removeprefix("tap-kindmetrics-").partition("-")[0] for name in names}


def test_page_has_every_point_victim_and_tap() -> None:
    assert list(lines(CRASHES)) == all_keys(CRASHES)
