"""The public names of the kit: exactly those that taps need, each with a docstring."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
import tap_kit

from tools.workspace import EXAMPLE, KIT, ROOT, TAPS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INIT = KIT / "tap_kit" / "__init__.py"
PACKAGES = [*TAPS, EXAMPLE]


def imports_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the modules of the kit that the files of a folder import from, and the names."""
    for file in (f for f in folder.rglob("*.py") if ".envs" not in f.parts):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tap_kit"):
                yield from ((str(node.module), alias.name) for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from ((a.name, "") for a in node.names if a.name.startswith("tap_kit"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_taps_import_from_the_package_only(package: Path) -> None:
    assert {module for module, _ in imports_of(package)} == {"tap_kit"}


def test_public_names_are_those_that_taps_and_benchmarks_import() -> None:
    folders = [*PACKAGES, ROOT / "benchmarks"]
    imports = {found for folder in folders for found in imports_of(folder)}
    assert {*tap_kit.__all__} == {name for module, name in imports if module == "tap_kit"}


def definitions() -> dict[str, Path]:
    """Return the file that defines each public name."""
    tree = ast.parse(INIT.read_text("utf-8"))
    nodes = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    files = {node: KIT / f"{str(node.module).replace('.', '/')}.py" for node in nodes}
    return {alias.name: files[node] for node in nodes for alias in node.names}


def docstring_of(name: str, file: Path) -> str | None:
    """Return the docstring of a class or function, or the string after an assignment."""
    body = ast.parse(file.read_text("utf-8")).body
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return ast.get_docstring(node)
        is_defined = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
        if is_defined and isinstance(following, ast.Expr):
            return str(ast.literal_eval(following.value))
    return None


def test_public_names_are_all_imported_ones() -> None:
    assert sorted(tap_kit.__all__) == sorted(definitions())


@pytest.mark.parametrize("name", tap_kit.__all__)
def test_public_name_has_a_docstring(name: str) -> None:
    assert docstring_of(name, definitions()[name])
