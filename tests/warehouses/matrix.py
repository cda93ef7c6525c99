"""The rows of the tables of targets, crashes and stops."""

from __future__ import annotations

from tests.warehouses.accounts import ACCOUNTS
from tests.warehouses.crashes import VICTIMS
from tests.warehouses.points import POINTS
from tests.warehouses.stops import WAYS
from tests.warehouses.targets import TARGETS
from tools.pages.target_page import LOADS, STOPS


def all_keys(table: str) -> list[tuple[str, ...]]:
    """Return the keys of all rows of a table, in order."""
    names = {kind().name: kind for kind in ACCOUNTS}
    if table == LOADS:
        return [(target.title, name) for target in TARGETS for name in names]
    if table == STOPS:
        return [(name, way.name) for name in names for way in WAYS]
    return [
        (name, point.name, victim)
        for name, kind in names.items()
        for point in POINTS[kind]
        for victim in VICTIMS
    ]
