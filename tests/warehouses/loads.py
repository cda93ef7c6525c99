"""Two runs of a tap into a target, and a check that each row is there once and unchanged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.warehouses.database import canonical, typed
from tests.warehouses.target import from_text
from tools.pages.target_page import Load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.end_to_end.project import Done, Project
    from tests.singer import Row
    from tests.warehouses.accounts import Account
    from tests.warehouses.target import Place, Rows, Target

Key = tuple[Any, ...]
# The time, level and source of a line that Meltano logs.
LOG_PREFIX = re.compile(r"^\d{4}-\S+Z \[\w+ *\] +\S+ +")


@dataclass(frozen=True)
class Stream:
    """The expected content of a stream: its rows, its key and the schema of its fields."""

    rows: Sequence[Row]
    keys: Sequence[str]
    properties: Mapping[str, Any]


def load_twice(
    project: Project, account: Account, target: Target, place: Place
) -> tuple[Load, Load]:
    """Run the tap twice into the target; return the result of each run."""
    with account.serving() as settings:
        streams = expected(account, settings)
        variables = {**account.variables(settings), **target.variables(place)}
        arguments = ("run", f"--state-id-suffix={place.name}", account.name, target.plugin)
        found = []
        for _ in range(2):
            done = project.meltano(*arguments, **variables)
            found.append(compared(account, target, place, streams, done))
    return found[0], found[1]


def expected(account: Account, settings: dict[str, Any]) -> dict[str, Stream]:
    """Return all streams as the tap writes them.

    Raises:
        AssertionError: if the number of rows is not that of the sandbox.
    """
    rows = account.reference(settings)
    for name, count in account.counts().items():
        assert len(rows[name]) == count, name
    catalog = account.tap(config=settings).catalog_dict
    return {
        entry["stream"]: Stream(
            rows[entry["stream"]], entry["key_properties"], entry["schema"]["properties"]
        )
        for entry in catalog["streams"]
    }


def compared(
    account: Account, target: Target, place: Place, streams: Mapping[str, Stream], done: Done
) -> Load:
    """Compare the content of a target with the expected streams."""
    load = Load(len(streams))
    if done.code:
        errors = [line for line in done.stderr.splitlines() if "rror" in line]
        load.error = LOG_PREFIX.sub("", (errors or ["?"])[-1])[-200:]
    held = target.rows(place, list(streams))
    for name, stream in streams.items():
        if name not in held:
            load.missing.append(name)
        elif (
            name in account.snapshots
        ):  # its rows differ in each run: only their number can be compared
            load.short += [name] if len(held[name]) < len(stream.rows) else []
        else:
            _compare(load, name, stream, _read(held[name], stream, target), account, target)
    return load


def _compare(
    load: Load, name: str, stream: Stream, rows: Rows, account: Account, target: Target
) -> None:
    here = {_key(row, stream): row for row in rows}
    wanted = {_key(row, stream): typed(row, stream.properties) for row in stream.rows}
    if here.keys() != wanted.keys():
        load.short.append(name)
    if len(here) != len(rows):
        load.duplicated.append(name)
    for column, definition in stream.properties.items():
        if column in account.varying or (target.flattens and _is_nested(definition)):
            continue
        pairs = ((here[key].get(column), wanted[key].get(column)) for key in here.keys() & wanted)
        if any(_differ(one, other, target) for one, other in pairs):
            load.other.append(f"{name}.{column}")


def _read(rows: Rows, stream: Stream, target: Target) -> Rows:
    """Return the rows of a target that stores texts with values instead."""
    if target.is_text:
        properties = stream.properties
        rows = [
            {n: from_text(text, properties[n]) for n, text in row.items() if n in properties}
            for row in rows
        ]
        rows = [typed(row, properties) for row in rows]
    return rows


def _differ(one: Any, other: Any, target: Target) -> bool:
    if target.is_text and other == "":
        other = None
    return bool(canonical(one) != canonical(other))


def _key(row: Mapping[str, Any], stream: Stream) -> Key:
    values = typed({name: row.get(name) for name in stream.keys}, stream.properties)
    return tuple(canonical(value) for value in values.values())


def _is_nested(definition: Mapping[str, Any]) -> bool:
    return bool({"object", "array"} & {*definition["type"]})
