"""Credentials, which are added to single requests only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from requests.auth import AuthBase
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator


class BearerToken(AuthBase):
    """A token in the ``Authorization`` header. In a query it would end up in logs."""

    def __init__(self, token: str) -> None:
        self._token = token

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Signature(AuthBase):
    """The base of credentials that sign each request; what they add belongs to one request."""


def secrets_added_by(auth: AuthBase, url: str) -> Iterator[str]:
    """Yield the headers that ``auth`` adds to a request, such as ``Basic dXNlcjpwYXNz``.

    Each value is returned complete, and without the first word, which is the scheme. A signature
    is no secret, and there are as many as requests.
    """
    if isinstance(auth, Signature):
        return
    request = requests.Request("GET", url).prepare()  # it has no headers of its own
    for value in auth(request).headers.values():
        yield str(value)
        yield str(value).partition(" ")[2]
