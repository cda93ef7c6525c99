"""Every setting of every tap, with every kind of invalid value."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tests.bad_input.test_states import assert_ended_well, stateful
from tests.bad_input.wrong import (
    misspelled,
    types_of,
    with_required,
    wrong_settings,
    wrong_types,
)
from tests.every_tap import EXECUTABLES, TAPS, EveryTap
from tests.fault_matrix.parts import settings_of_one_day
from tests.processes import execute

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fault_matrix.parts import Served

# The required settings of each tap; a tap that reads two APIs has two sets.
REQUIRED: dict[str, tuple[dict[str, Any], ...]] = {
    "tap-khoros-analytics": (
        {"username": "u", "password": "p", "company_key": "k", "discover_columns": False},
    ),
    "tap-kindmetrics": ({"api_token": "t"},),
    "tap-kissmetrics": (
        {"api_token": "t"},
        {"api_version": "v3", "username": "u", "password": "p"},
    ),
}


def errors_of(tap: EveryTap, **settings: Any) -> list[str]:
    """Return the errors of these settings, with each set of required ones: the shortest list."""
    found = []
    for required in REQUIRED[tap.name]:
        with pytest.raises(ConfigValidationError) as caught:
            tap.tap(config={**required, **settings})
        found.append(caught.value.errors)
    return min(found, key=len)


@pytest.mark.parametrize("tap", EXECUTABLES, ids=str)
def test_every_invalid_value_is_one_line_that_names_the_setting(tap: EveryTap) -> None:
    tried = set()
    for name, value, place in wrong_settings(tap.schema["properties"]):
        (line,) = errors_of(tap, **{name: with_required(name, value)})
        assert line.startswith(place), (value, line)
        assert "\n" not in line
        assert "valve" not in line, line
        tried.add(name)
    assert tried == set(tap.schema["properties"])


@pytest.mark.parametrize("tap", EXECUTABLES, ids=str)
def test_every_misspelled_name_is_reported_with_the_right_one(tap: EveryTap) -> None:
    for name in tap.schema["properties"]:
        (line,) = errors_of(tap, **{misspelled(name): "valve"})
        assert line.startswith(f"{misspelled(name)} is not a setting of this tap (did you mean ")


@pytest.mark.parametrize("tap", EXECUTABLES, ids=str)
def test_each_of_many_invalid_settings_is_one_line(tap: EveryTap, tmp_path: Path) -> None:
    """The executable ends with exit code 1, no output on stdout and no traceback."""
    properties = tap.schema["properties"]
    wrong = {name: next(wrong_types(schema)) for name, schema in properties.items()}
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**wrong, "unknown": 1}), encoding="utf-8")
    ended = execute(str(tap.executable), "--config", str(file))
    assert ended.code == 1
    assert ended.output.text == ""
    assert "Traceback" not in ended.stderr
    assert "valve" not in ended.stderr
    reported = sorted(line.partition(" ")[0] for line in ended.errors)
    assert reported == sorted([*properties, "unknown"])
    assert ended.warnings[-1].startswith(f"{len(reported)} problems: ")


@pytest.mark.parametrize("tap", EXECUTABLES, ids=str)
def test_settings_that_contradict_each_other_are_one_error_line(tap: EveryTap) -> None:
    errors = errors_of(tap, start_date="2024-02-02", end_date="2024-02-01")
    assert errors == ["start_date must not be after end_date"]


@pytest.mark.parametrize("tap", EXECUTABLES, ids=str)
def test_every_number_has_an_upper_limit(tap: EveryTap) -> None:
    """Without a limit, a number can be too large for days, threads or seconds."""
    own = {n: s for n, s in tap.schema["properties"].items() if not n.startswith("flattening_")}
    numbers = {name: schema for name, schema in own.items() if "integer" in types_of(schema)}
    assert {name for name, schema in numbers.items() if "maximum" not in schema} == set()


ODD_TEXTS = ("", " ", "\n", "a\nb", "\x00", "tökén ☃", "\ud800", "../../x", "%", "{x}", "?a=b#c")


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_text_in_a_setting_is_an_unexpected_error(
    served: Served, tap: EveryTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each text is refused, or the run is complete, or it ends with an error line."""
    here = tmp_path / "some" / "folder"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)  # a text can be the name of a folder
    account = served.tried(tap).account
    account = replace(stateful(tap, account), settings=settings_of_one_day(account))
    for name, schema in tap.schema["properties"].items():
        for text in ODD_TEXTS:
            if (value := _of_text(schema, text)) is None:
                continue
            settings = {**account.settings, name: value}
            ended = tap.run(settings, catalog=account.catalog)
            assert_ended_well(tap, None, ended, (name, text))


def _of_text(schema: dict[str, Any], text: str) -> Any:
    """Return a value of a setting that contains a text; None if the setting takes no text."""
    if "string" in types_of(schema):
        return text
    if "array" in types_of(schema) and "string" in types_of(schema.get("items", {})):
        return [text]
    items = schema.get("items", {})
    texts = [n for n, inner in items.get("properties", {}).items() if "string" in types_of(inner)]
    return [dict.fromkeys(texts, text)] if texts else None
