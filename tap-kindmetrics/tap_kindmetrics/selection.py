"""The part of the account that a run reads: the domains and segments in the settings."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_kit import setting_error

from tap_kindmetrics.client import Client

if TYPE_CHECKING:
    from tap_kit import Run

logger = logging.getLogger(__name__)


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
        """The domains to read, as the vendor lists them; requested once in a run.

        The vendor lists all domains that the token can read. So ids that it does not list are not
        requested.

        Raises:
            ConfigValidationError: when ``domain_ids`` has none of the listed domains, or when none
                is listed.
        """
        listed = self._listed()
        if not listed:
            problem = "must belong to a user with a domain, the server lists none"
            without_domain = setting_error("api_token", problem)
            raise without_domain
        wanted = list(dict.fromkeys(self.run.config.get("domain_ids") or listed))
        missing = [domain_id for domain_id in wanted if domain_id not in listed]
        if missing and len(missing) == len(wanted):
            problem = "must have ids from the stream domains, the account has none of these domains"
            wrong = setting_error("domain_ids", problem)
            raise wrong
        for domain_id in missing:
            text = "domain_ids: the account has no domain %d; reading the others"
            logger.warning(text, domain_id)
        return [domain for domain_id, domain in listed.items() if domain_id in wanted]

    def _listed(self) -> dict[int, dict[str, Any]]:
        """Return the account's domains by id."""
        listed: dict[int, dict[str, Any]] = {}
        for domain in self.client.domains():
            if listed.setdefault(domain["id"], domain) is not domain:
                text = "domains: the server lists domain %d more than once; reading it once"
                logger.warning(text, domain["id"])
        return listed

    @property
    def domain_ids(self) -> list[int]:
        """The ids of the domains to read, in the order of the setting."""
        ids = [domain["id"] for domain in self.domains]
        wanted = self.run.config.get("domain_ids") or ids
        return [domain_id for domain_id in dict.fromkeys(wanted) if domain_id in ids]

    @cached_property
    def segments_by_domain(self) -> list[tuple[int, str]]:
        """The domains to read, each with the names of its segments.

        Raises:
            ConfigValidationError: when none of the domains of a segment is read.
        """
        read = self.domain_ids
        domains = {
            name: self._domains_of(segment, read) for name, segment in self._configured.items()
        }
        return [(domain, name) for domain in read for name in domains if domain in domains[name]]

    def _domains_of(self, segment: dict[str, Any], read: list[int]) -> list[int]:
        """Return the domains of a segment that this run reads."""
        name, wanted = segment["name"], segment.get("domain_ids") or read
        if segment.get("goal_id") is not None and len(wanted) > 1:
            text = (
                "segments: %r has a goal_id and no domain_ids; set domain_ids to the goal's domain"
            )
            logger.warning(text, name)
        found = [domain_id for domain_id in wanted if domain_id in read]
        if not found:
            problem = f"must have domain_ids that the tap reads, {name!r} has none of them"
            nothing = setting_error("segments", problem)
            raise nothing
        for domain_id in dict.fromkeys(wanted):
            if domain_id not in read:
                text = "segments: %r has domain %d, which the tap does not read; reading the others"
                logger.warning(text, name, domain_id)
        return found

    @property
    def _configured(self) -> dict[str, dict[str, Any]]:
        segments = self.run.config.get("segments") or [{"name": "all"}]
        return {segment["name"]: segment for segment in segments}

    @cached_property
    def segments(self) -> dict[str, dict[str, str | int]]:
        """The filters of each segment, as query parameters."""
        return {
            name: {
                key: value
                for key, value in segment.items()
                if key not in {"name", "domain_ids"} and value is not None
            }
            for name, segment in self._configured.items()
        }
