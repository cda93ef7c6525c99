"""The targets that load into a database."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import duckdb
from typing_extensions import override

from tests.warehouses.database import tables_of
from tests.warehouses.target import Target, mariadb_of, records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.warehouses.target import Place, Rows

ALL_ROWS = 'SELECT * FROM "{}"'


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

    @override
    def values(self, place: Place) -> dict[str, str]:
        values = super().values(place)
        return {**values, "dbname": values.pop("database")}


class DuckDB(Target):
    """The target for DuckDB, with a DuckDB that reads its CSV files without a header."""

    plugin, executable = "target-duckdb", "target-duckdb"
    package = "target-duckdb==0.8.0 duckdb==1.2.2"
    settings: ClassVar[Mapping[str, str]] = {
        "path": "string",
        "default_target_schema": "string",
        "add_metadata_columns": "boolean",
    }

    @override
    def values(self, place: Place) -> dict[str, str]:
        return {
            "path": str(place.folder / "loaded.db"),
            "default_target_schema": "warehouse",
            "add_metadata_columns": "true",
        }

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


class Sqlite(Target):
    """The target for SQLite, which is for Python 3.9 and older."""

    plugin = executable = "target-sqlite"
    package = "target-sqlite==0.2.0"
    settings: ClassVar[Mapping[str, str]] = {"database": "string"}

    @override
    def values(self, place: Place) -> dict[str, str]:
        return {"database": str(place.folder / "loaded")}

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        path = place.folder / "loaded.db"
        if not path.exists():
            return {}
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.row_factory = sqlite3.Row
            found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            names = [row["name"] for row in found]
            return {
                name: [dict(row) for row in database.execute(ALL_ROWS.format(name))]
                for name in names
                if name in streams
            }


class Mysql(Target):
    """The only target for MySQL on PyPI that starts; it loads into MariaDB."""

    plugin, executable = "target-mysql", "target-mysql"
    package = "thk-target-mysql==0.1.3 setuptools<81"
    settings: ClassVar[Mapping[str, str]] = {"sqlalchemy_url": "password"}
    needs = frozenset({"mariadb"})

    @override
    def values(self, place: Place) -> dict[str, str]:
        server = mariadb_of(place)
        server.run(f"CREATE DATABASE IF NOT EXISTS `{place.name}`")
        return {"sqlalchemy_url": f"{server.url}/{place.name}?charset=utf8mb4"}

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        server = mariadb_of(place)
        names = server.tables(place.name)
        return {name: server.rows(place.name, name) for name in names if name in streams}


class Snowflake(Target):
    """The target for Snowflake in fakesnow, which emulates Snowflake with DuckDB."""

    plugin = "target-snowflake"
    package = "meltanolabs-target-snowflake==0.20.4 fakesnow==0.12.1"
    executable = str(Path(__file__).with_name("fakesnow.sh"))
    settings: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("account", "user", "database", "warehouse", "role", "default_target_schema"), "string"
        ),
        "password": "password",
    }

    @override
    def variables(self, place: Place) -> dict[str, str]:
        return {**super().variables(place), "FAKESNOW_FOLDER": str(place.folder)}

    @override
    def values(self, place: Place) -> dict[str, str]:
        return {
            **dict.fromkeys(("account", "user", "password", "warehouse", "role"), "sandbox"),
            "database": "WAREHOUSE",
            "default_target_schema": place.name,
        }

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        path = place.folder / "WAREHOUSE.db"
        if not path.exists():
            return {}
        with contextlib.closing(duckdb.connect(str(path), read_only=True)) as database:
            database.execute("SET TimeZone = 'UTC'")
            found = database.execute(
                "SELECT lower(table_name) FROM information_schema.tables "
                "WHERE lower(table_schema) = ?",
                [place.name],
            ).fetchall()
            schema = place.name.upper()
            return {
                name: [
                    {column.lower(): value for column, value in row.items()}
                    for row in records(database, f'FROM "{schema}"."{name.upper()}"')
                ]
                for (name,) in found
                if name in streams
            }
