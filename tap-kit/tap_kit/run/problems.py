"""Check all settings in one pass, and describe each problem."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, validators

from tap_kit.flow.windows import parse_day
from tap_kit.net.hosts import url_problem
from tap_kit.run.batch_options import batch_problems
from tap_kit.run.files import is_unicode
from tap_kit.run.settings import DEFAULT_DAYS, Config, Shard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from jsonschema import ValidationError

_Place = tuple[Any, ...]  # the names and indexes that lead to a value


def _is_integer(_checker: object, value: object) -> bool:
    """Return whether a value is an int, to count days or threads; JSON schema also accepts 1.0."""
    return isinstance(value, int) and not isinstance(value, bool)


_EARLIEST_ZONE, _LATEST_ZONE = timedelta(hours=14), timedelta(hours=-12)  # where a day begins
_Validator = validators.extend(  # type: ignore[no-untyped-call]
    Draft7Validator, type_checker=Draft7Validator.TYPE_CHECKER.redefine("integer", _is_integer)
)


def setting_problems(config: Config, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with ``config``, one line per problem: the setting's name, no value."""
    errors = _first_of_each_place(_Validator(schema).iter_errors(dict(config)))
    # Without duplicates: if two settings are missing, each of two errors names both.
    found = dict.fromkeys(problem for error in errors for problem in _describe(error))
    yield from (f"{setting} {problem}" for setting, problem in found)
    faulty = {setting for setting, _ in found}
    for setting in (name for name, value in config.items() if not is_unicode(value)):
        faulty.add(setting)
        yield f"{setting} must be valid Unicode"
    fine = {k: v for k, v in config.items() if k not in faulty and v is not None}
    yield from _meaning_problems(fine, schema)


def place_of(problem: str) -> str:
    """Return the place that a problem begins with, such as ``segments[0].name``."""
    return problem.partition(" ")[0].rstrip(":")


def setting_of(problem: str) -> str:
    """Return the name of the setting that a problem begins with."""
    return re.split(r"[.\[]", place_of(problem), maxsplit=1)[0]


def valid_parts(config: Config, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of ``config`` that fit the schema, for the checks of a tap itself.

    An invalid value is left out, at any depth; in a list, where this would change the index of the
    others, None replaces it. A required member of an object can be missing.
    """
    wrong = set(_wrong_places(config, schema))
    return {
        name: _pruned(value, (name,), wrong)
        for name, value in config.items()
        if (name,) not in wrong and value is not None and is_unicode(value)
    }


def _wrong_places(config: Config, schema: Mapping[str, Any]) -> Iterator[_Place]:
    for error in _Validator(schema).iter_errors(dict(config)):
        place, instance = tuple(error.absolute_path), error.instance
        if error.validator == "additionalProperties":
            known: Any = error.schema
            yield from ((*place, name) for name in instance.keys() - known["properties"].keys())
        elif error.validator != "required":
            yield place


def _pruned(value: Any, place: _Place, wrong: AbstractSet[_Place]) -> Any:
    if isinstance(value, Mapping):
        inner = {name: (*place, name) for name in value}
        return {k: _pruned(value[k], at, wrong) for k, at in inner.items() if at not in wrong}
    if isinstance(value, list):
        items = [(item, (*place, index)) for index, item in enumerate(value)]
        return [None if at in wrong else _pruned(item, at, wrong) for item, at in items]
    return value


def _first_of_each_place(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Return the errors without those that follow from a wrong type of the same value."""
    found = list(errors)
    of_wrong_type = {_path(error) for error in found if error.validator == "type"}
    return (e for e in found if e.validator == "type" or _path(e) not in of_wrong_type)


def _meaning_problems(config: Config, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the problems of settings with valid types that a JSON schema cannot express."""
    yield from _day_problems(config)
    yield from batch_problems(config, valid_parts(config, schema))
    try:
        Shard.parse(config.get("shard", "0/1"))
    except ValueError:
        yield "shard must be i/n with i from 0 to n-1, such as 0/2 or 1/2"
    for setting, definition in schema["properties"].items():
        if definition.get("format") == "uri" and setting in config:
            problem = url_problem(config[setting])
            if problem:
                yield f"{setting} {problem}"


def _day_problems(config: Config) -> Iterator[str]:
    start, end = (_day(config.get(setting)) for setting in ("start_date", "end_date"))
    for setting, day in (("start_date", start), ("end_date", end)):
        if setting in config and day is None:
            yield f"{setting} must be a date in YYYY-MM-DD format"
    now = datetime.now(timezone.utc)
    first_by_default = (now + _LATEST_ZONE).date() - timedelta(days=DEFAULT_DAYS)
    if start and end and start > end:
        yield "start_date must not be after end_date"
    elif start and start > (now + _EARLIEST_ZONE).date():
        yield "start_date must not be in the future"
    elif end and "start_date" not in config and end < first_by_default:
        yield f"start_date is required, because end_date is over {DEFAULT_DAYS} days ago"


def _day(text: str | None) -> date | None:
    try:
        return parse_day(text) if text else None
    except ValueError:
        return None


def _describe(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Yield the settings that a schema error is about, each with its problem as a predicate."""
    where = _path(error)
    wanted: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required":
        for name in wanted:
            if name not in instance:
                yield _join(where, name), "is required"
    elif error.validator == "additionalProperties":
        schema: Any = error.schema
        known = schema["properties"]
        for name in instance.keys() - known.keys():
            yield _join(where, name), "is not a setting of this tap" + _did_you_mean(name, known)
    else:
        yield where, _problem(str(error.validator), wanted, instance)


def _problem(validator: str, wanted: Any, value: object) -> str:
    if validator == "type":
        names = [wanted] if isinstance(wanted, str) else wanted
        expected = " or ".join(_KINDS[name] for name in names if name != "null")
        return f"must be {expected}, not {_kind_of(value)}"
    if validator == "enum":
        return f"must be one of {', '.join(map(str, wanted))}"
    problems = {
        "minimum": f"must be at least {wanted}",
        "maximum": f"must be at most {wanted}",
        "minLength": "must not be empty",
        "maxLength": f"must have at most {wanted} characters",
        "minItems": "must not be empty",
        "pattern": "contains characters that are not allowed",
        "uniqueItems": "must not contain duplicates",
    }
    return problems.get(validator, f"is not valid ({validator})")


_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    kinds: dict[type, str] = {
        str: "a string",
        int: "a number",
        float: "a decimal number",
        Decimal: "a decimal number",
        list: "a list",
        dict: "an object",
        type(None): "null",
    }
    return kinds.get(type(value), "something else")


def _path(error: ValidationError) -> str:
    path = ""
    for part in error.absolute_path:
        path = f"{path}[{part}]" if isinstance(part, int) else _join(path, str(part))
    return path


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _did_you_mean(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known)
    return f" (did you mean {near[0]}?)" if near else ""
