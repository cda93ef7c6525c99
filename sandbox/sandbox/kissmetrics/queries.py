"""Queries on the vendor's side: started, polled, completed, read, forgotten."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from sandbox.kissmetrics.people import Rows
from sandbox.kissmetrics.rules import RunRules


class Run(NamedTuple):
    """What a query was started for: the id of a report or metric, and the window as it was sent.

    For a query without a report, ``report_id`` is its type and ``start`` its parameters.
    """

    report_id: str
    start: str = ""
    end: str = ""


@dataclass
class Query:
    """A query, running or completed: ``polls`` counts polls, ``ordinal`` the starts of its run."""

    id: str
    run: Run
    ordinal: int
    rows: Any
    shifted: bool = False
    as_objects: bool = False
    started: float = field(default_factory=time.monotonic)
    polls: int = 0
    is_completed: bool = False

    def poll(self, rules: RunRules) -> bool:
        """Count a poll, and return whether the query is completed."""
        self.polls += 1
        if rules.run_seconds is None and self.polls > rules.polls:
            self.is_completed = True
        return self.has_ended(rules)

    def has_ended(self, rules: RunRules) -> bool:
        """Whether the query is completed, without counting a poll."""
        if rules.run_seconds is not None and self._elapsed >= rules.run_seconds:
            self.is_completed = True
        return self.is_completed

    def fails(self, rules: RunRules) -> bool:
        """Whether this start ends in an error."""
        if rules.error is None:
            return False
        return rules.error_starts is None or self.ordinal <= rules.error_starts

    def progress(self, rules: RunRules) -> float:
        """Return the progress of the query, from 0 to less than 1."""
        if rules.run_seconds is not None:
            return round(min(0.99, self._elapsed / max(rules.run_seconds, 0.001)), 2)
        return round(min(0.99, self.polls / (rules.polls + 1)), 2)

    def page(self, offset: int, limit: int) -> list[Any]:
        """Return rows by position, in the query's form."""
        if not isinstance(self.rows, Rows):
            return list(self.rows[offset : offset + limit])
        rows = self.rows.page(offset, limit, shifted=self.shifted)
        if self.as_objects:
            return [{"identity": row[1], "columns": row[2:]} for row in rows]
        return rows

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self.started


class Queries:
    """All queries of an account, and how often each run was started."""

    def __init__(self, seed: str) -> None:
        self.runs: Counter[Run] = Counter()
        self.early_reads = 0
        self.cancelled: list[str] = []
        self._seed = seed
        self._known: dict[str, Query] = {}
        self._lock = threading.Lock()

    def start(self, run: Run, rows: Any) -> Query:
        """Start a query; its id derives from the run and its number of starts."""
        with self._lock:
            self.runs[run] += 1
            ordinal = self.runs[run]
            name = f"{self._seed}/{'/'.join(run)}/{ordinal}"
            query = Query(str(uuid5(NAMESPACE_URL, name)), run, ordinal, rows)
            self._known[query.id] = query
        return query

    def get(self, query_id: str) -> Query | None:
        """Return a query by its id; None if it is unknown or forgotten."""
        return self._known.get(query_id)

    def cancel(self, query_id: str) -> bool:
        """Remove a query that its owner cancels, and return whether it was known."""
        with self._lock:
            was_known = self._known.pop(query_id, None) is not None
            if was_known:
                self.cancelled.append(query_id)
        return was_known

    def forget(self) -> None:
        """Remove all queries, as a server does after some time; the counts remain."""
        with self._lock:
            self._known.clear()
