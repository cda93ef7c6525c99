"""meltano.yml says of each tap what the tap says of itself."""

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


def test_every_tap_is_there_and_no_other() -> None:
    assert sorted(EXTRACTORS) == [tap.name for tap in TAPS]


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_settings_are_those_of_the_tap(tap: Path) -> None:
    assert EXTRACTORS[tap.name]["settings"] == expected_settings(tap_class(tap))


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_no_setting_of_the_tap_is_missing(tap: Path) -> None:
    """One that Meltano does not know cannot be set by a variable; `exports` was such a one."""
    names = {setting["name"] for setting in EXTRACTORS[tap.name]["settings"]}
    assert set(own_settings(tap_class(tap))) - names == set()


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_capabilities_are_those_of_the_tap(tap: Path) -> None:
    capabilities = sorted(capability.value for capability in tap_class(tap).capabilities)
    assert EXTRACTORS[tap.name]["capabilities"] == capabilities


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_it_is_installed_from_here_with_the_locked_versions(tap: Path) -> None:
    plugin = EXTRACTORS[tap.name]
    assert plugin["pip_url"].startswith(f"-e ./{tap.name} ")
    assert "-c constraints.txt" in plugin["pip_url"]
    assert plugin["namespace"] == package_of(tap)
    assert plugin["executable"] == tap.name
    assert (tap / "pyproject.toml").exists()


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_what_is_required_and_secret_is_marked(tap: Path) -> None:
    schema = tap_class(tap).config_jsonschema
    required = EXTRACTORS[tap.name]["settings_group_validation"]
    assert required == tap_class(tap).required_settings()
    assert {name for group in required for name in group} <= schema["properties"].keys()
    secret = {name for name, part in schema["properties"].items() if part.get("secret")}
    settings = EXTRACTORS[tap.name]["settings"]
    assert {s["name"] for s in settings if s.get("sensitive")} == secret
    assert secret


def test_no_hub_and_nobody_else_is_asked() -> None:
    """A plugin with a namespace and its settings is complete; telemetry and look-ups are off."""
    assert PROJECT["send_anonymous_usage_stats"] is False
    assert PROJECT["cli"]["disable_version_check"] is True
    for plugin in (*EXTRACTORS.values(), *LOADERS.values()):
        assert {"name", "namespace", "pip_url", "executable", "settings"} <= plugin.keys()
        assert "variant" not in plugin
        assert "://" not in plugin["pip_url"]


def test_numbers_are_whole() -> None:
    """Meltano breaks on decimals that come from the environment."""
    kinds = {s["kind"] for plugin in EXTRACTORS.values() for s in plugin["settings"]}
    assert kinds <= {"array", "boolean", "date_iso8601", "integer", "object", "string"}


def test_every_setting_of_every_plugin_is_described() -> None:
    for plugin in (*EXTRACTORS.values(), *LOADERS.values()):
        for setting in plugin["settings"]:
            assert setting["label"], setting["name"]
            assert setting["description"], setting["name"]


def test_there_is_a_job_a_schedule_and_an_environment_for_the_demo_and_the_real_thing() -> None:
    jobs = {job["name"] for job in PROJECT["jobs"]}
    assert {schedule["job"] for schedule in PROJECT["schedules"]} <= jobs
    tasks = {word for job in PROJECT["jobs"] for task in job["tasks"] for word in task.split()}
    assert {tap.name for tap in TAPS} <= tasks
    assert {"demo", "prod"} <= {environment["name"] for environment in PROJECT["environments"]}
    assert PROJECT["default_environment"] == "prod"
