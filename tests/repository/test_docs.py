"""The files, commands, options and variables that the pages quote exist."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from sandbox.cli import main as sandbox_command

from tools.pages.doc_pages import PAGES, VARIABLE, commands, links, text_of
from tools.pages.meltano_settings import expected_settings
from tools.workspace import ROOT, TAPS, tap_class

if TYPE_CHECKING:
    from pathlib import Path

PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
PLUGINS = {p["name"]: p for kind in PROJECT["plugins"].values() for p in kind}
QUOTED = [(page.relative_to(ROOT), command) for page in PAGES for command in commands(page)]
MELTANO_EXTRAS = {"__SELECT", "__SELECT_FILTER", "__LOAD_SCHEMA", "__CATALOG"}

# Parses each command as Meltano does, including subcommands, without running it.
PARSE = """
import json, sys
import click
from meltano.cli import cli

def parse(group, name, words, parent=None):
    context = group.make_context(name, list(words), parent=parent, obj={"project": None})
    if isinstance(group, click.Group):
        rest = [*getattr(context, "_protected_args", []), *context.args]
        sub_name, sub, rest = group.resolve_command(context, rest)
        parse(sub, sub_name, rest, context)

for command in json.load(sys.stdin):
    try:
        parse(cli, "meltano", command)
    except click.ClickException as error:
        print(" ".join(command), ":", error.format_message())
"""


def quoted(program: str) -> list[list[str]]:
    """Return the arguments of each quoted command of a program, each once."""
    found = {tuple(command[1:]): None for _, command in QUOTED if command[0] == program}
    return [list(arguments) for arguments in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_has_a_target(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            heads = re.findall(r"^#+ (.*)", text_of(target), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads]
            assert anchor in slugs, link


def test_index_links_every_page_and_readme_links_the_index() -> None:
    docs = ROOT / "docs"
    index = docs / "README.md"
    linked = {(docs / link.partition("#")[0]).resolve() for link in links(index)}
    pages = {page for page in docs.rglob("*.md") if page.parent.name != "reference"}
    assert pages - {index} <= linked
    assert docs / "reference" / "README.md" in linked
    assert "docs/README.md" in links(ROOT / "README.md")


@pytest.mark.process
def test_every_meltano_command_is_valid() -> None:
    given = [[w for w in c if not w.startswith("/where/")] for c in quoted("meltano")]
    given = [c[: c.index("--from-ref")] if "--from-ref" in c else c for c in given]
    assert len(given) > 10
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PARSE],
        input=json.dumps([command for command in given if command != ["run"]]),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == ""


def test_every_plugin_job_and_schedule_of_a_command_exists() -> None:
    names = set(PLUGINS) | {s["name"] for s in PROJECT["schedules"]}
    for page, command in QUOTED:
        named = {w for w in command[1:] if re.fullmatch(r"(?:tap|target)-[a-z-]+|\w+-daily", w)}
        assert named <= names, (page, command)


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page, command in QUOTED:
        if command[0] == "make":
            words = [w for w in command[1:] if "=" not in w and not w.startswith("-")]
            assert set(words) <= targets, (page, command)


@pytest.mark.parametrize("arguments", quoted("sandbox"), ids=" ".join)
def test_every_sandbox_command_is_valid(arguments: list[str]) -> None:
    """With ``--help`` at the end, the options before it are parsed and nothing runs."""
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended, contextlib.redirect_stdout(out):
        sandbox_command([*arguments, "--help"])
    assert ended.value.code == 0
    for option in (word for word in arguments if word.startswith("--")):
        assert option in out.getvalue()


@pytest.mark.parametrize("tap", TAPS, ids=lambda tap: tap.name)
def test_every_option_of_a_tap_exists(tap: Path) -> None:
    known = {option for p in tap_class(tap).cli.params for option in p.opts}
    for arguments in quoted(tap.name):
        used = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        assert used <= known, arguments


def test_every_variable_is_a_setting() -> None:
    known = {variable(name, s["name"]) for name, p in PLUGINS.items() for s in p["settings"]}
    known |= {
        variable(tap.name, setting["name"])
        for tap in TAPS
        for setting in expected_settings(tap_class(tap))
    }
    known |= {variable(name, "")[:-1] + own for name in PLUGINS for own in MELTANO_EXTRAS}
    pages = [*PAGES, ROOT / ".env.example"]
    for page in pages:
        used = set(VARIABLE.findall(text_of(page)))
        assert used - known == set(), page


def variable(plugin: str, setting: str) -> str:
    """Return the variable from which Meltano reads a setting."""
    return f"{plugin}_{setting}".upper().replace("-", "_").replace(".", "_")
