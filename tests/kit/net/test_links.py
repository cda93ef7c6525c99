"""Links in responses become paths of the configured URL, or are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.errors import SyncFailed
from tap_kit.net.hosts import api_path, resolved_link

from tests.kit.apis import client

HOST, BASED = "https://api.example.com", "https://proxy.example.com/vendor/api"
PREFIXES = ("/core/", "/v2/")


@pytest.mark.parametrize(
    ("base", "href", "path"),
    [
        (HOST, "https://api.example.com/core/list?page=2", "/core/list?page=2"),
        (HOST, "https://docs.example.com/core/list?page=2", "/core/list?page=2"),
        (HOST, "https://api.exmaple.con/core/list", "/core/list"),
        (HOST, "http://api.example.com/core/list", "/core/list"),
        (HOST, "https://user:pass@evil.example/core/list", "/core/list"),
        (HOST, "//evil.example/core/list", "/core/list"),
        (HOST, "/core/list?page=2", "/core/list?page=2"),
        (HOST, "/v2/list?a=1&amp;b=2", "/v2/list?a=1&b=2"),
        (HOST, "/v2/list?a=1&b=%2E%2E/x#part", "/v2/list?a=1&b=%2E%2E/x"),
        (HOST, "/v2/list?next=https://evil.example/..", "/v2/list?next=https://evil.example/.."),
        (HOST, "/core/a..b", "/core/a..b"),
        (BASED, "https://proxy.example.com/vendor/api/core/list?p=2", "/core/list?p=2"),
        (BASED, "/vendor/api/core/list", "/core/list"),
        (BASED, "/core/list", "/core/list"),
        (BASED, "https://api.example.com/core/list", "/core/list"),
    ],
)
def test_link_into_the_api_becomes_a_path_of_the_configured_url(
    base: str, href: str, path: str
) -> None:
    assert api_path(base, href, PREFIXES) == path


@pytest.mark.parametrize(
    "href",
    [
        "",
        "?page=2",
        "core/list",
        "/admin",
        "/corelist",
        "https://api.example.com",
        "https://api.example.com/vendor/api/core/list",
        "//core/list",
        "javascript:alert(1)",
        "mailto:someone@example.com",
        "data:text/html,/core/",
        "\\\\evil.example\\core\\list",
        "/core/../admin",
        "/core/..",
        "/core/%2e%2e/admin",
        "/core/.%2E/admin",
        "/core/..\\admin",
        "/core/..%5cadmin",
        "/core/%2e%2e%2fadmin",
        "https://[::1/core/list",
    ],
)
@pytest.mark.parametrize("base", [HOST, BASED])
def test_other_link_is_refused(base: str, href: str) -> None:
    with pytest.raises(SyncFailed, match=r"^a link in a response "):
        api_path(base, href, PREFIXES)


@pytest.mark.parametrize(
    ("href", "problem"),
    [
        ("/admin?key=s3cret", "leads outside the API, to /admin"),
        ("https://evil.example/x", "leads outside the API, to evil.example/x"),
        ("https://[::1/core/list", "is not a valid URL"),
    ],
)
def test_refused_link_is_named_without_its_query(href: str, problem: str) -> None:
    with pytest.raises(SyncFailed) as caught:
        api_path(HOST, href, PREFIXES)
    assert str(caught.value) == f"a link in a response {problem}; refused"


@given(href=st.text() | st.text(st.sampled_from("/.%2eE5c\\:[]@?#core")).map("/core/{}".format))
def test_any_text_is_a_path_of_the_api_or_refused(href: str) -> None:
    try:
        path = api_path(HOST, href, PREFIXES)
    except SyncFailed:
        return
    assert path.startswith(PREFIXES)


def test_api_knows_its_url_and_its_paths() -> None:
    with client(BASED + "/", prefixes=PREFIXES) as api:
        assert api.path_of(f"{BASED}/core/list?page=2") == "/core/list?page=2"
        assert api.path_of("https://other.example/v2/list") == "/v2/list"
        with pytest.raises(SyncFailed, match=r"^a link in a response leads outside the API, to "):
            api.path_of(f"{BASED}/admin")


@pytest.mark.parametrize(
    "segment", ["..;", "..;a=b", "%252e%252e", "%2e%2e;x", "%25252e.", "..%00", "..%20", "..%3b"]
)
def test_spellings_that_some_server_reads_as_two_dots_are_refused(segment: str) -> None:
    with pytest.raises(SyncFailed, match="outside the API"):
        api_path("https://api.example", f"/core/{segment}/admin", ("/core/",))
    assert api_path("https://api.example", "/core/a..b/...;/x%2525", ("/core/",))


@pytest.mark.parametrize(
    ("href", "path"),
    [
        ("?offset=20", "/core/list?offset=20"),
        ("other?page=2", "/core/other?page=2"),
        ("../up", "/up"),
        ("/v2/list", "/v2/list"),
        ("https://evil.example/x", "https://evil.example/x"),
        ("//evil.example/x", "//evil.example/x"),
    ],
)
def test_only_relative_links_are_resolved(href: str, path: str) -> None:
    assert resolved_link("/core/list?page=1", href) == path
