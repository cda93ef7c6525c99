"""One cell of the matrix: a temporary or permanent fault at a place, and how the run ends."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from unittest.mock import patch

import requests
from sandbox.faults import Fault

from tests.fault_matrix.kinds import TIMEOUT_S
from tests.secrets_of_taps.forms import found_in
from tests.singer import Loader, without_times

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tests.every_tap import Account, EveryTap
    from tests.fault_matrix.kinds import Kind
    from tests.fault_matrix.places import Place
    from tests.processes import Ended
    from tests.singer import Output, State

Duration = Literal["once", "twice", "for good"]
DURATIONS: tuple[Duration, ...] = ("once", "twice", "for good")
FOR_GOOD = 400  # requests in a row; no run of the matrix sends as many
OTHERS_COMPLETE = "All other streams are complete; these failed: "
FILES_OF = "raw data of "
DEBUGGED = "urllib3.connectionpool"  # its lines are in the log at level DEBUG only
SHORT_POLL_TIMEOUT = {"poll_timeout": 1}  # seconds; the sandbox's jobs are done at the second poll
Tables = dict[str, Counter[str]]


class WrongEndError(AssertionError):
    """A run that ended neither complete nor with a clean stop; the text says how."""


@dataclass(frozen=True)
class Undisturbed:
    """The result of a run without faults: its tables and its last state."""

    rows: Tables
    loaded: Any
    bookmarks: Any


def undisturbed(tap: EveryTap, account: Account) -> Undisturbed:
    """Run the tap without faults and return the result."""
    account.log.clear()
    ended = tap.run(account.settings, catalog=account.catalog)
    require(ended.code == 0, ended)
    loader = Loader()
    loader.load(ended.output)
    return Undisturbed(_tables(tap, ended.output), _loaded(tap, loader), _bookmarks(loader.state))


def outcome(
    tap: EveryTap,
    account: Account,
    whole: Undisturbed,
    kind: Kind,
    place: Place,
    duration: Duration,
) -> str:
    """Return how the run ended, in a word of the page: complete, stops, or others continue.

    Raises:
        WrongEndError: if it is none of these, or the next run does not read what is missing.
    """
    account.faults[:] = [fault_of(kind, place, duration)]
    with short_timeout(kind):
        ended = run_in_debug(tap, account, settings_for(tap, account, kind, duration))
    account.faults.clear()
    if ended.code == 0:
        require_complete(tap, whole, ended)
        return "complete"
    require(duration == "for good", ended)
    return require_clean_stop(tap, account, whole, kind.words, ended)


def require_no_effect(
    tap: EveryTap,
    account: Account,
    whole: Undisturbed,
    kind: Kind,
    hit: Collection[Place],
    duration: Duration,
) -> None:
    """Require that one run with temporary faults at all of these places ends complete.

    Raises:
        WrongEndError: if it does not.
    """
    account.faults[:] = [fault_of(kind, place, duration) for place in hit]
    with short_timeout(kind):
        ended = run_in_debug(tap, account, settings_for(tap, account, kind, duration))
    account.faults.clear()
    require_complete(tap, whole, ended)


def run_in_debug(tap: EveryTap, account: Account, settings: Mapping[str, Any]) -> Ended:
    """Run the tap with debug logging of the tap and its libraries; require no secret in it.

    Raises:
        WrongEndError: if a secret is in the output or the log.
    """
    logger = logging.getLogger(tap.name)
    before = logger.level
    try:
        ended = tap.run(dict(settings), catalog=account.catalog, level=logging.DEBUG)
    finally:
        logger.setLevel(before)
    require(DEBUGGED in ended.stderr, ended)
    for text in (ended.output.text, ended.stderr):
        require(not found_in(text, tap.secrets.values()), ended)
    return ended


def fault_of(kind: Kind, place: Place, duration: Duration) -> Fault:
    """Return the sandbox's fault that hits a place."""
    last = {"once": 1, "twice": 2, "for good": FOR_GOOD}[duration]
    only = frozenset(range(place.ordinal, place.ordinal + last))
    return Fault(**kind.fault, path=place.path, method=place.method, only=only)


def settings_for(tap: EveryTap, account: Account, kind: Kind, duration: Duration) -> dict[str, Any]:
    """Return the account's settings; one request at a time if two in a row must be hit."""
    one_at_a_time = {"max_concurrency": 1} if duration == "twice" else {}
    has_jobs = "poll_timeout" in tap.schema["properties"]
    never_done = duration == "for good" and kind.fault.get("kind") == "other_fields"
    return {
        **account.settings,
        **one_at_a_time,
        **(SHORT_POLL_TIMEOUT if has_jobs and never_done else {}),
    }


