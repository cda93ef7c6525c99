"""Jobs: how they start, run, end, fail and expire, and the counts."""

import threading
import time
import uuid
from typing import Any

import pytest
import requests
from sandbox.khoros import Start

from .client import ACCESS, BASE, DAY, DAY_MS, Client
from .conftest import Serve

READY = ("CLOSED", "COMPLETED")
START = Start("response", DAY, DAY + DAY_MS - 1, "")


def states(client: Client, job: dict[str, str], polls: int) -> list[tuple[str, str, bool]]:
    polled = (client.poll(job) for _ in range(polls))
    return [(state, detail, url != "") for state, detail, url in polled]


def test_a_job_runs_for_a_number_of_polls_and_then_has_a_url(serve: Serve) -> None:
    client = serve(running_polls=2, empty_url_polls=2)
    job = client.started("response")
    running, without = ("RUNNING", "", False), (*READY, False)
    assert states(client, job, 6) == [running] * 2 + [without] * 2 + [(*READY, True)] * 2


def test_a_job_runs_for_seconds_of_the_clock(serve: Serve) -> None:
    client = serve(running_polls=0, job_seconds={"response": 30.0})
    job = client.started("response")
    assert states(client, job, 3) == [("RUNNING", "", False)] * 3
    assert states(client, client.started("author"), 1) == [(*READY, True)]
    client.khoros.clock.advance(30)
    assert states(client, job, 1) == [(*READY, True)]


def test_a_job_runs_for_real_seconds(serve: Serve) -> None:
    client = serve(running_polls=0, job_seconds=0.2)
    started = time.monotonic()
    job = client.started("response")
    while client.poll(job)[0] == "RUNNING":
        time.sleep(0.01)
    assert time.monotonic() - started >= 0.2


def test_a_job_can_fail_once_or_always(serve: Serve) -> None:
    client = serve(running_polls=0, failing_runs={"response": 1, "author": -1})
    failed = ("CLOSED", "FAILED", False)
    first = client.started("response")
    assert states(client, first, 2) == [failed] * 2
    second = client.started("response")
    assert second["workflowId"] == first["workflowId"]
    assert second["runId"] != first["runId"]
    assert states(client, second, 1) == [(*READY, True)]
    assert states(client, first, 1) == [failed]
    assert all(states(client, client.started("author"), 1) == [failed] for _ in range(3))
    assert client.job(first, "download").status_code == 404


@pytest.mark.parametrize("detail", ["CANCELED", "TERMINATED", "TIMED_OUT", "CONTINUED_AS_NEW", ""])
def test_a_job_can_end_with_another_detail(serve: Serve, detail: str) -> None:
    client = serve(running_polls=0, failing_runs=-1, failed_detail=detail, failed_reason="why")
    job = client.started("response")
    assert states(client, job, 1) == [("CLOSED", detail, False)]
    assert client.job(job, "status").json()["result"][0]["result"]["reason"] == "why"


def test_a_job_can_have_an_unknown_state(serve: Serve) -> None:
    client = serve(running_state={"response": "WEIRD"})
    job = client.started("response")
    assert states(client, job, 2) == [("WEIRD", "", False), (*READY, True)]


def test_a_download_before_its_url_returns_404(serve: Serve) -> None:
    client = serve(running_polls=1, empty_url_polls=1)
    job = client.started("response")
    statuses = []
    for _ in range(4):
        statuses.append(client.job(job, "download").status_code)
        client.poll(job)
    assert statuses == [404, 404, 307, 307]


def test_unknown_ids_return_404(client: Client) -> None:
    job = client.done("response")
    for wrong in ({"workflowId": str(uuid.uuid4())}, {"runId": "23abc="}):
        for what in ("status", "download"):
            assert client.job({**job, **wrong}, what).status_code == 404


def test_a_job_expires_after_a_day(client: Client) -> None:
    job = client.done("response")
    client.khoros.clock.advance(24 * 3600 - 60)
    assert client.job(job, "download").status_code == 307
    client.khoros.clock.advance(61)
    assert client.job(job, "status").status_code == 404
    assert client.job(job, "download").status_code == 404


