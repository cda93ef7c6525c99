"""Variables of the environment that cannot be used are named before the first request."""

from __future__ import annotations

import sys
from pathlib import Path

import certifi
import pytest
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.net.environment import check_environment
from tap_kit.net.sessions import open_session

URL = "https://api.example"
PEM = "must name a file of certificates in PEM format"
PROXY = "must be the URL of a proxy, such as http://proxy.example:3128"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def problem(url: str = URL) -> str:
    """Return the line with which a session cannot be opened."""
    with pytest.raises(ConfigValidationError) as caught:
        open_session(url, user_agent="x", connections=1)
    return str(caught.value)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\0"])
def test_file_without_certificates_is_named(
    variable: str, content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(variable, str(path))
    assert problem() == f"{variable} {PEM}"
    open_session("http://127.0.0.1:1", user_agent="x", connections=1).close()


def test_certificates_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (certifi.where(), str(tmp_path)):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", path)
        with open_session(URL, user_agent="x", connections=1) as session:
            assert session.verify == path


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_changed_certificates_are_read_again(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process can have several runs."""
    path = tmp_path / "ca.pem"
    path.write_bytes(Path(certifi.where()).read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    open_session(URL, user_agent="x", connections=1).close()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert problem() == f"REQUESTS_CA_BUNDLE {PEM}"


@pytest.mark.parametrize(
    "value", ["http://", "http://[x", "ftp://a.test", "http://a.test:x", "://"]
)
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_invalid_proxy_is_named_without_its_value(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert problem() == f"{variable} {PROXY}"


def test_socks_proxy_names_the_package_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socks", None)
    monkeypatch.setenv("ALL_PROXY", "socks5h://user:s3cret@a.test:1080")
    needs = "names a SOCKS proxy, which needs the package PySocks; install it beside the tap"
    assert problem() == f"ALL_PROXY {needs}"


@pytest.mark.parametrize("value", ["http://a.test:3128", "a.test:3128", "http://u:p@a.test"])
def test_valid_proxy_is_used(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with open_session(URL, user_agent="x", connections=1) as session:
        assert session.proxies["https"] == value


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_no_variable_sets_is_named_by_the_usual_one(scheme: str) -> None:
    """Some systems have settings of proxies besides the environment."""
    with pytest.raises(ConfigValidationError) as caught:
        check_environment(f"{scheme}://api.example", {scheme: "ftp://[wrong"}, certificates=True)
    assert str(caught.value).startswith(f"{scheme.upper()}_PROXY ")
