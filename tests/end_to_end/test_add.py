"""``meltano add --from-ref`` in another project, and the rules of MeltanoHub."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from tests.end_to_end.project import MELTANO, Project
from tools.workspace import ROOT, TAPS

if TYPE_CHECKING:
    from pathlib import Path


def words(text: str) -> set[str]:
    """Return the words of a text."""
    return set(text.split())


# The keys, capabilities and kinds of setting of a definition on MeltanoHub, and what is required:
# meltano/hub, schemas/ (extractors, common, hub_metadata, base_setting), read 2026-11-21.
HUB_KEYS = words("""
    name pip_url variant namespace label description executable settings docs repo logo_url
    hidden python settings_group_validation commands capabilities metadata schema select
    maintenance_status quality domain_url keywords requires definition next_steps
    settings_preamble usage prereq supported_python_versions log_parser
""")
HUB_REQUIRED = {"name", "namespace", "variant", "quality"}
HUB_CAPABILITIES = words("""
    properties catalog discover state about stream-maps schema-flattening activate-version
    batch test log-based structured-logging
""")
HUB_KINDS = words("""
    oauth hidden password date_iso8601 file email integer options object array boolean string
    decimal
""")
HUB_SETTING_KEYS = {"name", "label", "value", "kind", "description", "sensitive"}
HUB_STATUS = {"active", "beta", "development", "inactive", "unknown"}
HUB_QUALITY = {"gold", "silver", "bronze", "unknown"}


def definition(tap: Path, name: str) -> dict[str, Any]:
    """Return the content of a definition file of a tap."""
    found: dict[str, Any] = yaml.safe_load((tap / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
@pytest.mark.parametrize("file", ["plugin.yml", "hub.yml"])
def test_definition_is_valid_for_the_schema_of_meltano(tap: Path, file: str) -> None:
    """The schema that Meltano ships for ``meltano.yml``; it does not have the keys of the hub."""
    schema = json.loads(
        resources.files("meltano.schemas").joinpath("meltano.schema.json").read_text()
    )
    plugin = definition(tap, file)
    for key in ("quality", "maintenance_status", "domain_url", "keywords"):
        plugin.pop(key, None)
    jsonschema.validate({"plugins": {"extractors": [plugin]}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"plugins": {"extractors": [{**plugin, "settings": "none"}]}}, schema)


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_hub_definition_follows_the_rules_of_the_hub(tap: Path) -> None:
    plugin = definition(tap, "hub.yml")
    assert HUB_REQUIRED <= plugin.keys() <= HUB_KEYS
    assert set(plugin["capabilities"]) <= HUB_CAPABILITIES
    for setting in plugin["settings"]:
        assert {"name"} <= setting.keys() <= HUB_SETTING_KEYS, setting
        assert setting["kind"] in HUB_KINDS, setting
    assert plugin["maintenance_status"] in HUB_STATUS
    assert plugin["quality"] in HUB_QUALITY
    assert plugin["domain_url"].startswith("https://")
    assert "meltano_sdk" in plugin["keywords"]
    names = {setting["name"] for setting in plugin["settings"]}
    assert all(set(group) <= names for group in plugin["settings_group_validation"])
    assert plugin["name"] == plugin["executable"] == tap.name


@pytest.mark.xdist_group("meltano")
@pytest.mark.timeout(300)
def test_another_project_can_add_all_taps(tmp_path: Path) -> None:
    """As docs/go_live.md says; the hub is not reachable here, and not needed."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "meltano.yml").write_text(
        "default_environment: dev\nsend_anonymous_usage_stats: false\n"
        "cli: {disable_version_check: true}\nenvironments: [{name: dev}]\n"
        "hub_url: http://127.0.0.1:9\nproject_id: another-project\n"
    )
    (folder / ".env").write_text(f"ANALYTICS_TAPS={ROOT}\n")
    project = Project(folder, {"PYTHONPATH": ""})
    for tap in TAPS:  # one is installed: the others only have another name
        options = () if tap is TAPS[0] else ("--no-install",)
        done = project.run(
            [str(MELTANO), "add", *options, tap.name, "--from-ref", str(tap / "plugin.yml")], {}
        )
        assert done.code == 0, (done.stdout + done.stderr)[-3000:]
    about = project.run([str(MELTANO), "invoke", TAPS[0].name, "--about", "--format=markdown"], {})
    assert "## Streams" in about.stdout, (about.stdout + about.stderr)[-3000:]
    added = yaml.safe_load((folder / "meltano.yml").read_text())["plugins"]["extractors"]
    assert [plugin["name"] for plugin in added] == [tap.name for tap in TAPS]
    assert all(plugin["settings"] for plugin in added)
    (address,) = {plugin["pip_url"].replace(plugin["name"], "TAP") for plugin in added}
    assert "TAP" in address
