"""The imports between the files of a package, including `TYPE_CHECKING` imports.

The files are parsed, not imported, since the installed kit is a copy and may be older.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    Graph = Mapping[str, AbstractSet[str]]


def import_graph(package: Path) -> Graph:
    """Return the modules of a package that each of its modules imports, by their full names.

    ``from package import module`` is an import of the module alone. A folder needs no
    ``__init__.py``.
    """
    modules = {_module_of(file, package): file for file in sorted(package.rglob("*.py"))}
    return {name: modules.keys() & _names(name, file, modules) for name, file in modules.items()}


def _module_of(file: Path, package: Path) -> str:
    parts = file.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _names(module: str, file: Path, modules: Mapping[str, Path]) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, module, is_package=file.name == "__init__.py")
            inner = [f"{base}.{alias.name}" for alias in node.names]
            found |= {name if name in modules else base for name in inner}
    return found


def _base(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    """Return the module of a ``from`` import; a leading dot stands for the folder."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    kept = len(parts) + is_package - node.level
    return ".".join([*parts[:kept], *([node.module] if node.module else [])])


def import_cycle(graph: Graph) -> list[str]:
    """Return one cycle of modules, each of which imports the next; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [*reversed(error.args[1])]
    return []


def imports_from_above(graph: Graph, levels: Sequence[AbstractSet[str]]) -> Iterator[str]:
    """Yield the imports from a higher level, and the files that have no level.

    A level is a set of layers: names of files and folders in the package. A file may
    import from its own level and from those before it. The package's ``__init__.py`` is above all.
    """
    heights = {layer: height for height, level in enumerate(levels) for layer in level}
    for module, imported in graph.items():
        if _layer(module) and _layer(module) not in heights:
            yield f"{module} has no level"
            continue
        for other in sorted(imported):
            if _height(other, heights) > _height(module, heights):
                yield f"{module} -> {other}"


def _layer(module: str) -> str:
    return f"{module}.".split(".")[1]


def _height(module: str, heights: Mapping[str, int]) -> int:
    return heights.get(_layer(module), -1) if _layer(module) else len(heights)
