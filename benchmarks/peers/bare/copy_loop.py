"""The practical limit of a load: an export by hand into PostgreSQL, with orjson and COPY.

The rows go into a temporary table without keys, and from there by their key into the table. The
arguments are a config file and ``url=`` and ``schema=`` of the database.
"""

import hashlib
import json
import sys
from pathlib import Path

import orjson
import psycopg
import requests
from psycopg import sql

TABLE, KEY = "incoming_post", "row_id"


def main() -> None:
    """Load one export."""
    config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    place = dict(argument.split("=", 1) for argument in sys.argv[2:])
    access = (config["username"], config["password"])
    response = requests.get(config["url"], auth=access, timeout=60)
    response.raise_for_status()
    rows = orjson.loads(response.content)
    columns = [KEY, *(name.lower().replace(" ", "_") for name in rows[0])]
    with psycopg.connect(place["url"]) as connection:
        table = prepare(connection, place["schema"], columns)
        with connection.cursor().copy("COPY new FROM STDIN") as copy:
            for row in rows:
                values = [value or None for value in row.values()]
                digest = hashlib.blake2b(orjson.dumps(values), digest_size=16)
                copy.write_row([digest.hexdigest(), *values])
        merge(connection, table, columns)


def prepare(connection: psycopg.Connection, schema: str, columns: list[str]) -> sql.Composable:
    """Create the table if it does not exist, and a temporary one like it; return its name."""
    table = sql.Identifier(schema, TABLE)
    defined = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(c)) for c in columns)
    for statement in (
        sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)),
        sql.SQL("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({}))").format(
            table, defined, sql.Identifier(KEY)
        ),
        sql.SQL("CREATE TEMPORARY TABLE new ({})").format(defined),
    ):
        connection.execute(statement)
    return table


def merge(connection: psycopg.Connection, table: sql.Composable, columns: list[str]) -> None:
    """Insert the new rows, which replace those with the same key."""
    names = [sql.Identifier(column) for column in columns[1:]]
    changes = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names)
    statement = "INSERT INTO {} SELECT * FROM new ON CONFLICT ({}) DO UPDATE SET {}"
    connection.execute(sql.SQL(statement).format(table, sql.Identifier(KEY), changes))


if __name__ == "__main__":
    main()
