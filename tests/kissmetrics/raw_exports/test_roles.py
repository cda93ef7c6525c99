"""Temporary credentials of AWS, from a local STS: a role, a web identity, and their renewal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sandbox.faults import Fault
from sandbox.kissmetrics.raw import RawExport, RawSizes
from sandbox.kissmetrics.raw.s3 import Served, serving
from singer_sdk.exceptions import ConfigValidationError
from tap_kissmetrics.tap import TapKissmetrics
from tap_kit import SECRETS

from tests.processes import collected
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXPORT = RawExport(RawSizes(files=4, lines=10))
BUCKET = "of-a-role"
ROLE = "arn:aws:iam::123456789012:role/reader"
NONE = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9."  # noqa: S105  (of nobody)


@pytest.fixture(scope="module")
def stored() -> Iterator[Served]:
    with serving({BUCKET: EXPORT}) as served:
        yield served


@pytest.fixture(autouse=True)
def environment(stored: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the machine have nothing of AWS but a region; S3 and STS are local."""
    for name in NONE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", stored.url)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    stored.store.log.clear()
    stored.store.faults.clear()


def assume_role_by_profile(
    monkeypatch: pytest.MonkeyPatch, folder: Path, seconds: int = 3600
) -> None:
    keys = "aws_access_key_id = of-base\naws_secret_access_key = secret-of-base\n"
    (folder / "credentials").write_text(f"[base]\n{keys}", encoding="utf-8")
    role = f"role_arn = {ROLE}\nsource_profile = base\nduration_seconds = {seconds}\n"
    (folder / "config").write_text(f"[profile team]\n{role}", encoding="utf-8")
    monkeypatch.setenv("AWS_PROFILE", "team")


def have_web_identity(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "token").write_text(TOKEN, encoding="utf-8")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(folder / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)


def sync() -> Output:
    with collected() as written:
        config = {"raw_exports": [{"product": "shop", "url": f"s3://{BUCKET}"}]}
        TapKissmetrics(config=config).execute()
    return Output(written.getvalue().decode())


def failure() -> str:
    with pytest.raises(ConfigValidationError) as caught:
        sync()
    text = str(caught.value)
    assert "\n" not in text
    assert TOKEN not in text
    return text


def keys_used(stored: Served) -> list[str]:
    """Return the access keys of the requests for objects, in order, each once."""
    signed = [one for one in stored.store.log.requests if one.method == "GET"]
    found = [re.search("Credential=([^/]+)/", one.headers["authorization"]) for one in signed]
    return list(dict.fromkeys(one[1] for one in found if one))


def calls_of_sts(stored: Served) -> int:
    return sum(one.method == "POST" for one in stored.store.log.requests)


def test_role_of_a_profile_is_assumed_once(
    stored: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assume_role_by_profile(monkeypatch, tmp_path)
    assert len(sync().rows("raw_files")) == 4
    (key,) = keys_used(stored)
    assert key != "of-base"
    assert calls_of_sts(stored) == 1
    signed = [one for one in stored.store.log.requests if one.method == "GET"]
    assert all(one.headers.get("x-amz-security-token") for one in signed)
    assert SECRETS.redact(f"key {key}") == "key ***"


def test_web_identity_is_exchanged_for_a_role(
    stored: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    have_web_identity(monkeypatch, tmp_path)
    assert len(sync().rows("raw_files")) == 4
    assert len(keys_used(stored)) == calls_of_sts(stored) == 1


def test_credentials_that_expire_are_renewed_during_a_run(
    stored: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Credentials of a quarter of an hour are renewed for each request: they expire soon."""
    assume_role_by_profile(monkeypatch, tmp_path, seconds=900)
    assert len(sync().rows("raw_files")) == 4
    assert len(keys_used(stored)) > 2


def test_role_that_cannot_be_assumed_is_one_line(
    stored: Served,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    have_web_identity(monkeypatch, tmp_path)
    (tmp_path / "token").unlink()
    assert failure().startswith("AWS credentials cannot be used: [Errno 2] No such file")
    assert "Traceback" not in caplog.text
    have_web_identity(monkeypatch, tmp_path)
    stored.store.faults[:] = [Fault(status=403, method="POST")]
    assert "when calling the AssumeRoleWithWebIdentity operation" in failure()
    assert "Traceback" not in caplog.text
