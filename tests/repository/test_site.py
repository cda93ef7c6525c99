"""The documentation as a site: a strict build, the kit's public names, and links out of docs/."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import tap_kit

from tools.site import (
    DOCS,
    INDEX,
    LAYERS,
    api_pages,
    listing,
    outside_files,
    sections,
    site_path,
    source_of,
    with_links,
    with_lists,
    with_marks,
)
from tools.workspace import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build a site; a warning is an error."""
    return subprocess.run(
        [
            # Not --quiet, with which MkDocs neither prints nor counts warnings.
            *(sys.executable, "-m", "mkdocs", "build", "--strict"),
            *("--config-file", config, "--site-dir", site),
        ],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.process
def test_strict_build_has_all_pages_and_names(tmp_path: Path) -> None:
    """One test, since a build takes seconds."""
    done = build(ROOT / "mkdocs.yml", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert_pages_are_there(tmp_path)
    assert_public_names_have_docstrings(tmp_path)
    assert_no_page_loads_from_other_hosts(tmp_path)


def assert_pages_are_there(site: Path) -> None:
    """Check for the pages of docs/, and for a page, a result and code of other folders."""
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix(".html")
        assert (site / (name.with_name("index.html") if name.stem == "README" else name)).exists()
    for other in ("tap-kindmetrics/index.html", "benchmarks/results/soak.html"):
        assert (site / "repository" / other).exists()
    assert (site / "repository" / "orchestration" / "dags" / "shards.py").exists()


def assert_public_names_have_docstrings(site: Path) -> None:
    """Check that the pages of the API have each public name, and a docstring."""
    text = "".join((site / "api" / f"{layer}.html").read_text("utf-8") for layer in LAYERS)
    assert set(re.findall(r'<h2 id="tap_kit\.(\w+)"', text)) == set(tap_kit.__all__)
    assert str(tap_kit.KitTap.__doc__).partition("\n")[0] in text


def assert_no_page_loads_from_other_hosts(site: Path) -> None:
    """Check scripts, pictures, frames and styles."""
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r'<(?:script|img|iframe)[^>]*src="(?:https?:)?//', text), page
        assert not re.search(r'<link[^>]*rel="(?:stylesheet|preconnect)"[^>]*href="https?:', text)


@pytest.mark.process
def test_link_without_target_breaks_the_build(tmp_path: Path) -> None:
    wrong = ["none.md", "#none", "../none.py"]
    (tmp_path / "docs").mkdir()
    lines = ["# Page", *(f"[a link]({link})" for link in wrong)]
    (tmp_path / "docs" / "index.md").write_text("\n\n".join(lines))
    (tmp_path / "mkdocs.yml").write_text(
        f"INHERIT: {ROOT / 'mkdocs.yml'}\ndocs_dir: docs\nhooks: []\nplugins: []\n"
    )
    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode == 1
    assert all(f"'{link}'" in done.stderr for link in wrong)


def test_navigation_has_the_pages_of_the_index() -> None:
    found = list(sections(INDEX))
    assert [title for section in found for title in section] == [
        "Use it",
        "Operate it",
        "Develop it",
    ]
    pages = [
        uri for section in found for page in next(iter(section.values())) for uri in page.values()
    ]
    assert {"go_live.md", "repository/tap-kit/README.md", "reference/README.md"} <= set(pages)
    assert len(pages) > 25


def test_api_has_the_public_names() -> None:
    pages = api_pages()
    index = pages.pop("README.md")
    names = re.findall(r"^::: tap_kit\.(\w+)$", "\n".join(pages.values()), re.MULTILINE)
    assert sorted(names) == sorted(tap_kit.__all__)
    assert all(f"[`{name}`][tap_kit.{name}]" in index for name in names)


@pytest.mark.parametrize(
    ("page", "link", "moved"),
    [
        ("docs/go_live.md", "log.md#lines", "log.md#lines"),
        ("docs/go_live.md", "../tap-kit/README.md", "repository/tap-kit/README.md"),
        ("docs/go_live.md", "../benchmarks/results", "repository/benchmarks/results.md"),
        ("docs/reference/README.md", "../../README.md#try", "../repository/README.md#try"),
        ("tap-kit/README.md", "../docs/log.md", "../../log.md"),
        ("benchmarks/README.md", "server.py", "server.py"),
        ("docs/go_live.md", "https://one.example/README.md", "https://one.example/README.md"),
        ("docs/go_live.md", "#heading", "#heading"),
        ("docs/go_live.md", "../no/such/file.py", "../no/such/file.py"),
    ],
)
def test_link_leads_to_the_place_in_the_site(page: str, link: str, moved: str) -> None:
    assert with_links(f"see [it]({link}).", ROOT / page) == f"see [it]({moved})."


def test_source_of_a_page_is_its_file() -> None:
    assert source_of("log.md") == DOCS / "log.md"
    assert source_of("repository/tap-kit/README.md") == ROOT / "tap-kit" / "README.md"
    assert source_of("repository/benchmarks/results.md") is None
    assert source_of("api/tap.md") is None


def test_folder_that_a_page_links_to_is_a_page() -> None:
    folder = ROOT / "benchmarks" / "results"
    assert folder in outside_files()
    assert folder / "soak.md" in outside_files()
    assert "- [soak.md](results/soak.md)\n" in listing(folder)
    assert site_path(folder) == "repository/benchmarks/results.md"


def test_lists_are_written_for_python_markdown() -> None:
    numbers = "Steps:\n1. One\n   ```\n   make\n   ```\n2. Two\n   - inner\n\nEnd\n"
    assert with_lists(numbers) == (
        "Steps:\n\n1. One\n    ```\n    make\n    ```\n2. Two\n    - inner\n\nEnd\n"
    )
    assert with_lists("Points:\n- a\n  b\n\n c\n") == "Points:\n\n- a\n    b\n\n    c\n"


def test_marks_of_sources_are_no_links() -> None:
    assert with_marks("[page]\n  [wire]; `[a] [b]`") == "[page]\u2060\n  [wire]; `[a] [b]`"


def test_code_stays_as_it_is() -> None:
    page = "```\n- a\n  - b\n1. c\n```\n"
    assert with_lists(page) == page
