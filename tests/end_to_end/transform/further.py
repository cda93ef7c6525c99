"""What the demo does not load: version 3 of Kissmetrics' API, and the brand posts of Khoros.

The columns of the brand posts have types.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch

from sandbox.khoros.columns import EVENT_VALUES
from tap_khoros_analytics.tap import TapKhorosAnalytics

from tests.every_tap import TAPS, EveryTap
from tests.khoros_analytics.site import selecting
from tests.processes import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.every_tap import Account
    from tests.khoros_analytics.site import Catalog
    from tests.singer import Output

SCHEMA = "tap_kissmetrics_v3"
# The variables of dbt that switch the models on, which the demo has no rows for.
VARIABLES = {
    "kissmetrics_versions": ["core", "v3"],
    "kissmetrics_v3_schema": SCHEMA,
    "khoros_analytics_raw_brand_posts": True,
}


# The types of columns. The values of the campaign are no integers: their texts are beside it.
TYPES = {
    "IMPRESSIONS": "integer",
    "RESPONSE_TAR": "number",
    "POST_PUBLISHED_TIME": "date-time",
    "LSW_RESPONDED_POST_IN_BUSINESS_HOUR": "boolean",
    "CAMPAIGN_NAME": "integer",
    "POST_PROVIDER": "duration",
}
# Values that the brand posts of the sandbox do not have.
CELLS = {"POST_PUBLISHED_TIME": "2024-02-01 10:00:00.5 -0330", "POST_PROVIDER": "26:01:05"}


@dataclass(frozen=True)
class Loaded:
    """The output of a tap, and the schema that it is loaded into."""

    schema: str
    output: Output

    def write_files(self, folder: Path) -> None:
        """Write the rows as target-jsonl does: a file for each stream, below a folder."""
        own = folder / self.schema.replace("_", "-")
        own.mkdir(exist_ok=True)
        for stream in self.output.streams:
            rows = "".join(f"{json.dumps(row)}\n" for row in self.output.rows(stream))
            (own / f"{stream}.jsonl").write_text(rows, encoding="utf-8")

    def load(self, project: Project, postgres: Postgres, folder: Path) -> None:
        """Load the rows with target-postgres, as the project has installed it."""
        target = project.folder / ".meltano/loaders/target-postgres/venv/bin/target-postgres"
        prefix = len("TARGET_POSTGRES_")
        access = {name[prefix:].lower(): one for name, one in postgres.target_settings.items()}
        settings = {**access, "port": postgres.port, "default_target_schema": self.schema}
        config = folder / f"{self.schema}.json"
        config.write_text(json.dumps(settings), encoding="utf-8")
        subprocess.run(
            [str(target), "--config", str(config)],
            input=self.output.text,
            env=clean_environment(),
            text=True,
            capture_output=True,
            check=True,
            timeout=120,
        )


def further_rows() -> list[Loaded]:
    """Read the accounts of the sandbox; each tap runs in this process."""
    v3, khoros = _tap("tap-kissmetrics v3"), _tap("tap-khoros-analytics")
    with v3.serving() as account:
        of_v3 = v3.run(account.settings)
    cells = {name: lambda _, text=text: text for name, text in CELLS.items()}
    with khoros.serving() as account, patch.dict(cast("dict[str, Any]", EVENT_VALUES), cells):
        settings, catalog = _typed_posts(account)
        posts = khoros.run(settings, catalog=catalog)
    assert of_v3.code == posts.code == 0, of_v3.stderr + posts.stderr
    return [
        Loaded(SCHEMA, of_v3.output),
        Loaded("tap_khoros_analytics", posts.output),
    ]


def _typed_posts(account: Account) -> tuple[dict[str, Any], Catalog]:
    """Return the settings and the catalog to read the brand posts with types."""
    account.api.columns = {"raw_brand_posts": ["POST_ID", *TYPES]}
    settings = {**account.settings, "exports": {"raw_brand_posts": {"types": TYPES}}}
    catalog = TapKhorosAnalytics(config=settings, setup_mapper=False).catalog_dict
    return settings, selecting(cast("Catalog", catalog), "raw_brand_posts")


def _tap(name: str) -> EveryTap:
    (found,) = (tap for tap in TAPS if str(tap) == name)
    return found
