"""Write every file that is made from the taps: ``python -m tools.pages``, or ``make pages``."""

from __future__ import annotations

import sys

from tools.pages.generated import files
from tools.workspace import IncompleteTapError


def main() -> None:
    """Write all files; if a tap lacks something, write none and say what."""
    try:
        made = files()
    except IncompleteTapError as error:
        sys.exit(f"make pages: {error}")
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
