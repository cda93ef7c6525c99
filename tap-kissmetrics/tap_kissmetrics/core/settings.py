"""The settings that only ``api_version: core`` has."""

from __future__ import annotations

from singer_sdk import typing as th
from tap_kit import TOKEN_PATTERN

ACCESS = (
    th.Property(
        "api_token",
        th.StringType(pattern=TOKEN_PATTERN),
        secret=True,
        title="API token",
        description="core, required: a personal token, from Account settings, Manage API Tokens",
    ),
    th.Property(
        "api_url",
        th.URIType,
        default="https://api.kissmetrics.com",
        title="API URL",
        description="core: address of the Core API",
    ),
    th.Property(
        "query_url",
        th.URIType,
        default="https://query.kissmetrics.com",
        title="Query URL",
        description="core: address of the API that runs reports",
    ),
)
