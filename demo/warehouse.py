"""The JSONL files as a small warehouse: a DuckDB view per stream, with the newest row per key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tap_kit.tap import KitTap


class Warehouse:
    """DuckDB on the JSONL files of one tap.

    target-jsonl appends, so a row that was read again is in the file twice. The view ``<stream>``
    has the newest row of each key, ``<stream>_lines`` all lines. ``settings`` are the tap's
    settings that define streams.
    """

    def __init__(
        self, folder: Path, tap: type[KitTap], settings: Mapping[str, Any] | None = None
    ) -> None:
        self._folder = folder
        self.db = duckdb.connect()
        self.db.execute("SET TimeZone = 'UTC'")
        for stream in tap(config=dict(settings or {}), validate_config=False).streams.values():
            path = folder / f"{stream.name}.jsonl"
            if path.exists():
                self._add(stream.name, path, stream.primary_keys, stream.schema["properties"])

    def _add(
        self, name: str, path: Path, keys: Sequence[str], properties: Mapping[str, Any]
    ) -> None:
        with path.open(encoding="utf-8") as lines:
            found = json.loads(next(lines))
        # Columns of the tenant are in the file but not in the schema; they are texts.
        columns = {field: _type(properties.get(field, {"type": "string"})) for field in found}
        types = ", ".join(f"'{field}': '{kind}'" for field, kind in columns.items())
        key = ", ".join(f'"{field}"' for field in keys)
        self.db.execute(
            f"CREATE VIEW \"{name}_lines\" AS SELECT * FROM read_json('{path}', "
            f"format='newline_delimited', columns={{{types}}})"
        )
        self.db.execute(
            f'CREATE VIEW "{name}" AS SELECT DISTINCT ON ({key}) * EXCLUDE line_of_file '
            f'FROM (SELECT *, row_number() OVER () AS line_of_file FROM "{name}_lines") '
            "ORDER BY line_of_file DESC"
        )

    def line_counts(self) -> dict[str, int]:
        """Return the number of lines of each stream's file."""
        return {path.stem: sum(1 for _ in path.open("rb")) for path in self._folder.glob("*.jsonl")}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, with JSON cells decoded."""
        result = self.db.execute(query)
        is_json = [str(column[1]) == "JSON" for column in result.description or []]
        return [
            tuple(
                json.loads(cell) if as_json and cell is not None else cell
                for cell, as_json in zip(row, is_json, strict=True)
            )
            for row in result.fetchall()
        ]


def _type(definition: Mapping[str, Any]) -> str:
    kinds = definition["type"]
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "string":
        return {"date": "DATE", "date-time": "TIMESTAMPTZ"}.get(
            definition.get("format", ""), "VARCHAR"
        )
    return {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}.get(kind, "JSON")
