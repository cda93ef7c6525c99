"""The targets of the matrix: how Meltano installs and configures each, and the rows that it wrote.

The definitions are what a user would add to ``meltano.yml``.
"""

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

import duckdb
from typing_extensions import override

from demo.warehouse import Warehouse
from tests.warehouses.database import tables_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sandbox.postgres import Postgres

    from tests.warehouses.accounts import Account
    from tests.warehouses.bucket import Bucket

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Place:
    """Where one tap's data is loaded: a name, a folder, a database and a bucket."""

    name: str
    folder: Path
    account: Account
    server: Postgres
    bucket: Bucket | None = None


class Target(abc.ABC):
    """A target; ``plugin`` is its name in Meltano, ``package`` that for pip."""

    plugin: ClassVar[str]
    package: ClassVar[str]
    executable: ClassVar[str]
    settings: ClassVar[Mapping[str, str]] = {}  # by name, Meltano's kind
    is_text: ClassVar[bool] = False  # all values are text, and an empty one is null
    flattens: ClassVar[bool] = False  # objects become a column for each of their keys
    note: ClassVar[str] = ""  # the reason of a deviation, for the page

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
        return {f"{prefix}_{name.upper()}": value for name, value in values.items()}

    @abc.abstractmethod
    def values(self, place: Place) -> dict[str, str]:
        """Return the settings for a place."""

    @abc.abstractmethod
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        """Return the rows of each stream that the target has."""


class Jsonl(Target):
    """Lines in files, from which DuckDB reads the newest row of each key, as in the demo."""

    plugin, package, executable = "target-jsonl", "target-jsonl==0.1.4", "target-jsonl"
    note = "appends; `DISTINCT ON` the key, the last line first, gives each row once"

    @override
    def values(self, place: Place) -> dict[str, str]:
        return {"destination_path": str(place.folder)}

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        account = place.account
        settings = {**account.vendor.stream_settings, **account.extra()}
        database = Warehouse(place.folder, account.tap, settings).db
        here = {path.stem for path in place.folder.glob("*.jsonl")}
        return {name: records(database, f'FROM "{name}"') for name in streams if name in here}


class MeltanolabsPostgres(Target):
    """The one in ``meltano.yml``."""

    plugin, executable = "target-postgres", "target-postgres"
    package = "meltanolabs-target-postgres==0.8.1"

    @override
    def values(self, place: Place) -> dict[str, str]:
        prefix = len("TARGET_POSTGRES_")
        return {
            **{n[prefix:].lower(): value for n, value in place.server.target_settings.items()},
            "default_target_schema": place.name,
        }

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        tables = tables_of(place.server, place.name)
        return {name: tables[name] for name in streams if name in tables}


class PipelinewisePostgres(MeltanolabsPostgres):
    """The older one: COPY, and few checks."""

    plugin, executable = "pipelinewise-target-postgres", "target-postgres"
    package = "pipelinewise-target-postgres==2.1.2"
    settings: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("host", "user", "dbname", "default_target_schema"), "string"),
        "password": "password",
        "port": "integer",
    }
    note = "writes line breaks and tabs as `\\n` and `\\t`, and null where a text is empty"

    @override
    def values(self, place: Place) -> dict[str, str]:
        values = super().values(place)
        return {**values, "dbname": values.pop("database")}


class MeltanolabsCsv(Target):
    """A file a stream, which each run replaces."""

    plugin, executable = "target-csv", "target-csv"
    package = "meltanolabs-target-csv==0.5.0"
    settings: ClassVar[Mapping[str, str]] = {
        "output_path": "string",
        "file_naming_scheme": "string",
    }
    is_text = True
    note = "each run replaces the files; lists and objects are Python's text, not JSON"

    @override
    def values(self, place: Place) -> dict[str, str]:
        return {"output_path": str(place.folder)}

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        files = {path.stem: path for path in place.folder.glob("*.csv")}
        return {
            name: lines(files[name].read_text(encoding="utf-8"))
            for name in streams
            if name in files
        }


class PipelinewiseS3Csv(Target):
    """Files in a bucket, new ones with each run."""

    plugin, executable = "target-s3-csv", "target-s3-csv"
    package = "pipelinewise-target-s3-csv==2.0.0"
    settings: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("aws_access_key_id", "s3_bucket", "s3_key_prefix", "aws_endpoint_url"), "string"
        ),
        "aws_secret_access_key": "password",
    }
    is_text = flattens = True
    note = "each run adds files; objects become columns, which differ from run to run"

    @override
    def values(self, place: Place) -> dict[str, str]:
        bucket = bucket_of(place)
        return {
            "aws_access_key_id": "sandbox",
            "aws_secret_access_key": "sandbox",
            "s3_bucket": bucket.name,
            "s3_key_prefix": f"{place.name}/",
            "aws_endpoint_url": bucket.endpoint,
        }

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        found: dict[str, Rows] = {}
        for key, text in bucket_of(place).objects(f"{place.name}/"):
            stream = key.rpartition("/")[2].rpartition("-")[0]
            if stream in streams:
                found.setdefault(stream, []).extend(lines(text))
        return found


class DuckDB(Target):
    """The target for DuckDB, with the DuckDB version that pip selects."""

    plugin, executable = "target-duckdb", "target-duckdb"
    package = "target-duckdb==0.8.0"
    settings: ClassVar[Mapping[str, str]] = {"path": "string", "default_target_schema": "string"}
    note = "takes the first row of a batch for a header and drops it; read JSONL instead"

    @override
    def values(self, place: Place) -> dict[str, str]:
        return {"path": str(place.folder / "loaded.db"), "default_target_schema": "warehouse"}

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        path = str(place.folder / "loaded.db")
        with contextlib.closing(duckdb.connect(path, read_only=True)) as database:
            database.execute("SET TimeZone = 'UTC'")
            names = database.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'warehouse'"
            ).fetchall()
            return {
                name: records(database, f'FROM warehouse."{name}"')
                for (name,) in names
                if name in streams
            }


TARGETS: tuple[Target, ...] = (
    MeltanolabsPostgres(),
    Jsonl(),
    MeltanolabsCsv(),
    PipelinewisePostgres(),
    PipelinewiseS3Csv(),
    DuckDB(),
)
TESTED = TARGETS[:3]  # by the tests; the command runs all


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
