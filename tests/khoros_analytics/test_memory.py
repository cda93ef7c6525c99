"""Memory does not grow with the size of an export."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.khoros_analytics.site import ONE_DAY, catalog_of
from tests.processes import clean_environment

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

# In a small process of its own: the peak memory of a child starts with that of its parent.
MEASURE = """
import resource, subprocess, sys
quiet = {"stderr": subprocess.DEVNULL}
subprocess.run(sys.argv[1:], check=True, **quiet)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, file=sys.stderr)
"""


def peak_mib(site: Site, report_format: str) -> tuple[float, int]:
    """Return the peak memory of a run in another process, and the number of lines it wrote."""
    command = site.command(
        catalog=catalog_of("incoming_post"), report_format=report_format, **ONE_DAY
    )
    lines = 0
    with subprocess.Popen(
        [sys.executable, "-c", MEASURE, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    ) as tap:
        assert tap.stdout is not None
        assert tap.stderr is not None
        while chunk := tap.stdout.read(1 << 20):
            lines += chunk.count(b"\n")
        logged = tap.stderr.read()
    assert tap.returncode == 0
    return float(logged), lines


@pytest.mark.process
@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_a_large_export_needs_no_more_memory_than_a_small_one(
    serve: Serve, report_format: str
) -> None:
    small, _ = peak_mib(serve(rows_per_day=50_000), report_format)
    large, lines = peak_mib(serve(rows_per_day=150_000), report_format)
    assert lines > 150_000
    assert large < 200
    assert large < 1.2 * small
