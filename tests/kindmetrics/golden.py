"""Whole outputs in files that a person has read; ``GOLDEN=write pytest`` writes them anew."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.kindmetrics.singer import Output

FOLDER = Path(__file__).with_name("golden")


def assert_golden(name: str, output: Output) -> None:
    """Every message of ``output``, in order, is the file's; the diff is what there is to judge."""
    path = FOLDER / f"{name}.jsonl"
    lines = [json.dumps(message, ensure_ascii=False) for message in output.without_clock]
    if os.environ.get("GOLDEN") == "write":
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert lines == path.read_text(encoding="utf-8").split("\n")[:-1]
