"""Misbehaviour on demand: which requests go wrong, and how, in a pattern that repeats."""

import re
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
    """One way to go wrong, and the requests it befalls.

    What happens: ``status`` is the code of the kinds ``status`` and ``html``; ``wait_ms`` is the
    pause of ``stall`` and ``slow_body``; ``location`` is where ``redirect`` points;
    ``retry_after`` (seconds) adds that header to any answer, as an HTTP date on demand.

    Which requests match: ``path`` is a regular expression searched in the path and query,
    ``method`` an HTTP method; empty matches all. Of the matching requests, counted from 1 in the
    order of arrival, these are hit: the ``first`` so many, ``every`` so-manieth, the ones in
    ``only``, or the first ``attempts`` of each distinct method, path and query. At most one of
    the four may be given; without any, all are hit.
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
        """Refuse what makes no sense.

        Raises:
            ValueError: names the field and what it may be.
        """
        for problem in self._problems():
            raise ValueError(problem)

    def _problems(self) -> Iterable[str]:
        if self.kind not in KINDS:
            yield f"unknown kind {self.kind!r}: one of {', '.join(KINDS)}"
        if self.kind == "status" and not 200 <= self.status <= 599:
            yield f"status must be 200 to 599, not {self.status}"
        if self.kind == "redirect" and not self.location:
            yield "a redirect needs a location"
        chosen = (self.first, self.every, self.only or None, self.attempts)
        if sum(choice is not None for choice in chosen) > 1:
            yield "give at most one of first, every, only and attempts"
        if min(self.first or 1, self.every or 1, self.attempts or 1, *self.only) < 1:
            yield "requests are counted from 1"
        if 0 in (self.first, self.every, self.attempts) or self.wait_ms < 0:
            yield "numbers must be positive"
        try:
            re.compile(self.path)
        except re.error as error:
            yield f"path is not a regular expression: {error}"

    @cached_property
    def _path(self) -> re.Pattern[str]:
        return re.compile(self.path)

    def matches(self, request: Request) -> bool:
        """Whether the request is counted at all."""
        if self.method and self.method.upper() != request.method:
            return False
        return not self.path or self._path.search(request.target) is not None

    def hits(self, ordinal: int, attempt: int) -> bool:
        """Whether the so-manieth matching request, in its so-manieth attempt, is hit."""
        if self.first is not None:
            return ordinal <= self.first
        if self.every is not None:
            return ordinal % self.every == 0
        if self.attempts is not None:
            return attempt <= self.attempts
        return not self.only or ordinal in self.only


class _Tally:
    """A fault together with how often it has matched."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._ordinal = 0
        self._attempts: Counter[tuple[str, str]] = Counter()

    def strikes(self, request: Request) -> bool:
        if not self.fault.matches(request):
            return False
        key = (request.method, request.target)
        self._ordinal += 1
        if self.fault.attempts is not None:
            self._attempts[key] += 1
        return self.fault.hits(self._ordinal, self._attempts[key])


class Faults(MutableSequence[Fault]):
    """A list of faults; each one counts from its insertion, so clear and append starts anew."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """Start with these faults, in this order."""
        self._tallies = [_Tally(fault) for fault in faults]

    def strike(self, request: Request) -> Fault | None:
        """Count a request with every fault, and give the first fault that hits it."""
        if not self._tallies:
            return None
        struck = [tally.fault for tally in tuple(self._tallies) if tally.strikes(request)]
        return struck[0] if struck else None

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
            msg = "a single place takes a single Fault"
            raise TypeError(msg)

    @override
    def __delitem__(self, index: int | slice) -> None:
        del self._tallies[index]
