"""Report runs in version 2 that are slow, that fail, or whose next URL is somewhere else."""

import time

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import RunRules

from tests.sandbox.kissmetrics.client import Client, Serve, links_of, report_of


def test_results_read_too_early_are_empty_and_counted(client: Client) -> None:
    status = client.start(report_of(client)).headers["Location"]
    early = client.get(status.replace("/status", "/results"))
    assert early.status_code == 200
    assert early.json()["data"] == []
    assert set(links_of(early.json())) == {"self", "export"}
    assert client.api.early_reads == 1


def test_a_query_without_polls_is_completed_at_its_first_poll(serve: Serve) -> None:
    client = serve(run_rules=RunRules(polls=0))
    status = client.start(report_of(client)).headers["Location"]
    assert client.get(status.replace("/status", "/results")).json()["data"] == []
    assert client.get(status).status_code == 201


def test_a_query_can_run_for_seconds(serve: Serve) -> None:
    client = serve(run_rules=RunRules(run_seconds=0.2))
    begun = time.monotonic()
    started = client.start(report_of(client))
    assert client.finish(started).status_code == 201
    assert time.monotonic() - begun >= 0.2


def test_rules_can_change_for_a_running_query(serve: Serve) -> None:
    client = serve(run_rules=RunRules(run_seconds=1000))
    status = client.start(report_of(client)).headers["Location"]
    assert client.get(status).status_code == 200
    client.api.run_rules = RunRules(polls=0)
    assert client.get(status).status_code == 201


def test_the_next_url_can_be_only_in_the_header_or_only_in_the_links(serve: Serve) -> None:
    client = serve(run_rules=RunRules(location_header=False, polls=0))
    started = client.start(report_of(client))
    assert "Location" not in started.headers
    completed = client.get(links_of(started.json())["query-status"])
    assert completed.status_code == 201
    assert "Location" not in completed.headers
    assert client.get(links_of(completed.json())["query-results"]).json()["data"]
    client.api.run_rules = RunRules(links=False, polls=0)
    started = client.start(report_of(client))
    assert started.json()["links"] == []
    assert "query-results" not in links_of(client.get(started.headers["Location"]).json())


def test_the_next_url_can_have_a_foreign_host(serve: Serve) -> None:
    rules = RunRules(location_host="https://a.example", link_host="https://b.example/", polls=0)
    client = serve(run_rules=rules)
    started = client.start(report_of(client))
    assert started.headers["Location"].startswith("https://a.example/v2/queries/")
    link = links_of(started.json())["query-status"]
    assert link.startswith("https://b.example/v2/queries/")
    completed = client.get(link.replace("https://b.example", client.at.query))
    assert completed.headers["Location"].startswith("https://a.example/v2/queries/")
    assert links_of(completed.json())["query-results"].startswith("https://b.example/v2/")


@pytest.mark.parametrize("at_top", [False, True])
def test_a_query_can_fail(serve: Serve, *, at_top: bool) -> None:
    client = serve(run_rules=RunRules(error="it broke", error_starts=1, error_at_top=at_top))
    report = report_of(client)
    failed = client.get(client.start(report).headers["Location"])
    assert failed.status_code == 200
    body = failed.json()
    assert (body if at_top else body["data"])["error"] == "it broke"
    assert body["data"]["completed"] is False
    assert client.finish(client.start(report)).status_code == 201


def test_a_report_can_have_its_own_rules(serve: Serve) -> None:
    client = serve()
    first, second = client.api.data.runnable_reports()[:2]
    client.api.run_rules_of[first] = RunRules(error="it broke")
    assert client.get(client.start(first).headers["Location"]).json()["data"]["error"] == "it broke"
    assert client.finish(client.start(second)).status_code == 201


def test_forgotten_queries_return_404(client: Client) -> None:
    url = client.results(report_of(client))
    client.api.forget_queries()
    for step in ("status", "results", "export"):
        response = client.get(url.replace("results", step))
        assert response.status_code == 404
        assert response.json()["meta"]["errors"] == ["not_found"]
    assert sum(client.api.runs.values()) == 1


def test_faults_hit_both_hosts(client: Client) -> None:
    client.api.faults.append(Fault("status", status=503, attempts=1))
    assert client.get("/core/events").status_code == 503
    assert client.start(report_of(client)).status_code == 503
    assert not client.api.runs
    assert client.get("/core/events").status_code == 200
    assert client.start(report_of(client)).status_code == 202
