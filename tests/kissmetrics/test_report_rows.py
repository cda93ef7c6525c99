"""What the rows of reports hold, in each of their shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kissmetrics.rows import comparable, expected_rows
from tests.kissmetrics.site import days

if TYPE_CHECKING:
    from tests.kissmetrics.site import Site


def test_every_row_of_every_report_that_can_be_run_arrives(site: Site) -> None:
    output = site.sync()
    assert comparable(output.rows("report_results")) == expected_rows(site.api, days())
    assert site.api.early_reads == 0
