"""The kit's tests run where only a part of the repository is: the copy that is mutated."""

from __future__ import annotations

import ast
import re

import pytest

from tools.workspace import ROOT


def copies() -> set[str]:
    """What ``tools/mutation.py`` copies; it is read, as mutmut changes the process it is in."""
    tree = ast.parse((ROOT / "tools" / "mutation.py").read_text(encoding="utf-8"))
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COPIES"
    )
    return set(ast.literal_eval(value))


@pytest.mark.parametrize("name", sorted(copies()))
def test_what_the_mutations_copy_needs_nothing_else(name: str) -> None:
    path = ROOT / name
    files = path.rglob("*.py") if path.is_dir() else [path]
    for file in files:
        text = file.read_text(encoding="utf-8")
        for module in re.findall(r"^(?:from|import) tests\.(\w+)", text, re.MULTILINE):
            assert {f"tests/{module}", f"tests/{module}.py"} & copies(), (file.name, module)
