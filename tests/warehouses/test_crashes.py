"""After kill -9 of the tap, the target or Meltano, Meltano's next run completes the tables.

The tests kill each victim of each tap, at one point each. ``python -m tests.warehouses crashes``
runs all combinations, and docs/targets.md has the results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.warehouses.accounts import ACCOUNTS
from tests.warehouses.crashes import VICTIMS, Pipeline, kill_and_rerun
from tests.warehouses.matrix import all_keys
from tests.warehouses.points import POINTS
from tools.pages.target_page import CRASHES, lines

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.accounts import Account

pytestmark = [pytest.mark.xdist_group("warehouse-crashes"), pytest.mark.timeout(900)]
# Each victim of each tap, at different points; each point at least once.
CASES = [
    (kind, victim, (2 * place + 3 * order) % 5)
    for place, kind in enumerate(ACCOUNTS)
    for order, victim in enumerate(VICTIMS)
]


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


def test_cases_have_all_points() -> None:
    assert {number for _, _, number in CASES} == set(range(5))


def test_page_has_every_point_victim_and_tap() -> None:
    assert list(lines(CRASHES)) == all_keys(CRASHES)


def test_lock_of_a_killed_run_refuses_the_next_run_without_force(
    project: Project, postgres: Postgres
) -> None:
    """The page recommends --force to a user who does not want to wait."""
    kind = ACCOUNTS[0]
    pipeline = Pipeline(project, postgres, kind(), "locked")
    point = POINTS[kind][0]
    with pipeline.account.serving() as settings:
        with pipeline.held(point, settings) as run:
            family = run.family()
            run.process.kill()
            run.ended(family)
        point.release(pipeline.account)
        refused = pipeline.run(settings)
        assert refused.code == 1
        assert "pipeline is already running" in refused.stderr
        assert pipeline.run(settings, "--force").code == 0
