"""The settings that only ``api_version: v3`` has."""

from __future__ import annotations

from singer_sdk import typing as th

from tap_kissmetrics.settings import ID

ACCESS = (
    th.Property(
        "username",
        th.StringType(pattern=r"^[^:]*$"),
        secret=True,
        title="User name",
        description="v3, required: e-mail address of the login, or an API key",
    ),
    th.Property(
        "password",
        th.StringType,
        secret=True,
        title="Password",
        description="v3: password of the login; leave it unset with an API key",
    ),
    th.Property(
        "v3_url",
        th.URIType,
        default="https://query.kissmetrics.io/v3",
        title="v3 URL",
        description="v3: address of the API, including its version",
    ),
)

QUERY = (
    th.Property(
        "name",
        th.StringType(min_length=1),
        required=True,
        description="Name of the query in the rows and in the state",
    ),
    th.Property(
        "query_type",
        th.StringType(min_length=1),
        required=True,
        description="The vendor's name of its type, such as sql or people_count",
    ),
    th.Property(
        "query_params",
        th.ObjectType(additional_properties=True),
        required=True,
        description="The vendor's parameters for that type, sent unchanged",
    ),
    th.Property(
        "primary_key",
        th.ArrayType(th.StringType(min_length=1)),
        description="Columns that identify a row. Unset: all columns, and the row's occurrence",
    ),
    th.Property("product_id", ID, description="The product to query. Unset: each product"),
)

SELECTION = (
    th.Property(
        "metric_ids",
        th.ArrayType(ID),
        title="Metric ids",
        description="v3: ids of the metrics to read. The API does not list them. Unset: none",
    ),
    th.Property(
        "queries",
        th.ArrayType(th.ObjectType(*QUERY, additional_properties=False)),
        title="Queries",
        description="v3: your own queries, SQL for example, each run once per sync. Unset: none",
    ),
)
