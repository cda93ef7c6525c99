"""How the vendor's names become fields, and which of them are the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tap_khoros_analytics.exports.columns import columns_from, columns_of, fields_of, schema_of
from tap_khoros_analytics.exports.spellings import Column, matched
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.expected import days, expected_rows
from tests.khoros_analytics.site import FIRST, ONE_DAY, bookmark, given_except, selecting
from tests.khoros_analytics.without_catalog import run_without_catalog

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
    ("export", "names", "fields"),
    [
        ("combined", ["Tag", "Tag 2"], ["tag", "tag_2"]),
        ("combined", ["回复", "评论"], ["column", "column_2"]),
        ("combined", ["row_id", "Row ID"], ["row_id_2", "row_id_3"]),
        (
            "author",
            ["AUTHOR_ID", "SLA %", "SLA #", "Region", "REGION"],
            ["author_id", "sla", "sla_2", "region", "region_2"],
        ),
        ("author", ["AUTHOR_ID", "", ""], ["author_id", "column", "column_2"]),
        ("conversation", ["STATUS", "STATUS", "status"], ["status", "status_2", "status_3"]),
        ("conversation", ["status", "Status"], ["status_2", "status"]),
    ],
    ids=str,
)
def test_two_names_in_one_header_are_two_columns(
    export: str, names: list[str], fields: list[str]
) -> None:
    columns = columns_from(export, names)
    assert [column.field for column in columns] == fields
    # A catalog keeps enough of a column to find it again.
    schema = schema_of(columns, title="t", key=("row_id",), has_report_type=False)
    assert matched(names, columns_of(export, schema)) == columns_of(export, schema)
    assert [*fields_of(columns, fields)] == fields


@pytest.mark.parametrize(
    "names",
    [
        ["Responding Agent Name", "respondingAgentName", "RESPONDING_AGENT_NAME"],
        ["RESPONDINGAGENTNAME", "Responding-Agent-Name"],
    ],
)
def test_spellings_of_one_name_in_the_settings_are_one_column(names: list[str]) -> None:
    (column,) = columns_from("combined", names, are_metrics=True)
    for name in names:
        assert matched([name], [column]) == [column]
        assert fields_of([column], [name]) == (column.field,)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("SLA #", ["sla_2"]),
        ("SLA", ["sla"]),
        ("sla", ["sla"]),
        ("Sla %", ["sla"]),
        ("SLA !", []),
        ("sla_2", ["sla_2"]),
    ],
)
def test_a_name_with_other_signs_is_another_column(name: str, fields: list[str]) -> None:
    columns = columns_from("author", ["SLA %", "SLA #"])
    assert [column.field for column in matched([name], columns) if column] == fields


def test_a_catalog_without_the_names_finds_columns_in_their_order() -> None:
    names = ["SLA %", "SLA #"]
    schema = schema_of(columns_from("author", names), title="", key=(), has_report_type=False)
    for definition in schema["properties"].values():
        definition["description"] = "The vendor's column of an edited catalog."
    found = matched(names, columns_of("author", schema))
    assert [column.field for column in found if column] == ["sla", "sla_2"]


def test_a_column_has_one_name_even_if_a_header_has_its_metric_id_and_its_field() -> None:
    first, second = Column("author_id", "AUTHOR_ID"), Column("author_id_2", "author_id")
    names = ["AUTHOR_ID", "author_id"]
    assert matched(names, [first]) == [first, None]
    assert matched(names, [first, second]) == [first, second]


def test_the_key_can_be_chosen() -> None:
    _, catalog, output = run_without_catalog()
    keys = {entry["stream"]: [*entry["key_properties"]] for entry in catalog["streams"]}
    assert keys["response"] == ["conversation_id", "response_order"]
    assert keys["user"] == [
        "agent_id",
        "window_start",
    ]  # otherwise each day would replace the one before
    assert keys["author"] == ["row_id"]
    assert "row_id" not in output.rows("response")[0]
    (entry,) = [e for e in catalog["streams"] if e["stream"] == "response"]
    assert entry["schema"]["properties"]["response_order"]["type"] == "string"


def test_a_row_with_a_null_in_its_key_is_an_error(site: Site) -> None:
    exports = {**given_except("combined"), "combined": {"primary_key": ["MANUAL_TAG"]}}
    catalog = site.tap(exports=exports).catalog_dict
    output, error = site.failing_sync(
        SyncFailed, catalog=selecting(catalog, "combined"), exports=exports, start_date=str(FIRST)
    )
    assert "combined" in str(error)
    assert bookmark(output.state, "combined") is None
