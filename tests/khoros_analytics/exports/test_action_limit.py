"""The vendor's limit of actions for each conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tap_khoros_analytics.exports.action_limit import ActionLimit

from tests.khoros_analytics.site import ONE_DAY, catalog_of, deselected

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve


def test_the_raised_limit_of_actions_is_requested(serve: Serve) -> None:
    site = serve(long_actions=1999)
    output = site.sync("conversation_history_action", **ONE_DAY)
    (params,) = site.requested("report/conversation_history_action")
    assert params["raiselimit"] == "true"
    assert len(output.rows("conversation_history_action")) == 1999 + 9


@pytest.mark.parametrize(("actions", "warnings"), [(1999, 0), (2000, 1), (2600, 1)])
@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_a_conversation_that_reaches_the_limit_is_reported(
    serve: Serve,
    actions: int,
    warnings: int,
    report_format: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = serve(long_actions=actions)
    site.sync("conversation_history_action", report_format=report_format, **ONE_DAY)
    logged = [text for text in caplog.messages if "the vendor's limit" in text]
    assert len(logged) == warnings
    if warnings:
        assert "197549999000 has 2000 actions" in logged[0]


def test_without_the_conversation_id_nothing_is_counted(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    stream = "conversation_history_action"
    catalog = deselected(catalog_of(stream), stream, "conversation_id")
    serve(long_actions=2600).sync(catalog=catalog, **ONE_DAY)
    assert "the vendor's limit" not in caplog.text


def test_a_null_is_not_counted_as_a_conversation() -> None:
    limit = ActionLimit()
    limit.count([None] * 3000)
    limit.count(["a", "b"] * 2000)
    assert limit.reached == ["a", "b"]
