"""Complete outputs in reviewed files; ``GOLDEN=write pytest`` writes them again."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.singer import Output


def assert_golden(path: Path, output: Output) -> None:
    """Check that the messages of ``output`` are those of the file, in the same order."""
    lines = [json.dumps(message, ensure_ascii=False) for message in output.without_clock]
    if os.environ.get("GOLDEN") == "write":
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert lines == path.read_text(encoding="utf-8").split("\n")[:-1]
