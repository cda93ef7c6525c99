"""The vendors, each of which is a command."""

import argparse
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from sandbox.khoros import options as khoros
from sandbox.kindmetrics import options as kindmetrics
from sandbox.kissmetrics import options as kissmetrics
from sandbox.kissmetrics.raw import options as raw
from sandbox.options import Account


class Vendor(Protocol):
    """What a vendor's module ``options`` has."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the vendor's options to its command."""

    def serving(self, options: argparse.Namespace) -> AbstractContextManager[Account]:
        """Set up an account; a second server that the vendor needs runs until the block ends."""


VENDORS: Mapping[str, Vendor] = {
    "kindmetrics": kindmetrics,
    "kissmetrics": kissmetrics,
    "khoros": khoros,
}
STORES: Mapping[str, Vendor] = {"kissmetrics-s3": raw}
"""Stores of files, which need the extra ``s3``; they are not in ``sandbox all``."""
