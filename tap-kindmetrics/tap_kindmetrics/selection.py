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
    def segments(self) -> dict[str, dict[str, str | int]]:
        """The filters of each segment, as query parameters."""
        segments = self.run.config.get("segments") or [{"name": "all"}]
        return {
            segment["name"]: {
                key: value for key, value in segment.items() if key != "name" and value is not None
            }
            for segment in segments
        }
