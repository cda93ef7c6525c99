"""Columns of an export: three spellings of a name, and where the names are learned from."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tap_kit.rows.names import snake_case, unique_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_khoros_analytics.exports.catalogue import Export

OURS = ("row_id", "window_start", "window_end", "conversation_report_type")


@dataclass(frozen=True)
class Column:
    """A column: our ``field``, the vendor's ``metric`` id for asking, what is known of it.

    ``json_only``: the vendor has it in JSON exports only.
    """

    field: str
    metric: str
    description: str = "As the vendor sends it."
    json_only: bool = False


def alike(name: str) -> str:
    """What ``Responding Agent Name``, ``RESPONDINGAGENTNAME`` and the like have in common."""
    plain = unicodedata.normalize("NFKC", name)
    return re.sub(r"[\W_]+", "", plain).casefold() or plain


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


def columns_from(
    export_id: str, names: Iterable[str], *, are_metrics: bool = False
) -> list[Column]:
    """Columns for names in any spelling, in order, each once; fields all different.

    ``are_metrics``: a name without a space is what the vendor wants to be asked for, as it is.
    """
    by_name = known_names(export_id)
    distinct: dict[str, str] = {}
    for name in names:
        known = by_name.get(alike(name))
        distinct.setdefault(alike(known.metric if known else name), name)
    fields = unique_names(
        (by_name[key].field if key in by_name else name for key, name in distinct.items()),
        taken=OURS,
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
    """The metric id of a header: its words in capitals.

    So it is for all that are known but one [reference, section 3.5].
    """
    return "_".join(re.findall(r"[^\W_]+", header)).upper() or header


def fields_of(columns: Iterable[Column], names: Iterable[str]) -> tuple[str, ...]:
    """The fields that are meant by ``names`` in any spelling; for a name unknown its own."""
    fields = {alike(name): name for name in OURS}
    for column in columns:
        fields |= {alike(column.field): column.field, alike(column.metric): column.field}
    return tuple(fields.get(alike(name), snake_case(name)) for name in names)


def key_of(
    export: Export, columns: Sequence[Column], chosen: Sequence[str] | None
) -> tuple[str, ...]:
    """The key: the settings', the export's own where it has such columns, else the whole row."""
    key = fields_of(columns, chosen or export.key)
    if not chosen and missing(key, columns):
        return ("row_id",)
    if export.aggregate and key and "window_start" not in key:
        key = (*key, "window_start")
    return key or ("row_id",)


def missing(key: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """The fields of a key that are no columns yet."""
    there = {column.field for column in columns}
    return [field for field in key if field not in there | {*OURS}]


def schema_of(
    columns: Sequence[Column], *, title: str, key: Sequence[str], has_report_type: bool
) -> dict[str, Any]:
    """The JSON schema of an export: its columns, all texts, and ours."""
    properties: dict[str, Any] = {}
    if "row_id" in key:
        properties["row_id"] = _text(
            "Key: 128-bit BLAKE2b, hex, over the compact JSON array of the row's values in the "
            "order of their fields' names (empty texts as null, without what only JSON exports "
            "have), for aggregates with window_start in front, and from the second equal row of "
            "a window on with its occurrence behind.",
            required=True,
        )
    for column in columns:
        properties[column.field] = {
            **_text(column.description, required=column.field in key),
            "title": column.metric,  # what the vendor is asked for when columns are deselected
        }
    if has_report_type:
        properties["conversation_report_type"] = _text(
            "Why the row is there: CREATED or CLOSED in the window, or OPEN_AT_END of it.",
            required=True,
        )
    for field, which in (("window_start", "Begin"), ("window_end", "End")):
        properties[field] = {
            **_text(f"{which} of the window, UTC; today's is read up to now.", required=True),
            "format": "date-time",
        }
    must = list(dict.fromkeys([*key, "window_start", "window_end"]))
    return {"title": title, "type": "object", "properties": properties, "required": must}


def columns_of(export_id: str, schema: Mapping[str, Any]) -> list[Column]:
    """The columns of a schema that a catalog holds."""
    json_only = {column.field for column in attested(export_id) if column.json_only}
    return [
        Column(
            field,
            definition.get("title") or field.upper(),
            definition.get("description", ""),
            field in json_only,
        )
        for field, definition in schema.get("properties", {}).items()
        if field not in OURS
    ]


def _text(description: str, *, required: bool) -> dict[str, Any]:
    return {"type": "string" if required else ["string", "null"], "description": description}
