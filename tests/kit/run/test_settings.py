"""Invalid settings are reported together, by name and without their values."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk import typing as th
from tap_kit.run.problems import setting_problems, valid_parts
from tap_kit.run.settings import Shard, common_settings

SECRET = "s3cret-t0ken"  # noqa: S105  (not a real token)
PART = th.ObjectType(
    th.Property("name", th.StringType(min_length=1), required=True),
    th.Property("goal_id", th.IntegerType),
    th.Property("kind", th.StringType, allowed_values=["a", "b"]),
    additional_properties=False,
)
SCHEMA: dict[str, Any] = {
    **th.PropertiesList(
        th.Property("api_token", th.StringType(min_length=1), required=True, secret=True),
        th.Property("api_url", th.URIType, default="https://api.example"),
        th.Property("domain_ids", th.ArrayType(th.IntegerType)),
        th.Property("segments", th.ArrayType(PART)),
        th.Property("include", th.BooleanType),
        *common_settings(lookback_days=2),
    ).to_dict(),
    "additionalProperties": False,
}
INTEGERS = {
    "window_days": (1, 366),
    "lookback_days": (0, 3660),
    "max_concurrency": (1, 64),
    "requests_per_minute": (1, None),
    "request_timeout": (1, 300),
    "state_interval": (1, 3600),
}
TEXTS = ("api_url", "start_date", "end_date", "shard", "user_agent")


def problems_of(**config: object) -> list[str]:
    """Return the problems of a configuration that has a token."""
    return list(setting_problems({"api_token": SECRET, **config}, SCHEMA))


def test_valid_configuration_has_no_problem() -> None:
    assert problems_of() == []
    assert problems_of(start_date="2024-01-31", end_date="2024-01-31", shard="1/2") == []
    assert (
        problems_of(segments=[{"name": "ads", "goal_id": 7}], domain_ids=[1, 2], include=True) == []
    )


@pytest.mark.parametrize("setting", INTEGERS)
@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("17", "a string"),
        ("", "a string"),
        (1.5, "a decimal number"),
        (17.0, "a decimal number"),
        (True, "true or false"),
        ([17], "a list"),
        ({"n": 17}, "an object"),
    ],
)
def test_number_setting_must_be_an_integer(setting: str, value: object, word: str) -> None:
    """17.0 is rejected too, as it cannot be a number of days or threads."""
    assert problems_of(**{setting: value}) == [f"{setting} must be a whole number, not {word}"]


@pytest.mark.parametrize("setting", TEXTS)
@pytest.mark.parametrize(
    ("value", "word"),
    [(20240131, "a number"), (False, "true or false"), (["x"], "a list"), ({}, "an object")],
)
def test_string_setting_must_be_a_string(setting: str, value: object, word: str) -> None:
    assert problems_of(**{setting: value}) == [f"{setting} must be a string, not {word}"]


@pytest.mark.parametrize(("setting", "limits"), INTEGERS.items())
def test_number_settings_have_limits(setting: str, limits: tuple[int, int | None]) -> None:
    least, most = limits
    assert problems_of(**{setting: least}) == []
    assert problems_of(**{setting: least - 1}) == [f"{setting} must be at least {least}"]
    assert problems_of(**{setting: -(10**30)}) == [f"{setting} must be at least {least}"]
    if most is not None:
        assert problems_of(**{setting: most}) == []
        assert problems_of(**{setting: most + 1}) == [f"{setting} must be at most {most}"]


@pytest.mark.parametrize("setting", ["start_date", "end_date"])
@pytest.mark.parametrize(
    "value", ["2024-13-01", "2023-02-29", "6 months ago", "31.01.2024", "now", "", "20240131"]
)
def test_date_setting_must_be_a_date(setting: str, value: str) -> None:
    problem = f"{setting} must be a date in YYYY-MM-DD format"
    assert problems_of(**{setting: value}) == [problem]


def test_first_possible_date_is_handled() -> None:
    assert problems_of(start_date="0001-01-01") == []
    assert len(problems_of(start_date="0001-01-01T00:00:00+05:00")) == 1


def test_start_must_not_be_after_the_end() -> None:
    assert problems_of(start_date="2024-02-01", end_date="2024-01-31") == [
        "start_date must not be after end_date"
    ]
    assert problems_of(start_date="2024-01-31T23:00:00Z", end_date="2024-01-31") == []


def test_start_must_not_be_in_the_future_anywhere() -> None:
    now = datetime.now(timezone.utc)
    first, after = now + timedelta(hours=14), now + timedelta(hours=14, days=1)
    assert problems_of(start_date=first.date().isoformat()) == []
    for settings in ({}, {"end_date": "9999-12-31"}):
        found = problems_of(start_date=after.date().isoformat(), **settings)
        assert found == ["start_date must not be in the future"]


def test_end_before_the_default_start_needs_a_start() -> None:
    today = datetime.now(timezone.utc).date()
    old, recent = (today - timedelta(days=days) for days in (33, 30))
    line = "start_date is required, because end_date is over 30 days ago"
    assert problems_of(end_date=old.isoformat()) == [line]
    assert problems_of(end_date=recent.isoformat()) == []
    assert problems_of(end_date=old.isoformat(), start_date="2024-01-01") == []


@pytest.mark.parametrize("shard", ["0/1", "0/2", "1/2", "6/7", "99/100"])
def test_shard_is_i_of_n(shard: str) -> None:
    assert problems_of(shard=shard) == []
    index, count = shard.split("/")
    assert Shard.parse(shard) == Shard(int(index), int(count))


@pytest.mark.parametrize(
    "shard",
    [
        "",
        "/",
        "1",
        "0/0",
        "1/1",
        "2/2",
        "-1/2",
        "-0/2",
        "1/-2",
        "a/b",
        "0/2/3",
        "0.0/2",
        "0x0/2",
        " 0/2",
        "0 / 2",
        "+0/2",
        "1_0/2_0",
        "²/3",
        "\u0660/\u0662",
        "0/2\n",
    ],
)
def test_other_text_is_not_a_shard(shard: str) -> None:
    assert problems_of(shard=shard) == [
        "shard must be i/n with i from 0 to n-1, such as 0/2 or 1/2"
    ]


@pytest.mark.parametrize("setting", [*INTEGERS, *TEXTS, "segments", "domain_ids", "include"])
def test_null_counts_as_unset(setting: str) -> None:
    """Meltano passes null for a setting that is not set."""
    assert problems_of(**{setting: None}) == []


def test_each_missing_setting_is_reported_once() -> None:
    names = ["user", "word", "key"]
    several = th.PropertiesList(*(th.Property(n, th.StringType, required=True) for n in names))
    assert list(setting_problems({}, several.to_dict())) == [
        f"{name} is required" for name in names
    ]


def test_missing_or_empty_required_setting_is_reported() -> None:
    assert list(setting_problems({}, SCHEMA)) == ["api_token is required"]
    assert list(setting_problems({"api_token": ""}, SCHEMA)) == ["api_token must not be empty"]


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ("start_dat", " (did you mean start_date?)"),
        ("max_concurency", " (did you mean max_concurrency?)"),
        ("api_tokens", " (did you mean api_token?)"),
        ("Shard", " (did you mean shard?)"),
        ("something_else_entirely", ""),
        ("", ""),
    ],
)
def test_unknown_setting_is_reported_with_a_similar_name(setting: str, hint: str) -> None:
    assert problems_of(**{setting: SECRET}) == [f"{setting} is not a setting of this tap{hint}"]


@pytest.mark.parametrize(
    ("segments", "problem"),
    [
        ("all", "segments must be a list, not a string"),
        (5, "segments must be a list, not a number"),
        ({"name": "x"}, "segments must be a list, not an object"),
        (["all"], "segments[0] must be an object, not a string"),
        ([{"name": "a"}, None], "segments[1] must be an object, not null"),
        ([{}], "segments[0].name is required"),
        ([{"name": ""}], "segments[0].name must not be empty"),
        ([{"name": ["a"]}], "segments[0].name must be a string, not a list"),
        (
            [{"name": "a", "goal_id": "7"}],
            "segments[0].goal_id must be a whole number, not a string",
        ),
        (
            [{"name": "a", "goalid": 7}],
            "segments[0].goalid is not a setting of this tap (did you mean goal_id?)",
        ),
        ([{"name": "a", "kind": SECRET}], "segments[0].kind must be one of a, b"),
    ],
)
def test_nested_setting_is_reported_with_its_path(segments: object, problem: str) -> None:
    assert problems_of(segments=segments) == [problem]


def test_all_problems_are_reported_together() -> None:
    wrong = {
        "api_url": f"http://{SECRET}@far.example",
        "domain_ids": [1, "2", None],
        "segments": [{"nam": SECRET}],
        "start_date": "tomorrow",
        "shard": "2/2",
        "max_concurrency": 0,
        "lookback_days": SECRET,
        "unknown": SECRET,
        "user_agent": "",
    }
    lines = list(setting_problems(wrong, SCHEMA))
    assert sorted(line.split(" ")[0] for line in lines) == [
        "api_token",
        "api_url",
        "domain_ids[1]",
        "domain_ids[2]",
        "lookback_days",
        "max_concurrency",
        "segments[0].nam",
        "segments[0].name",
        "shard",
        "start_date",
        "unknown",
        "user_agent",
    ]
    assert SECRET not in "".join(lines)
    assert "tomorrow" not in "".join(lines)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "goal_id", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(config=st.dictionaries(st.sampled_from([*SCHEMA["properties"], "more"]), ANY_JSON))
def test_any_configuration_is_checked_without_an_error(config: Mapping[str, object]) -> None:
    lines = list(setting_problems(config, SCHEMA))
    assert all(" " in line and "\n" not in line for line in lines)
    assert len(set(lines)) == len(lines)
    json.dumps(lines)


def test_valid_parts_are_kept_at_any_depth() -> None:
    config = {
        "api_token": 5,
        "api_url": None,
        "domain_ids": [1, "2", 3],
        "segments": [{"name": "", "goal_id": 7}, "all", {"name": "a", "nam": 1}],
        "user_agent": "\ud800",
        "unknown": 1,
        "shard": "0/2",
    }
    assert valid_parts(config, SCHEMA) == {
        "domain_ids": [1, None, 3],
        "segments": [{"goal_id": 7}, None, {"name": "a"}],
        "shard": "0/2",
    }


@given(config=st.dictionaries(st.sampled_from([*SCHEMA["properties"], "more"]), ANY_JSON))
def test_valid_parts_have_no_problem_but_missing_values(config: Mapping[str, object]) -> None:
    parts = valid_parts(config, SCHEMA)
    lines = setting_problems(parts, SCHEMA)
    meanings = ("required", "not null", "YYYY-MM-DD", "i/n", "URL", "future", "end_date")
    assert [line for line in lines if not any(word in line for word in meanings)] == []


@given(value=st.text(st.characters(categories=["Lu"]), min_size=12), setting=st.sampled_from(TEXTS))
def test_no_problem_contains_the_value(value: str, setting: str) -> None:
    assert value not in "".join(problems_of(**{setting: value}, more=value, include=value))
