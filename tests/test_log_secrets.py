"""No log record has a credential of a tap, however a server spells it."""

from __future__ import annotations

import base64
import html
import json
import logging
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st
from tap_khoros_analytics.tap import TapKhorosAnalytics
from tap_kindmetrics.tap import TapKindmetrics
from tap_kit import SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable

TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=30)
TEXTS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.sampled_from("éß☃€𝄞"),
    min_size=8,
    max_size=20,
)


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, lower case": lambda text: quote(text, safe="").replace("%2F", "%2f"),
    "percent, only what a path needs": quote,
    "form": quote_plus,
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "JSON without escapes": lambda text: json.dumps(text, ensure_ascii=False),
    "Python": repr,
    "HTML": html.escape,
    "Base64": base64_of,
    "Base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
}


def assert_hidden(secrets: list[str], spelling: Callable[[str], str]) -> None:
    """Assert that records with the secrets, in a message and in an error, have none of them."""
    for secret in secrets:
        spelled = spelling(secret)
        core = spelled.strip("\"'\\=")
        error = RuntimeError(f"rejected {spelled}")
        record = logging.getLogger("urllib3").makeRecord(
            "any",
            logging.ERROR,
            "",
            0,
            "the server says %s",
            (spelled,),
            (type(error), error, None),
        )
        for text in (record.getMessage(), str(record.exc_text)):
            assert core not in text
            assert "***" in text


@given(name=st.sampled_from([*SPELLINGS]), username=TEXTS, password=TEXTS, company_key=TEXTS)
def test_no_record_has_a_credential_of_khoros(name: str, **access: Any) -> None:
    config = {**access, "discover_columns": False}
    with patch.object(SECRETS, "_patterns", {}):
        tap = TapKhorosAnalytics(config=config)
        assert tap.tenant.client is not None  # it adds the credentials
        basic = base64_of(f"{access['username']}:{access['password']}")
        assert_hidden([*access.values(), basic, f"Basic {basic}"], SPELLINGS[name])
        tap.run.connections.close()


@given(name=st.sampled_from([*SPELLINGS]), token=TOKENS)
def test_no_record_has_the_token_of_kindmetrics(name: str, token: str) -> None:
    with patch.object(SECRETS, "_patterns", {}):
        tap = TapKindmetrics(config={"api_token": token})
        assert tap.selection.client is not None  # it adds the token
        assert_hidden([token, f"Bearer {token}"], SPELLINGS[name])
        tap.run.connections.close()
