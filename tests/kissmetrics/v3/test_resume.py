"""A run of version 3 that is killed and started again neither loses nor duplicates data."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import RunRules
from tap_kit import SyncFailed

from tests.kissmetrics.rows import comparable, settled
from tests.kissmetrics.site import days
from tests.kissmetrics.test_resume import after, has_queries, jobs, killed, same
from tests.kissmetrics.v3.rows import expected_rows
from tests.kissmetrics.v3.site import SQL, v3_account
from tests.singer import Loader

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site

SLOW, QUICK = RunRules(run_seconds=3600), RunRules(polls=0)


def of_all_kinds(site: V3Site) -> dict[str, Any]:
    """Return settings with which every stream has rows."""
    first, *others = site.ids("reports")
    own = {"id": first, "name": "mine", "columns": ["a", "b", "c", "d"]}
    reports = [own, *({"id": one} for one in others)]
    return {"queries": [SQL], "metric_ids": site.metric_ids[:2], "reports": reports}


@cache
def complete(*, has_all_kinds: bool) -> Loader:
    """Return what an undisturbed run loads, of reports only or of all kinds."""
    loader = Loader()
    with v3_account(run_rules=QUICK) as site:
        settings = of_all_kinds(site) if has_all_kinds else {}
        loader.load(settled(site.sync(**settings)))
    return loader


def test_run_killed_while_polling_resumes_its_queries(serve_v3: ServeV3) -> None:
    site = serve_v3(run_rules=SLOW)
    loader = Loader()
    loader.load(killed(site, has_queries(4), max_concurrency=4))
    started = dict(site.api.runs)
    in_state = jobs(loader.state)
    assert len(in_state) == len(started) == 4, "all running queries are in the state"
    assert site.api.cancelled == [], "a killed process cannot cancel them"
    site.api.run_rules = QUICK
    output = site.sync(state=loader.state)
    loader.load(output)
    assert set(site.api.runs.values()) == {1}, "each was run once"
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    assert jobs(loader.state) == {}
    same(loader, complete(has_all_kinds=False))


@pytest.mark.parametrize("size", [1, 30_000])
def test_killed_and_resumed_run_loads_the_same_as_an_undisturbed_one(
    serve_v3: ServeV3, size: int
) -> None:
    site = serve_v3(latency_ms=20)
    settings = of_all_kinds(site)
    loader = Loader()
    loader.load(killed(site, after(size), page_size=5, **settings))
    site.api.query.latency_ms = 0
    loader.load(settled(site.sync(state=loader.state, page_size=5, **settings)))
    whole = complete(has_all_kinds=True)
    same(loader, whole)
    assert loader.state == whole.state


def test_run_killed_between_pages_resumes_the_same_query(
    serve_v3: ServeV3,
) -> None:
    site = serve_v3(sizes={"rows_per_day": 60}, latency_ms=20)
    report_id = site.ids("reports")[0]
    one: dict[str, Any] = {"reports": [{"id": report_id}], "page_size": 5, "max_concurrency": 1}
    rows = b'"stream":"report_results","record"'
    before = killed(site, lambda text: text.count(rows) >= 12, **one)
    assert len(before.rows("report_results")) < 60
    site.api.query.latency_ms = 0
    after_ = site.sync(state=before.state, **one)
    expected = expected_rows(site.api, days(), [report_id])
    assert comparable(after_.rows("report_results")) == expected
    # The query of the next window may have started at that very moment.
    first = [count for run, count in site.api.runs.items() if "2024-02-01" in run.start]
    assert first == [1]


def stopped_at_the_pages(site: V3Site, *streams: str, **settings: Any) -> Any:
    """Return the output of a run whose queries are done and whose second pages fail."""
    site.api.run_rules = QUICK
    site.api.faults.append(Fault("status", status=503, path=r"/queries/.*offset=[1-9]"))
    output, _ = site.failing_sync(SyncFailed, *streams, page_size=3, **settings)
    site.api.faults.clear()
    return output


def test_failed_run_keeps_its_queries_for_the_next_one(v3: V3Site) -> None:
    settings = {"queries": [SQL], "metric_ids": v3.metric_ids[:1]}
    output = stopped_at_the_pages(v3, **settings)
    started = dict(v3.api.runs)
    assert v3.api.cancelled == [], "an error does not cancel queries"
    again = v3.sync(state=output.state, page_size=3, **settings)
    assert comparable(again.rows("report_results")) == expected_rows(v3.api, days())
    assert {run: v3.api.runs[run] for run in started} == started


def test_changed_query_in_the_settings_is_run_again(v3: V3Site) -> None:
    """The rows of another query must not be written."""
    one = {**SQL, "product_id": v3.ids("products")[0]}
    output = stopped_at_the_pages(v3, "query_results", queries=[one])
    assert "asked_on" in str(output.state)
    other = {**one, "query_params": {"statement": "another"}}
    v3.sync("query_results", state=output.state, queries=[one])
    assert len(v3.api.runs) == 1
    v3.sync("query_results", state=output.state, queries=[other])
    assert len(v3.api.runs) == 2


def test_query_of_another_day_is_run_again(v3: V3Site) -> None:
    one = {**SQL, "product_id": v3.ids("products")[0]}
    output = stopped_at_the_pages(v3, "query_results", queries=[one])
    (part,) = output.state["bookmarks"]["query_results"]["partitions"]
    part["jobs"]["all"]["asked_on"] = "2024-02-01"
    v3.sync("query_results", state=output.state, queries=[one])
    assert set(v3.api.runs.values()) == {2}
