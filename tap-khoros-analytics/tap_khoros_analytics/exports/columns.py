"""The columns of an export: their fields and metric ids, the key, the schema."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tap_kit import snake_case, unique_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_khoros_analytics.exports.definitions import Export

OWN_FIELDS = ("row_id", "window_start", "window_end", "conversation_report_type")


@dataclass(frozen=True)
class Column:
    """A column: our ``field``, and the vendor's ``metric`` id, by which it is requested.

    ``json_only``: the vendor has it in JSON exports only.
    """

    field: str
    metric: str
    description: str = "As the vendor sends it."
    json_only: bool = False


def normalized(name: str) -> str:
    """Return what the spellings of a name have in common, such as AGENT_ID and ``agentId``."""
    plain = unicodedata.normalize("NFKC", name)
    return re.sub(r"[\W_]+", "", plain).casefold() or plain


@cache
def known_columns(export_id: str) -> tuple[Column, ...]:
    """Return the columns of an export that are known for every tenant.

    See docs/reference/khoros.md, section 4.
    """
    return tuple(
        Column(
            snake_case(entry["metric"]),
            entry["metric"],
            entry["description"],
            entry.get("json_only", False),
        )
        for entry in _known_entries(export_id)
    )


@cache
def _known_entries(export_id: str) -> list[dict[str, Any]]:
    text = (files("tap_khoros_analytics.schemas") / "known_columns.json").read_text("utf-8")
    entries: list[dict[str, Any]] = json.loads(text)[export_id]
    return entries


@cache
def known_names(export_id: str) -> Mapping[str, Column]:
    """Return the known columns by their normalized metric ids and CSV headers."""
    names = {}
    for entry, column in zip(_known_entries(export_id), known_columns(export_id), strict=True):
        names[normalized(column.metric)] = column
        names[normalized(entry.get("header", column.metric))] = column
    return names


def columns_from(
    export_id: str, names: Iterable[str], *, are_metrics: bool = False
) -> list[Column]:
    """Return columns for names in any spelling, in order, without duplicates.

    ``are_metrics``: a name without a space is a metric id, which is requested as it is written.
    """
    by_name = known_names(export_id)
    distinct: dict[str, str] = {}
    for name in names:
        known = by_name.get(normalized(name))
        distinct.setdefault(normalized(known.metric if known else name), name)
    fields = unique_names(
        (by_name[key].field if key in by_name else name for key, name in distinct.items()),
        taken=OWN_FIELDS,
    )
    return [
        _column(by_name.get(key), name, field, is_metric=are_metrics and " " not in name)
        for (key, name), field in zip(distinct.items(), fields, strict=True)
    ]


def _column(known: Column | None, name: str, field: str, *, is_metric: bool) -> Column:
    description = known.description if known else f"The vendor's column {name!r}."
    metric = known.metric if known else _metric_of(name)
    is_json_only = known is not None and known.json_only
    return Column(field, name if is_metric else metric, description, is_json_only)


def _metric_of(header: str) -> str:
    """Return the metric id of a CSV header: its words in capitals.

    This is right for all known columns but one: see docs/reference/khoros.md, section 3.5.
    """
    return "_".join(re.findall(r"[^\W_]+", header)).upper() or header


def fields_of(columns: Iterable[Column], names: Iterable[str]) -> tuple[str, ...]:
    """Return the fields for names in any spelling; an unknown name becomes a field of its own."""
    fields = {normalized(name): name for name in OWN_FIELDS}
    for column in columns:
        fields |= {normalized(column.field): column.field, normalized(column.metric): column.field}
    return tuple(fields.get(normalized(name), snake_case(name)) for name in names)


def key_of(
    export: Export, columns: Sequence[Column], chosen: Sequence[str] | None
) -> tuple[str, ...]:
    """Return the key: the one from the settings, the export's, or the hash of the whole row.

    The export's own key is used only if the tenant has all of its columns.
    """
    key = fields_of(columns, chosen or export.key)
    if not chosen and missing_fields(key, columns):
        return ("row_id",)
    if export.aggregate and key and "window_start" not in key:
        key = (*key, "window_start")
    return key or ("row_id",)


def missing_fields(key: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """Return the fields of a key that are neither among the columns nor our own."""
    existing = {column.field for column in columns}
    return [field for field in key if field not in existing | {*OWN_FIELDS}]


def schema_of(
    columns: Sequence[Column], *, title: str, key: Sequence[str], has_report_type: bool
) -> dict[str, Any]:
    """Return the JSON schema of an export: its columns, which are all strings, and our fields."""
    properties: dict[str, Any] = {}
    if "row_id" in key:
        properties["row_id"] = _string(
            "Key: 128-bit BLAKE2b in hex over the compact JSON array of the row's values, in the "
            "order of their field names (empty strings as null, without columns that only JSON "
            "exports have). For aggregates, window_start is the first value. For the second and "
            "further equal rows of a window, the occurrence number is the last value.",
            required=True,
        )
    for column in columns:
        properties[column.field] = {
            **_string(column.description, required=column.field in key),
            "title": column.metric,  # to request the columns that are left after a deselection
        }
    if has_report_type:
        properties["conversation_report_type"] = _string(
            "Why the row is in the export: CREATED or CLOSED in the window, or OPEN_AT_END of it.",
            required=True,
        )
    for field, description in (
        ("window_start", "Start of the window, UTC."),
        ("window_end", "End of the window, UTC. Today's window is read up to the current time."),
    ):
        properties[field] = {**_string(description, required=True), "format": "date-time"}
    required = list(dict.fromkeys([*key, "window_start", "window_end"]))
    return {"title": title, "type": "object", "properties": properties, "required": required}


def columns_of(export_id: str, schema: Mapping[str, Any]) -> list[Column]:
    """Return the columns of a schema in a catalog."""
    json_only = {column.field for column in known_columns(export_id) if column.json_only}
    return [
        Column(
            field,
            definition.get("title") or field.upper(),
            definition.get("description", ""),
            field in json_only,
        )
        for field, definition in schema.get("properties", {}).items()
        if field not in OWN_FIELDS
    ]


def _string(description: str, *, required: bool) -> dict[str, Any]:
    return {"type": "string" if required else ["string", "null"], "description": description}
