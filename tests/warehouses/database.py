"""The content of a PostgreSQL schema's tables, without the columns that the loader adds."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.postgres import Postgres

    from tests.singer import Row

Tables = dict[str, list[dict[str, Any]]]
FAR_ZONE = "America/St_Johns"


def far_user(server: Postgres) -> Postgres:
    """Return the server with a user whose time zone is not UTC; create the user if necessary."""
    user = "far_away"
    create = sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}")
    with psycopg.connect(server.url) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user]).fetchone():
            connection.execute(create.format(sql.Identifier(user), sql.Literal(server.password)))
        connection.execute(f"ALTER ROLE {user} SET timezone TO '{FAR_ZONE}'")
    return replace(server, user=user)


def tables_of(server: Postgres, schema: str) -> Tables:
    """Return all rows of all tables of a schema, without the ``_sdc_`` columns."""
    found: Tables = {}
    with psycopg.connect(server.url, row_factory=dict_row) as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [schema]
        ).fetchall()
        for name in sorted(row["table_name"] for row in names):
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name))
            rows = connection.execute(query).fetchall()
            found[name] = [
                {column: value for column, value in row.items() if not column.startswith("_sdc_")}
                for row in rows
            ]
    return found


def row_count(server: Postgres, schema: str, table: str) -> int:
    """Return the number of rows of a table; 0 if it does not exist yet."""
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
    try:
        with psycopg.connect(server.url) as connection:
            (count,) = connection.execute(query).fetchone() or (0,)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return 0
    return int(count)


def primary_key(server: Postgres, schema: str, table: str) -> set[str]:
    """Return the columns of a table's primary key."""
    query = """
        SELECT attname FROM pg_index JOIN pg_attribute
        ON attrelid = indrelid AND attnum = ANY (indkey)
        WHERE indisprimary AND indrelid = %s::regclass
    """
    with psycopg.connect(server.url) as connection:
        rows = connection.execute(query, [f'"{schema}"."{table}"']).fetchall()
    return {name for (name,) in rows}


def canonical(value: Any) -> Any:
    """Return a value in one form, whether it comes from a tap's JSON or from a database."""
    match value:
        case datetime():
            aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
            return aware.astimezone(timezone.utc).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case dict() | list():
            return json.dumps(value, sort_keys=True)
        case _:
            return value


def typed(row: Row, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a tap with datetimes instead of texts, where its schema says date-time."""
    return {
        field: _time_of(value)
        if isinstance(value, str) and properties[field].get("format") == "date-time"
        else value
        for field, value in row.items()
    }


def _time_of(text: str) -> datetime | str:
    """Return a text as a time; unchanged if it is none, since a target can mix up columns."""
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    return text


def content(rows: list[dict[str, Any]], without: frozenset[str] = frozenset()) -> Counter[str]:
    """Return the rows as texts, without an order and without the fields ``without``."""
    return Counter(
        json.dumps({f: canonical(v) for f, v in sorted(row.items()) if f not in without})
        for row in rows
    )
