"""The part of the account that a run reads: the domains and segments in the settings."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_kindmetrics.client import Client

if TYPE_CHECKING:
    from tap_kit import Run


class Selection:
    """The domains and segments that a run reads, and the API."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @cached_property
    def client(self) -> Client:
        """The API with this run's settings."""
        return Client(self.run)

    @cached_property
    def domains(self) -> list[dict[str, Any]]:
        """The domains to read, as the vendor lists them; requested once in a run."""
        wanted = self.run.config.get("domain_ids")
        listed = self.client.domains()
        return [domain for domain in listed if not wanted or domain["id"] in wanted]

    @property
    def domain_ids(self) -> list[int]:
        """The ids of the domains to read; configured ones even if the account lacks them."""
        wanted = self.run.config.get("domain_ids") or [domain["id"] for domain in self.domains]
        return list(dict.fromkeys(wanted))

    @cached_property
    def segments(self) -> dict[str, dict[str, str | int]]:
        """The filters of each segment, as query parameters."""
        segments = self.run.config.get("segments") or [{"name": "all"}]
        return {
            segment["name"]: {
                key: value for key, value in segment.items() if key != "name" and value is not None
            }
            for segment in segments
        }
