"""What MkDocs adds to the pages in docs/: other pages of the repository, the kit's API, navigation.

MkDocs knows only files in docs/. The pages there link to READMEs, results and code in other
folders, as GitHub shows them. All files that a page links to are added to the site, in the folder
``repository/``, and the links are changed to lead there.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

from tools.pages.doc_pages import LINK
from tools.workspace import KIT, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
OUTSIDE = "repository"
API = "api"
INIT = KIT / "tap_kit" / "__init__.py"
# What the modules of a layer of the kit are for: a page of the API for each.
LAYERS = {
    "tap": "The tap",
    "streams": "Streams",
    "run": "Run and settings",
    "jobs": "Jobs",
    "flow": "Windows, tasks, lists and bookmarks",
    "rows": "Rows",
    "net": "HTTP",
    "errors": "Errors",
}
PART_OF_README = ROOT / "benchmarks" / "results" / "summary.md"  # its links are those of README.md
CODE_OR_MARKS = re.compile(r"(`+[^`]*`+)|\](?=\s+\[)")
ITEM = re.compile(r"(?:[-*]|\d+\.) +")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Set the navigation: the sections of the index, and the API."""
    api = [{title: f"{API}/{layer}.md"} for layer, title in LAYERS.items()]
    config.nav = [
        {"All pages": "README.md"},
        *sections(INDEX),
        {"API of the kit": [{"All names": f"{API}/README.md"}, *api]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside docs/ that pages link to, and the pages of the API."""
    for path in outside_files():
        content = listing(path) if path.is_dir() else path.read_bytes()
        files.append(File.generated(config, site_path(path), content=content))
    for name, text in api_pages().items():
        files.append(File.generated(config, f"{API}/{name}", content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Change links that leave docs/, and write what Python-Markdown reads in another way."""
    source = source_of(page.file.src_uri)
    if source is None:
        return markdown
    return with_lists(with_marks(with_links(markdown, source)))


def sections(index: Path) -> Iterator[dict[str, Any]]:
    """Yield the sections of the index with the pages that their tables link to."""
    for part in re.split(r"^## ", index.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title = part.partition("\n")[0]
        rows = re.findall(r"^\| (\[.*?) \|", part, re.MULTILINE)
        links = [link for row in rows for link in re.findall(r"\[([^\]]+)\]\(([^)#]+)\)", row)]
        yield {
            title: [
                {_title(text): site_path((index.parent / target).resolve())}
                for text, target in links
            ]
        }


def _title(text: str) -> str:
    return text if text.startswith("tap-") else text[0].upper() + text[1:]


def outside_files() -> list[Path]:
    """Return the files and folders outside docs/ that pages of the site link to."""
    found: set[Path] = set()
    waiting = sorted(DOCS.rglob("*.md"))
    while waiting:
        page = waiting.pop()
        for target in _targets(page):
            if DOCS not in target.parents and target not in found:
                found.add(target)
                waiting += [path for path in _content(target) if path.suffix == ".md"]
                found |= set(_content(target))
    return sorted(found)


def _targets(page: Path) -> Iterator[Path]:
    for link in LINK.findall(page.read_text("utf-8")):
        target = (page.parent / link.partition("#")[0]).resolve()
        if "://" not in link and not link.startswith(("#", "mailto:")) and target.exists():
            yield target


def _content(target: Path) -> list[Path]:
    """Return the files of a folder that can be read as text or seen as a picture."""
    if not target.is_dir():
        return [target]
    kinds = {".md", ".py", ".json", ".png", ".txt", ".csv"}
    found = (path for path in target.iterdir() if path.suffix in kinds)
    return sorted(path for path in found if path != PART_OF_README)


def listing(folder: Path) -> str:
    """Return a page that links the files of a folder, as GitHub shows it."""
    lines = [f"- [{path.name}]({folder.name}/{path.name})" for path in _content(folder)]
    return "\n".join([f"# {folder.relative_to(ROOT)}", "", *lines, ""])


def site_path(path: Path) -> str:
    """Return where a file of the repository is in the site; a folder is a page."""
    if DOCS in path.parents:
        return path.relative_to(DOCS).as_posix()
    name = path.relative_to(ROOT).as_posix()
    return f"{OUTSIDE}/{name}.md" if path.is_dir() else f"{OUTSIDE}/{name}"


def source_of(uri: str) -> Path | None:
    """Return the file of the repository that a page of the site shows; None if it has none."""
    if uri.startswith(f"{API}/"):
        return None
    path = ROOT / uri.removeprefix(f"{OUTSIDE}/") if uri.startswith(f"{OUTSIDE}/") else DOCS / uri
    return path if path.exists() else None


def with_links(markdown: str, source: Path) -> str:
    """Return the text of a page with links to where the files are in the site."""
    here = Path(site_path(source)).parent

    def moved(match: re.Match[str]) -> str:
        link = match[1]
        path, anchor, heading = link.partition("#")
        target = (source.parent / path).resolve()
        if "://" in link or not path or not target.exists():
            return match[0]
        return f"]({os.path.relpath(site_path(target), here)}{anchor}{heading})"

    return LINK.sub(moved, markdown)


def with_marks(markdown: str) -> str:
    """Return a page in which two words in brackets stay two.

    Python-Markdown reads ``[page] [wire]`` as a link, GitHub does not. An invisible character after
    the first bracket, a word joiner, prevents this.
    """
    return CODE_OR_MARKS.sub(lambda match: match[1] or "]\N{WORD JOINER}", markdown)


def with_lists(markdown: str) -> str:
    """Return a page whose lists Python-Markdown reads as GitHub does.

    It needs an empty line before a list, and four spaces before what continues an item.
    """
    lines: list[str] = []
    indent, fenced = 0, False
    for line in markdown.splitlines():
        item = None if fenced else ITEM.match(line)
        if item:
            if not indent and lines and lines[-1]:
                lines.append("")
            indent = len(item[0])
        elif line and not line.startswith(" "):
            indent = 0
        fenced ^= line.startswith("```")
        continues = indent and line.startswith(" ")
        lines.append(" " * 4 + line[min(indent, _spaces(line)) :] if continues else line)
    return "\n".join([*lines, ""])


def _spaces(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def api_pages() -> dict[str, str]:
    """Return a page for each layer of the kit with its public names, and a page of all names."""
    names: dict[str, list[str]] = {layer: [] for layer in LAYERS}
    for node in ast.parse(INIT.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names[node.module.split(".")[1]] += [alias.name for alias in node.names]
    pages = {
        f"{layer}.md": "\n\n".join(
            [f"# {LAYERS[layer]}", *(f"::: tap_kit.{name}" for name in sorted(found))]
        )
        for layer, found in names.items()
    }
    lists = [
        f"- {LAYERS[layer]}: " + ", ".join(f"[`{name}`][tap_kit.{name}]" for name in sorted(found))
        for layer, found in names.items()
    ]
    intro = "Everything that a tap imports from `tap_kit`, from the docstrings of the code."
    return {**pages, "README.md": "\n".join(["# API of the kit", "", intro, "", *lists, ""])}
