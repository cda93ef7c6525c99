"""The size of the tenant's world, and the batches of its rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from sandbox.khoros import values as v
from sandbox.khoros.places import time_text
from sandbox.khoros.query import Query


@dataclass(frozen=True)
class World:
    """The size of the world; ``rows`` is per export, and for rosters the number of agents.

    ``since`` is the first day with data; ``long_actions`` is the number of actions of an
    additional conversation per day in conversation_history_action.
    """

    since: date
    rows: Mapping[str, int] = field(default_factory=dict)
    default_rows: int = 40
    empty_days: frozenset[date] = frozenset()
    long_actions: int = 0
    is_end_included: bool = True

    def rows_on(self, export: str, day: date) -> int:
        """Return the number of rows that an export of events has on a UTC day."""
        if day in self.empty_days or day < self.since:
            return 0
        return self.rows.get(export, self.default_rows)


class Batch(NamedTuple):
    """Rows of one moment: ``slots`` make the cells, in which ``tokens`` are then replaced.

    Batches with the same ``key`` (not None) have the same slots.
    """

    key: object
    slots: Callable[[], Iterable[v.Slot]]
    size: int
    tokens: tuple[tuple[str, str], ...]


def moment_tokens(query: Query, at: int) -> tuple[tuple[str, str], ...]:
    """Return the texts of the times that derive from a moment."""
    times = [*zip(v.MOMENTS, v.MOMENT_OFFSETS_MS, strict=True)]
    if query.export.shape == "conversations":
        times += [(v.CLOSED_AT[n], life) for n, life in enumerate(v.LIVES_MS) if life is not None]
    texts = ((token, time_text(at + later, query.zone, query.locale)) for token, later in times)
    return (*texts, (v.ZONE, query.zone_text))


def is_in(chosen: Iterable[object] | None, value: object) -> bool:
    """Whether a value is among the chosen ones; None chooses all."""
    return chosen is None or value in chosen
