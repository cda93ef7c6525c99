"""States and catalogs with a wrong or missing value at any place."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[Any, ...]
ODD: tuple[Any, ...] = (
    None,
    7,
    -1.5,
    True,
    "s3cret-valve",
    "9999-99-99",
    "9999-12-31",
    [],
    {},
    [7],
)


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each value in a JSON document, the document itself included."""
    yield path
    inner = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else inner:
        yield from paths(item, (*path, key))


def one_path_of_each_kind(document: Any) -> list[Path]:
    """Return one path of each kind; items of a list, streams and windows are of one kind."""
    found: dict[Path, Path] = {}
    for path in paths(document):
        kind = tuple(
            "*" if isinstance(part, int) or (depth == 1) or re.match(r"\d{4}-", str(part)) else part
            for depth, part in enumerate(path)
        )
        found.setdefault(kind, path)
    return list(found.values())


def changed(document: Any, path: Path, value: Any) -> Any:
    """Return a copy of a document with another value at a path."""
    if not path:
        return value
    copy = deepcopy(document)
    inner = copy
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return copy


def without(document: Any, path: Path) -> Any:
    """Return a copy of a document without the value at a path."""
    copy = deepcopy(document)
    inner = copy
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    return copy


def broken(document: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the document with the value at each kind of path missing or replaced by an odd one."""
    for path in one_path_of_each_kind(document):
        for value in ODD:
            yield path, changed(document, path, value)
        if path:
            yield path, without(document, path)
