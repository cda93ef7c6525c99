"""Parsing of the documentation: its links, commands, variables and messages."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = sorted(
    path
    for pattern in ("*.md", "*/README.md", "docs/*.md", "docs/*/*.md", "examples/*/*.md")
    for path in ROOT.glob(pattern)
    if not path.relative_to(ROOT).parts[0].startswith((".", "output", "dist"))
    and not {"node_modules", ".venv", "dbt_packages"} & set(path.parts)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
VARIABLE = re.compile(r"\b(?:TAP|TARGET)_[A-Z][A-Z_]*[A-Z]\b")


def text_of(page: Path) -> str:
    """Return the text of a page."""
    return page.read_text(encoding="utf-8")


def links(page: Path) -> list[str]:
    """Return the links of a page that stay in the repository."""
    found = LINK.findall(text_of(page))
    return [link for link in found if "://" not in link and not link.startswith("mailto:")]


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command of this project in a page, without shell syntax."""
    text = text_of(page)
    blocks = [line for block in FENCE.findall(text) for line in joined(block).splitlines()]
    spans = SPAN.findall(FENCE.sub("", text))
    for line in [*blocks, *spans]:
        yield from _commands_in(line)


def joined(block: str) -> str:
    """Return a block with continued lines joined."""
    return block.replace("\\\n", " ")


def _commands_in(line: str) -> Iterator[list[str]]:
    for part in re.split(r"&&|\||;|>>?", re.sub(r"\s#\s.*", "", line).removeprefix("$ ")):
        bare = re.sub(r"^\s*(?:[\d*]+ ){5}|^\s*(?:[A-Z_]+=(?:'[^']*'|\S*)\s+)+", "", part)
        bare = re.sub(r"^\s*(?:\.venv/bin/)", "", bare.strip()).strip()
        if re.match(r"(?:meltano|make|sandbox|tap-[a-z-]+)\s+\S", bare):
            yield shlex.split(bare)


def messages(page: Path) -> list[str]:
    """Return the quoted messages in the first cells of a page's tables."""
    rows = re.findall(r"^\| `([^`]+)`", text_of(page), re.MULTILINE)
    return [row for row in rows if " " in row]
