"""The taps in ``meltano.yml``: an entry each, and a job and a schedule for a tap that has none."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from tools.pages.plugin_files import as_yaml, common_definition
from tools.workspace import IncompleteTapError

if TYPE_CHECKING:
    from tools.workspace import TapFolder

ENTRY_KEYS = (
    *("name", "namespace", "label", "pip_url", "executable", "capabilities"),
    *("settings_group_validation", "settings"),
)
JOB = """\
- name: {short}-to-postgres
  tasks:
  - {tap} target-postgres
"""
SCHEDULE = """\
- name: {short}-daily
  interval: 0 3 * * *
  job: {short}-to-postgres
"""


def with_tap(text: str, folder: TapFolder) -> str:
    """Return ``meltano.yml`` with the tap as it is today.

    An entry is written from its name to its ``select``; that and what follows are the reader's. A
    new tap gets a ``select`` of all streams that are selected by default, a job and a schedule.
    """
    text = _with_entry(text, folder)
    if re.search(rf"^  - {folder.name} ", text, re.MULTILINE):
        return text
    names = {"short": folder.name.removeprefix("tap-"), "tap": folder.name}
    text = _at_end_of(text, "jobs", JOB.format(**names))
    return _at_end_of(text, "schedules", SCHEDULE.format(**names))


def _with_entry(text: str, folder: TapFolder) -> str:
    definition = common_definition(folder)
    definition["pip_url"] = f"-e ./{folder.name} -c constraints.txt"
    entry = _indented([{key: definition[key] for key in ENTRY_KEYS}])
    found = re.search(rf"^  - name: {folder.name}\n((?:    .*\n)*)", text, re.MULTILINE)
    if found is None:
        select = textwrap.indent(as_yaml({"select": definition["select"]}), "    ")
        return _at_end_of(text, "  extractors", entry + select)
    own = re.search(r"^    select:", found[1], re.MULTILINE)
    if own is None:
        msg = (
            f"meltano.yml: the entry of {folder.name} has no `select`. Add, as its last lines:\n\n"
            "    select:\n    - '*.*'"
        )
        raise IncompleteTapError(msg)
    return text[: found.start()] + entry + text[found.start(1) + own.start() :]


def _indented(entries: list[dict[str, object]]) -> str:
    return textwrap.indent(as_yaml(entries), "  ")


def _at_end_of(text: str, key: str, addition: str) -> str:
    """Return the text with lines added to the list under a key, before what follows it.

    Raises:
        IncompleteTapError: when the key is missing.
    """
    indent = " " * (len(key) - len(key.lstrip()))
    block = re.search(rf"^{key}:\n(?:{indent}[ -].*\n)*", text, re.MULTILINE)
    if block is None:
        msg = f"meltano.yml has no `{key.strip()}`. Add it, as it is in the repository."
        raise IncompleteTapError(msg)
    return text[: block.end()] + addition + text[block.end() :]
