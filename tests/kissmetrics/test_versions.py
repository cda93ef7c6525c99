"""A third version of the API is a row in the table: no code of the tap knows their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError
from tap_kissmetrics.reports.streams import NamedReport
from tap_kissmetrics.settings import settings_of
from tap_kissmetrics.tap import VERSIONS, TapKissmetrics
from tap_kissmetrics.v3.client import V3Client
from tap_kissmetrics.versions import Version
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
    assert properties["api_version"]["enum"] == ["v3", "core", "v4"]
    assert "default" not in properties["api_version"]
    description = properties["api_version"]["description"]
    assert "; v4: an invented version. Unset: the first of these" in description
    assert "(v3 with username, core with api_token, v4 with username)" in description
    assert "Unset: 15 in v3, no limit in core, 40 in v4" in str(properties["requests_per_minute"])
    assert {"api_token", "v3_url", "v4_url", "username"} <= properties.keys()


def test_each_version_has_a_required_setting_and_a_variant() -> None:
    ways = [["username"], ["api_token"], ["username"], ["raw_exports"]]
    assert ThreeVersions.required_settings() == ways
    variants = dict(ThreeVersions.variants())
    assert [*variants.pop("raw exports")] == ["raw_exports"]
    assert variants == {name: {"api_version": name} for name in ("v3", "core", "v4")}


def test_settings_of_every_other_version_are_ignored() -> None:
    settings: dict[str, Any] = {
        "api_version": "v4",
        "v3_url": "https://a.example",
        "metric_ids": ["x"],
        "api_token": "t",
    }
    assert problems(product_ids=["p"], **settings) == [
        "product_ids[0] must be a whole number in api_version v4",
        (
            "username is required, because api_version is v4; "
            "without api_version, api_token selects core"
        ),
    ]
    tap = ThreeVersions(config={**settings, "username": "u"})
    assert tap.selection.choice() is None
    assert tap.selection.ignored() == (
        "Ignoring settings that do not belong to api_version v4: v3_url, metric_ids, api_token"
    )


def test_setting_of_two_versions_selects_the_first() -> None:
    tap = ThreeVersions(config={"username": "u"})
    assert (tap.selection.name, tap.selection.choice(), tap.selection.ignored()) == (
        "v3",
        None,
        None,
    )
    explicit = ThreeVersions(config={"api_version": "v4", "username": "u"})
    assert explicit.selection.name == "v4"


def test_third_version_is_read() -> None:
    tap = ThreeVersions(config={"api_version": "v4", "username": "u"})
    assert tap.run.requests_per_minute == 40
    assert tap.check_access() == "https://v4.example works"
    with collected() as written:
        tap.execute()
    output = Output(written.getvalue().decode())
    assert output.streams == ["shops"]
    assert output.rows("shops") == [PRODUCT]
