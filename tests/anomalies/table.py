"""All anomalies, in the order of the page."""

from __future__ import annotations

from tests.anomalies.days import DAYS
from tests.anomalies.files import FILES
from tests.anomalies.lists import LISTS
from tests.anomalies.rows import ROWS
from tests.anomalies.settings import SETTINGS_AND_ADDRESSES
from tests.anomalies.statuses import STATUSES
from tests.anomalies.texts import TEXTS
from tests.anomalies.zones_and_jobs import ZONES_AND_JOBS

TABLE = (
    *LISTS,
    *STATUSES,
    *DAYS,
    *ZONES_AND_JOBS,
    *TEXTS,
    *ROWS,
    *SETTINGS_AND_ADDRESSES,
    *FILES,
)
