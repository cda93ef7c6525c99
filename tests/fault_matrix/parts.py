"""The smallest runs: one stream and one day are enough to send a kind of request."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.fault_matrix import cells
from tests.fault_matrix.places import Place, places

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack

    from tests.every_tap import Account, EveryTap
    from tests.fault_matrix.cells import Undisturbed

Catalog = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """An account with one stream selected, its undisturbed run, and a kind of request of it."""

    account: Account
    whole: Undisturbed
    place: Place  # the first request of the kind


@dataclass(frozen=True)
class Tried:
    """A tap with its account, the undisturbed run, its requests, and a part for each kind."""

    tap: EveryTap
    account: Account
    whole: Undisturbed
    places: tuple[Place, ...]
    parts: tuple[Part, ...]


class Served:
    """The taps that tests try, each served once, and the results of their undisturbed runs."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._tried: dict[str, Tried] = {}

    def tried(self, tap: EveryTap) -> Tried:
        """Return a tap with its account, without the faults of an earlier test."""
        name = str(tap)
        if name not in self._tried:
            self._tried[name] = self._try(tap)
        found = self._tried[name]
        found.account.faults.clear()
        found.account.log.clear()
        return found

    def _try(self, tap: EveryTap) -> Tried:
        account = self._stack.enter_context(tap.serving())
        whole = cells.undisturbed(tap, account)
        found = tuple(places(account.log.requests))
        parts = parts_of(tap, account)
        kinds = dict.fromkeys(place.kind for place in found)
        return Tried(tap, account, whole, found, tuple(parts[kind] for kind in kinds))


def parts_of(tap: EveryTap, account: Account) -> Mapping[str, Part]:
    """Return the smallest run that sends a kind of request, by kind."""
    one_day = settings_of_one_day(account)
    sizes: dict[str, int] = {}
    parts: dict[str, Part] = {}
    for catalog in catalogs_of_one_stream(tap, account):
        part = replace(account, settings=one_day, catalog=catalog)
        whole = cells.undisturbed(tap, part)
        size = len(account.log.requests)
        for place in places(account.log.requests):
            if place.which in {"first", "only"} and size < sizes.get(place.kind, size + 1):
                sizes[place.kind] = size
                parts[place.kind] = Part(part, whole, place)
    return parts


def settings_of_one_day(account: Account) -> dict[str, Any]:
    """Return the account's settings for a run that reads the first day only."""
    return {**account.settings, "end_date": account.settings["start_date"]}


def catalog_of(tap: EveryTap, account: Account) -> Catalog:
    """Return a copy of the account's catalog, or the one that discovery makes."""
    found: Catalog = account.catalog or tap.tap(config=account.settings).catalog_dict
    return deepcopy(found)


def catalogs_of_one_stream(tap: EveryTap, account: Account) -> list[Catalog]:
    """Return catalogs with each selected stream alone."""
    catalog = catalog_of(tap, account)
    chosen = [entry["stream"] for entry in catalog["streams"] if is_selected(entry)]
    return [only(catalog, stream) for stream in chosen]


def only(catalog: Catalog, *streams: str) -> Catalog:
    """Return a copy of a catalog that has only these streams, and selects them."""
    entries = deepcopy([entry for entry in catalog["streams"] if entry["stream"] in streams])
    for entry in entries:
        _root(entry)["selected"] = True
    return {**catalog, "streams": entries}


def is_selected(entry: Mapping[str, Any]) -> bool:
    """Return whether a stream is selected."""
    return bool(_root(entry).get("selected"))


def _root(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a stream itself."""
    root: dict[str, Any]
    (root,) = (item["metadata"] for item in entry["metadata"] if not item["breadcrumb"])
    return root
