"""The vendors there are: one entry each makes a vendor a command."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.frame import Frame
from sandbox.khoros import options as khoros
from sandbox.kindmetrics import options as kindmetrics
from sandbox.kissmetrics import options as kissmetrics


class Api(Protocol):
    """What every vendor's API has: the app, with its faults and its log inside."""

    app: Frame


@dataclass(frozen=True)
class Vendor:
    """How a vendor's API is set up from the command line, and how one gets in."""

    title: str
    add_options: Callable[[argparse.ArgumentParser], None]
    make: Callable[[argparse.Namespace], Api]
    hint: Callable[[argparse.Namespace], str]


VENDORS: Mapping[str, Vendor] = {
    "kindmetrics": Vendor(
        "Kindmetrics", kindmetrics.add_options, kindmetrics.make, kindmetrics.hint
    ),
    "kissmetrics": Vendor(
        "Kissmetrics", kissmetrics.add_options, kissmetrics.make, kissmetrics.hint
    ),
    "khoros": Vendor("Khoros", khoros.add_options, khoros.make, khoros.hint),
}