def short_timeout(kind: Kind) -> Any:
    """Use a timeout inside that is shorter than a second, the minimum of the setting."""
    if not kind.is_slow:
        return patch.dict({}, {})
    real = requests.Session.request

    def request(self: requests.Session, *args: Any, **kwargs: Any) -> requests.Response:
        return real(self, *args, **{**kwargs, "timeout": TIMEOUT_S})

    return patch.object(requests.Session, "request", request)


def require_complete(tap: EveryTap, whole: Undisturbed, ended: Ended) -> None:
    """Require the rows of the undisturbed run, each as often, and its bookmarks.

    Raises:
        WrongEndError: if they differ.
    """
    require_all_rows(tap, whole, ended)
    require(_bookmarks(ended.output.state) == whole.bookmarks, ended)


def require_clean_stop(
    tap: EveryTap, account: Account, whole: Undisturbed, words: tuple[str, ...], ended: Ended
) -> str:
    """Require one line that says why, and that the next run reads what is missing.

    Raises:
        WrongEndError: if either does not hold.
    """
    require(ended.code == 1, ended)
    require("Traceback" not in ended.stderr, ended)
    others_completed = ended.errors[-1:] and ended.errors[-1].startswith(OTHERS_COMPLETE)
    reasons = ended.errors[:-1] if others_completed else ended.errors
    require(reasons, ended)
    require(len(reasons) == 1 or others_completed, ended)
    require(all(any(word in reason for word in words) for reason in reasons), ended)
    if others_completed:
        require_others_complete(tap, whole, ended)
    require_next_run_completes(tap, account, whole, ended)
    return "others continue" if others_completed else "stops"


def require_others_complete(tap: EveryTap, whole: Undisturbed, ended: Ended) -> None:
    """Require all rows of the streams that the last line does not name.

    Raises:
        WrongEndError: if one of them lacks rows.
    """
    failed = ended.errors[-1].removeprefix(OTHERS_COMPLETE).split("; ")
    names = {task.partition(",")[0] for task in failed}
    found = _tables(tap, ended.output)
    if any(name.startswith(FILES_OF) for name in names):
        names = {*whole.rows}  # a file has rows of all streams of its export
    for stream, rows in whole.rows.items():
        require(stream in names or found.get(stream) == rows, ended)


def require_next_run_completes(
    tap: EveryTap, account: Account, whole: Undisturbed, ended: Ended
) -> None:
    """Require that the next run reads what this one did not, and that no row is invented.

    Raises:
        WrongEndError: if it does not.
    """
    require_no_invented_rows(tap, whole, ended)
    state: State | None = ended.output.state or None
    again = tap.run(account.settings, state=state, catalog=account.catalog)
    require(again.code == 0, again)
    loader = Loader()
    loader.load(ended.output)
    loader.load(again.output)
    require(_loaded(tap, loader) == whole.loaded, again)
    require(_bookmarks(loader.state) == whole.bookmarks, again)


def require_all_rows(tap: EveryTap, whole: Undisturbed, ended: Ended) -> None:
    """Require the rows of the undisturbed run, each as often.

    Raises:
        WrongEndError: if they differ.
    """
    require(ended.code == 0, ended)
    require(_tables(tap, ended.output) == whole.rows, ended)


def require_no_invented_rows(tap: EveryTap, whole: Undisturbed, ended: Ended) -> None:
    """Require that each written row is one of the undisturbed run, and at most as often.

    Raises:
        WrongEndError: if there are others.
    """
    for stream, rows in _tables(tap, ended.output).items():
        require(rows <= whole.rows.get(stream, Counter()), ended)


def _tables(tap: EveryTap, output: Output) -> Tables:
    return {
        stream: Counter(json.dumps(_without_volatile(tap, row), sort_keys=True) for row in rows)
        for stream in output.streams
        if (rows := output.rows(stream))
    }


def _without_volatile(tap: EveryTap, row: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in row.items() if field not in tap.volatile}


def _loaded(tap: EveryTap, loader: Loader) -> dict[str, Any]:
    """Return the rows in the warehouse, by stream and key, without the clock's fields."""
    return {
        stream: {key: _without_volatile(tap, row) for key, row in table.items()}
        for stream, table in loader.content.items()
        if table
    }


def _bookmarks(state: Any) -> Any:
    """Return the bookmarks of a state, sorted. A job that is left in it makes them differ."""
    marks = without_times(state.get("bookmarks", {}))
    return {stream: sorted(map(json.dumps, _entries(mark))) for stream, mark in marks.items()}


def _entries(mark: Mapping[str, Any]) -> Iterator[Any]:
    own = {key: value for key, value in mark.items() if key != "partitions"}
    if own:
        yield own
    yield from mark.get("partitions", [])


def require(condition: object, ended: Ended) -> None:
    """Check a condition.

    Raises:
        WrongEndError: if it does not hold; with the last part of the run's log.
    """
    if not condition:
        msg = f"exit code {ended.code}\n{ended.stderr[-1500:]}"
        raise WrongEndError(msg)