def test_ids_have_the_vendors_format(client: Client) -> None:
    one, other = client.started("response"), client.started("response", locale="de")
    assert uuid.UUID(one["workflowId"]).version == 3
    assert one["workflowId"] != other["workflowId"]
    assert one["runId"].startswith("23")
    assert len(one["runId"]) == 46


@pytest.mark.parametrize(
    ("attach", "while_running", "when_done"),
    [("never", False, False), ("running", True, False), ("always", True, True)],
)
def test_an_identical_request_can_return_the_same_run(
    serve: Serve, attach: str, *, while_running: bool, when_done: bool
) -> None:
    client = serve(attach=attach)
    first, second = client.started("response"), client.started("response")
    assert first["workflowId"] == second["workflowId"]
    assert (first["runId"] == second["runId"]) is while_running
    states(client, second, 2)
    third = client.started("response")
    assert (third["runId"] == second["runId"]) is when_done
    counts = client.khoros.counts
    assert counts.creations[START] == 3
    assert counts.starts[START] == len(client.khoros.jobs)


def test_a_request_after_a_failed_run_starts_a_new_one(serve: Serve) -> None:
    client = serve(attach="always", running_polls=0, failing_runs=1)
    first, second = client.started("response"), client.started("response")
    assert first["runId"] != second["runId"]


def test_starts_polls_and_downloads_are_counted(client: Client) -> None:
    client.export("response")
    job = client.done("conversation", conversationReportType="CREATED")
    counts = client.khoros.counts
    created = Start("conversation", DAY, DAY + DAY_MS - 1, "CREATED")
    assert counts.starts == {START: 1, created: 1}
    assert counts.polls == {START: 2, created: 2}
    assert counts.downloads == {START: 1}
    first, second = client.khoros.jobs
    assert first.run_id != second.run_id == job["runId"]
    assert first.started <= (first.first_poll or 0) <= (first.last_poll or 0)
    assert (first.last_poll or 0) <= (first.first_download or 0)
    assert second.first_download is None
    seen = requests.get(f"{client.at.api}/_sandbox/khoros", timeout=10).json()
    assert seen["starts"][1] == {**created._asdict(), "count": 1}
    counts.clear()
    assert counts.starts == {}


def test_the_maximum_number_of_running_jobs_is_counted(serve: Serve) -> None:
    client = serve(running_polls=1)
    jobs = [client.started(name) for name in ("response", "author", "combined")]
    for job in jobs:
        client.poll(job)
    client.started("user")
    assert client.khoros.counts.most_running == 3


def test_a_file_is_fixed_when_its_job_starts(client: Client) -> None:
    window = {"startTime": str(DAY), "endTime": str(DAY + 30 * DAY_MS)}
    job = client.done("author", **window)
    before = client.fetch(client.link(job)).content
    client.khoros.clock.advance(3600)
    client.khoros.rows_per_day = 50
    assert client.fetch(client.link(job)).content == before
    assert client.export("author", **window).content != before


@pytest.mark.parametrize(("with_header", "window"), [(True, 60.0), (False, 0.5)])
def test_the_rate_limit_covers_creation_status_and_download(
    serve: Serve, window: float, *, with_header: bool
) -> None:
    client = serve(rate_limit=5, rate_window=window, has_retry_after=with_header)
    job = client.done("response")  # three requests
    link = client.link(job)
    assert client.job(job, "status").status_code == 200
    refused = client.create("author")
    assert refused.status_code == 429
    assert refused.headers.get("Retry-After") == ("60" if with_header else None)
    for target in ("teams", "config/timezones"):
        params = {"companyKey": "demo-company"}
        assert client.request("GET", f"{BASE}/{target}", params=params).status_code == 200
    assert client.fetch(link).status_code == 200
    assert client.khoros.counts.refused_by_rate == 1
    client.khoros.clock.advance(window)
    assert client.create("author").status_code == 200


def test_concurrent_clients_each_get_a_job(client: Client) -> None:
    def create(number: int) -> None:
        window: dict[str, Any] = {"startTime": str(DAY), "endTime": str(DAY + number)}
        params = {"companyKey": "demo-company", **window}
        url = f"{client.at.api}{BASE}/reports/report/response"
        requests.post(url, params=params, auth=ACCESS, timeout=10).close()

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({job.run_id for job in client.khoros.jobs}) == 8
    assert client.khoros.counts.most_running == 8
