"""Read the JSON files that a user gives to a tap: bounded in size, in time and in depth."""

from __future__ import annotations

import os
import select
import stat
import time
from collections import Counter
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, TypeVar

import msgspec
from singer_sdk.helpers._util import load_json  # the SDK's own function for these files

from tap_kit.errors import setting_error
from tap_kit.net.reading import memory_of

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

MAX_BYTES = 64 << 20
_FREE_BYTES, _MAX_MEMORY = 1 << 20, 128 << 20
MAX_DEPTH = 100  # of lists and objects inside each other
TIMEOUT_S = 60.0  # for the whole file: a pipe can be without a writer, or without an end
_PIECE = 1 << 20


class InvalidJsonError(ValueError):
    """A text is not valid JSON, or more than a tap accepts."""


class _UnreadableError(Exception):
    """A file cannot be read; the message is a predicate."""


def load_json_file(file: str | IO[str], option: str, expected: str = "JSON") -> Any:
    """Return the JSON in the file of an option: a path, ``-`` for standard input, or an open file.

    Raises:
        ConfigValidationError: if it cannot be read, or is not JSON; the message names the option.
    """
    try:
        return parse_json_text(read_text(file, option))
    except InvalidJsonError as error:
        raise setting_error(option, f"must be {expected}: {error}") from None


def read_text(file: str | IO[str], option: str) -> str:
    """Return the text of a file, at most ``MAX_BYTES`` long.

    Raises:
        ConfigValidationError: if it cannot be read, is too long, or is not UTF-8.
    """
    try:
        if not isinstance(file, str):
            return file.read(MAX_BYTES)
        content = _read_bytes(file)
        _check_memory(content)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"must be UTF-8, but byte {error.start:,} is not"
    except _UnreadableError as error:
        problem = str(error)
    except (OSError, ValueError) as error:  # a ValueError: the path has a null character
        reason = getattr(error, "strerror", None) or str(error)
        problem = f"cannot be read: {reason}: {file}"
    raise setting_error(option, problem)


def parse_json_text(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        InvalidJsonError: if it is not JSON, is nested deeper than ``MAX_DEPTH``, or has a key twice
            in an object.
    """
    if not text.strip():
        msg = "it is empty"
        raise InvalidJsonError(msg)
    try:
        value = load_json(text, object_pairs_hook=_object)
    except RecursionError:
        value = None
        is_deep = True
    except ValueError as error:
        raise InvalidJsonError(str(error)) from None
    else:
        is_deep = not _is_within_depth(value)
    if is_deep:
        msg = f"it has more than {MAX_DEPTH} levels"
        raise InvalidJsonError(msg)
    return value


def converted(value: Any, kind: type[T], option: str) -> T:
    """Return a value as a type that describes a Singer file, such as that of ``--state``.

    Raises:
        ConfigValidationError: if it does not fit; the message names the option and the place.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problem = f"must be a Singer {option.strip('-')}: {error}"
        raise setting_error(option, problem) from None


def is_unicode(value: object) -> bool:
    """Return whether all strings are valid: a lone surrogate can be neither sent nor stored."""
    if isinstance(value, str):
        return value.isprintable() or value.encode(errors="replace").decode() == value
    if isinstance(value, dict):
        return all(map(is_unicode, [*value.keys(), *value.values()]))
    return not isinstance(value, list) or all(map(is_unicode, value))


def _read_bytes(path: str) -> bytes:
    pieces: list[bytes] = []
    size, deadline = 0, time.monotonic() + TIMEOUT_S
    with _opened(path) as descriptor:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                problem = f"cannot be read: no end after {TIMEOUT_S:.0f} s: {path}"
                raise _UnreadableError(problem)
            piece = os.read(descriptor, _PIECE)
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BYTES:
                problem = f"must have at most {MAX_BYTES >> 20} MiB"
                raise _UnreadableError(problem)


def _check_memory(content: bytes) -> None:
    if len(content) > _FREE_BYTES and memory_of(content) > _MAX_MEMORY:
        problem = f"has too many values: they would take over {_MAX_MEMORY >> 20} MiB of memory"
        raise _UnreadableError(problem)


@contextmanager
def _opened(path: str) -> Iterator[int]:
    """Open a file without waiting for the writer of a pipe."""
    if path == "-":
        yield 0
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            problem = f"cannot be read: it is a directory: {path}"
            raise _UnreadableError(problem)
        yield descriptor
    finally:
        os.close(descriptor)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        msg = f"an object has a key twice: {counts.most_common(1)[0][0]}"
        raise InvalidJsonError(msg)
    return found


def _is_within_depth(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        if not inner:
            return True
        level = inner
    return False
