"""The columns of an export: their fields and metric ids, the key, the schema."""

from __future__ import annotations

import ast
import contextlib
import json
import re
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tap_kit import MAX_NAME_LENGTH, snake_case, unique_names

from tap_khoros_analytics.exports.spellings import Column, matched, spelling_of
from tap_khoros_analytics.exports.types import DURATION, MOMENT, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_sdk.singerlib import MetadataMapping

    from tap_khoros_analytics.exports.definitions import Export

OWN_FIELDS = ("row_id", "window_start", "window_end", "conversation_report_type")


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
            (entry["metric"], entry.get("header", entry["metric"])),
        )
        for entry in _known_entries(export_id)
    )


@cache
def attested_types(export_id: str) -> Mapping[str, str]:
    """Return the types of columns, by field, that the vendor documents."""
    entries = _known_entries(export_id)
    return {snake_case(e["metric"]): e["type"] for e in entries if "type" in e}


def with_types(columns: Sequence[Column], types: Mapping[str, str]) -> list[Column]:
    """Return columns with the ``types`` of fields.

    A column keeps its text if the name of the field beside it is taken or too long.
    """
    taken = {column.field for column in columns} | {*OWN_FIELDS}
    typed = [replace(column, type=types.get(column.field, TEXT)) for column in columns]
    return [
        replace(column, type=TEXT)
        if (derived := column.derived_field)
        and (derived in taken or len(derived) > MAX_NAME_LENGTH)
        else column
        for column in typed
    ]


@cache
def _known_entries(export_id: str) -> list[dict[str, Any]]:
    text = (files("tap_khoros_analytics.schemas") / "known_columns.json").read_text("utf-8")
    entries: list[dict[str, Any]] = json.loads(text)[export_id]
    return entries


def columns_from(
    export_id: str, names: Sequence[str], *, are_metrics: bool = False
) -> list[Column]:
    """Return the column of each name in a header, in order.

    Two names are two columns, even if only their spelling differs.

    ``are_metrics``: the names are from the settings. One without a space is a metric id, which is
    requested as it is written. Two spellings of a name are one column.
    """
    if are_metrics:
        names = list({spelling_of(name): name for name in reversed(names)}.values())[::-1]
    known = known_columns(export_id)
    found = matched(names, known)
    new = [name for name, column in zip(names, found, strict=True) if column is None]
    fields = iter(unique_names(new, taken=[*OWN_FIELDS, *(column.field for column in known)]))
    return [
        _column(name, column or next(fields), is_metric=are_metrics and " " not in name)
        for name, column in zip(names, found, strict=True)
    ]


def _column(name: str, known: Column | str, *, is_metric: bool) -> Column:
    """Return the column of a name, which is known, or gets a field."""
    if isinstance(known, Column):
        return replace(known, metric=name) if is_metric else known
    metric = name if is_metric else _metric_of(name) or known.upper()
    return Column(known, metric, f"The vendor's column {name!r}.", names=(name,))


def _names_in(description: str) -> tuple[str, ...]:
    """Return the vendor's name in the description of a column in a catalog."""
    found = re.fullmatch(r"The vendor's column (.*)\.", description, re.DOTALL)
    with contextlib.suppress(ValueError, SyntaxError):
        name = ast.literal_eval(found[1]) if found else None
        if isinstance(name, str):
            return (name,)
    return ()


def _metric_of(header: str) -> str:
    """Return the metric id of a CSV header: its words in capitals.

    This is right for all known columns but one: see docs/reference/khoros.md, section 3.5.
    """
    return "_".join(re.findall(r"[^\W_]+", header)).upper() or header


