"""``make show``: open the report, or say where it is."""

from __future__ import annotations

import os
import sys
import webbrowser

from demo.places import REPORT, ROOT

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


def main() -> int:
    """Open the report of the last demo; 1 when there is none."""
    if not REPORT.exists():
        print("There is no report yet: `make demo` writes it.")
        return 1
    print(f"The report is {REPORT.relative_to(ROOT)}")
    if not (has_desktop() and webbrowser.open(REPORT.as_uri())):
        print("No browser could be opened here. It is one file that needs no other: copy it.")
    return 0


def has_desktop() -> bool:
    """Whether a window can be opened; without one, webbrowser would take over the terminal."""
    return sys.platform in {"darwin", "win32"} or any(map(os.environ.get, DISPLAYS))


if __name__ == "__main__":
    sys.exit(main())
