"""A target of the matrix, and how its values become those of a tap again."""

from __future__ import annotations

import abc
import ast
import contextlib
import csv
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb
    from sandbox.postgres import Postgres

    from tests.warehouses.accounts import Account
    from tests.warehouses.bucket import Bucket
    from tests.warehouses.mariadb import Mariadb

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Place:
    """Where one tap's data is loaded: a name, a folder, and the servers that run."""

    name: str
    folder: Path
    account: Account
    server: Postgres
    bucket: Bucket | None = None
    mariadb: Mariadb | None = None


class Target(abc.ABC):
    """A target; ``plugin`` is its name in Meltano, ``package`` that for pip."""

    plugin: ClassVar[str]
    package: ClassVar[str]
    executable: ClassVar[str]
    settings: ClassVar[Mapping[str, str]] = {}  # by name, Meltano's kind
    is_text: ClassVar[bool] = False  # all values are text, and an empty one is null
    flattens: ClassVar[bool] = False  # objects become a column for each of their keys
    needs: ClassVar[frozenset[str]] = frozenset()  # servers beside PostgreSQL

    @property
    def title(self) -> str:
        """Name and version as pip has them."""
        return self.package.partition(" ")[0].replace("==", " ")

    @property
    def definition(self) -> dict[str, Any]:
        """The loader as ``meltano.yml`` has it."""
        return {
            "name": self.plugin,
            "namespace": self.plugin.replace("-", "_"),
            "pip_url": self.package,
            "executable": self.executable,
            "settings": [{"name": name, "kind": kind} for name, kind in self.settings.items()],
        }

    def variables(self, place: Place) -> dict[str, str]:
        """Return the settings as the environment variables of Meltano."""
        prefix = self.plugin.upper().replace("-", "_")
        values = self.values(place)
        return {f"{prefix}_{_variable(name)}": value for name, value in values.items()}

    @abc.abstractmethod
    def values(self, place: Place) -> dict[str, str]:
        """Return the settings for a place."""

    @abc.abstractmethod
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        """Return the rows of each stream that the target has."""


def _variable(setting: str) -> str:
    """Return the end of the variable of a setting; parts of an object follow a full stop."""
    return setting.upper().replace(".", "_")


def records(database: duckdb.DuckDBPyConnection, query: str) -> Rows:
    """Return the rows of a query as dicts, with decoded JSON."""
    result = database.execute(query)
    columns = [(column[0], str(column[1]) == "JSON") for column in result.description or []]
    return [
        {
            name: json.loads(cell) if is_json and cell is not None else cell
            for (name, is_json), cell in zip(columns, row, strict=True)
            if not name.startswith("_sdc_")
        }
        for row in result.fetchall()
    ]


_DECIMAL = re.compile(r"Decimal\('([^']*)'\)")  # a number in Python's repr of a value


def lines(text: str) -> Rows:
    """Return the rows of a CSV file; all values are text."""
    return list(csv.DictReader(io.StringIO(text)))


def from_text(text: str | None, definition: Mapping[str, Any]) -> Any:
    """Return the value of a CSV cell, by the field's schema; a text if it is none of that type.

    A target can write a value into another column.
    """
    if not text:
        return None
    with contextlib.suppress(ValueError, SyntaxError):
        return _typed(text, definition)
    return text


def _typed(text: str, definition: Mapping[str, Any]) -> Any:
    kinds = definition["type"]
    kind = kinds if isinstance(kinds, str) else kinds[0]
    match kind:
        case "integer" | "number":
            return float(text)
        case "boolean":
            return text.lower() == "true"
        case "object" | "array":
            return ast.literal_eval(_DECIMAL.sub(r"\1", text))
        case _:
            return text


def bucket_of(place: Place) -> Bucket:
    """Return the place's bucket.

    Raises:
        ValueError: if it has none.
    """
    if place.bucket is None:
        msg = "this target needs a bucket"
        raise ValueError(msg)
    return place.bucket


def mariadb_of(place: Place) -> Mariadb:
    """Return the place's MariaDB server.

    Raises:
        ValueError: if it has none.
    """
    if place.mariadb is None:
        msg = "this target needs MariaDB"
        raise ValueError(msg)
    return place.mariadb
