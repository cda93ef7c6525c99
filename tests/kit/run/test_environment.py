"""Settings from environment variables and ``.env``: types, priority, and one line per problem."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st
from singer_sdk import typing as th
from tap_kit.run.environment import environment_settings
from tap_kit.run.problems import setting_problems
from tap_kit.run.settings import common_settings

from tests.kit.canned import CannedTap
from tests.kit.json_values import JSON
from tests.kit.run.test_command_line import ended, errors, file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROPERTIES: dict[str, Any] = th.PropertiesList(
    th.Property("site_ids", th.ArrayType(th.IntegerType)),
    th.Property("names", th.ArrayType(th.StringType)),
    th.Property("is_new", th.BooleanType),
    th.Property("options", th.ObjectType(additional_properties=True)),
    th.Property("token", th.StringType(min_length=1), secret=True),
    *common_settings(lookback_days=0),
).to_dict()


DOTENV_TOKEN = "of-dotenv"  # noqa: S105


class Configured(CannedTap):
    """A tap with settings of every type."""

    name = "tap-configured"
    config_jsonschema = PROPERTIES


@pytest.fixture(autouse=True)
def _environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Work in an empty folder, and restore the environment, to which ``.env`` is added."""
    caplog.set_level("INFO")
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def problems(caplog: pytest.LogCaptureFixture, *arguments: str, **variables: str) -> list[str]:
    """Return the error lines of the tap with these variables."""
    for name, value in variables.items():
        os.environ[f"TAP_CONFIGURED_{name}"] = value
    code, run = ended(Configured, "--config=ENV", *arguments)
    assert (code, run.text) == (1, "")
    lines = errors(caplog)
    caplog.clear()
    return lines


def settings(**variables: str) -> dict[str, Any]:
    """Return the settings of the tap with these variables."""
    for name, value in variables.items():
        os.environ[f"TAP_CONFIGURED_{name}"] = value
    return dict(Configured(parse_env_config=True, validate_config=False).config)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("SITE_IDS", "[1, 2]", [1, 2]),
        ("SITE_IDS", "[]", []),
        ("NAMES", '["a", "b,c"]', ["a", "b,c"]),
        ("NAMES", "a, b", ["a", "b"]),
        ("NAMES", "17", ["17"]),
        ("IS_NEW", "Yes", True),
        ("IS_NEW", "0", False),
        ("WINDOW_DAYS", " 7", 7),
        ("OPTIONS", '{"a": {"b": null}}', {"a": {"b": None}}),
        ("TOKEN", "17", "17"),
        ("TOKEN", '"x"', '"x"'),
    ],
)
def test_variable_is_converted_to_the_type_of_its_setting(
    name: str, text: str, value: object
) -> None:
    assert settings(**{name: text})[name.lower()] == value


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_empty_variable_is_unset(text: str) -> None:
    found = settings(SITE_IDS=text, WINDOW_DAYS=text, TOKEN=text, IS_NEW=text, START_DATE=text)
    assert found == settings()
    assert not {"site_ids", "token", "is_new", "start_date"} & {*found}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("SITE_IDS", "100,107", "must be a list, not a string"),
        ("SITE_IDS", "100", "must be a list, not a number"),
        ("SITE_IDS", "[1,", "must be a list, not a string"),
        ("NAMES", "[a]", "must be a list, not a string"),
        ("OPTIONS", "a=b", "must be an object, not a string"),
        ("OPTIONS", "[" * 100_000, "must be an object, not a string"),
        ("IS_NEW", "maybe", "must be true or false, not a string"),
        ("WINDOW_DAYS", "one", "must be a whole number, not a string"),
        ("WINDOW_DAYS", "1.5", "must be a whole number, not a string"),
        ("WINDOW_DAYS", "1_0", "must be a whole number, not a string"),
        ("WINDOW_DAYS", "9" * 5000, "must be a whole number, not a string"),
        ("WINDOW_DAYS", "0", "must be at least 1"),
        ("START_DATE", "today", "must be a date in YYYY-MM-DD format"),
    ],
)
def test_wrong_variable_is_one_line_that_names_it(
    name: str, text: str, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    (line,) = problems(caplog, **{name: text})
    must_be_json = text == "[" * 100_000 or (name in {"SITE_IDS", "OPTIONS", "NAMES"})
    hint = ", which must be JSON" if must_be_json and "not a string" in problem else ""
    assert line == f"{name.lower()} {problem} (environment variable TAP_CONFIGURED_{name}{hint})"


def test_problems_of_files_and_of_the_environment_are_reported_together(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = file(tmp_path, {"shard": "2/2", "window_days": 1}, "one.json")
    two = file(tmp_path, {"start_date": 5, "unknown": 1}, "two.json")
    found = problems(caplog, "--config", one, "--config", two, WINDOW_DAYS="0", SITE_IDS="x")
    assert sorted(found) == [
        "shard must be i/n with i from 0 to n-1, such as 0/2 or 1/2",
        (
            "site_ids must be a list, not a string "
            "(environment variable TAP_CONFIGURED_SITE_IDS, which must be JSON)"
        ),
        "start_date must be a string, not a number",
        "unknown is not a setting of this tap",
        "window_days must be at least 1 (environment variable TAP_CONFIGURED_WINDOW_DAYS)",
    ]


def test_environment_has_priority_over_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "TAP_CONFIGURED_TOKEN=of-dotenv\nTAP_CONFIGURED_WINDOW_DAYS=3\n", encoding="utf-8"
    )
    found = settings(TOKEN="of-the-environment")  # noqa: S106
    assert (found["token"], found["window_days"]) == ("of-the-environment", 3)


def test_variable_that_is_set_to_nothing_has_priority_over_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TAP_CONFIGURED_TOKEN=of-dotenv\n", encoding="utf-8")
    assert "token" not in settings(TOKEN="")


def test_dotenv_is_found_in_a_folder_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("TAP_CONFIGURED_TOKEN=of-dotenv\n", encoding="utf-8")
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    assert settings().get("token") == DOTENV_TOKEN


def test_dotenv_is_not_read_without_env(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TAP_CONFIGURED_TOKEN=of-dotenv\n", encoding="utf-8")
    assert "token" not in Configured(validate_config=False).config


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff", "must be UTF-8"),
        (b'TAP_CONFIGURED_TOKEN="a\x00b"\n', "has an invalid variable: embedded null byte"),
    ],
)
def test_unreadable_dotenv_is_one_line(
    content: bytes, problem: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".env").write_bytes(content)
    (line,) = problems(caplog)
    assert line.startswith(f"{tmp_path / '.env'} {problem}")


def test_missing_working_folder_has_no_dotenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "token" not in settings()
    monkeypatch.chdir(tmp_path)


VARIABLES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@hypothesis.given(
    variables=st.dictionaries(
        st.sampled_from([name.upper() for name in PROPERTIES["properties"]]),
        VARIABLES | JSON.map(json.dumps),
        max_size=4,
    )
)
def test_any_variables_are_settings_or_one_line_each(variables: dict[str, str]) -> None:
    for name, value in variables.items():
        os.environ[f"TAP_CONFIGURED_{name}"] = value
    try:
        found = environment_settings(PROPERTIES, "tap-configured")
    finally:
        for name in variables:
            del os.environ[f"TAP_CONFIGURED_{name}"]
    assert {*found} == {name.lower() for name, value in variables.items() if value.strip()}
    given_values = {name: value for name, value in found.items() if value is not None}
    lines = list(setting_problems(given_values, PROPERTIES))
    assert {line.partition(" ")[0].partition("[")[0] for line in lines} <= {*found}
