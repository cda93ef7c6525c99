"""Catalogs that were edited: keys and replication keys are always there, or one line."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.run.catalogs import load_catalog

from tests.kit.canned import Run, run_of
from tests.kit.json_values import mutated
from tests.kit.run.test_catalogs import catalog_of, problems, tap_with

if TYPE_CHECKING:
    from collections.abc import Callable


def metadata(*entries: tuple[list[str], dict[str, Any]]) -> Callable[[dict[str, Any]], Any]:
    """Return a change that replaces the metadata of a stream."""
    made = [{"breadcrumb": path, "metadata": values} for path, values in entries]
    return lambda entry: entry.update(metadata=made)


ROOT: tuple[list[str], dict[str, Any]] = ([], {"selected": True})
ID_OFF: tuple[list[str], dict[str, Any]] = (["properties", "id"], {"selected": False})
DATE_OFF: tuple[list[str], dict[str, Any]] = (["properties", "date"], {"selected": False})
UNSUPPORTED = {"inclusion": "unsupported"}
KEPT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "deselected": metadata(ROOT, ID_OFF, DATE_OFF),
    "deselected without a root": metadata(ID_OFF, DATE_OFF),
    "root without a choice of fields": metadata(ROOT),
    "unsupported": metadata(ROOT, (["properties", "id"], UNSUPPORTED)),
    "no metadata": metadata(),
    "unknown breadcrumbs": metadata(ROOT, (["x"], {}), (["a", "b", "c"], {"selected": True})),
    "no keys": lambda entry: entry.pop("key_properties"),
    "empty keys": lambda entry: entry.update(key_properties=[]),
    "no replication key": lambda entry: entry.pop("replication_key"),
}


def loaded(catalog: Any) -> Any:
    """Return the catalog as the command line reads it."""
    return load_catalog(io.StringIO(json.dumps(catalog)))


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT)
def test_keys_and_replication_key_are_always_there(
    change: Callable[[dict[str, Any]], Any],
) -> None:
    done = run_of(tap_with(loaded(catalog_of(("figures", change)))))
    assert done.error == ""
    schema = next(m for m in done.of("SCHEMA") if m["stream"] == "figures")
    assert schema["key_properties"] == ["id"]
    assert {"id", "date"} <= schema["schema"]["properties"].keys()
    rows = [m["record"] for m in done.of("RECORD") if m["stream"] == "figures"]
    assert [(row["id"], row["date"]) for row in rows] == [(1, "2024-01-01")]
    state = done.of("STATE")[-1]["value"]["bookmarks"]["figures"]
    assert state["replication_key_value"] == "2024-01-01"


def typed_null(entry: dict[str, Any]) -> None:
    """Give the key no other type than null."""
    entry["schema"]["properties"]["id"] = {"type": ["null"]}


@pytest.mark.parametrize(
    ("stream", "change", "line"),
    [
        (
            "figures",
            lambda entry: entry.update(key_properties=["date"]),
            "--catalog has other keys of figures than id; run discovery again",
        ),
        (
            "figures",
            lambda entry: entry.update(replication_key="share"),
            "--catalog has another replication key of figures than date; run discovery again",
        ),
        (
            "names",
            lambda entry: entry.update(replication_key="name"),
            "--catalog has another replication key of names than none; run discovery again",
        ),
        (
            "names",
            lambda entry: entry.update(replication_method="INCREMENTAL"),
            "--catalog: names has no replication key, so it cannot be INCREMENTAL",
        ),
        (
            "figures",
            lambda entry: entry["schema"]["properties"]["id"].update(type=["string", "null"]),
            "--catalog has other types of id of figures; run discovery again",
        ),
        (
            "figures",
            typed_null,
            "--catalog has only the type null for id of figures; run discovery again",
        ),
    ],
)
def test_other_keys_are_one_line(
    stream: str, change: Callable[[dict[str, Any]], Any], line: str
) -> None:
    assert problems((stream, change)) == [line]


@pytest.mark.parametrize("kind", ["integer", ["integer", "string"], ["null", "number"], None])
def test_wider_types_of_a_key_are_usable(kind: Any) -> None:
    def change(entry: dict[str, Any]) -> None:
        entry["schema"]["properties"]["id"]["type"] = kind
        if kind is None:
            del entry["schema"]["properties"]["id"]["type"]

    assert problems(("figures", change)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["streams"].append(c["streams"][0]), "has a stream twice: figures"),
        (lambda c: c["streams"][0].update(replication_method="LOG_BASED"), "LOG_BASED"),
        (lambda c: metadata(([], {"selected": "false"}))(c["streams"][0]), "`bool | null`"),
        (lambda c: metadata(([], {"selected": 1}))(c["streams"][0]), "`bool | null`"),
        (lambda c: metadata(([], {"selected": {}}))(c["streams"][0]), "`bool | null`"),
        (lambda c: metadata(([], {"inclusion": "x"}))(c["streams"][0]), "enum value"),
    ],
)
def test_catalog_of_another_shape_is_one_line(
    change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    catalog = catalog_of()
    change(catalog)
    with pytest.raises(ConfigValidationError) as caught:
        loaded(catalog)
    (line,) = caught.value.errors
    assert line.startswith("--catalog ")
    assert words in line


def test_missing_catalog_is_none() -> None:
    assert load_catalog(None) is None


NAMES_IN_CATALOGS = (
    *("streams", "tap_stream_id", "stream", "schema", "properties", "type", "metadata"),
    *("breadcrumb", "selected", "inclusion", "key_properties", "replication_key", "null"),
    *("figures", "names", "id", "date", "share", "name", "replication_method", "FULL_TABLE"),
)


@given(data=st.data())
def test_any_change_of_a_catalog_keeps_the_keys_or_is_one_line(data: st.DataObject) -> None:
    catalog = data.draw(mutated(catalog_of(), NAMES_IN_CATALOGS))
    lines: list[str] = []
    done = Run()
    try:
        done = run_of(tap_with(loaded(catalog)))
    except ConfigValidationError as error:
        lines = error.errors
    assert all(line.startswith("--catalog") and "\n" not in line for line in lines)
    assert "\n" not in done.error
    keys = {m["stream"]: m["key_properties"] for m in done.of("SCHEMA")}
    assert set(map(tuple, keys.values())) <= {("id",)}
    for message in done.of("RECORD"):
        assert message["record"].keys() >= {"id"}
