"""All shards of a run, one after the other, for any vendor."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol

from tests.singer import Loader, Output, State

if TYPE_CHECKING:
    from collections.abc import Sequence


class Site(Protocol):
    """A vendor's account and the tap that reads it."""

    def sync(self, *, state: State | None = None, **changes: Any) -> Output:
        """Run the tap once."""


def run_in_shards(
    site: Site, count: int, states: Sequence[State] = (), **changes: Any
) -> list[Output]:
    """Return the outputs of ``count`` shards, which start from ``states``, if given."""
    given: list[State | None] = [*deepcopy(list(states))] or [None] * count
    return [
        site.sync(shard=f"{index}/{count}", state=given[index], **changes) for index in range(count)
    ]


def loaded(*outputs: Output) -> Loader:
    """Return a loader with all outputs."""
    loader = Loader()
    for output in outputs:
        loader.load(output)
    return loader
