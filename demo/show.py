"""``make show``: open the report, or print where it is."""

from __future__ import annotations

import os
import sys
import webbrowser

from demo.places import REPORT, ROOT

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


def main() -> int:
    """Open the report of the last demo; return 1 if there is none."""
    if not REPORT.exists():
        print("There is no report yet: `make demo` writes it.")
        return 1
    print(f"The report is {REPORT.relative_to(ROOT)}")
    if not (has_desktop() and webbrowser.open(REPORT.as_uri())):
        print(
            "No browser could be opened here. The report is one file: copy it elsewhere to open it."
        )
    return 0


def has_desktop() -> bool:
    """Return whether a window can be opened. If not, webbrowser would take over the terminal."""
    return sys.platform in {"darwin", "win32"} or any(map(os.environ.get, DISPLAYS))


if __name__ == "__main__":
    sys.exit(main())
