"""kill -9 of the tap, the target and Meltano; then Meltano's next run makes the tables whole.

Each tap, each victim, and over them all points; ``python -m tests.warehouses crashes`` does all
of them, and docs/targets.md has the results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.warehouses.accounts import ACCOUNTS
from tests.warehouses.crashes import VICTIMS, Pipeline, killed
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
# Of each tap every victim, of each victim another point; each point at least once.
CASES = [
    (kind, victim, (2 * place + 3 * turn) % 5)
    for place, kind in enumerate(ACCOUNTS)
    for turn, victim in enumerate(VICTIMS)
]


@pytest.mark.parametrize(("kind", "victim", "number"), CASES)
def test_after_a_kill_the_next_run_leaves_what_an_undisturbed_one_does(
    project: Project,
    postgres: Postgres,
    calm: Callable[[type[Account]], dict[str, Counter[str]]],
    kind: type[Account],
    victim: str,
    number: int,
) -> None:
    expected = calm(kind)
    pipeline = Pipeline(project, postgres, kind(), f"p{number}_{victim}")
    outcome = killed(pipeline, POINTS[kind][number], victim)
    assert outcome.rows_at_kill >= POINTS[kind][number].rows
    assert pipeline.tables() == expected
    assert all(expected.values())


def test_the_cases_have_all_points() -> None:
    assert {number for _, _, number in CASES} == set(range(5))


def test_the_page_has_every_point_victim_and_tap() -> None:
    assert list(lines(CRASHES)) == all_keys(CRASHES)


def test_until_its_lock_is_old_a_killed_run_keeps_the_next_one_out(
    project: Project, postgres: Postgres
) -> None:
    """What the page tells a user who does not want to wait."""
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
