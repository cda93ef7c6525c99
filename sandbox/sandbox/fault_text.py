"""The compact text for a fault, as the command line and the control route take it."""

import re
import shlex
from typing import Any, cast

from sandbox.faults import KINDS, Fault, Kind

GRAMMAR = """\
WHAT [KEY=VALUE ...]

WHAT is a status code (200 to 599) or one of
  reset           connection reset before any answer
  reset_body      connection reset in the middle of the body
  cut_body        connection closed in the middle of the body
  slow_body       half of the body, wait_ms, the other half
  stall           wait_ms before the answer
  html            an HTML page (status=200 unless given)
  wrong_shape     valid JSON of another shape: an object for a list, a list for an object
  other_fields    valid JSON of the right shape, but with a field that nobody knows
  bad_json        JSON that stops half way
  wrong_encoding  says gzip, but is not
  empty           no body (status=200 unless given)
  redirect        to location=URL (status=302 unless given)

what happens:   wait_ms=N  location=URL  status=N  retry_after=SECONDS  retry_after=date:SECONDS
which requests: path=REGEX (in path and query)  method=GET
of those:       first=N | every=N | only=1,4,9 | attempts=N (of each distinct request)

Examples: "503 retry_after=1 every=7 path=/pages"   "reset attempts=1"   "slow_body wait_ms=500"
"""
NUMBERS = frozenset({"wait_ms", "status", "first", "every", "attempts"})
TEXTS = frozenset({"location", "path", "method"})


def parse_fault(text: str) -> Fault:
    """Read a fault from its compact text: see ``GRAMMAR``.

    Raises:
        ValueError: the text says something else; the message names the part that is wrong.
    """
    words = shlex.split(text)
    if not words:
        msg = "a fault starts with a status code or a kind, but the text is empty"
        raise ValueError(msg)
    fields = _what(words[0])
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals or not value:
            msg = f"fault {text!r}: expected KEY=VALUE, not {word!r}"
            raise ValueError(msg)
        fields.update(_field(key, value))
    try:
        return Fault(**fields)
    except ValueError as error:
        msg = f"fault {text!r}: {error}"
        raise ValueError(msg) from None


def _what(word: str) -> dict[str, Any]:
    if word.isdecimal():
        return {"kind": "status", "status": int(word)}
    if word in KINDS and word != "status":
        return {"kind": cast("Kind", word)}
    known = ", ".join(kind for kind in KINDS if kind != "status")
    msg = f"a fault starts with a status code or one of {known}, not {word!r}"
    raise ValueError(msg)


def _field(key: str, value: str) -> dict[str, Any]:
    if key in NUMBERS:
        return {key: _number(key, value)}
    if key in TEXTS:
        return {key: value}
    if key == "only":
        return {key: frozenset(_number(key, part) for part in value.split(","))}
    if key == "retry_after":
        seconds = re.sub(r"^date:", "", value)
        return {key: _number(key, seconds), "retry_after_date": seconds != value}
    known = ", ".join(sorted(NUMBERS | TEXTS | {"only", "retry_after"}))
    msg = f"unknown key {key!r} in a fault: one of {known}"
    raise ValueError(msg)


def _number(key: str, value: str) -> int:
    if not value.isdecimal():
        msg = f"{key} must be a whole number, not {value!r}"
        raise ValueError(msg)
    return int(value)
