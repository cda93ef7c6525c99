"""The compact text of a fault, which the command line and the control route take."""

import shlex
from typing import Any, cast

from sandbox.faults import KINDS, Fault, Kind

GRAMMAR = """\
WHAT [KEY=VALUE ...]

WHAT is a status code (200 to 599) or one of
  reset           connection reset before the response
  reset_body      connection reset in the middle of the body
  cut_body        connection closed in the middle of the body
  slow_body       half of the body, a pause of wait_ms, the other half
  stall           a pause of wait_ms before the response
  html            an HTML page (status=200 by default)
  wrong_shape     valid JSON of another shape: an object for a list, a list for an object
  other_fields    valid JSON of the right shape, but with an unknown field and no other
  bad_json        JSON that is cut in half
  wrong_encoding  the header says gzip, but the body is not compressed
  empty           no body (status=200 by default)
  redirect        to location=URL (status=302 by default)

what happens:   wait_ms=N  location=URL  status=N  retry_after=SECONDS  retry_after=date:SECONDS
which requests: path=REGEX (in path and query)  method=GET
of those:       first=N | every=N | only=1,4,9 | attempts=N (of each distinct request)

Examples: "503 retry_after=1 every=7 path=/pages"   "reset attempts=1"   "slow_body wait_ms=500"
"""
NUMBERS = frozenset({"wait_ms", "status", "first", "every", "attempts"})
TEXTS = frozenset({"location", "path", "method"})
NAMES = tuple(kind for kind in KINDS if kind != "status")
START = f"a fault must start with a status code or one of {', '.join(NAMES)}"


def parse_fault(text: str) -> Fault:
    """Return the fault that a compact text describes: see ``GRAMMAR``.

    Raises:
        ValueError: the text is invalid; the message names the part that is wrong.
    """
    words = shlex.split(text)
    if not words:
        msg = f"{START}, got an empty text"
        raise ValueError(msg)
    fields = _kind(words[0])
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals or not value:
            msg = f"fault {text!r}: expected KEY=VALUE, got {word!r}"
            raise ValueError(msg)
        fields.update(_field(key, value))
    try:
        return Fault(**fields)
    except ValueError as error:
        msg = f"fault {text!r}: {error}"
        raise ValueError(msg) from None


def _kind(word: str) -> dict[str, Any]:
    if word.isdecimal():
        return {"kind": "status", "status": int(word)}
    if word in NAMES:
        return {"kind": cast("Kind", word)}
    msg = f"{START}, got {word!r}"
    raise ValueError(msg)


def _field(key: str, value: str) -> dict[str, Any]:
    if key in NUMBERS:
        return {key: _number(key, value)}
    if key in TEXTS:
        return {key: value}
    if key == "only":
        return {key: frozenset(_number(key, part) for part in value.split(","))}
    if key == "retry_after":
        seconds = value.removeprefix("date:")
        return {key: _number(key, seconds), "retry_after_date": seconds != value}
    known = ", ".join(sorted(NUMBERS | TEXTS | {"only", "retry_after"}))
    msg = f"the key of a fault must be one of {known}, got {key!r}"
    raise ValueError(msg)


def _number(key: str, value: str) -> int:
    if not value.isdecimal():
        msg = f"{key} must be a whole number, got {value!r}"
        raise ValueError(msg)
    return int(value)
