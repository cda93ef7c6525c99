"""meltano.yml matches the settings and capabilities of each tap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tools.pages.meltano_settings import expected_settings
from tools.pages.readme_tables import own_settings
from tools.workspace import ROOT, TAPS, package_of, tap_class

if TYPE_CHECKING:
    from pathlib import Path

PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
EXTRACTORS = {plugin["name"]: plugin for plugin in PROJECT["plugins"]["extractors"]}
LOADERS = {plugin["name"]: plugin for plugin in PROJECT["plugins"]["loaders"]}


def test_extractors_are_the_taps() -> None:
    assert sorted(EXTRACTORS) == [tap.name for tap in TAPS]


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_settings_are_those_of_the_tap(tap: Path) -> None:
    assert EXTRACTORS[tap.name]["settings"] == expected_settings(tap_class(tap))


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_no_setting_of_the_tap_is_missing(tap: Path) -> None:
    """A variable cannot set a setting that Meltano does not know."""
    names = {setting["name"] for setting in EXTRACTORS[tap.name]["settings"]}
    assert set(own_settings(tap_class(tap))) - names == set()


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_capabilities_are_those_of_the_tap(tap: Path) -> None:
    capabilities = sorted(capability.value for capability in tap_class(tap).capabilities)
    assert EXTRACTORS[tap.name]["capabilities"] == capabilities


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_tap_is_installed_from_its_folder_with_locked_versions(tap: Path) -> None:
    plugin = EXTRACTORS[tap.name]
    assert plugin["pip_url"].startswith(f"-e ./{tap.name} ")
    assert "-c constraints.txt" in plugin["pip_url"]
    assert plugin["namespace"] == package_of(tap)
    assert plugin["executable"] == tap.name
    assert (tap / "pyproject.toml").exists()


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_required_and_secret_settings_are_marked(tap: Path) -> None:
    schema = tap_class(tap).config_jsonschema
    required = EXTRACTORS[tap.name]["settings_group_validation"]
    assert required == tap_class(tap).required_settings()
    assert {name for group in required for name in group} <= schema["properties"].keys()
    secret = {name for name, part in schema["properties"].items() if part.get("secret")}
    settings = EXTRACTORS[tap.name]["settings"]
    assert {s["name"] for s in settings if s.get("sensitive")} == secret
    assert secret


def test_meltano_contacts_no_hub_and_sends_no_telemetry() -> None:
    """A plugin with a namespace and settings needs no hub; telemetry and version checks are off."""
    assert PROJECT["send_anonymous_usage_stats"] is False
    assert PROJECT["cli"]["disable_version_check"] is True
    for plugin in (*EXTRACTORS.values(), *LOADERS.values()):
        assert {"name", "namespace", "pip_url", "executable", "settings"} <= plugin.keys()
        assert "variant" not in plugin
        assert "://" not in plugin["pip_url"]


def test_no_setting_is_a_decimal() -> None:
    """Meltano fails on decimals from the environment."""
    kinds = {s["kind"] for plugin in EXTRACTORS.values() for s in plugin["settings"]}
    assert kinds <= {"array", "boolean", "date_iso8601", "integer", "object", "string"}


def test_every_setting_has_label_and_description() -> None:
    for plugin in (*EXTRACTORS.values(), *LOADERS.values()):
        for setting in plugin["settings"]:
            assert setting["label"], setting["name"]
            assert setting["description"], setting["name"]


def test_project_has_jobs_schedules_and_environments() -> None:
    jobs = {job["name"] for job in PROJECT["jobs"]}
    assert {schedule["job"] for schedule in PROJECT["schedules"]} <= jobs
    tasks = {word for job in PROJECT["jobs"] for task in job["tasks"] for word in task.split()}
    assert {tap.name for tap in TAPS} <= tasks
    assert {"demo", "prod"} <= {environment["name"] for environment in PROJECT["environments"]}
    assert PROJECT["default_environment"] == "prod"
