"""In version 3 the catalog selects what is read, rows fit their schemas, stream maps work."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.kissmetrics import RunRules, V3Rules

from tests.kissmetrics.rows import comparable
from tests.kissmetrics.test_catalog import validators_of
from tests.kissmetrics.v3.site import LISTS, SQL, STREAMS

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site
    from tests.singer import Output


def whole(site: V3Site, **changes: Any) -> Output:
    """Run all streams, with a report that has a stream of its own; return the output."""
    first, *others = site.ids("reports")
    own = {"id": first, "name": "mine", "columns": ["a", "b", "c", "d"]}
    count = {"name": "count", "query_type": "people_count", "product_id": site.ids("products")[0]}
    settings: dict[str, Any] = {
        "reports": [own, *({"id": one} for one in others)],
        "metric_ids": site.metric_ids[:3],
        "queries": [SQL, {**SQL, **count}],
    }
    return site.sync(**settings, **changes)


@pytest.mark.parametrize("form", ["array", "object"])
@pytest.mark.parametrize("fields", ["both", "documented", "observed"])
def test_every_record_fits_the_schema_of_its_stream(
    serve_v3: ServeV3, fields: Any, form: Any
) -> None:
    site = serve_v3(v3=V3Rules(fields=fields), run_rules=RunRules(row_form=form))
    output = whole(site, include_tracking_key=True, end_date="2024-02-01")
    validators = validators_of(output)
    assert sorted(validators) == sorted([*STREAMS, "report_mine"])
    for stream, validator in validators.items():
        assert output.rows(stream)
        for row in output.rows(stream):
            assert [error.message for error in validator.iter_errors(row)] == []


def test_keys_are_unique_and_never_null(serve_v3: ServeV3) -> None:
    output = whole(serve_v3(sizes={"rows_per_day": 60}))
    keys = {m["stream"]: m["key_properties"] for m in output.messages if m["type"] == "SCHEMA"}
    for stream, fields in keys.items():
        values = [tuple(row[field] for field in fields) for row in output.rows(stream)]
        assert values, stream
        assert all(all(value) for value in values)
        assert len(set(values)) == len(values), stream


@pytest.mark.parametrize("stream", STREAMS)
def test_every_property_has_a_description(v3: V3Site, stream: str) -> None:
    (entry,) = [e for e in v3.catalog()["streams"] if e["stream"] == stream]
    for name, definition in entry["schema"]["properties"].items():
        assert len(definition["description"]) > 12, name


@pytest.mark.parametrize("stream", LISTS)
def test_only_selected_streams_are_requested(v3: V3Site, stream: str) -> None:
    output = v3.sync(stream)
    assert output.streams == [stream]
    requested = {one.path.rpartition("/")[2] for one in v3.api.log.requests}
    assert requested == {"products", stream}


def test_nothing_is_run_when_no_results_are_selected(v3: V3Site) -> None:
    v3.sync(*LISTS, metric_ids=v3.metric_ids, queries=[SQL])
    assert v3.api.runs == {}


def test_deselected_field_is_not_written(v3: V3Site) -> None:
    catalog = v3.catalog("events", "report_results")
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"] and metadata["breadcrumb"][-1] in {"index", "values"}:
                metadata["metadata"]["selected"] = False
    output = v3.sync(catalog=catalog)
    assert not any("index" in row for row in output.rows("events"))
    assert not any("values" in row for row in output.rows("report_results"))
    assert all(row["name"] for row in output.rows("events"))


def test_single_records_and_chunks_have_the_same_output(v3: V3Site) -> None:
    settings: dict[str, Any] = {
        "metric_ids": v3.metric_ids[:2],
        "queries": [SQL],
        "end_date": "2024-02-01",
    }
    plain = v3.sync(**settings)
    mapped = v3.sync(stream_maps={name: {"added": "'x'"} for name in STREAMS}, **settings)
    for name in STREAMS:
        rows = copy.deepcopy(mapped.rows(name))
        assert rows
        assert all(row.pop("added") == "x" for row in rows)
        assert comparable(rows) == comparable(plain.rows(name))
    assert mapped.state == plain.state


def test_fields_with_the_same_meaning_have_the_same_names_in_both_versions(v3: V3Site) -> None:
    """A warehouse keeps its columns when it moves from one version to the other."""
    core = v3.catalog(api_version="core", username=None, password=None, v3_url=None, api_token="t")  # noqa: S106
    fields = {e["stream"]: set(e["schema"]["properties"]) for e in core["streams"]}
    ours = {e["stream"]: set(e["schema"]["properties"]) for e in v3.catalog()["streams"]}
    assert ours["report_results"] == fields["report_results"]
    for name in ("products", "reports", "properties"):
        assert ours[name] - fields[name] <= {"total"}, name
    assert ours["events"] - fields["events"] == {"property_indices"}
