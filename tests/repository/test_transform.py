"""The dbt project matches the streams and schemas of the taps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tools.pages.dbt_facts import FACTS
from tools.pages.dbt_models import MODELS, files
from tools.workspace import ROOT, TAPS, tap_class

if TYPE_CHECKING:
    from tap_kit.tap import KitTap

TRANSFORM = ROOT / "transform"


TAP_CLASSES = [tap_class(tap) for tap in TAPS]


def models(vendor: str) -> dict[str, dict[str, Any]]:
    """Return the YAML of every model of a tap, by its stream."""
    content = yaml.safe_load((MODELS / vendor / f"_{vendor}__models.yml").read_text("utf-8"))
    return {model["name"].partition("__")[2]: model for model in content["models"]}


def vendor_of(tap: str) -> str:
    """Return the folder of a tap's models."""
    return tap.removeprefix("tap-").replace("-", "_")


def test_models_are_current() -> None:
    there = {path: path.read_text("utf-8") for path in MODELS.rglob("*") if path.is_file()}
    assert there == files(TAP_CLASSES), "run: make pages (and remove surplus files)"


@pytest.mark.parametrize("tap", TAP_CLASSES, ids=lambda tap: str(tap.name))
def test_every_stream_selected_by_default_has_a_model(tap: type[KitTap]) -> None:
    variant = next(iter(FACTS[tap.name].folders), "")
    config = tap.variants()[variant]
    streams = tap(config=config, validate_config=False).streams.values()
    wanted = {stream.name for stream in streams if stream.selected_by_default}
    assert models(vendor_of(tap.name)).keys() == wanted


@pytest.mark.parametrize("tap", FACTS)
def test_columns_in_the_facts_exist(tap: str) -> None:
    """Otherwise a renamed stream would silently lose its tests."""
    facts = FACTS[tap]
    columns = {
        stream: {column["name"] for column in model["columns"]}
        for stream, model in models(vendor_of(tap)).items()
    }
    for stream, key in facts.natural_keys.items():
        assert set(key) <= columns[stream]
    for stream, windows in facts.every_window.items():
        assert {windows["first"], windows["last"], *windows.get("per", ())} <= columns[stream]
    for (stream, column), (other, field) in facts.relations.items():
        assert column in columns[stream]
        assert field in columns[other]
    for stream, (other, key) in facts.found_in.items():
        assert set(key) <= columns[stream] & columns[other]
    every_column = {name for names in columns.values() for name in names}
    assert facts.ranges.keys() | facts.times <= every_column
    assert facts.only_warned <= facts.relations.keys()
    assert FACTS.keys() <= {folder.name for folder in TAPS}


def test_readme_names_every_test_and_variable() -> None:
    text = (TRANSFORM / "README.md").read_text("utf-8")
    tests = {path.stem for path in (TRANSFORM / "tests" / "generic").glob("*.sql")}
    assert tests
    for name in tests:
        assert f"| `{name}` |" in text
    project = "".join(path.read_text("utf-8") for path in TRANSFORM.glob("*.yml")) + "".join(
        path.read_text("utf-8") for path in MODELS.rglob("*__sources.yml")
    )
    variables = set(re.findall(r"env_var\('(ANALYTICS_\w+)'", project))
    assert len(variables) == 2
    for name in variables:
        assert f"`{name}`" in text


def test_telemetry_is_off_and_packages_come_from_pypi() -> None:
    project = yaml.safe_load((TRANSFORM / "dbt_project.yml").read_text("utf-8"))
    assert project["flags"]["send_anonymous_usage_stats"] is False
    assert not (TRANSFORM / "packages.yml").exists()
    text = (TRANSFORM / "requirements.txt").read_text("utf-8")
    assert "dbt-core==" in text
    assert "dbt-core==1.12" not in text
