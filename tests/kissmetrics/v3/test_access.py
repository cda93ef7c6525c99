"""Where the credentials of version 3 are sent, where they never are, and what errors mean."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics import FieldRules, RunRules
from singer_sdk.exceptions import ConfigValidationError
from tap_kit import SyncFailed

from tests.kissmetrics.test_access import DEBUG
from tests.kissmetrics.v3.site import PASSWORD, SQL, USERNAME
from tests.processes import execute

if TYPE_CHECKING:
    from tests.kissmetrics.v3.conftest import ServeV3
    from tests.kissmetrics.v3.site import V3Site


def test_login_is_sent_as_basic_credentials_with_every_request(v3: V3Site) -> None:
    v3.sync()
    expected = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    sent = {request.headers["authorization"] for request in v3.api.log.requests}
    assert sent == {f"Basic {expected}"}


@pytest.mark.parametrize("password", [None, ""])
def test_api_key_is_sent_with_an_empty_password(v3: V3Site, password: str | None) -> None:
    output = v3.sync("products", username="demo-key", password=password)
    assert output.rows("products")
    code = base64.b64encode(b"demo-key:").decode()
    assert {r.headers["authorization"] for r in v3.api.log.requests} == {f"Basic {code}"}


def test_login_in_any_alphabet_is_accepted(serve_v3: ServeV3) -> None:
    site = serve_v3(email="größe@example.com", password="пароль")  # noqa: S106
    settings: dict[str, Any] = {"username": "größe@example.com", "password": "пароль"}
    assert site.sync("products", **settings).rows("products")


def test_wrong_password_is_one_line_that_names_both_settings(
    v3: V3Site,
) -> None:
    ended = v3.execute(password="wrong-but-secret")  # noqa: S106
    assert ended.code == 1
    assert ended.errors == ["username, password were rejected by the server (HTTP 401)"]
    assert ended.output.text == ""
    assert "wrong-but-secret" not in ended.stderr


@pytest.mark.parametrize("password", [None, ""])
def test_wrong_api_key_names_only_the_user_name(v3: V3Site, password: str | None) -> None:
    _, error = v3.failing_sync(ConfigValidationError, username="wrong-key", password=password)
    assert str(error) == "username was rejected by the server (HTTP 401)"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (403, "username gives no access to the list of products: the user has no access to it"),
        (404, "v3_url gives no access to the list of products: not found (HTTP 404)"),
        (301, "v3_url redirects elsewhere (HTTP 301); set it to the final address"),
    ],
)
def test_refused_list_of_products_names_the_wrong_setting(
    v3: V3Site, status: int, line: str
) -> None:
    v3.api.faults.append(Fault("status", status=status, path="/v3/products"))
    _, error = v3.failing_sync(ConfigValidationError)
    assert str(error).startswith(line)


def test_no_secret_is_written_or_logged(serve_v3: ServeV3) -> None:
    """At the lowest log level, with errors, and with tracking keys in the responses."""
    site = serve_v3(run_rules=RunRules(error="SELECT secret", error_starts=1))
    site.api.faults.append(Fault("status", status=500, every=7))
    command = site.command(queries=[SQL], metric_ids=site.metric_ids[:1])
    ended = execute(*command, environment=DEBUG)
    assert ended.code == 0, ended.stderr
    code = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    keys = [product["km_key"] for product in site.api.v3_data.records("products")]
    for secret in (PASSWORD, code, "SELECT", *keys):
        assert secret not in ended.output.text
        assert secret not in ended.stderr


@pytest.mark.parametrize("status", [400, 405, 422])
def test_rejected_request_fails_its_product_without_a_retry(
    v3: V3Site, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    v3.api.faults.append(Fault("status", status=status, path="/1001/events"))
    output, error = v3.failing_sync(SyncFailed, "events", max_concurrency=1)
    assert str(error).endswith("these failed: events, product_id 1001")
    assert f"HTTP {status}" in caplog.text
    assert len(v3.requests("GET", "/1001/events")) == 1
    assert {row["product_id"] for row in output.rows("events")} == {1002, 1003}


def test_unknown_field_is_warned_about_once_and_left_out(
    serve_v3: ServeV3, caplog: pytest.LogCaptureFixture
) -> None:
    output = serve_v3(fields=FieldRules(extra_field=True)).sync("events")
    assert not any("added_later" in row for row in output.rows("events"))
    assert len([text for text in caplog.messages if "not in the catalog" in text]) == 1
