"""No import cycles, and no import from a higher layer of a package into a lower one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.repository.import_graph import import_cycle, import_graph, imports_from_above
from tools.workspace import EXAMPLE, KIT, TAPS, package_of

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = {
    path.name: path
    for path in [KIT / "tap_kit", *(tap / package_of(tap) for tap in [*TAPS, EXAMPLE])]
}

# The layers of a package (its files and folders) from the bottom up. A tap that is not named here
# has one rule: nothing imports its `tap`.
LEVELS: dict[str, tuple[str, ...]] = {
    "tap_kit": ("errors", "net", "rows", "flow", "jobs", "run", "streams", "tap"),
    "tap_kindmetrics": ("schemas client", "selection", "streams", "tap"),
    "tap_kissmetrics": (
        "schemas lists raw_exports",
        "client",
        "query",
        "reports",
        "versions",
        "settings",
        "core v3",
        "tap",
    ),
    "tap_khoros_analytics": (
        "schemas envelopes",
        "client",
        "exports",
        "settings look_ups discovery vendor_checks column_store",
        "tap",
    ),
}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_has_no_import_cycle(package: str) -> None:
    assert " -> ".join(import_cycle(import_graph(PACKAGES[package]))) == ""


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_imports_from_a_higher_level(package: str) -> None:
    graph = import_graph(PACKAGES[package])
    layers = {module.split(".")[1] for module in graph if "." in module}
    given = [set(level.split()) for level in LEVELS.get(package, ())]
    assert "\n".join(imports_from_above(graph, given or [layers - {"tap"}, {"tap"}])) == ""


def test_every_import_is_found(tmp_path: Path) -> None:
    """For types, in functions, relative, and of folders without __init__.py."""
    package = made(
        tmp_path,
        {
            "__init__": "from .low.one import x",
            "low/__init__": "from . import one",
            "low/one": "import typing as t\nif t.TYPE_CHECKING:\n    from ..bare import two",
            "low/three": "def run():\n    from pack import low, bare\n    import os.path",
            "bare/two": "import pack.low.three as three\nfrom pack import x",
            "top": "from pack.low.one import *\nfrom pack import bare, low",
        },
    )
    assert import_graph(package) == {
        "pack": {"pack.low.one"},
        "pack.low": {"pack.low.one"},
        "pack.low.one": {"pack.bare.two"},
        "pack.low.three": {"pack.low", "pack"},
        "pack.bare.two": {"pack.low.three", "pack"},
        "pack.top": {"pack.low.one", "pack.low", "pack"},
    }


def test_import_cycle_is_returned_file_by_file(tmp_path: Path) -> None:
    texts = {"one": "from pack import two", "two": "import pack.three", "four": "import pack.one"}
    assert import_cycle(import_graph(made(tmp_path, {**texts, "three": ""}))) == []
    graph = import_graph(made(tmp_path, {**texts, "three": "from pack.one import x"}))
    found = import_cycle(graph)
    assert found[0] == found[-1]
    assert set(found) == {"pack.one", "pack.two", "pack.three"}
    assert all(second in graph[first] for first, second in pairwise(found))


def test_import_from_the_same_or_a_lower_level_is_allowed(tmp_path: Path) -> None:
    texts = {
        "__init__": "from pack.top import x",
        "low/one": "from pack.low import two",
        "low/two": "from pack import beside",
        "beside": "",
        "top": "from pack import beside\nfrom pack.low import one",
    }
    levels = [{"low", "beside"}, {"top"}]
    assert list(imports_from_above(import_graph(made(tmp_path, texts)), levels)) == []
    more = {"beside": "from pack.top import x", "low/two": "from pack import x", "new": ""}
    assert list(imports_from_above(import_graph(made(tmp_path, {**texts, **more})), levels)) == [
        "pack.beside -> pack.top",
        "pack.low.two -> pack",
        "pack.new has no level",
    ]


def made(folder: Path, files: dict[str, str]) -> Path:
    """Write a package of these files, by path without suffix."""
    package = folder / "pack"
    for name, text in files.items():
        file = package / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return package
