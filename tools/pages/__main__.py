"""Write every file that is made from the taps: ``python -m tools.pages``, or ``make pages``."""

from __future__ import annotations

from tools.pages.generated import files


def main() -> None:
    """Write all files."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
