"""The settings of every tap: types, limits, defaults, titles and descriptions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from singer_sdk import typing as th
from tap_kit.run.settings import NonEmptyList, common_settings

from tests.kit.canned import CannedTap

Limits = tuple[int | None, int | None]
WHOLE: dict[str, tuple[Limits, int | None]] = {
    "window_days": ((1, 366), 1),
    "lookback_days": ((0, 3660), 3),
    "max_concurrency": ((1, 64), 4),
    "requests_per_minute": ((1, 1_000_000), None),
    "request_timeout": ((1, 300), 60),
    "state_interval": ((1, 3600), 10),
    "max_response_mb": ((1, 1024), 64),
}
TEXTS = ("start_date", "end_date", "shard", "user_agent")


def properties(**defaults: Any) -> dict[str, dict[str, Any]]:
    """Return the JSON schema of each setting."""
    settings = common_settings(**{"lookback_days": 3, **defaults})
    found: dict[str, dict[str, Any]] = th.PropertiesList(*settings).to_dict()["properties"]
    return found


def test_common_settings_are_exactly_these() -> None:
    assert set(properties()) == {*WHOLE, *TEXTS}


@pytest.mark.parametrize("name", WHOLE)
def test_number_has_limits_and_a_default(name: str) -> None:
    (least, most), default = WHOLE[name]
    found = properties()[name]
    assert found["type"] == ["integer", "null"]
    assert (found.get("minimum"), found.get("maximum")) == (least, most)
    assert found.get("default") == default


@pytest.mark.parametrize("name", TEXTS)
def test_string_settings_have_no_default(name: str) -> None:
    found = properties()[name]
    assert found["type"] == ["string", "null"]
    assert "default" not in found


def test_tap_chooses_the_defaults_for_its_vendor() -> None:
    found = properties(lookback_days=0, requests_per_minute=90, max_concurrency=8)
    assert found["lookback_days"]["default"] == 0
    assert found["requests_per_minute"]["default"] == 90
    assert found["max_concurrency"]["default"] == 8


def test_user_agent_must_not_be_empty() -> None:
    assert properties()["user_agent"]["minLength"] == 1


@pytest.mark.parametrize("name", [*WHOLE, *TEXTS])
def test_each_setting_has_a_title_and_a_description(name: str) -> None:
    """They begin with a capital letter and end without a full stop, for the tables in the docs."""
    found = properties()[name]
    assert re.fullmatch(r"[A-Z][a-z]+([- ][a-z]+)*", found["title"])
    assert re.match(r"[A-Z][A-Za-z-]* [a-z]|i/n: ", found["description"])
    assert re.search(r"([a-z]|\d|-1)$", found["description"])
    assert "requests" not in found["title"] or name in {"requests_per_minute", "max_concurrency"}


def test_required_settings_are_those_of_the_schema() -> None:
    class Tap(CannedTap):
        config_jsonschema = th.PropertiesList(
            th.Property("api_token", th.StringType, required=True),
            th.Property("account", th.StringType, required=True),
            *common_settings(lookback_days=0),
        ).to_dict()

    assert Tap.required_settings() == [["api_token", "account"]]


def test_descriptions_name_the_zone_and_the_limit() -> None:
    usual, other = properties(), properties(time_zone="UTC+2", unset_budget="15")
    assert "YYYY-MM-DD (UTC)." in usual["start_date"]["description"]
    assert "YYYY-MM-DD (UTC+2)." in other["end_date"]["description"]
    assert usual["requests_per_minute"]["description"].endswith("Unset: no limit")
    assert other["requests_per_minute"]["description"].endswith("Unset: 15")
    limited = properties(requests_per_minute=20)["requests_per_minute"]["description"]
    assert limited == usual["requests_per_minute"]["description"].removesuffix(". Unset: no limit")


def test_list_that_may_not_be_empty_says_so() -> None:
    assert NonEmptyList(th.IntegerType).type_dict["minItems"] == 1
