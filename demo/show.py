"""What arrived, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.warehouse import Warehouse

QUERIES = {
    "Visitors of the last seven days, by domain": """
        SELECT d.address AS domain, sum(s.visitors)::BIGINT AS "visitors (day by day)",
               max(s.visitors) AS "best day", round(avg(s.bounce))::BIGINT AS "bounce %"
        FROM domain_stats s JOIN domains d ON d.id = s.domain_id
        WHERE s.date > (SELECT max(date) FROM domain_stats) - 7
        GROUP BY ALL ORDER BY 2 DESC""",
    "Where they came from": """
        SELECT source, coalesce(medium, '(none)') AS medium, sum(visitors)::BIGINT AS visitors
        FROM sources GROUP BY ALL ORDER BY visitors DESC LIMIT 5""",
    "What they read": """
        SELECT coalesce(address, '(none)') AS page, sum(visitors)::BIGINT AS visitors
        FROM pages GROUP BY ALL ORDER BY visitors DESC LIMIT 5""",
}


def show(warehouse: Warehouse) -> None:
    """Print a few tables of what arrived."""
    for title, query in QUERIES.items():
        print(f"\n{title}")
        print(warehouse.db.sql(query))
    print("The files are in output/demo/. Once more `make demo` reads only what may have changed.")
