"""Ctrl-C and SIGTERM during a ``meltano run``: each way for one tap.

``python -m tests.warehouses stops`` stops each tap in each way; docs/targets.md has the results.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.warehouses.accounts import (
    KindmetricsAccount,
    KissmetricsAccount,
    KissmetricsV3Account,
)
from tests.warehouses.crashes import Pipeline
from tests.warehouses.matrix import all_keys
from tests.warehouses.points import POINTS, Point
from tests.warehouses.stops import CTRL_C, MELTANO_ALONE, TAP_ALONE, WORK
from tools.pages.target_page import STOPS, lines

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from sandbox.postgres import Postgres
    from sandbox.requestlog import LoggedRequest

    from tests.end_to_end.project import Project
    from tests.warehouses.accounts import Account
    from tests.warehouses.stops import Way

    UndisturbedTables = Callable[[type[Account]], dict[str, Counter[str]]]

pytestmark = [pytest.mark.xdist_group("warehouses"), pytest.mark.timeout(900)]
STOP_LIMIT_S = 30.0  # a stop takes about one second; docs/targets.md has the figures
QUERIES_RUN = Point("while queries run", "/v3/queries/", nth=4, job="every")


@pytest.mark.parametrize(
    ("kind", "way"), [(KindmetricsAccount, CTRL_C), (KissmetricsAccount, MELTANO_ALONE)]
)
def test_signal_ends_all_processes_and_the_next_run_resumes(
    project: Project,
    postgres: Postgres,
    undisturbed: UndisturbedTables,
    kind: type[Account],
    way: Way,
) -> None:
    pipeline = Pipeline(project, postgres, kind(), f"stopped_{way.number.name.lower()}")
    point = POINTS[kind][WORK]
    with pipeline.account.serving() as settings:
        with pipeline.held(point, settings) as run:
            family = run.family()
            way.stop(run, STOP_LIMIT_S)
            assert run.process.returncode != 0
            assert not any(psutil.pid_exists(member.pid) for member in family)
            assert "Traceback" not in run.output_without_target
        point.release(pipeline.account)
        assert not pipeline.is_locked()
        second = pipeline.run(settings)
        assert second.code == 0, second.stderr[-3000:]
    assert pipeline.tables() == undisturbed(kind)


def test_signal_to_the_tap_alone_stores_its_last_bookmarks(
    project: Project, postgres: Postgres, undisturbed: UndisturbedTables
) -> None:
    """The page recommends this: the target reads to the end and stores the bookmarks."""
    kind = KissmetricsAccount
    pipeline = Pipeline(project, postgres, kind(), "stopped_tap")
    account, point = pipeline.account, POINTS[kind][WORK]
    with account.serving() as settings:
        with pipeline.held(point, settings) as run:
            TAP_ALONE.stop(run, STOP_LIMIT_S)
            assert run.process.returncode == 1
            assert "Stopped by SIGTERM; bookmarks are written" in run.output
        assert not pipeline.is_locked()
        assert pipeline.has_state()
        point.release(account)
        first = list(account.log.requests)
        second = pipeline.run(settings)
        assert second.code == 0, second.stderr[-3000:]
    again = account.log.requests[len(first) :]
    assert runs_started(first)
    assert not runs_started(first) & runs_started(again)
    assert pipeline.tables() == undisturbed(kind)


def runs_started(requests: Sequence[LoggedRequest]) -> set[tuple[str, bytes]]:
    """Return the requests that started a report's run, which a later run must not repeat."""
    return {(r.target, r.body) for r in requests if re.search("/run$", r.target)}


def test_running_queries_are_cancelled_at_the_vendor(project: Project, postgres: Postgres) -> None:
    """Only version 3 of the Kissmetrics API can cancel queries."""
    account = KissmetricsV3Account()
    pipeline = Pipeline(project, postgres, account, "cancelled")
    with account.serving() as settings, pipeline.held(QUERIES_RUN, settings) as run:
        CTRL_C.stop(run, STOP_LIMIT_S)
    started = sum(account.api.runs.values())
    assert started > 1
    assert len(account.api.cancelled) == len(set(account.api.cancelled)) == started


def test_page_has_every_way_to_stop_every_tap() -> None:
    assert list(lines(STOPS)) == all_keys(STOPS)
