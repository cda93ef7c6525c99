"""How the vendor's names become fields, and which of them are the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tap_khoros_analytics.exports.columns import OWN_FIELDS, columns_from, fields_of, normalized
from tap_khoros_analytics.tap import TapKhorosAnalytics
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import FIRST, ONE_DAY, bookmark, selecting

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site


@pytest.mark.parametrize("key_style", ["metric", "camel", "display"])
def test_three_spellings_of_a_name_are_one_field(serve: Serve, key_style: str) -> None:
    site = serve(key_style=key_style)
    for export in ("response", "conversation", "user"):
        output = site.sync(export, **ONE_DAY)
        assert output.rows(export) == expected_rows(site.api, export, days()[:1])


@pytest.mark.parametrize("key_style", ["metric", "display"])
def test_known_columns_are_found_under_a_metric_id_unlike_their_header(
    serve: Serve, key_style: str
) -> None:
    """The header of ASSIGNED_AGENT_DISPLAY_ID is ``Assignee ID``, which no rule can map."""
    rows = serve(key_style=key_style).sync("conversation", **ONE_DAY).rows("conversation")
    assert all(row["assigned_agent_display_id"] for row in rows)


@pytest.mark.parametrize(
    ("names", "field"),
    [
        (["Responding Agent Name", "respondingAgentName", "RESPONDING_AGENT_NAME"], 1),
        (["RESPONDINGAGENTNAME", "Responding-Agent-Name"], 1),
        (["Tag", "Tag 2"], 2),
        (["回复", "评论"], 2),
        (["row_id", "Row ID"], 1),
    ],
    ids=str,
)
def test_spellings_of_one_name_become_one_column(names: list[str], field: int) -> None:
    assert len({normalized(name) for name in names}) == field
    columns = columns_from("combined", names)
    assert len(columns) == field
    assert len({column.field for column in columns} - {*OWN_FIELDS}) == field
    # A catalog keeps enough of a column to find it again.
    assert fields_of(columns, names)[-1] == columns[-1].field or "row" in names[0]


def test_the_key_can_be_chosen(site: Site) -> None:
    exports = {
        "response": {"primary_key": ["Conversation ID", "RESPONSE_ORDER"]},
        "user": {"primary_key": ["agent_id"]},
    }
    tap = TapKhorosAnalytics(config=site.settings(exports=exports))
    keys = {entry["stream"]: [*entry["key_properties"]] for entry in tap.catalog_dict["streams"]}
    assert keys["response"] == ["conversation_id", "response_order"]
    assert keys["user"] == [
        "agent_id",
        "window_start",
    ]  # otherwise each day would replace the one before
    assert keys["author"] == ["row_id"]
    rows = site.sync_without_catalog(exports=exports, **ONE_DAY).rows("response")
    assert "row_id" not in rows[0]
    (entry,) = [e for e in tap.catalog_dict["streams"] if e["stream"] == "response"]
    assert entry["schema"]["properties"]["response_order"]["type"] == "string"


def test_a_row_with_a_null_in_its_key_is_an_error(site: Site) -> None:
    exports = {"combined": {"primary_key": ["MANUAL_TAG"]}}
    catalog = site.tap(exports=exports).catalog_dict
    output, error = site.failing_sync(
        SyncFailed, catalog=selecting(catalog, "combined"), exports=exports, start_date=str(FIRST)
    )
    assert "combined" in str(error)
    assert bookmark(output.state, "combined") is None
