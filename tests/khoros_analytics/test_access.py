"""Access: wrong credentials and a wrong address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.faults import Fault

from tests.khoros_analytics.site import catalog_of

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Site

WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"password": "nonsense-1"}, ("username", "password", "401")),
    ({"username": "nonsense-1"}, ("username", "password", "401")),
    ({"company_key": "nonsense-1"}, ("company_key", "403")),
]


@pytest.mark.parametrize(
    ("arguments", "changes", "words"),
    [
        *(((), *wrong) for wrong in WRONG),
        *((arguments, *WRONG[0]) for arguments in (("--test",), ("--discover",))),
        (("--discover",), *WRONG[2]),
    ],
    ids=str,
)
def test_wrong_credentials_are_reported_in_one_line_with_the_settings(
    site: Site, arguments: tuple[str, ...], changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    ended = site.execute(*arguments, **changes)
    ended.assert_one_error_line(*words)
    assert ended.output.text == ""
    assert "nonsense-1" not in ended.stderr
    assert len(site.api.log.requests) == 1  # repeated wrong credentials could lock the account


def test_credentials_revoked_during_a_run_stop_it(site: Site) -> None:
    site.api.faults.append(Fault("status", status=401, path="report/user"))
    ended = site.execute(catalog=catalog_of("author", "teams", "user"))
    ended.assert_one_error_line("username", "password", "401")
    assert len(ended.output.rows("author")) == 18


def test_an_address_without_the_api_is_reported_in_one_line(site: Site) -> None:
    site.api.faults.append(Fault("status", status=404, path="/teams"))
    site.execute().assert_one_error_line("api_url", "404")


def test_credentials_can_have_any_characters(serve: Serve) -> None:
    access: dict[str, Any] = {
        "username": "bérénice",
        "password": "pass:wörd ☃",
        "company_key": "a&b=c d/é+%",
    }
    site = serve(**access)
    assert len(site.sync("author", **access).rows("author")) == 18
