"""What arrived, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.warehouse import Warehouse

QUERIES = {
    "tap-kindmetrics": {
        "Visitors of the last seven days, by domain": """
            SELECT d.address AS domain, sum(s.visitors)::BIGINT AS "visitors (day by day)",
                   max(s.visitors) AS "best day", round(avg(s.bounce))::BIGINT AS "bounce %"
            FROM domain_stats s JOIN domains d ON d.id = s.domain_id
            WHERE s.date > (SELECT max(date) FROM domain_stats) - 7
            GROUP BY ALL ORDER BY 2 DESC""",
    },
    "tap-kissmetrics": {
        "People that reports found": """
            SELECT report_name AS report, count(DISTINCT kmid) AS people, count(*) AS rows
            FROM report_results GROUP BY ALL ORDER BY people DESC LIMIT 4""",
    },
    "tap-khoros-analytics": {
        "Conversations, as their last window left them": """
            SELECT status, count(*) AS conversations FROM conversation
            GROUP BY ALL ORDER BY 2 DESC""",
    },
}


def show(tap: str, warehouse: Warehouse) -> None:
    """Print a table or two of what a tap brought."""
    for title, query in QUERIES[tap].items():
        print(f"\n{title} ({tap})")
        print(str(warehouse.db.sql(query)).rstrip())
