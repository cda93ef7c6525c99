"""The kit's tests need only the files that the mutation run copies."""

from __future__ import annotations

import ast
import re

import pytest

from tools.workspace import ROOT


def copies() -> set[str]:
    """Return what ``tools/mutation.py`` copies, without importing it: mutmut has side effects."""
    tree = ast.parse((ROOT / "tools" / "mutation.py").read_text(encoding="utf-8"))
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COPIES"
    )
    return set(ast.literal_eval(value))


@pytest.mark.parametrize("name", sorted(copies()))
def test_copied_files_import_copied_files_only(name: str) -> None:
    path = ROOT / name
    files = path.rglob("*.py") if path.is_dir() else [path]
    for file in files:
        text = file.read_text(encoding="utf-8")
        for module in re.findall(r"^(?:from|import) tests\.(\w+)", text, re.MULTILINE):
            assert {f"tests/{module}", f"tests/{module}.py"} & copies(), (file.name, module)
