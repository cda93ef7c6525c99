"""The SDK's own tests of a tap, against the sandbox."""

import atexit
from contextlib import ExitStack

from sandbox.kissmetrics import Kissmetrics
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_kissmetrics.tap import TapKissmetrics

from tests.kissmetrics.site import NOW, SMALL, TOKEN

# The SDK makes the class, and asks the API, while this module is imported.
stack = ExitStack()
atexit.register(stack.close)
api = Kissmetrics(token=TOKEN, now=NOW, sizes=SMALL)
at = stack.enter_context(api.serving())

TestTapKissmetrics = get_tap_test_class(
    TapKissmetrics,
    config={
        "api_url": at.core,
        "query_url": at.query,
        "api_token": TOKEN,
        "start_date": "2024-02-01",
        "end_date": "2024-02-02",
        "poll_interval_ms": 1,
        "include_tracking_key": True,
        "reports": [
            {
                "id": api.data.runnable_reports()[0],
                "name": "Sign-ups",
                "columns": ["Times", "Last", "Plan", "Revenue"],
            }
        ],
    },
    suite_config=SuiteConfig(max_records_limit=50),
    parse_env_config=False,
)
