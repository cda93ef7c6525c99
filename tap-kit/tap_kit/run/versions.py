"""The versions of a tap and of the SDK, which the log and the user agent name."""

from __future__ import annotations

from functools import cache

from singer_sdk import Tap
from typing_extensions import override


class VersionedTap(Tap):
    """A tap that reads its versions once: each time takes milliseconds."""

    @classmethod
    @cache
    @override
    def get_plugin_version(cls) -> str:
        """Return the version of the tap."""
        return super().get_plugin_version()

    @classmethod
    @cache
    @override
    def get_sdk_version(cls) -> str:
        """Return the version of the SDK."""
        return super().get_sdk_version()
