"""Ctrl-C, and SIGTERM as a scheduler or a person sends it, on a ``meltano run``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.warehouses.accounts import (
    ACCOUNTS,
    KhorosAccount,
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

    Calm = Callable[[type[Account]], dict[str, Counter[str]]]

pytestmark = [pytest.mark.xdist_group("warehouse-crashes"), pytest.mark.timeout(900)]
LONG_S = 30.0  # it takes about one; docs/targets.md has the figures
QUERIES_RUN = Point("while queries run", "/v3/queries/", nth=4, job="every")
# Work that is done, or under way, at the point at which the runs are stopped: the first day of a
# stream that is complete, which no later run reads again, and what started a job.
WORK_DONE = {
    KindmetricsAccount: "/domains/./countries.*from=2024-02-01",
    KissmetricsAccount: "/run$",
    KhorosAccount: r"report/(combined\?startTime=17067456|incoming_post\?startTime=170)",
}


@pytest.mark.parametrize("kind", ACCOUNTS)
@pytest.mark.parametrize("way", [CTRL_C, MELTANO_ALONE], ids=lambda way: way.name)
def test_a_signal_ends_all_of_it_and_the_next_run_goes_on(
    project: Project, postgres: Postgres, calm: Calm, kind: type[Account], way: Way
) -> None:
    pipeline = Pipeline(project, postgres, kind(), f"stopped_{way.number.name.lower()}")
    point = POINTS[kind][WORK]
    with pipeline.account.serving() as settings:
        with pipeline.held(point, settings) as run:
            family = run.family()
            way.stop(run, LONG_S)
            assert run.process.returncode != 0
            assert not any(psutil.pid_exists(member.pid) for member in family)
            assert "Traceback" not in run.said_without_target
        point.release(pipeline.account)
        assert not pipeline.is_locked()
        second = pipeline.run(settings)
        assert second.code == 0, second.stderr[-3000:]
    assert pipeline.tables() == calm(kind)


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_a_signal_to_the_tap_alone_stores_its_last_bookmarks(
    project: Project, postgres: Postgres, calm: Calm, kind: type[Account]
) -> None:
    """What the page advises: the target gets to its end, and hands the bookmarks on."""
    pipeline = Pipeline(project, postgres, kind(), "stopped_tap")
    account, point = pipeline.account, POINTS[kind][WORK]
    with account.serving() as settings:
        with pipeline.held(point, settings) as run:
            TAP_ALONE.stop(run, LONG_S)
            assert run.process.returncode == 1
            assert "Stopped by SIGTERM; the bookmarks are written" in run.said
        assert not pipeline.is_locked()
        assert pipeline.has_state()
        point.release(account)
        first = list(account.log.requests)
        second = pipeline.run(settings)
        assert second.code == 0, second.stderr[-3000:]
    again = account.log.requests[len(first) :]
    assert work_done(kind, first)
    assert not work_done(kind, first) & work_done(kind, again)
    assert pipeline.tables() == calm(kind)


def work_done(kind: type[Account], requests: Sequence[LoggedRequest]) -> set[tuple[str, bytes]]:
    """What was asked of the vendor that is not to be asked again."""
    pattern = WORK_DONE[kind]
    return {(r.target, r.body) for r in requests if re.search(pattern, r.target)}


@pytest.mark.parametrize("way", [CTRL_C, MELTANO_ALONE, TAP_ALONE], ids=lambda way: way.name)
def test_what_runs_at_the_vendor_is_called_off(
    project: Project, postgres: Postgres, way: Way
) -> None:
    """Of the three vendors only the third version of Kissmetrics lets somebody do that."""
    name = f"called_off_{way.members[0]}_{way.number.name.lower()}"
    account = KissmetricsV3Account()
    pipeline = Pipeline(project, postgres, account, name)
    with account.serving() as settings, pipeline.held(QUERIES_RUN, settings) as run:
        way.stop(run, LONG_S)
    started = sum(account.api.runs.values())
    assert started > 1
    assert len(account.api.cancelled) == len(set(account.api.cancelled)) == started


def test_the_page_has_every_way_of_every_tap() -> None:
    assert list(lines(STOPS)) == all_keys(STOPS)
