"""Ctrl-C, and SIGTERM as a scheduler sends it, on a ``meltano run``."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.warehouses.accounts import ACCOUNTS
from tests.warehouses.crashes import Pipeline
from tests.warehouses.points import POINTS

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.accounts import Account

pytestmark = [pytest.mark.xdist_group("warehouse-crashes"), pytest.mark.timeout(900)]
WORK = 3  # the point at which a vendor's job runs, where there are jobs


@pytest.mark.parametrize("kind", ACCOUNTS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_it_and_the_next_run_goes_on(
    project: Project,
    postgres: Postgres,
    calm: Callable[[type[Account]], dict[str, Counter[str]]],
    kind: type[Account],
    number: signal.Signals,
) -> None:
    """Ctrl-C in a terminal goes to all processes at once, SIGTERM of a scheduler to Meltano."""
    pipeline = Pipeline(project, postgres, kind(), f"stopped_{number.name.lower()}")
    point = POINTS[kind][WORK]
    with pipeline.account.serving() as settings:
        with pipeline.held(point, settings) as run:
            family = run.family()
            members = [run.process, *family] if number == signal.SIGINT else [run.process]
            for member in members:
                member.send_signal(number)
            run.ended(family)
            assert run.process.returncode != 0
            assert not any(psutil.pid_exists(member.pid) for member in family)
            assert "Traceback" not in run.said
        point.release(pipeline.account)
        assert not pipeline.is_locked()
        second = pipeline.run(settings)
        assert second.code == 0, second.stderr[-3000:]
    assert pipeline.tables() == calm(kind)
