"""One cell of the matrix: a fault at a place, for a moment or for good, and what became of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from unittest.mock import patch

import requests
from sandbox.faults import Fault

from tests.fault_matrix.kinds import TIMEOUT_S
from tests.singer import Loader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.every_tap import Account, EveryTap
    from tests.fault_matrix.kinds import Kind
    from tests.fault_matrix.places import Place
    from tests.processes import Ended
    from tests.singer import Output, State

Lasting = Literal["once", "twice", "for good"]
LASTING: tuple[Lasting, ...] = ("once", "twice", "for good")
FOR_GOOD = 400  # requests in a row: more than any of these runs sends
OTHERS = "All other streams are complete; these failed: "
JOBS = {"poll_timeout": 2}  # seconds; a job of the sandbox is done at its second poll
Tables = dict[str, Counter[str]]


class WrongEndError(AssertionError):
    """A run that ended neither whole nor well; the text says how."""


@dataclass(frozen=True)
class Undisturbed:
    """What a run without any fault brings: its tables, and its last state."""

    rows: Tables
    loaded: Any
    bookmarks: Any


def undisturbed(tap: EveryTap, account: Account) -> Undisturbed:
    """One run of the account as it is."""
    account.log.clear()
    ended = tap.run(account.settings, catalog=account.catalog)
    require(ended.code == 0, ended)
    loader = Loader()
    loader.load(ended.output)
    return Undisturbed(_tables(tap, ended.output), _loaded(tap, loader), _marks(loader.state))


def outcome(
    tap: EveryTap, account: Account, whole: Undisturbed, kind: Kind, place: Place, lasting: Lasting
) -> str:
    """How the run ended, in a word: whole, stopped, or incomplete (the other streams whole).

    Raises:
        WrongEndError: when it is none of these, or the next run does not make it whole.
    """
    account.faults[:] = [fault_of(kind, place, lasting)]
    with impatient(kind):
        ended = tap.run(settings_for(tap, account, kind, lasting), catalog=account.catalog)
    account.faults.clear()
    if ended.code == 0:
        must_be_whole(tap, whole, ended)
        return "complete"
    require(lasting == "for good", ended)
    return must_stop_well(tap, account, whole, kind.words, ended)


def fault_of(kind: Kind, place: Place, lasting: Lasting) -> Fault:
    """The sandbox's fault that strikes at a place."""
    last = {"once": 1, "twice": 2, "for good": FOR_GOOD}[lasting]
    only = frozenset(range(place.ordinal, place.ordinal + last))
    return Fault(**kind.fault, path=place.path, method=place.method, only=only)


def settings_for(tap: EveryTap, account: Account, kind: Kind, lasting: Lasting) -> dict[str, Any]:
    """The account's settings; one request at a time where the next one has to be hit too."""
    at_once = {"max_concurrency": 1} if lasting == "twice" else {}
    has_jobs = "poll_timeout" in tap.schema["properties"]
    never_done = lasting == "for good" and kind.fault.get("kind") == "other_fields"
    return {**account.settings, **at_once, **(JOBS if has_jobs and never_done else {})}


def impatient(kind: Kind) -> Any:
    """Within it a request waits for less than the second that the settings allow at least."""
    if not kind.is_slow:
        return patch.dict({}, {})
    real = requests.Session.request

    def request(self: requests.Session, *args: Any, **kwargs: Any) -> requests.Response:
        return real(self, *args, **{**kwargs, "timeout": TIMEOUT_S})

    return patch.object(requests.Session, "request", request)


def must_be_whole(tap: EveryTap, whole: Undisturbed, ended: Ended) -> None:
    """It has to have written the rows of the undisturbed run, each as often, and its bookmarks.

    Raises:
        WrongEndError: when it has not.
    """
    must_have_all_rows(tap, whole, ended)
    require(_marks(ended.output.state) == whole.bookmarks, ended)


def must_stop_well(
    tap: EveryTap, account: Account, whole: Undisturbed, words: tuple[str, ...], ended: Ended
) -> str:
    """It has to say why in one line, and the next run has to bring what is missing.

    Raises:
        WrongEndError: when it does not.
    """
    require(ended.code == 1, ended)
    require("Traceback" not in ended.stderr, ended)
    others_went_on = ended.errors[-1:] and ended.errors[-1].startswith(OTHERS)
    reasons = ended.errors[:-1] if others_went_on else ended.errors
    require(reasons, ended)
    require(len(reasons) == 1 or others_went_on, ended)
    require(all(any(word in reason for word in words) for reason in reasons), ended)
    must_go_on(tap, account, whole, ended)
    return "others continue" if others_went_on else "stops"


def must_go_on(tap: EveryTap, account: Account, whole: Undisturbed, ended: Ended) -> None:
    """The next run has to bring what this one did not; nothing may be made up.

    Raises:
        WrongEndError: when it does not.
    """
    nothing_made_up(tap, whole, ended)
    state: State | None = ended.output.state or None
    again = tap.run(account.settings, state=state, catalog=account.catalog)
    require(again.code == 0, again)
    loader = Loader()
    loader.load(ended.output)
    loader.load(again.output)
    require(_loaded(tap, loader) == whole.loaded, again)
    require(_marks(loader.state) == whole.bookmarks, again)


def must_have_all_rows(tap: EveryTap, whole: Undisturbed, ended: Ended) -> None:
    """It has to have written the rows of the undisturbed run, each as often.

    Raises:
        WrongEndError: when it has not.
    """
    require(ended.code == 0, ended)
    require(_tables(tap, ended.output) == whole.rows, ended)


def nothing_made_up(tap: EveryTap, whole: Undisturbed, ended: Ended) -> None:
    """What was written before the end are rows of the undisturbed run, each as often at most.

    Raises:
        WrongEndError: when there are others.
    """
    for stream, rows in _tables(tap, ended.output).items():
        require(rows <= whole.rows.get(stream, Counter()), ended)


def _tables(tap: EveryTap, output: Output) -> Tables:
    return {
        stream: Counter(json.dumps(_settled(tap, row), sort_keys=True) for row in rows)
        for stream in output.streams
        if (rows := output.rows(stream))
    }


def _settled(tap: EveryTap, row: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in row.items() if field not in tap.volatile}


def _loaded(tap: EveryTap, loader: Loader) -> dict[str, Any]:
    """What stands in the warehouse: by key, or each once where the clock is in the key."""
    return {
        stream: {key: _settled(tap, row) for key, row in table.items()}
        for stream, table in loader.content.items()
        if table
    }


def _marks(state: Any) -> Any:
    """The bookmarks in a state in an order of their own; no job may be left in it."""
    marks = dict(state.get("bookmarks", {}))
    return {stream: sorted(map(json.dumps, _parts(mark))) for stream, mark in marks.items()}


def _parts(mark: Mapping[str, Any]) -> Iterator[Any]:
    own = {key: value for key, value in mark.items() if key != "partitions"}
    if own:
        yield own
    yield from mark.get("partitions", [])


def require(truth: object, ended: Ended) -> None:
    """Be sure that something is so.

    Raises:
        WrongEndError: with the end of what the run said, when it is not.
    """
    if not truth:
        msg = f"exit code {ended.code}\n{ended.stderr[-1500:]}"
        raise WrongEndError(msg)
