"""Read a state: its wrappers, its shape, and what makes it unusable."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, UnsetType

from tap_kit.errors import setting_error
from tap_kit.run.files import converted, is_unicode, load_json_file

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Hashable
    from typing import IO

_OPTION = "--state"
_WRAPPERS = (
    *("singer_state", "completed", "completed_state", "partial", "partial_state"),  # of Meltano
    *("value", "state"),  # of a STATE message, and of other runners
)
# Keys of a state without bookmarks, as the SDK and other taps write them.
_EMPTY_KEYS = frozenset({"currently_syncing", "batches"})


class _Entry(Struct, kw_only=True):
    jobs: dict[str, dict[str, str]] | UnsetType = UNSET  # see `jobs.JobBook`
    job_ms: int | UnsetType = UNSET  # the same
    progress_markers: dict[str, Any] | UnsetType = UNSET  # the SDK removes them


class _Partition(_Entry, kw_only=True):
    context: dict[str, Any]


class _Bookmark(_Entry):
    partitions: list[_Partition] | UnsetType = UNSET


class _Batches(Struct):
    run: str
    files: int


class _State(Struct):
    """The shape of a Singer state, as far as the SDK and the kit depend on it."""

    bookmarks: dict[str, _Bookmark] | UnsetType = UNSET
    batches: _Batches | UnsetType = UNSET  # see `run.batches`


def load_state(file: str | IO[str] | None, logger: logging.Logger) -> dict[str, Any] | None:
    """Return the state in a file; None without a file.

    Raises:
        ConfigValidationError: if it is not a state.
    """
    if file is None:
        return None
    return checked_state(load_json_file(file, _OPTION), logger)


def checked_state(value: Any, logger: logging.Logger) -> dict[str, Any]:
    """Return a state without the objects around it, in which a runner or a message wraps it.

    Raises:
        ConfigValidationError: if it is not a state, or not a single one.
    """
    if not is_unicode(value):
        raise setting_error(_OPTION, "must be valid Unicode")
    wrappers: list[str] = []
    while isinstance(value, dict) and (wrapper := _wrapper(value)):
        wrappers.append(wrapper)
        value = value[wrapper]
    state = converted(value, _State, _OPTION)
    if wrong := _problem(value, state):
        raise setting_error(_OPTION, wrong)
    if wrappers:
        logger.info("Reading the state inside %s of --state", ".".join(wrappers))
    found: dict[str, Any] = value
    return found


def log_unknown_streams(state: Any, streams: Collection[str], logger: logging.Logger) -> None:
    """Log the streams in the state that the tap does not have; it keeps them as they are."""
    in_state = state.get("bookmarks", {}).keys()
    unknown = sorted(in_state - set(streams))
    if unknown and len(unknown) == len(in_state):
        logger.warning("--state has no stream of this tap; reading from the start")
    elif unknown:
        logger.info("Ignoring unknown streams in --state: %s", ", ".join(unknown))


def _wrapper(value: dict[str, Any]) -> str | None:
    """Return the key of the state that an object wraps; None if it wraps none.

    Raises:
        ConfigValidationError: if there are several.
    """
    present = [key for key in _WRAPPERS if key in value]
    full = [key for key in present if value[key] not in (None, {})]
    if full and (len(full) > 1 or "bookmarks" in value):
        names = ", ".join([*(["bookmarks"] if "bookmarks" in value else []), *full])
        problem = f"has more than one state ({names}); keep one"
        raise setting_error(_OPTION, problem)
    if "bookmarks" in value:
        return None
    return next(iter(full or present), None)


def _problem(value: Any, state: _State) -> str | None:
    if state.bookmarks is UNSET:
        other = sorted(value.keys() - _EMPTY_KEYS)
        return f"must be a Singer state: it has no bookmarks, but {other[0]}" if other else None
    for stream, entry in state.bookmarks.items():
        partitions = entry.partitions or []
        counts = Counter(_hashable(partition.context) for partition in partitions)
        if len(counts) < len(partitions):
            return f"has a partition of {stream} twice; remove one of the two entries"
    return None


def _hashable(value: Any) -> Hashable:
    """Return a value that equals another one if and only if the originals do."""
    if isinstance(value, dict):
        return frozenset((key, _hashable(item)) for key, item in value.items())
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
