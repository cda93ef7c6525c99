"""A list ten times as long needs no more memory; each run is measured in its own process."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.kissmetrics import PageRules

from tests.processes import clean_environment

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site


def peak_kib(site: Site, catalog: Any) -> tuple[int, int]:
    """Return the peak resident size of a run in KiB, and the number of its lines."""
    lines = 0
    with subprocess.Popen(
        site.command(catalog=catalog),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
    ) as tap:
        assert tap.stdout is not None
        while piece := tap.stdout.read1(1 << 16):  # type: ignore[attr-defined]
            lines += piece.count(b"\n")
        _, status, usage = os.wait4(tap.pid, 0)
        tap.returncode = os.waitstatus_to_exitcode(status)
    assert tap.returncode == 0
    return usage.ru_maxrss, lines


@pytest.mark.process
@pytest.mark.parametrize("form", ["envelope", "bare"])
def test_fifty_thousand_events_need_no_more_memory_than_five_thousand(
    serve: Serve, form: Any
) -> None:
    peaks = []
    for count in (5_000, 50_000):
        site = serve(sizes={"events": count}, pages=PageRules(form=form))
        peak, lines = peak_kib(site, site.catalog("events"))
        assert lines >= count
        peaks.append(peak)
    assert peaks[1] <= 1.2 * peaks[0], peaks
