"""The token of a request."""

import requests
from tap_kit.net.auth import BearerToken, Signature, secrets_added_by
from typing_extensions import override


def test_token_is_in_the_header_and_not_in_the_url() -> None:
    request = requests.Request("GET", "https://api.example/list", auth=BearerToken("t0ken"))
    prepared = request.prepare()
    assert prepared.headers["Authorization"] == "Bearer t0ken"
    assert prepared.url == "https://api.example/list"


class Signed(Signature):
    """A signature that would be a secret if it were a token."""

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = "Signature of-one-request"
        return request


def test_token_is_a_secret_and_a_signature_is_none() -> None:
    url = "https://api.example"
    assert {*secrets_added_by(BearerToken("t0ken"), url)} == {"Bearer t0ken", "t0ken"}
    assert list(secrets_added_by(Signed(), url)) == []
