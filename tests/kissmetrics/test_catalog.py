"""The catalog selects what is read, rows fit their schemas, and the SDK's features work."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator, FormatChecker
from sandbox.kissmetrics import FieldRules, RunRules

from tests.kissmetrics.rows import expected_rows
from tests.kissmetrics.site import CORE, STREAMS, days

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site
    from tests.singer import Output

FORMATS = FormatChecker(())
NAMED: dict[str, Any] = {"name": "mine", "columns": ["a", "b", "c", "d"]}


@FORMATS.checks("date-time", ValueError)
def is_date_time(value: object) -> bool:
    """Return whether a value is a date-time with an offset; jsonschema does not check that."""
    return (
        value is None
        or datetime.fromisoformat(str(value).replace("Z", "+00:00")).tzinfo is not None
    )


@pytest.mark.parametrize("stream", CORE)
def test_only_selected_streams_are_requested(site: Site, stream: str) -> None:
    output = site.sync(stream)
    assert output.streams == [stream]
    first = "limit=1&offset=0"
    assert {target for target in site.requested() if first not in target} == {
        f"/core/{stream}?limit=1000&offset=0"
    }


def test_nothing_is_run_when_no_results_are_selected(site: Site) -> None:
    site.sync(*CORE, reports=[{"id": site.runnable()[0], **NAMED}])
    assert site.api.runs == {}
    assert {request.method for request in site.api.log.requests} == {"GET"}


def test_only_the_report_of_the_selected_stream_is_run(site: Site) -> None:
    chosen = site.runnable()[:2]
    reports = [{"id": chosen[0], **NAMED}, {"id": chosen[1]}]
    output = site.sync("report_mine", reports=reports)
    assert {run.report_id for run in site.api.runs} == {chosen[0]}
    assert len(output.rows("report_mine")) == len(expected_rows(site.api, days(), chosen[:1]))


def validators_of(output: Output) -> dict[str, Any]:
    """Return a validator for each stream, which also rejects fields that are not in its schema."""
    schemas = {m["stream"]: m["schema"] for m in output.messages if m["type"] == "SCHEMA"}
    return {
        stream: Draft7Validator({**schema, "additionalProperties": False}, format_checker=FORMATS)
        for stream, schema in schemas.items()
    }


def whole(site: Site, **changes: Any) -> Output:
    """Run all streams, with a report that has a stream of its own; return the output."""
    first, *others = site.runnable()
    reports = [{"id": first, **NAMED}, *({"id": one} for one in others)]
    return site.sync(reports=reports, **changes)


@pytest.mark.parametrize("form", ["array", "object"])
def test_every_record_fits_the_schema_of_its_stream(serve: Serve, form: Any) -> None:
    site = serve(run_rules=RunRules(row_form=form), sizes={"events": 200})
    output = whole(site, include_tracking_key=True, end_date="2024-02-01")
    validators = validators_of(output)
    assert sorted(validators) == sorted([*STREAMS, "report_mine"])
    for stream, validator in validators.items():
        assert output.rows(stream)
        for row in output.rows(stream):
            assert [error.message for error in validator.iter_errors(row)] == []
            assert list(row) == list(validator.schema["properties"])


def test_keys_are_unique_and_never_null(serve: Serve) -> None:
    output = whole(serve(sizes={"rows_per_day": 60}))
    keys = {m["stream"]: m["key_properties"] for m in output.messages if m["type"] == "SCHEMA"}
    for stream, fields in keys.items():
        values = [tuple(row[field] for field in fields) for row in output.rows(stream)]
        assert values, stream
        assert all(values[0])
        assert len(set(values)) == len(values), stream


@pytest.mark.parametrize("stream", STREAMS)
def test_every_property_has_a_description(site: Site, stream: str) -> None:
    (entry,) = [e for e in site.catalog()["streams"] if e["stream"] == stream]
    for name, definition in entry["schema"]["properties"].items():
        assert len(definition["description"]) > 12, name


def test_deselected_field_is_not_written(site: Site) -> None:
    catalog = site.catalog("events", "report_results")
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"] and metadata["breadcrumb"][-1] in {"description", "values"}:
                metadata["metadata"]["selected"] = False
    output = site.sync(catalog=catalog)
    assert not any("description" in row for row in output.rows("events"))
    assert not any("values" in row for row in output.rows("report_results"))
    assert all(row["name"] for row in output.rows("events"))


def test_unknown_field_is_warned_about_once_and_left_out(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    output = serve(fields=FieldRules(extra_field=True)).sync(*CORE, page_size=5)
    for name in CORE:
        assert not any("added_later" in row for row in output.rows(name))
        warnings = [text for text in caplog.messages if text.startswith(f"{name}: ignoring fields")]
        assert warnings == [f"{name}: ignoring fields that are not in the catalog: 'added_later'"]


def test_field_that_the_vendor_does_not_send_is_left_out(serve: Serve) -> None:
    output = serve(fields=FieldRules(undocumented=False)).sync(*CORE)
    assert not any("index" in row for row in output.rows("events"))
    assert not any("hosts" in row for row in output.rows("products"))


@pytest.mark.parametrize(
    "settings",
    [
        {
            "stream_maps": {
                "report_results": {"row_id": "row_id", "who": "identity", "__else__": None}
            }
        },
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
    ids=["map", "flattening"],
)
def test_stream_maps_and_flattening_of_the_sdk_work(site: Site, settings: dict[str, Any]) -> None:
    rows = site.sync("report_results", **settings).rows("report_results")
    expected = expected_rows(site.api, days())
    assert len(rows) == len(expected)
    if "stream_maps" in settings:
        assert [row["who"] for row in rows] == [row["identity"] for row in expected]
    else:
        assert [row["kmid"] for row in rows] == [row["kmid"] for row in expected]


def test_single_records_and_chunks_have_the_same_output(site: Site) -> None:
    one_day: dict[str, Any] = {"end_date": "2024-02-01"}
    plain = site.sync(**one_day)
    mapped = site.sync(stream_maps={name: {"added": "'x'"} for name in STREAMS}, **one_day)
    for name in STREAMS:
        rows = copy.deepcopy(mapped.rows(name))
        assert all(row.pop("added") == "x" for row in rows)
        without = {"extracted_from"}
        assert [{k: v for k, v in row.items() if k not in without} for row in rows] == [
            {k: v for k, v in row.items() if k not in without} for row in plain.rows(name)
        ]
    assert mapped.state == plain.state
