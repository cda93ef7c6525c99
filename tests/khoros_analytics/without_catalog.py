"""One run without a catalog, which takes long: it discovers and reads all streams."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_khoros_analytics.tap import TapKhorosAnalytics

from tests.khoros_analytics.site import ONE_DAY, tenant
from tests.processes import collected
from tests.singer import Output

if TYPE_CHECKING:
    from tests.khoros_analytics.site import Catalog, Site

COLUMNS: dict[str, Any] = {
    "author": {"columns": ["AUTHOR_ID", "AUTHOR_EMAIL"]},
    "raw_agent_states": {"columns": ["agent_name", "AGENT_ID", "STATE_COLOR"]},
    "response": {"primary_key": ["Conversation ID", "RESPONSE_ORDER"]},
    "user": {"primary_key": ["agent_id"]},
}


class WithoutCatalog(NamedTuple):
    """A run: the tenant with its requests, the catalog that the tap discovered, and the output."""

    site: Site
    catalog: Catalog
    output: Output


@cache
def run_without_catalog() -> WithoutCatalog:
    """Return a run of one day with the settings ``COLUMNS`` of the exports."""
    with tenant() as site:
        tap = TapKhorosAnalytics(config=site.settings(exports=COLUMNS, **ONE_DAY))
        with collected() as written:
            tap.execute()
        return WithoutCatalog(site, tap.catalog_dict, Output(written.getvalue().decode()))
