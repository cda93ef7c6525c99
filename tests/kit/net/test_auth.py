"""The token of a request."""

import requests
from tap_kit.net.auth import BearerToken


def test_token_is_in_the_header_and_not_in_the_url() -> None:
    request = requests.Request("GET", "https://api.example/list", auth=BearerToken("t0ken"))
    prepared = request.prepare()
    assert prepared.headers["Authorization"] == "Bearer t0ken"
    assert prepared.url == "https://api.example/list"
