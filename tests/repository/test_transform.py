"""The dbt project matches the streams and schemas of the taps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2.nativetypes
import pytest
import yaml

from tools.pages.dbt_facts import FACTS, facts_of
from tools.pages.dbt_models import MODELS, files
from tools.workspace import ROOT, TAPS, tap_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk import Stream
    from tap_kit.tap import KitTap

TRANSFORM = ROOT / "transform"
TAP_CLASSES = [tap_class(tap) for tap in TAPS]
VARIANTS = [(tap, variant) for tap in TAP_CLASSES for variant in tap.variants()]
# Columns that a model adds: the moment of a time that is a text.
ADDED = "_utc"


@dataclass(frozen=True)
class Model:
    """A staging model: the table that its SQL reads, and the columns and types of its YAML."""

    source: str
    stream: str
    columns: Mapping[str, str]

    def is_of(self, source: str, stream: Stream) -> bool:
        """Return whether it reads this stream of a source, with all its fields."""
        own = [name for name in self.columns if not name.endswith(ADDED)]
        fields = [name for name in stream.schema["properties"] if not name.endswith(ADDED)]
        return (self.source, self.stream, own) == (source, stream.name, fields)


def yaml_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the YAML of every model in a folder, by its name."""
    content = yaml.safe_load((folder / f"_{folder.name}__models.yml").read_text("utf-8"))
    return {model["name"]: model for model in content["models"]}


@cache
def staging_models() -> dict[str, Model]:
    """Return all staging models, by name, as their files have them."""
    found = {}
    for folder in filter(Path.is_dir, MODELS.iterdir()):
        described = yaml_of(folder)
        for path in folder.glob("*.sql"):
            read = re.findall(r"source\('(\w+)', '(\w+)'\)", path.read_text("utf-8"))
            ((source, stream),) = read
            columns = {c["name"]: c["data_type"] for c in described.pop(path.stem)["columns"]}
            found[path.stem] = Model(source, stream, columns)
        assert described == {}, "descriptions of models that do not exist"
    return found


def without_model(source: str, streams: Iterable[Stream], models: Iterable[Model]) -> list[str]:
    """Return the streams of a source that no model reads."""
    every = list(models)
    return [one.name for one in streams if not any(model.is_of(source, one) for model in every)]


def source_of(tap: type[KitTap], variant: str) -> str:
    """Return the name of the source that has the streams of a variant."""
    return f"tap_{facts_of(tap.name, variant).vendor}"


def streams_of(tap: type[KitTap], variant: str) -> list[Stream]:
    """Return all streams of a variant of a tap, also those that are not selected by default."""
    made = tap(config=tap.variants()[variant], validate_config=False)
    return list(made.streams.values())


def test_models_are_current() -> None:
    there = {path: path.read_text("utf-8") for path in MODELS.rglob("*") if path.is_file()}
    assert there == files(TAP_CLASSES), "run: make pages (and remove surplus files)"


@pytest.mark.parametrize(("tap", "variant"), VARIANTS, ids=lambda part: getattr(part, "name", part))
def test_every_stream_has_a_model(tap: type[KitTap], variant: str) -> None:
    source, streams, models = source_of(tap, variant), streams_of(tap, variant), staging_models()
    assert without_model(source, streams, models.values()) == []
    for stream in streams:  # each has a single model, whose absence is found
        others = [one for one in models.values() if not one.is_of(source, stream)]
        assert len(others) == len(models) - 1
        assert without_model(source, streams, others) == [stream.name]


def test_every_model_reads_a_stream() -> None:
    every = [
        (source_of(tap, variant), stream)
        for tap, variant in VARIANTS
        for stream in streams_of(tap, variant)
    ]
    for name, model in staging_models().items():
        assert any(model.is_of(source, stream) for source, stream in every), name


def test_models_without_a_table_by_default_need_a_variable() -> None:
    """The demo has neither version 3 nor streams that are not selected: its build is complete."""
    project = yaml.safe_load((TRANSFORM / "dbt_project.yml").read_text("utf-8"))
    render = jinja2.nativetypes.NativeEnvironment().from_string
    folders = project["models"]["analytics_taps"]
    for versions in (None, ["core"], ["v3"], ["core", "v3"]):
        given = {} if versions is None else {"kissmetrics_versions": versions}
        on = [
            folder
            for folder in ("kissmetrics", "kissmetrics_v3")
            if render(folders[folder]["+enabled"]).render(var=given.get)
        ]
        wanted = {"core": "kissmetrics", "v3": "kissmetrics_v3"}
        assert on == [wanted[version] for version in versions or ["core"]]
    off = {
        name: model["config"]["enabled"]
        for folder in filter(Path.is_dir, MODELS.iterdir())
        for name, model in yaml_of(folder).items()
        if "enabled" in model["config"]
    }
    variable = "khoros_analytics_raw_brand_posts"
    assert off == {
        f"stg_{variable.replace('s_r', 's__r')}": f"{{{{ var('{variable}') | as_bool }}}}"
    }
    assert project["vars"][variable] is False


@pytest.mark.parametrize(("tap", "variant"), FACTS)
def test_columns_in_the_facts_exist(tap: str, variant: str) -> None:
    """Otherwise a renamed stream would silently lose its tests."""
    facts = facts_of(tap, variant)
    models = yaml_of(MODELS / facts.folder)
    columns = {
        name.partition("__")[2]: {column["name"] for column in model["columns"]}
        for name, model in models.items()
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
    assert (tap, variant) in {(one.name, heading) for one, heading in VARIANTS}


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
    own = yaml.safe_load((TRANSFORM / "dbt_project.yml").read_text("utf-8"))["vars"]
    asked = set(re.findall(r"(?<!_)var\('(\w+)'", project))
    for name in variables | own.keys() | asked:
        assert name in text


def test_telemetry_is_off_and_packages_come_from_pypi() -> None:
    project = yaml.safe_load((TRANSFORM / "dbt_project.yml").read_text("utf-8"))
    assert project["flags"]["send_anonymous_usage_stats"] is False
    assert not (TRANSFORM / "packages.yml").exists()
    text = (TRANSFORM / "requirements.txt").read_text("utf-8")
    assert "dbt-core==" in text
    assert "dbt-core==1.12" not in text
