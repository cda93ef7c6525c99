"""Memory does not grow with an export."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.khoros_analytics.site import catalog_of
from tests.kindmetrics.site import clean_environment

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

DAY: dict[str, Any] = {"start_date": "2024-02-01", "end_date": "2024-02-01"}


def peak_mib(site: Site, report_format: str) -> tuple[float, int]:
    """The most memory that a process of the tap had, and how many lines it wrote."""
    command = site.command(catalog=catalog_of("incoming_post"), report_format=report_format, **DAY)
    with ExitStack() as stack:
        null = stack.enter_context(Path(os.devnull).open("w"))
        tap = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=null, env=clean_environment()
        )
        assert tap.stdout is not None
        lines = sum(chunk.count(b"\n") for chunk in iter(lambda: tap.stdout.read(1 << 20), b""))  # type: ignore[union-attr]
        _, status, usage = os.wait4(tap.pid, 0)
        tap.returncode = os.waitstatus_to_exitcode(status)
        tap.stdout.close()
    assert tap.returncode == 0
    return usage.ru_maxrss / 1024, lines


@pytest.mark.parametrize("report_format", ["json", "csv"])
def test_a_large_export_takes_no_more_memory_than_a_small_one(
    serve: Serve, report_format: str
) -> None:
    small, _ = peak_mib(serve(rows_per_day=50_000), report_format)
    large, lines = peak_mib(serve(rows_per_day=300_000), report_format)
    assert lines > 300_000
    assert large < 200
    assert large < 1.2 * small
