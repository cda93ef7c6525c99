"""Faults on demand: what goes wrong, and for which requests, in a repeatable pattern."""

import re
import threading
from collections import Counter
from collections.abc import Iterable, MutableSequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args, overload

from typing_extensions import override

from sandbox.exchange import Request

Kind = Literal[
    "status",
    "reset",
    "reset_body",
    "cut_body",
    "slow_body",
    "stall",
    "html",
    "wrong_shape",
    "other_fields",
    "bad_json",
    "wrong_encoding",
    "empty",
    "redirect",
]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Fault:
    """One kind of fault, and the requests it hits.

    What happens: ``status`` is the status code of the response, 0 for the kind's own; ``wait_ms``
    is the pause of ``stall`` and ``slow_body``; ``location`` is the target of ``redirect``;
    ``retry_after`` (seconds) adds that header to any response, with ``retry_after_date`` as an
    HTTP date.

    Which requests match: ``path`` is a regular expression searched in the path and query,
    ``method`` an HTTP method; empty matches all. Matching requests are counted from 1 in order of
    arrival. The fault hits the ``first`` N of them, ``every`` N-th, those in ``only``, or the
    first ``attempts`` of each distinct method, path and query. At most one of the four may be
    given; without any of them the fault hits all matching requests.
    """

    kind: Kind = "status"
    status: int = 0
    retry_after: int | None = None
    retry_after_date: bool = False
    wait_ms: int = 0
    location: str = ""
    path: str = ""
    method: str = ""
    first: int | None = None
    every: int | None = None
    only: frozenset[int] = field(default_factory=frozenset)
    attempts: int | None = None

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: a field is invalid; the message names it and what it may be.
        """
        for problem in self._problems():
            raise ValueError(problem)

    def _problems(self) -> Iterable[str]:
        if self.kind not in KINDS:
            yield f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}"
        if self.kind == "status" and not 200 <= self.status <= 599:
            yield f"status must be 200 to 599, got {self.status}"
        if self.kind == "redirect" and not self.location:
            yield "a redirect needs location=URL"
        chosen = (self.first, self.every, self.only or None, self.attempts)
        if sum(choice is not None for choice in chosen) > 1:
            yield "give at most one of first, every, only and attempts"
        counts = (self.first, self.every, self.attempts, *self.only)
        if any(count is not None and count < 1 for count in counts):
            yield "first, every, only and attempts count from 1"
        if self.wait_ms < 0:
            yield f"wait_ms must not be negative, got {self.wait_ms}"
        try:
            re.compile(self.path)
        except re.error as error:
            yield f"path must be a regular expression, got {self.path!r}: {error}"

    @cached_property
    def _path(self) -> re.Pattern[str]:
        return re.compile(self.path)

    def matches(self, request: Request) -> bool:
        """Whether the fault counts this request."""
        if self.method and self.method.upper() != request.method:
            return False
        return not self.path or self._path.search(request.target) is not None

    def hits(self, ordinal: int, attempt: int) -> bool:
        """Whether the fault hits the matching request with this number and attempt, from 1."""
        if self.first is not None:
            return ordinal <= self.first
        if self.every is not None:
            return ordinal % self.every == 0
        if self.attempts is not None:
            return attempt <= self.attempts
        return not self.only or ordinal in self.only


class _Tally:
    """A fault and how often it has matched."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._ordinal = 0
        self._attempts: Counter[tuple[str, str]] = Counter()

    def hits(self, request: Request) -> bool:
        if not self.fault.matches(request):
            return False
        key = (request.method, request.target)
        self._ordinal += 1
        if self.fault.attempts is not None:
            self._attempts[key] += 1
        return self.fault.hits(self._ordinal, self._attempts[key])


class Faults(MutableSequence[Fault]):
    """A list of faults; each counts from its insertion, so removing and adding one restarts it.

    Servers in several threads may share it.
    """

    def __init__(self) -> None:
        self._tallies: list[_Tally] = []
        self._lock = threading.Lock()

    def fault_for(self, request: Request) -> Fault | None:
        """Count a request for every fault, and return the first fault that hits it."""
        with self._lock:
            hits = [tally.fault for tally in tuple(self._tallies) if tally.hits(request)]
        return hits[0] if hits else None

    @override
    def insert(self, index: int, value: Fault) -> None:
        self._tallies.insert(index, _Tally(value))

    @override
    def __len__(self) -> int:
        return len(self._tallies)

    @overload
    def __getitem__(self, index: int) -> Fault: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fault]: ...
    @override
    def __getitem__(self, index: int | slice) -> Fault | list[Fault]:
        if isinstance(index, slice):
            return [tally.fault for tally in self._tallies[index]]
        return self._tallies[index].fault

    @overload
    def __setitem__(self, index: int, value: Fault) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[Fault]) -> None: ...
    @override
    def __setitem__(self, index: int | slice, value: Fault | Iterable[Fault]) -> None:
        if isinstance(index, slice):
            faults = [value] if isinstance(value, Fault) else value
            self._tallies[index] = [_Tally(fault) for fault in faults]
        elif isinstance(value, Fault):
            self._tallies[index] = _Tally(value)
        else:
            msg = "an index takes a single Fault; assign a list to a slice"
            raise TypeError(msg)

    @override
    def __delitem__(self, index: int | slice) -> None:
        del self._tallies[index]
