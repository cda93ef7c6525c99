"""The SQL that joins identities into people, against an independent model, without dbt."""

from __future__ import annotations

import random
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import jinja2
import psycopg
import pytest

from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandbox.postgres import Postgres

MODEL = ROOT / "transform" / "marts" / "kissmetrics_raw" / "kissmetrics_identities.sql"
ALIASES = "stg_kissmetrics__raw_aliases"
ROUNDS = 12  # of transform/dbt_project.yml

Alias = tuple[str, str]


def shuffled(aliases: Iterable[Alias], seed: int = 1) -> list[Alias]:
    """Return the aliases in another order, some of them turned round."""
    chance = random.Random(seed)  # noqa: S311 (invented data)
    turned = [one if chance.random() < 0.5 else one[::-1] for one in aliases]
    chance.shuffle(turned)
    return turned


def chain(length: int, *, name: Callable[[int], str] = "i{:06d}".format) -> list[Alias]:
    return [(name(number), name(number + 1)) for number in range(length)]


def scattered(number: int) -> str:
    """Return a name whose place in the order of texts has nothing to do with the number."""
    return f"{number * 2_654_435_761 % (1 << 32):08x}"


GRAPHS: dict[str, list[Alias]] = {
    "nothing": [],
    "itself": [("a", "a")],
    "cycle": [("a", "b"), ("b", "c"), ("c", "a")],
    "repeated": [("a", "b"), ("b", "a"), ("a", "b")],
    "star": [("hub", f"leaf{number}") for number in range(500)],
    "chain": shuffled(chain(3000)),
    "scattered chain": shuffled(chain(3000, name=scattered)),
    "rings": shuffled(
        (f"{ring}-{n}", f"{ring}-{(n + 1) % 40}") for ring in range(30) for n in range(40)
    ),
    "forest": shuffled((scattered(n), scattered(n // 3)) for n in range(2000) if n % 7),
}


def components(aliases: Iterable[Alias]) -> dict[str, str]:
    """Return the first identity of what each identity is connected with, by a search."""
    neighbours: dict[str, set[str]] = {}
    for one, other in aliases:
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    found: dict[str, str] = {}
    for start in sorted(neighbours):
        waiting = [] if start in found else [start]
        while waiting:
            identity = waiting.pop()
            if identity not in found:
                found[identity] = start
                waiting.extend(neighbours[identity])
    return found


def sql_of(*, is_incremental: bool) -> str:
    """Return the model as dbt compiles it."""
    sql: str = jinja2.Template(MODEL.read_text("utf-8")).render(
        config=lambda **_: "",
        ref=lambda name: name,
        var=lambda _: ROUNDS,
        is_incremental=lambda: is_incremental,
        this="identities",
        target=SimpleNamespace(type="postgres"),
    )
    return sql


class Built:
    """The tables of the model in a database, built as dbt builds an incremental model."""

    def __init__(self, execute: Callable[[str], Any]) -> None:
        self.execute = execute
        for table in (ALIASES, "identities", "new_rows"):
            execute(f"drop table if exists {table}")
        execute(f"create table {ALIASES} (product text, identity text, second_identity text)")

    def build(self, aliases: Sequence[Alias], *, is_incremental: bool) -> dict[str, str]:
        """Add aliases, run the model, and return the person of each identity."""
        rows = ", ".join(f"('shop', '{one}', '{other}')" for one, other in aliases)
        if rows:
            self.execute(f"insert into {ALIASES} values {rows}")  # noqa: S608 (names of this file)
        sql = sql_of(is_incremental=is_incremental)
        if is_incremental:
            self.execute(f"create table new_rows as {sql}")
            self.execute(
                "delete from identities where (product, identity) in "
                "(select product, identity from new_rows)"
            )
            self.execute("insert into identities select * from new_rows")
            self.execute("drop table new_rows")
        else:
            self.execute(f"create table identities as {sql}")
        found = self.execute("select identity, person from identities")
        assert len(found) == len({identity for identity, _ in found})
        return dict(found)


@pytest.fixture(params=["duckdb", "postgres"])
def built(request: pytest.FixtureRequest) -> Iterator[Built]:
    if request.param == "duckdb":
        with duckdb.connect() as database:
            yield Built(lambda sql: database.execute(sql).fetchall())
        return
    server: Postgres = request.getfixturevalue("postgres")
    with psycopg.connect(server.url, autocommit=True) as tables:
        tables.execute("create schema if not exists identities_test")
        tables.execute("set search_path to identities_test")
        tables.execute("set jit = off")  # as the model does

        def execute(sql: str) -> Any:
            cursor = tables.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

        yield Built(execute)


@pytest.mark.parametrize("graph", GRAPHS)
def test_connected_identities_are_one_person(graph: str, built: Built) -> None:
    found = built.build(GRAPHS[graph], is_incremental=False)
    assert grouped(found) == grouped(components(GRAPHS[graph]))


@pytest.mark.parametrize("graph", ["cycle", "star", "scattered chain", "rings", "forest"])
def test_later_aliases_join_people(graph: str, built: Built) -> None:
    aliases = GRAPHS[graph]
    cuts = [0, len(aliases) // 3, len(aliases) // 2, len(aliases)]
    for number, (start, end) in enumerate(pairwise(cuts)):
        found = built.build(aliases[start:end], is_incremental=number > 0)
        assert grouped(found) == grouped(components(aliases[:end]))
    assert built.build([], is_incremental=True) == found


def grouped(persons: dict[str, str]) -> set[frozenset[str]]:
    """Return the sets of identities: databases order texts differently."""
    sets: dict[str, set[str]] = {}
    for identity, person in persons.items():
        sets.setdefault(person, set()).add(identity)
    assert all(person in identities for person, identities in sets.items())
    return {frozenset(identities) for identities in sets.values()}
