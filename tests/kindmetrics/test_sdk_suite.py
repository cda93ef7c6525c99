"""The SDK's test suite for taps, against the sandbox."""

import atexit
from contextlib import ExitStack

from sandbox.kindmetrics import Kindmetrics
from sandbox.server import running
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_kindmetrics.tap import TapKindmetrics

from tests.kindmetrics.site import NOW, TOKEN

# The class is made, and sends requests, when this module is imported.
stack = ExitStack()
atexit.register(stack.close)
server = stack.enter_context(running(Kindmetrics(token=TOKEN, now=NOW, domains=2).app))

TestTapKindmetrics = get_tap_test_class(
    TapKindmetrics,
    config={
        "api_url": server.url,
        "api_token": TOKEN,
        "start_date": "2024-02-01",
        "end_date": "2024-02-03",
    },
    suite_config=SuiteConfig(max_records_limit=50),
    parse_env_config=False,
)
