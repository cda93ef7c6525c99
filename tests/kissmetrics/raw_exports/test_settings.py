"""The settings of the raw data export."""

from __future__ import annotations

from typing import Any

import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kissmetrics.raw_exports.settings import Location, location_of
from tap_kissmetrics.tap import TapKissmetrics

SHOP = {"product": "shop", "url": "folder"}


def problems(**settings: Any) -> list[str]:
    """Return the error lines of these settings."""
    with pytest.raises(ConfigValidationError) as caught:
        TapKissmetrics(config={"raw_exports": [SHOP], **settings})
    return sorted(caught.value.errors)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("s3://exports", ("exports", "")),
        ("s3://my.exports/", ("my.exports", "")),
        ("s3://exports/a/b c/", ("exports", "a/b c")),
        ("folder/x", ("", "folder/x")),
        ("/data", ("", "/data")),
        ("s3:/x", ("", "s3:/x")),
        ("s3://", None),
        ("s3://-/x", None),
        ("s3://user:password@host/x", None),
        ("https://exports.s3.amazonaws.com", None),
        ("gs://exports", None),
        ("a\0b", None),
    ],
)
def test_location_of_an_address(url: str, location: Any) -> None:
    assert location_of(url) == (None if location is None else Location(*location))


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"raw_exports": []}, ["raw_exports must not be empty", "username is required for"]),
        ({"raw_exports": [{"product": "shop"}]}, ["raw_exports[0].url is required"]),
        ({"raw_exports": [{"url": "x"}]}, ["raw_exports[0].product is required"]),
        (
            {"raw_exports": [SHOP, {"product": "blog", "url": "https://x"}]},
            ["raw_exports[1].url must be s3://bucket/prefix or the path of a folder"],
        ),
        ({"raw_exports": [SHOP, SHOP]}, ["raw_exports has two entries with the product shop"]),
        ({"aws_access_key_id": "x"}, ["aws_secret_access_key is required with aws_access_key_id"]),
        (
            {"aws_secret_access_key": "x"},
            ["aws_access_key_id is required with aws_secret_access_key"],
        ),
        (
            {"aws_endpoint_url": "http://store.example"},
            ["aws_endpoint_url must begin with https://"],
        ),
        (
            {"raw_export_columns": ["Plan.Name", "plan name", "x"]},
            ["raw_export_columns has two names for the column plan_name"],
        ),
        (
            {"raw_export_columns": [f"x{number}" for number in range(501)]},
            ["raw_export_columns must have at most 500 names"],
        ),
        ({"raw_export_columns": ["x", ""]}, ["raw_export_columns[1] must not be empty"]),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], found: list[str]) -> None:
    lines = problems(**settings)
    assert len(lines) == len(found)
    assert all(line.startswith(text) for line, text in zip(lines, found, strict=True)), lines


def test_keys_are_secrets() -> None:
    properties = TapKissmetrics.config_jsonschema["properties"]
    assert properties["aws_access_key_id"]["secret"]
    assert properties["aws_secret_access_key"]["secret"]


def test_they_are_checked_whatever_is_wrong_with_the_api_version() -> None:
    wrong = [SHOP, {"product": "blog", "url": "https://x"}]
    assert problems(api_version="v2", raw_exports=wrong) == [
        "api_version must be one of v3, core",
        "raw_exports[1].url must be s3://bucket/prefix or the path of a folder",
    ]


def test_without_credentials_settings_of_the_api_are_ignored() -> None:
    settings: dict[str, Any] = {"password": "p", "product_ids": ["x"], "api_version": "v3"}
    tap = TapKissmetrics(config={"raw_exports": [SHOP], **settings})
    assert {stream.partition("_")[0] for stream in tap.streams} == {"raw"}
    assert tap.run.requests_per_minute is None
    assert tap.selection.ignored() == (
        "Ignoring settings of the API, which is not read without username or api_token: "
        "api_version, password, product_ids"
    )


def test_with_credentials_the_api_is_read_too() -> None:
    tap = TapKissmetrics(config={"raw_exports": [SHOP], "username": "u"})
    assert {"raw_events", "metric_results"} <= tap.streams.keys()
    assert tap.run.requests_per_minute == 15
    assert tap.selection.ignored() is None
