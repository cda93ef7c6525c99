"""Columns of an export: three spellings of a name, and where the names are learned from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tap_kit.names import snake_case, unique_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OURS = ("row_id", "window_start", "window_end", "conversation_report_type")


@dataclass(frozen=True)
class Column:
    """A column: our ``field``, the vendor's ``metric`` id for asking, what is known of it."""

    field: str
    metric: str
    description: str = "As the vendor sends it."
    json_only: bool = False


def alike(name: str) -> str:
    """What ``Responding Agent Name``, ``RESPONDINGAGENTNAME`` and the like have in common."""
    return re.sub(r"[^0-9a-z]+", "", snake_case(name))


@cache
def attested(export_id: str) -> tuple[Column, ...]:
    """The columns that are known of an export whatever the tenant [reference, section 4]."""
    return tuple(
        Column(
            snake_case(entry["metric"]),
            entry["metric"],
            entry["description"],
            entry.get("json_only", False),
        )
        for entry in _attested_entries(export_id)
    )


@cache
def _attested_entries(export_id: str) -> list[dict[str, Any]]:
    text = (files("tap_khoros_analytics.schemas") / "attested_columns.json").read_text("utf-8")
    entries: list[dict[str, Any]] = json.loads(text)[export_id]
    return entries


@cache
def known_names(export_id: str) -> Mapping[str, Column]:
    """Attested columns by what their names have in common, CSV headers included."""
    names = {}
    for entry, column in zip(_attested_entries(export_id), attested(export_id), strict=True):
        names[alike(column.metric)] = column
        names[alike(entry.get("header", column.metric))] = column
    return names


def columns_from(export_id: str, names: Iterable[str]) -> list[Column]:
    """Columns for names in any spelling, in order, each once; fields all different."""
    by_name = known_names(export_id)
    distinct = {alike(name): name for name in reversed(list(names))}
    ordered = [(key, name) for key, name in reversed(distinct.items())]
    fields = unique_names(
        (by_name[key].field if key in by_name else name for key, name in ordered), taken=OURS
    )
    columns = []
    for (key, name), field in zip(ordered, fields, strict=True):
        known = by_name.get(key)
        # An unknown header's metric id is its name in capitals: so it is for all that are known
        # but one [reference, section 3.5].
        metric = known.metric if known else snake_case(name).upper()
        description = known.description if known else f"The vendor's column {name!r}."
        columns.append(Column(field, metric, description))
    return columns


def schema_of(
    columns: Iterable[Column], *, title: str, key: tuple[str, ...], has_report_type: bool
) -> dict[str, Any]:
    """The JSON schema of an export: its columns, all texts, and ours."""
    properties: dict[str, Any] = {}
    if not key:
        properties["row_id"] = _text(
            "Key: 128-bit BLAKE2b, hex, over the compact JSON array of the row's values in the "
            "order of their fields' names, for aggregates with window_start in front, and from "
            "the second equal row of a window on with its occurrence behind.",
            required=True,
        )
    for column in columns:
        required = column.field in key
        properties[column.field] = {
            **_text(column.description, required=required),
            "title": column.metric,  # what the vendor is asked for when columns are deselected
        }
    if has_report_type:
        properties["conversation_report_type"] = _text(
            "Why the row is there: CREATED or CLOSED in the window, or OPEN_AT_END of it.",
            required=True,
        )
    for field, which in (("window_start", "Begin"), ("window_end", "End")):
        properties[field] = {
            **_text(f"{which} of the window that was asked for, UTC.", required=True),
            "format": "date-time",
        }
    must = [
        field for field in ("row_id", *key, "window_start", "window_end") if field in properties
    ]
    return {"title": title, "type": "object", "properties": properties, "required": must}


def columns_of(schema: Mapping[str, Any]) -> list[Column]:
    """The columns of a schema that a catalog holds."""
    return [
        Column(field, definition.get("title") or field.upper(), definition.get("description", ""))
        for field, definition in schema.get("properties", {}).items()
        if field not in OURS
    ]


def _text(description: str, *, required: bool) -> dict[str, Any]:
    return {"type": "string" if required else ["string", "null"], "description": description}
