"""Limits on the length of functions and files, and on what packages import."""

from __future__ import annotations

import ast
import re
import tokenize
from typing import TYPE_CHECKING

import pytest

from tools.workspace import EXAMPLE, KIT, ROOT, TAPS, VENDORS, package_of, sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = [KIT / "tap_kit", *(tap / package_of(tap) for tap in [*TAPS, EXAMPLE])]
SANDBOX, DEMO = ROOT / "sandbox" / "sandbox", ROOT / "demo"
ORCHESTRATION, TOOLS = ROOT / "orchestration", ROOT / "tools"
CODE = sources(*PACKAGES, SANDBOX, DEMO, ORCHESTRATION, TOOLS)
LONGEST_FUNCTION, LONGEST_FILE = 40, 300
MODULES = [package.name for package in PACKAGES]


def test_no_function_or_file_is_too_long() -> None:
    too_long = [f"{source}: {name}" for source in CODE for name in too_long_parts(ROOT / source)]
    assert too_long == []


def too_long_parts(source: Path) -> Iterator[str]:
    """Yield the names of the functions of a file that are too long, and of the file itself."""
    text = source.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            span = (node.end_lineno or 0) - node.lineno + 1
            yield from [node.name] if span > LONGEST_FUNCTION else []
    if len(text.splitlines()) > LONGEST_FILE:
        yield "the file"


def test_too_long_parts_are_found(tmp_path: Path) -> None:
    lines = ["def f():", *["    x = 1"] * LONGEST_FUNCTION, *["y = 2"] * LONGEST_FILE]
    source = tmp_path / "long.py"
    source.write_text("\n".join(lines), encoding="utf-8")
    assert [*too_long_parts(source)] == ["f", "the file"]
    source.write_text("\n".join(lines[1:2]).strip(), encoding="utf-8")
    assert [*too_long_parts(source)] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_taps_import_the_kit_only_and_the_kit_no_tap(package: Path) -> None:
    others = {*MODULES, "sandbox", "demo", "orchestration", "tools", "tests", "benchmarks"} - {
        package.name,
        "tap_kit",
    }
    imported = {name for source in sources(package) for name in imports(ROOT / source)}
    assert imported & others == set()


def test_sandbox_imports_no_tap() -> None:
    """Otherwise taps and sandbox could share a wrong assumption about a vendor."""
    imported = {name for source in sources(SANDBOX) for name in imports(ROOT / source)}
    assert imported & {*MODULES, "singer_sdk"} == set()


def test_tools_import_no_tests() -> None:
    imported = {name for source in sources(TOOLS) for name in imports(ROOT / source)}
    assert imported & {"tests", "benchmarks", "demo", "orchestration", "sandbox"} == set()


def test_kit_names_no_vendor() -> None:
    files = [path for path in KIT.rglob("*") if path.suffix in {".py", ".md", ".toml", ".json"}]
    assert len(files) > 10
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert [vendor for vendor in VENDORS if is_named(vendor, text)] == [], path


def test_vendor_is_found_as_a_whole_word_only() -> None:
    named = (
        "a pond.",
        "Pond's API",
        "PONDS_URL = POND",
        "pond_v2",
        "TapPond",
        "PondClient",
        "x=pond1",
    )
    assert [text for text in named if not is_named("pond", text)] == []
    others = ("respond", "Responder", "ponder", "correspondence", "Respond.to")
    assert [text for text in others if is_named("pond", text)] == []


def is_named(vendor: str, text: str) -> bool:
    """Return whether a text has the vendor as a word, or as a part of a name in camel case."""
    word = rf"(?<![A-Za-z])(?i:{vendor})(?![a-z])"
    part = rf"(?<=[a-z]){vendor.capitalize()}(?![a-z])"
    return re.search(f"{word}|{part}", text) is not None


def test_no_comment_is_a_todo() -> None:
    assert [f"{source}: {text}" for source in CODE for text in todos(ROOT / source)] == []


def todos(source: Path) -> Iterator[str]:
    """Yield the comments of a file that postpone work."""
    words = ("TODO", "FIXME", "XXX")
    if any(word in source.read_text(encoding="utf-8") for word in words):
        with source.open("rb") as file:
            tokens = tokenize.tokenize(file.readline)
            comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
        yield from (text for text in comments if any(word in text for word in words))


def test_no_file_is_empty() -> None:
    empty = [
        source
        for source in CODE
        if source.name != "__init__.py" and not (ROOT / source).read_text().strip()
    ]
    assert empty == []


def imports(source: Path) -> Iterator[str]:
    """Yield the top-level names of the modules that a file imports."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
