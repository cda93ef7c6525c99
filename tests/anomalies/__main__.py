"""Run the table and write its section into ``docs/faults.md``; exit code 1 if a run is wrong."""

from __future__ import annotations

import sys

from tests.anomalies.page import TITLE, section
from tests.anomalies.table import TABLE
from tests.fault_matrix.sections import SECTIONS
from tools.pages import fault_page


def main() -> int:
    """Run the table; write the section only if all runs end as they must."""
    is_wrong = False
    for one in TABLE:
        if problems := one.problems(one.run()):
            is_wrong = True
            sys.stderr.write(f"{one.kind}, {one.vendor.name}, {one.what}: {problems}\n")
    if not is_wrong:
        titles = [found.title for found in SECTIONS]
        fault_page.write_sections({TITLE: section(TABLE)}, titles)
    return is_wrong


if __name__ == "__main__":
    sys.exit(main())
