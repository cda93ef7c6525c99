"""Write the results of the attacks into ``docs/security.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.attacks.table import ATTACKS, KINDS
from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.attacks.attack import Attack
    from tests.attacks.running import Ended

PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- attacks -->", "<!-- end of attacks -->"
_HEAD = "| tried | tap | result | peak, MiB | seconds |\n|---|---|---|---|---|"


def row_begin(attack: Attack) -> str:
    """Return the cells of an attack that do not depend on its result."""
    return f"| {_cell(attack.tried)} | {attack.account} |"


def write(results: Mapping[Attack, Ended]) -> None:
    """Write the rows of these results; the rows of other attacks stay as they are."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{_tables(results, old)}\n{END}{after}", encoding="utf-8")


def _tables(results: Mapping[Attack, Ended], old: str) -> str:
    known = {line.rsplit("|", 4)[0] + "|": line for line in old.splitlines()}
    parts = []
    for kind, title in KINDS.items():
        attacks = [attack for attack in ATTACKS if attack.kind == kind]
        rows = [
            _row(attack, results[attack])
            if attack in results
            else known.get(row_begin(attack), f"{row_begin(attack)} not run | | |")
            for attack in attacks
        ]
        parts.append("\n".join([f"### {title}", "", _HEAD, *rows, ""]))
    return "\n".join(parts)


def _row(attack: Attack, ended: Ended) -> str:
    result = f"{ended.rows:,} rows, exit code 0" if attack.is_survived else "one line, exit code 1"
    if ended.problems:
        result = "**wrong**: " + _cell(", ".join(ended.problems))
    peak = -(-ended.peak_mib // 10) * 10  # smaller differences are noise
    return f"{row_begin(attack)} {result} | {peak:.0f} | {ended.seconds:.0f} |"


def _cell(text: str) -> str:
    shown = "".join(one if one.isprintable() else "?" for one in text)
    return shown.replace("|", "\\|").replace("<", "&lt;")
