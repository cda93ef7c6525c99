"""The dbt project says of each stream what the tap's schema says."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tools.pages.dbt_models import EVERY_WINDOW, MODELS, NATURAL_KEYS, RELATIONS, files
from tools.workspace import ROOT, TAPS, tap_class

TRANSFORM = ROOT / "transform"


def models() -> dict[str, dict[str, Any]]:
    """Every model's YAML by its stream."""
    found = (yaml.safe_load(path.read_text("utf-8")) for path in MODELS.rglob("*__models.yml"))
    return {
        model["name"].partition("__")[2]: model for content in found for model in content["models"]
    }


def test_the_models_are_those_of_the_taps_of_today() -> None:
    there = {path: path.read_text("utf-8") for path in MODELS.rglob("*") if path.is_file()}
    assert there == files(), "run: make pages (and remove what is too much)"


def test_every_stream_has_a_model_but_the_one_that_is_not_loaded() -> None:
    streams = {name for tap in map(tap_class, TAPS) for name in tap(validate_config=False).streams}
    assert streams - models().keys() == {"raw_brand_posts"}


def test_what_the_tests_name_is_there() -> None:
    """A stream that is renamed would else lose its tests without a word."""
    columns = {
        stream: {column["name"] for column in model["columns"]}
        for stream, model in models().items()
    }
    for stream, key in NATURAL_KEYS.items():
        assert set(key) <= columns[stream]
    for stream, windows in EVERY_WINDOW.items():
        assert {windows["first"], windows["last"], *windows.get("per", ())} <= columns[stream]
    for (stream, column), (other, field) in RELATIONS.items():
        assert column in columns[stream]
        assert field in columns[other]


def test_the_readme_names_every_test_and_variable() -> None:
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


def test_telemetry_is_off_and_the_versions_come_from_pypi_alone() -> None:
    project = yaml.safe_load((TRANSFORM / "dbt_project.yml").read_text("utf-8"))
    assert project["flags"]["send_anonymous_usage_stats"] is False
    assert not (TRANSFORM / "packages.yml").exists()
    lines = (TRANSFORM / "requirements.txt").read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"[a-z0-9._-]+==\S+( ; .+)?", line) for line in lines if line), lines
    assert not any(line.startswith("dbt-core==1.12") for line in lines)
