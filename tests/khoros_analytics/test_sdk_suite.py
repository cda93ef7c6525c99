"""The SDK's test suite for taps."""

from __future__ import annotations

import atexit
from contextlib import ExitStack

from sandbox.khoros import Khoros
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_khoros_analytics.tap import TapKhorosAnalytics

from tests.khoros_analytics.site import ACCESS, NOW, STREAMS, catalog_of

_stack = ExitStack()
atexit.register(_stack.close)
# The class is made when this module is imported, so the server must run by then.
_api = Khoros(**ACCESS, now=NOW, rows_per_day=8)

TestTapKhorosAnalytics = get_tap_test_class(
    TapKhorosAnalytics,
    config={
        **ACCESS,
        "api_url": _stack.enter_context(_api.serving()).api,
        "start_date": "2024-02-01",
        "end_date": "2024-02-02",
        "poll_interval_ms": 1,
        "requests_per_minute": 1_000_000,
    },
    suite_config=SuiteConfig(max_records_limit=20),
    catalog=catalog_of(*STREAMS),  # the suite also reads deselected streams
    parse_env_config=False,  # so that the environment does not change the tests
)
