"""Read settings from environment variables, and from a ``.env`` file beneath them."""

from __future__ import annotations

import contextlib
import io
import os
import re
from typing import TYPE_CHECKING, Any

from dotenv import find_dotenv, load_dotenv

from tap_kit.errors import setting_error
from tap_kit.run.files import InvalidJsonError, parse_json_text, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


def variable_of(setting: str, tap: str) -> str:
    """Return the name of the environment variable of a setting."""
    return f"{tap}_{setting}".upper().replace("-", "_")


def load_dotenv_file() -> None:
    """Add the variables in ``.env`` that the environment lacks, from the working folder or above.

    Raises:
        ConfigValidationError: if the file cannot be read.
    """
    path = ""
    with contextlib.suppress(OSError):  # the working folder does not exist
        path = find_dotenv(usecwd=True)
    if not path:
        return
    text = read_text(path, path)
    try:
        load_dotenv(stream=io.StringIO(text), override=False)
    except (OSError, ValueError) as error:  # a null character
        raise setting_error(path, f"has an invalid variable: {error}") from None


def environment_settings(schema: Mapping[str, Any], tap: str) -> dict[str, Any]:
    """Return the settings in the environment, converted to the types in their JSON schema.

    A variable that is empty is unset. A value that cannot be converted stays a text, whose type the
    check of the settings then reports.
    """
    found = {}
    for name, definition in schema["properties"].items():
        text = os.environ.get(variable_of(name, tap), "")
        if text.strip():
            found[name] = _converted(text, definition)
    return found


def environment_hint(setting: str, value: object, schema: Mapping[str, Any], tap: str) -> str:
    """Return what a problem of a setting from the environment adds: the variable, its form."""
    types = _types(schema["properties"].get(setting, {}))
    needs_json = isinstance(value, str) and not types.isdisjoint({"array", "object"})
    form = ", which must be JSON" if needs_json else ""
    return f" (environment variable {variable_of(setting, tap)}{form})"


def _converted(text: str, definition: Mapping[str, Any]) -> Any:
    types = _types(definition)
    if "string" in types:
        return text
    if "boolean" in types:
        return _BOOLEANS.get(text.strip().lower(), text)
    if "integer" in types:
        with contextlib.suppress(ValueError):  # Python's limit of digits
            return int(text) if re.fullmatch(r"\s*[+-]?[0-9]+\s*", text) else text
        return text
    value: Any = text
    with contextlib.suppress(InvalidJsonError):
        value = parse_json_text(text)
    is_list_of_strings = "array" in types and "string" in _types(definition.get("items", {}))
    if is_list_of_strings and not isinstance(value, list) and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",")]
    return value


def _types(definition: Mapping[str, Any]) -> set[str]:
    types = definition.get("type", ())
    return {types} if isinstance(types, str) else set(types)
