"""Report runs in version 2 that go another way: slowly, elsewhere, wrong, or not at all."""

import time
from collections.abc import Callable

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import RunRules

from tests.sandbox.kissmetrics.asking import Asker, links_of, report_of

Serve = Callable[..., Asker]


def test_results_read_too_early_are_empty_and_counted(asker: Asker) -> None:
    status = asker.start(report_of(asker)).headers["Location"]
    early = asker.get(status.replace("/status", "/results"))
    assert early.status_code == 200
    assert early.json()["data"] == []
    assert set(links_of(early.json())) == {"self", "export"}
    assert asker.api.early_reads == 1


def test_a_quick_query_is_completed_at_once_but_not_before_it_is_asked(serve: Serve) -> None:
    asker = serve(run_rules=RunRules(polls=0))
    status = asker.start(report_of(asker)).headers["Location"]
    assert asker.get(status.replace("/status", "/results")).json()["data"] == []
    assert asker.get(status).status_code == 201


def test_a_query_may_take_its_time(serve: Serve) -> None:
    asker = serve(run_rules=RunRules(run_seconds=0.2))
    begun = time.monotonic()
    started = asker.start(report_of(asker))
    assert asker.finish(started).status_code == 201
    assert time.monotonic() - begun >= 0.2


def test_rules_can_change_for_a_query_under_way(serve: Serve) -> None:
    asker = serve(run_rules=RunRules(run_seconds=1000))
    status = asker.start(report_of(asker)).headers["Location"]
    assert asker.get(status).status_code == 200
    asker.api.run_rules = RunRules(polls=0)
    assert asker.get(status).status_code == 201


def test_the_address_may_stand_in_the_header_only_or_in_the_links_only(serve: Serve) -> None:
    asker = serve(run_rules=RunRules(location_header=False, polls=0))
    started = asker.start(report_of(asker))
    assert "Location" not in started.headers
    completed = asker.get(links_of(started.json())["query-status"])
    assert completed.status_code == 201
    assert "Location" not in completed.headers
    assert asker.get(links_of(completed.json())["query-results"]).json()["data"]
    asker.api.run_rules = RunRules(links=False, polls=0)
    started = asker.start(report_of(asker))
    assert started.json()["links"] == []
    assert "query-results" not in links_of(asker.get(started.headers["Location"]).json())


def test_the_address_may_be_foreign(serve: Serve) -> None:
    rules = RunRules(location_host="https://a.example", link_host="https://b.example/", polls=0)
    asker = serve(run_rules=rules)
    started = asker.start(report_of(asker))
    assert started.headers["Location"].startswith("https://a.example/v2/queries/")
    link = links_of(started.json())["query-status"]
    assert link.startswith("https://b.example/v2/queries/")
    completed = asker.get(link.replace("https://b.example", asker.at.query))
    assert completed.headers["Location"].startswith("https://a.example/v2/queries/")
    assert links_of(completed.json())["query-results"].startswith("https://b.example/v2/")


@pytest.mark.parametrize("at_top", [False, True])
def test_a_query_may_fail(serve: Serve, at_top: bool) -> None:  # noqa: FBT001
    asker = serve(run_rules=RunRules(error="it broke", error_starts=1, error_at_top=at_top))
    report = report_of(asker)
    failed = asker.get(asker.start(report).headers["Location"])
    assert failed.status_code == 200
    body = failed.json()
    assert (body if at_top else body["data"])["error"] == "it broke"
    assert body["data"]["completed"] is False
    assert asker.finish(asker.start(report)).status_code == 201


def test_a_report_may_have_rules_of_its_own(serve: Serve) -> None:
    asker = serve()
    first, second = asker.api.data.runnable_reports()[:2]
    asker.api.run_rules_of[first] = RunRules(error="it broke")
    assert asker.get(asker.start(first).headers["Location"]).json()["data"]["error"] == "it broke"
    assert asker.finish(asker.start(second)).status_code == 201


def test_forgotten_queries_are_not_found(asker: Asker) -> None:
    url = asker.results(report_of(asker))
    asker.api.forget_queries()
    for step in ("status", "results", "export"):
        answer = asker.get(url.replace("results", step))
        assert answer.status_code == 404
        assert answer.json()["meta"]["errors"] == ["not_found"]
    assert sum(asker.api.runs.values()) == 1


def test_faults_befall_both_servers(asker: Asker) -> None:
    asker.api.faults.append(Fault("status", status=503, attempts=1))
    assert asker.get("/core/events").status_code == 503
    assert asker.start(report_of(asker)).status_code == 503
    assert not asker.api.runs
    assert asker.get("/core/events").status_code == 200
    assert asker.start(report_of(asker)).status_code == 202
