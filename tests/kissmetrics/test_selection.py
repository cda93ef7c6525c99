"""Ids of the settings: none that exists is an error before the first row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.exchange import json_response
from sandbox.faults import Fault
from singer_sdk.exceptions import ConfigValidationError
from tap_kit import SyncFailed

from tests.kissmetrics.canned import RUN, STATUS, Canned

if TYPE_CHECKING:
    from sandbox.exchange import Request

    from tests.kissmetrics.site import Site


@pytest.mark.parametrize("streams", [("events", "products"), ("report_results",)], ids=str)
def test_products_of_which_none_exists_are_an_error(site: Site, streams: tuple[str, ...]) -> None:
    output, error = site.failing_sync(ConfigValidationError, *streams, product_ids=["gone", "x"])
    assert error.errors == ["product_ids must name a product of the account, got gone, x"]
    assert not any(output.rows(name) for name in streams)


def test_reports_of_which_none_exists_are_an_error(site: Site) -> None:
    settings: dict[str, Any] = {"reports": [{"id": "gone"}, {"id": "x"}]}
    output, error = site.failing_sync(ConfigValidationError, "events", "report_results", **settings)
    reason = "gone: not found (HTTP 404); x: not found (HTTP 404)"
    assert error.errors == [f"reports must name a report that can be read, got {reason}"]
    assert output.rows("events") == []


def test_selected_product_without_reports_is_no_error() -> None:
    with Canned({"/core/products": [{"id": "p1"}, {"id": "p2"}]}) as server:
        assert server.sync("report_results", product_ids=["p2"]).rows("report_results") == []


def test_address_that_knows_no_report_is_blamed(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.api.faults.append(Fault("status", status=404, path="/run"))
    _, error = site.failing_sync(SyncFailed, "report_results")
    hint = "report_results: no report can be run (HTTP 404); check query_url"
    assert hint in caplog.messages
    assert str(error) == "All other streams are complete; these failed: report_results"


def test_day_that_a_report_refuses_costs_only_itself() -> None:
    """The others are written, and the bookmark stays before it."""

    def run(request: Request) -> Any:
        is_refused = b'"start_date":"2024-02-02' in request.body.replace(b" ", b"")
        status = 422 if is_refused else 202
        return json_response({}, status, () if is_refused else (("location", STATUS),))

    responses = {RUN: run, "/v2/queries/q1/results": [[1, "a@x", 2]]}
    with Canned(responses) as server:
        output, error = server.failing_sync("report_results", end_date="2024-02-04")
    rows = output.rows("report_results")
    assert [row["start_date"][:10] for row in rows] == ["2024-02-01", "2024-02-03", "2024-02-04"]
    (part,) = output.state["bookmarks"]["report_results"]["partitions"]
    assert part["replication_key_value"][:10] == "2024-02-01"
    assert str(error).endswith("these failed: report_results, report_id r1, 2024-02-02")


def test_results_that_never_exist_fail_their_windows(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.api.faults.append(Fault("status", status=404, path="/results"))
    reports = [{"id": site.runnable()[0]}]
    _, error = site.failing_sync(SyncFailed, "report_results", reports=reports)
    assert "these failed: report_results, report_id" in str(error)
    reason = "the results of a query that has just finished cannot be read: not found (HTTP 404)"
    assert reason in caplog.text
