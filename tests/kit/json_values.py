"""Strategies for JSON values, of any shape and of the shape of a given document."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.broken import changed, paths, without

if TYPE_CHECKING:
    from collections.abc import Sequence

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)


def json_values(*names: str) -> st.SearchStrategy[Any]:
    """Return a strategy for JSON values whose keys are often ``names``."""
    keys = st.sampled_from(names) | st.text(max_size=4) if names else st.text(max_size=4)
    return st.recursive(
        SCALARS | st.sampled_from(names or ("",)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    )


JSON = json_values()


@st.composite
def mutated(draw: st.DrawFn, document: Any, names: Sequence[str]) -> Any:
    """Return a document in which up to three values are replaced, removed or doubled."""
    value = deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(paths(value))))
        change = draw(st.sampled_from(["replace", "remove", "double"]))
        parent: Any = value
        for part in path[:-1]:
            parent = parent[part]
        if change == "double" and path and isinstance(parent, list):
            parent.append(deepcopy(parent[path[-1]]))
        elif change == "remove" and path:
            value = without(value, path)
        else:
            value = changed(value, path, draw(json_values(*names)))
    return value