def fields_of(columns: Sequence[Column], names: Iterable[str]) -> tuple[str, ...]:
    """Return the fields for names in any spelling; an unknown name becomes a field of its own."""
    every = [*columns, *(Column(field, field) for field in OWN_FIELDS)]
    fields = {column.field for column in every}

    def field_of(name: str) -> str:
        if name in fields:
            return name
        column = matched([name], every)[0]
        return column.field if column else snake_case(name)

    return tuple(map(field_of, names))


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
    """Return the JSON schema of an export: its columns with their types, and our fields.

    A column of the key stays a text, since a value that does not fit its type would be null.
    """
    properties: dict[str, Any] = {}
    if "row_id" in key:
        text = _string(
            "Key: 128-bit BLAKE2b in hex over the compact JSON array of the row's values, in the "
            "order of their field names (empty strings as null, without columns that only JSON "
            "exports have). For aggregates, window_start is the first value. For the second and "
            "further equal rows of a window, the occurrence number is the last value.",
            required=True,
        )
        properties["row_id"] = {**text, "maxLength": 32}  # so that MySQL can index it
    for column in columns:
        properties |= _properties(column, is_key=column.field in key)
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


def _properties(column: Column, *, is_key: bool) -> dict[str, Any]:
    """Return the property of a column, and that of the field beside it."""
    title = {"title": column.metric}  # to request the columns that are left after a deselection
    derived = column.derived_field
    if is_key or not derived:
        return {column.field: {**_string(column.description, required=is_key), **title}}
    if column.type == DURATION:
        text = f"Seconds of {column.field}; null where it is not a duration such as 1:02:03."
        beside = {"type": ["integer", "null"], "description": text}
        own = {column.field: {**_string(column.description, required=False), **title}}
    else:
        text = f"The vendor's text of {column.field} where it has another type; null otherwise."
        beside = _string(text, required=False)
        is_moment = column.type == MOMENT
        kind = {"type": ["string" if is_moment else column.type, "null"]}
        form = {"format": "date-time"} if is_moment else {}
        own = {column.field: {**kind, "description": column.description, **title, **form}}
    return {**own, derived: {**beside, "title": f"beside {column.field}"}}


def _type_in(field: str, properties: Mapping[str, Any]) -> str:
    """Return the type of a column in the properties of a catalog."""
    if _is_beside(field, f"{field}_seconds", properties):
        return DURATION
    kinds = properties[field].get("type") or ()
    kinds = {kinds} if isinstance(kinds, str) else {*kinds}
    if not _is_beside(field, f"{field}_raw", properties):
        return TEXT
    if "string" in kinds:
        return MOMENT if properties[field].get("format") == "date-time" else TEXT
    return next((kind for kind in ("integer", "number", "boolean") if kind in kinds), TEXT)


def _is_beside(field: str, derived: str, properties: Mapping[str, Any]) -> bool:
    return bool(properties.get(derived, {}).get("title") == f"beside {field}")


def columns_of(export_id: str, schema: Mapping[str, Any]) -> list[Column]:
    """Return the columns of a schema in a catalog."""
    known = {column.field: column for column in known_columns(export_id)}
    properties = schema.get("properties", {})
    return [
        Column(
            field,
            definition.get("title") or field.upper(),
            definition.get("description", ""),
            field in known and known[field].json_only,
            _names_in(definition.get("description", ""))
            or (known[field].names if field in known else ()),
            _type_in(field, properties),
        )
        for field, definition in properties.items()
        if field not in OWN_FIELDS and not _is_derived(field, definition)
    ]


def deselect_beside(columns: Iterable[Column], metadata: MetadataMapping) -> None:
    """Deselect the fields beside deselected columns: they would be null in each row."""
    mask = metadata.resolve_selection()
    for column in columns:
        if column.derived_field and not mask["properties", column.field]:
            metadata["properties", column.derived_field].selected = False


def _is_derived(field: str, definition: Mapping[str, Any]) -> bool:
    base = field.removesuffix("_raw").removesuffix("_seconds")
    return bool(base != field and definition.get("title") == f"beside {base}")


def _string(description: str, *, required: bool) -> dict[str, Any]:
    return {"type": "string" if required else ["string", "null"], "description": description}
