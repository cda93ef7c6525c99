"""The credentials, the region and the address of S3, as AWS's own library finds them."""

from __future__ import annotations

import logging
import os
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_kit import SECRETS, Signature, setting_error, url_problem
from typing_extensions import override

if TYPE_CHECKING:
    from requests import PreparedRequest
    from tap_kit import Config

CREDENTIALS = "AWS credentials"
"""What messages name in place of a setting."""
_SETTING = "raw_exports"
DEFAULT_REGION = "us-east-1"
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_PATH_STYLE = ("_", ".")  # in the name of a bucket, which then is no part of a host


class Aws:
    """Credentials from the settings, or as usual: environment, profile, web identity, role."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._known = ""

    @cached_property
    def session(self) -> Any:
        """The session of AWS's library.

        Raises:
            ConfigValidationError: if the library is not installed, or the profile does not exist.
        """
        try:
            import botocore.session  # noqa: PLC0415  (an extra; it takes a while)
        except ImportError:
            problem = "with s3:// needs the extra s3: pip install 'tap-kissmetrics[s3]'"
            raise setting_error(_SETTING, problem) from None
        logging.getLogger("botocore.credentials").addFilter(_without_traceback)
        session = botocore.session.Session()
        key, secret = (self._config.get(f"aws_{name}") for name in _SETTINGS)
        if key and secret:
            session.set_credentials(key, secret)
        return session

    @cached_property
    def region(self) -> str:
        """The region of the environment or the profile, or the default one."""
        return str(self._variable("region") or DEFAULT_REGION)

    @cached_property
    def endpoint(self) -> str | None:
        """The address of another store than that of AWS.

        Raises:
            ConfigValidationError: if it is not valid; the message names the variable.
        """
        if url := self._config.get("aws_endpoint_url"):
            return str(url)
        for name in _ENDPOINT_VARIABLES:
            if url := os.environ.get(name):
                if problem := url_problem(url):
                    raise setting_error(name, problem)
                return url
        return None

    def credentials(self) -> Any:
        """Return the current credentials, which may have been renewed.

        Raises:
            ConfigValidationError: if there are none, or they cannot be read.
        """
        with self._lock:
            try:
                found = self.session.get_credentials()
                frozen = found.get_frozen_credentials() if found else None
            except _errors() as error:
                raise _credentials_error(error) from None
        if frozen is None or not frozen.secret_key:
            problem = (
                "are missing: set aws_access_key_id and aws_secret_access_key, AWS_PROFILE, or "
                "the other variables of AWS, or give the machine a role"
            )
            raise setting_error(CREDENTIALS, problem)
        if frozen.secret_key + str(frozen.token) != self._known:
            self._known = frozen.secret_key + str(frozen.token)
            SECRETS.add(*filter(None, (frozen.access_key, frozen.secret_key, frozen.token)))
        return frozen

    def signer(self, region: str) -> Signature:
        """Return what signs requests in a region."""
        return Signer(self, region)

    def _variable(self, name: str) -> Any:
        try:
            return self.session.get_config_variable(name)
        except _errors() as error:
            raise _credentials_error(error) from None


_SETTINGS = ("access_key_id", "secret_access_key")


def address_of(aws: Aws, bucket: str, region: str) -> str:
    """Return the address of a bucket: its own host, or a path where it cannot have one."""
    if aws.endpoint:
        return f"{aws.endpoint.rstrip('/')}/{bucket}"
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    host = f"s3.{region}.{suffix}"
    if any(character in bucket for character in _PATH_STYLE) or bucket != bucket.lower():
        return f"https://{host}/{bucket}"
    return f"https://{bucket}.{host}"


class Signer(Signature):
    """Signs requests for S3; safe to use from several threads."""

    def __init__(self, aws: Aws, region: str) -> None:
        self._aws = aws
        self._region = region

    @override
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        from botocore.auth import S3SigV4Auth  # noqa: PLC0415  (an extra)
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415

        signed = {name: request.headers[name] for name in _SIGNED if name in request.headers}
        unsigned = AWSRequest(method=request.method, url=request.url, headers=signed)
        S3SigV4Auth(self._aws.credentials(), "s3", self._region).add_auth(unsigned)
        request.headers.update(dict(unsigned.headers.items()))
        return request


_SIGNED = ("Range", "If-Match")


def _errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (an extra)

    return (BotoCoreError, ClientError, OSError)  # of a file, such as that of a web identity


def _without_traceback(record: logging.LogRecord) -> bool:
    """Leave the traceback out of a log record: the error is raised too."""
    record.exc_info = record.exc_text = None
    return True


def _credentials_error(error: Exception) -> Exception:
    reason = " ".join(str(error).split())[:200]
    return setting_error(CREDENTIALS, f"cannot be used: {reason}")
