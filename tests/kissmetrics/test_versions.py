"""A third version of the API is a row in the table: no code of the tap knows their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError
from tap_kissmetrics.reports.streams import NamedReport
from tap_kissmetrics.settings import Version, settings_of
from tap_kissmetrics.tap import VERSIONS, TapKissmetrics
from tap_kissmetrics.v3.client import V3Client
from tap_kit import KitStream, Result, Task
from typing_extensions import override

from tests.processes import collected
from tests.singer import Output

if TYPE_CHECKING:
    from singer_sdk import Tap
    from tap_kissmetrics.reports.saved import Account
    from tap_kit import Run

PRODUCT = {"id": 4, "name": "Shop"}


class V4Client(V3Client):
    """The client of an invented version, without a server."""

    def __init__(self, run: Run) -> None:
        self.address = run.config["v4_url"]

    @override
    def products(self) -> list[dict[str, Any]]:
        return [PRODUCT]

    @override
    def check_access(self) -> str:
        return f"{self.address} works"


class Shops(KitStream):
    """The only stream of that version."""

    name = "shops"
    primary_keys = ("id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True), th.Property("name", th.StringType)
    ).to_dict()

    def __init__(self, tap: Tap, account: Account[V4Client]) -> None:
        self.account = account
        super().__init__(tap, account.run)

    @override
    def fetch(self, task: Task) -> Result:
        return Result(self.checked(self.account.client.products()))


class ThreeVersions(TapKissmetrics):
    """The tap with one more row; the user name is a setting of two versions."""

    versions: ClassVar = {
        **VERSIONS,
        "v4": Version(
            description="an invented version",
            access=(
                th.Property("v4_url", th.URIType, default="https://v4.example"),
                th.Property("username", th.StringType, secret=True),
            ),
            required="username",
            id_type=int,
            open_client=V4Client,
            streams=(Shops,),
            report_stream=NamedReport,
            requests_per_minute=40,
        ),
    }
    config_jsonschema = settings_of(versions)


def problems(**settings: Any) -> list[str]:
    """Return the error lines of these settings."""
    with pytest.raises(ConfigValidationError) as caught:
        ThreeVersions(config=settings)
    return sorted(caught.value.errors)


def test_settings_are_those_of_all_versions() -> None:
    properties = ThreeVersions.config_jsonschema["properties"]
    assert properties["api_version"]["enum"] == ["core", "v3", "v4"]
    assert properties["api_version"]["description"].endswith("; v4: an invented version")
    assert "Unset: no limit in core, 15 in v3, 40 in v4" in str(properties["requests_per_minute"])
    assert {"api_token", "v3_url", "v4_url", "username"} <= properties.keys()


def test_each_version_has_a_set_of_required_settings_and_a_variant() -> None:
    ways = [["api_token"], ["api_version", "username"], ["api_version", "username"]]
    assert ThreeVersions.required_settings() == [*ways, ["raw_exports"]]
    versions = {"core": {}, "v3": {"api_version": "v3"}, "v4": {"api_version": "v4"}}
    variants = dict(ThreeVersions.variants())
    assert [*variants.pop("raw exports")] == ["raw_exports"]
    assert variants == versions


def test_settings_of_every_other_version_are_reported() -> None:
    settings: dict[str, Any] = {
        "api_version": "v4",
        "v3_url": "https://a.example",
        "metric_ids": [1],
    }
    assert problems(api_token="t", product_ids=["p"], **settings) == [  # noqa: S106
        "api_token belongs to api_version core, but api_version is v4",
        "metric_ids belongs to api_version v3, but api_version is v4",
        "product_ids[0] must be a whole number in api_version v4",
        "username is required",
        "v3_url belongs to api_version v3, but api_version is v4",
    ]


def test_setting_of_two_versions_is_reported_for_the_others_only() -> None:
    assert problems(username="u") == [
        "api_token is required",
        "username belongs to api_version v3 or v4, but api_version is core",
    ]
    for version in ("v3", "v4"):
        ThreeVersions(config={"api_version": version, "username": "u"})


def test_third_version_is_read() -> None:
    tap = ThreeVersions(config={"api_version": "v4", "username": "u"})
    assert tap.run.requests_per_minute == 40
    assert tap.check_access() == "https://v4.example works"
    with collected() as written:
        tap.execute()
    output = Output(written.getvalue().decode())
    assert output.streams == ["shops"]
    assert output.rows("shops") == [PRODUCT]
