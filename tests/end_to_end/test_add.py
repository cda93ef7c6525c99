"""``meltano add --from-ref`` in another project, and the rules of MeltanoHub."""

from __future__ import annotations

import json
import os
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from tests.end_to_end.project import MELTANO, Project
from tools.workspace import EXAMPLE, ROOT, TAPS

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
HUB_REQUIRED = words("name namespace variant quality repo docs logo_url settings_preamble")
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
LARGEST_LOGO = 2_000
ADDED = "tap-kindmetrics"  # by the commands of the page
HUB_QUALITY = {"gold", "silver", "bronze", "unknown"}


def definition(tap: Path, name: str) -> dict[str, Any]:
    """Return the content of a definition file of a tap."""
    found: dict[str, Any] = yaml.safe_load((tap / name).read_text(encoding="utf-8"))
    return found


def required_of(plugin: dict[str, Any]) -> set[str]:
    """Return the settings that are required in at least one way to configure a plugin."""
    return {name for group in plugin["settings_group_validation"] for name in group}


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
@pytest.mark.parametrize("file", ["plugin.yml", "hub.yml"])
def test_definition_is_valid_for_the_schema_of_meltano(tap: Path, file: str) -> None:
    """The schema that Meltano ships for ``meltano.yml``; it does not have the keys of the hub."""
    schema = json.loads(
        resources.files("meltano.schemas").joinpath("meltano.schema.json").read_text()
    )
    plugin = definition(tap, file)
    for key in words("quality maintenance_status domain_url keywords settings_preamble"):
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
    assert plugin["docs"].startswith(plugin["repo"])
    assert all(f"`{name}`" in plugin["settings_preamble"] for name in required_of(plugin))
    assert "meltano_sdk" in plugin["keywords"]
    names = {setting["name"] for setting in plugin["settings"]}
    assert all(set(group) <= names for group in plugin["settings_group_validation"])
    assert plugin["name"] == plugin["executable"] == tap.name


@pytest.mark.parametrize("tap", [*TAPS, EXAMPLE], ids=lambda tap: tap.name)
def test_tap_has_a_logo_of_its_own(tap: Path) -> None:
    text = (tap / "logo.svg").read_text(encoding="utf-8")
    assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox=')
    assert text.endswith("</svg>\n")
    assert len(text) < LARGEST_LOGO
    assert "href" not in text  # it loads nothing


@pytest.mark.xdist_group("meltano")
@pytest.mark.timeout(300)
def test_another_project_can_add_all_taps(tmp_path: Path) -> None:
    """As docs/go_live.md says; the hub is not reachable here, and not needed."""
    before = (ROOT / "meltano.yml").read_bytes()
    page = (ROOT / "docs" / "go_live.md").read_text(encoding="utf-8")
    (block,) = [part for part in page.split("```\n") if part.startswith("meltano init ")]
    offline = {
        "PYTHONPATH": "",
        "PATH": f"{MELTANO.parent}:{os.environ['PATH']}",
        "MELTANO_HUB_URL": "http://127.0.0.1:9",
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
    }
    script = block.replace("/where/this/repository/is", str(ROOT))
    done = Project(tmp_path, offline).run(["sh", "-ec", script], {})
    assert done.code == 0, (done.stdout + done.stderr)[-3000:]
    folder = tmp_path / "my-project"
    project = Project(folder, offline)
    for tap in TAPS:  # one is installed: the others only have another name
        if f"meltano add {tap.name} " in block:
            continue
        command = [str(MELTANO), "add", "--no-install", tap.name]
        done = project.run([*command, "--from-ref", str(tap / "plugin.yml")], {})
        assert done.code == 0, (done.stdout + done.stderr)[-3000:]
    about = project.run([str(MELTANO), "invoke", ADDED, "--about", "--format=markdown"], {})
    assert "## Streams" in about.stdout, (about.stdout + about.stderr)[-3000:]
    added = yaml.safe_load((folder / "meltano.yml").read_text())["plugins"]["extractors"]
    assert {plugin["name"] for plugin in added} == {tap.name for tap in TAPS}
    (selected,) = [plugin["select"] for plugin in added if plugin["name"] == ADDED]
    assert "!pages.*" in selected
    assert (ROOT / "meltano.yml").read_bytes() == before
    assert all(plugin["settings"] for plugin in added)
    (address,) = {plugin["pip_url"].replace(plugin["name"], "TAP") for plugin in added}
    assert "TAP" in address
