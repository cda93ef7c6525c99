"""Nothing is lost, changed or refused in silence, whatever a vendor or a file does."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.anomalies.page import TITLE, section
from tests.anomalies.table import TABLE
from tools.pages.fault_page import PAGE

if TYPE_CHECKING:
    from tests.anomalies.anomaly import Anomaly


@pytest.mark.parametrize("anomaly", TABLE, ids=lambda one: f"{one.vendor.name}: {one.what}")
def test_run_ends_as_it_must(anomaly: Anomaly) -> None:
    assert anomaly.problems(anomaly.run()) == []


def test_each_anomaly_is_in_the_table_once() -> None:
    counts = Counter((one.kind, one.vendor.name, one.what) for one in TABLE)
    assert counts.most_common(1)[0][1] == 1


def test_page_has_the_table() -> None:
    """If it fails, run ``python -m tests.anomalies``."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {TITLE}\n")[2].partition("\n## ")[0]
    assert text.strip() == section(TABLE).strip()
