"""No code goes around the boundary: see docs/architecture.md.

Each rule names what only some modules may use, with the reason.
"""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tools.workspace import KIT, ROOT, TAPS, package_of, sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGES = [KIT / "tap_kit", *(tap / package_of(tap) for tap in TAPS)]
PATHS = [str(path) for path in sources(*PACKAGES)]
NET = "tap-kit/tap_kit/net/"
KIT_FILES = "tap-kit/tap_kit/run/"


@functools.cache
def modules() -> Mapping[str, ast.Module]:
    """Return the parsed modules by path; not while tests are collected, since it takes a second."""
    return {path: ast.parse((ROOT / path).read_text("utf-8")) for path in PATHS}


@dataclass(frozen=True)
class Rule:
    """Names that only the modules in ``allowed`` use: by the beginning of their path, with why.

    ``modules`` are imported, ``attributes`` are read (``response.content``), ``calls`` are called.
    """

    why: str
    modules: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    allowed: Mapping[str, str] = field(default_factory=dict)

    def uses(self, tree: ast.AST) -> Iterator[str]:
        """Yield what a module uses against the rule."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in self.attributes:
                yield ast.unparse(node)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in self.calls:
                yield ast.unparse(node.func)
            else:
                yield from (name for name in _imported(node) if _is_in(name, self.modules))


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_in(name: str, modules: frozenset[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in modules)


RULES = [
    Rule(
        "requests are bounded in time, size and reach by tap_kit.net",
        modules=frozenset(
            {"requests", "urllib3", "http", "socket", "ssl", "urllib.request", "httpx", "aiohttp"}
        ),
        allowed={
            NET: "the boundary itself",
            "tap-khoros-analytics/tap_khoros_analytics/client.py": "the class of credentials only",
            "tap-kissmetrics/tap_kissmetrics/v3/client.py": "the class of credentials only",
            "tap-kissmetrics/tap_kissmetrics/lists/pagination.py": "the parser of a Link header",
            "tap-kissmetrics/tap_kissmetrics/raw_exports/credentials.py": "a type",
            "tap-kit/tap_kit/run/run.py": "a type",
            "tap-kit/tap_kit/flow/failures.py": "the names of statuses",
        },
    ),
    Rule(
        "bodies are read by net/reading.py, which bounds them",
        attributes=frozenset({"content", "raw", "iter_content", "iter_lines", "text"}),
        calls=frozenset({"response.json", "response.read"}),
        allowed={NET: "the boundary itself"},
    ),
    Rule(
        "JSON of a vendor is decoded by net/bodies.py or a checked type, files by run/files.py",
        calls=frozenset({"json.loads", "json.load", "yaml.load", "eval", "pickle.loads"}),
        allowed={
            "tap-khoros-analytics/tap_khoros_analytics/exports/columns.py": "a file of the package"
        },
    ),
    Rule(
        "files of a user are opened by run/files.py",
        calls=frozenset({"open", "os.open", "io.open", "Path.open", "Path.read_text"}),
        attributes=frozenset({"read_bytes"}),
        allowed={
            KIT_FILES + "files.py": "the boundary itself",
            KIT_FILES + "kept.py": "a file of the tap itself, bounded and private",
            KIT_FILES + "output.py": "the null device and stderr",
            KIT_FILES + "batches.py": "new files that only this user can read, for writing",
            "tap-kissmetrics/tap_kissmetrics/reports/zones.py": "a file of the package",
            "tap-kissmetrics/tap_kissmetrics/raw_exports/folder.py": "the boundary of a folder: "
            "regular files, in parts of a given length",
        },
    ),
    Rule(
        "texts reach the log through logging, whose records net/logs.py makes safe",
        calls=frozenset(
            {
                *("print", "sys.stderr.write", "sys.stdout.write", "traceback.print_exc"),
                *("logging.setLogRecordFactory", "logging.basicConfig", "logging.makeLogRecord"),
                *("logging.StreamHandler", "logging.FileHandler", "logging.config.dictConfig"),
            }
        ),
        attributes=frozenset({"addHandler"}),
        allowed={
            NET + "logs.py": "the boundary itself",
            KIT_FILES + "progress.py": "a handler that counts warnings and writes nothing",
            "tap-kit/tap_kit/tap.py": "--about, which prints descriptions of the tap",
        },
    ),
    Rule(
        "paths are built by quoted_path, which makes one segment of each id",
        modules=frozenset({"urllib.parse.quote", "urllib.parse.quote_plus"}),
        allowed={NET: "the boundary itself"},
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.why)
def test_no_code_goes_around_the_boundary(rule: Rule) -> None:
    found = {
        path: sorted(set(rule.uses(tree)))
        for path, tree in modules().items()
        if not path.startswith(tuple(rule.allowed))
    }
    assert {path: uses for path, uses in found.items() if uses} == {}, rule.why


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.why)
def test_every_exception_is_needed(rule: Rule) -> None:
    for place in rule.allowed:
        trees = [tree for path, tree in modules().items() if path.startswith(place)]
        assert any(list(rule.uses(tree)) for tree in trees), place


@pytest.mark.parametrize("path", PATHS)
def test_no_path_of_a_request_is_built_of_values(path: str) -> None:
    """An f-string, ``+``, ``%`` or ``format`` with a value would let an id add segments."""
    built = [ast.unparse(node) for node in ast.walk(modules()[path]) if _builds_a_path(node)]
    assert [text for text in built if text not in _FIXED] == []


_FIXED = {
    "f'/api/public{path}'": "the path of a look-up, a constant",
    "f'/api/public/reports/report/{self.path_prefix}{self.id}'": "constants of an export",
    "f'/core/{self.name}'": "the name of a stream, a constant",
    "f'/core/products/{{}}/{self.name}'": "the same, in a template",
}


def _builds_a_path(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        parts = [one.value for one in node.values if isinstance(one, ast.Constant)]
        return len(parts) < len(node.values) and _is_path(node.values[0])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return _is_path(node.left) and not isinstance(node.right, ast.Constant)
    is_format = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_format and node.func.attr == "format" and _is_path(node.func.value)  # type: ignore[attr-defined]


def _is_path(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_text and node.value.startswith("/") and len(node.value) > 1  # type: ignore[attr-defined]
