"""The SDK's own tests of a tap, against the sandbox's version 3."""

import atexit
from contextlib import ExitStack

from sandbox.kissmetrics import Kissmetrics
from sandbox.kissmetrics.ids import v3_id
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_kissmetrics.tap import TapKissmetrics

from tests.kissmetrics.site import NOW, SMALL
from tests.kissmetrics.v3.site import PASSWORD, SQL, USERNAME

# The SDK makes the class, and asks the API, while this module is imported.
stack = ExitStack()
atexit.register(stack.close)
api = Kissmetrics(email=USERNAME, password=PASSWORD, now=NOW, sizes=SMALL)
at = stack.enter_context(api.serving())

TestTapKissmetricsV3 = get_tap_test_class(
    TapKissmetrics,
    config={
        "api_version": "v3",
        "v3_url": f"{at.query}/v3",
        "username": USERNAME,
        "password": PASSWORD,
        "requests_per_minute": 1_000_000,
        "start_date": "2024-02-01",
        "end_date": "2024-02-02",
        "poll_interval_ms": 1,
        "include_tracking_key": True,
        "metric_ids": [v3_id(1)],
        "queries": [SQL],
        "reports": [
            {"id": v3_id(1), "name": "Sign-ups", "columns": ["Times", "Last", "Plan", "Revenue"]}
        ],
    },
    suite_config=SuiteConfig(max_records_limit=50),
    parse_env_config=False,
)
