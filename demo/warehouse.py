"""The JSONL files as a small warehouse: a DuckDB view for each stream, newest row per key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
from tap_kindmetrics.tap import TapKindmetrics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Warehouse:
    """DuckDB over a folder of JSONL files.

    target-jsonl appends; a row that was read again stands in the file twice. The view
    ``<stream>`` has the newest row of each key, ``<stream>_lines`` all lines.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.db = duckdb.connect()
        for stream in TapKindmetrics(validate_config=False).streams.values():
            path = folder / f"{stream.name}.jsonl"
            if path.exists():
                self._add(stream.name, path, stream.primary_keys, stream.schema)

    def _add(self, name: str, path: Path, keys: Sequence[str], schema: dict[str, Any]) -> None:
        columns = {field: _type(definition) for field, definition in schema["properties"].items()}
        types = ", ".join(f"'{field}': '{kind}'" for field, kind in columns.items())
        key = ", ".join(f'"{field}"' for field in keys)
        self.db.execute(
            f"CREATE VIEW {name}_lines AS SELECT * FROM read_json('{path}', "
            f"format='newline_delimited', columns={{{types}}})"
        )
        self.db.execute(
            f"CREATE VIEW {name} AS SELECT * EXCLUDE line FROM "
            f"(SELECT *, row_number() OVER () AS line FROM {name}_lines) "
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY line DESC) = 1"
        )

    def line_counts(self) -> dict[str, int]:
        """How many lines each stream's file has."""
        return {path.stem: sum(1 for _ in path.open("rb")) for path in self._folder.glob("*.jsonl")}

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        result = self.db.execute(query)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _type(definition: dict[str, Any]) -> str:
    kinds = definition["type"]
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "string":
        return {"date": "DATE", "date-time": "TIMESTAMPTZ"}.get(
            definition.get("format", ""), "VARCHAR"
        )
    return {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}[kind]
