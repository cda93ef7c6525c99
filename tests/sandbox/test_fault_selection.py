"""The requests that a fault hits, and the text that selects them."""

import pytest
from sandbox.fault_text import parse_fault
from sandbox.faults import Fault
from sandbox.kindmetrics import Kindmetrics

from .client import Client

SIX = ["/a", "/a", "/b", "/a", "/b", "/a"]


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("500", "xxxxxx"),
        ("500 first=2", "xx...."),
        ("500 every=3", "..x..x"),
        ("500 only=1,4", "x..x.."),
        ("500 attempts=1", "x.x..."),
        ("500 attempts=2", "xxx.x."),
        ("500 path=b", "..x.x."),
        ("500 path=a every=2", ".x...x"),
        ("500 method=POST", "......"),
    ],
)
def test_a_pattern_hits_the_same_requests_every_time(
    api: Kindmetrics, client: Client, text: str, hits: str
) -> None:
    for _ in range(2):
        api.faults[:] = [parse_fault(text)]
        statuses = [client.get(target).status_code for target in SIX]
        assert "".join("x" if status == 500 else "." for status in statuses) == hits


def test_the_first_fault_that_hits_is_used_and_all_count(api: Kindmetrics, client: Client) -> None:
    api.faults.extend([parse_fault("502 first=1"), parse_fault("503 first=2")])
    assert [client.get("/a").status_code for _ in range(3)] == [502, 503, 404]


def test_attempts_are_counted_for_each_query(api: Kindmetrics, client: Client) -> None:
    api.faults.append(Fault("status", status=503, attempts=1))
    targets = ["/a?x=1", "/a?x=2", "/a?x=1", "/a?x=2"]
    assert [client.get(target).status_code for target in targets] == [503, 503, 404, 404]


def test_faults_behave_like_a_list() -> None:
    one, two = Fault("reset"), Fault("empty")
    faults = Kindmetrics().faults
    faults.extend([one, two])
    assert list(faults) == [one, two]
    faults[0] = two
    del faults[1]
    assert faults[:] == [two]
    faults.clear()
    assert len(faults) == 0
    with pytest.raises(TypeError, match="single"):
        faults[0] = [one]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("503 retry_after=1 every=7 path=/pages", ("status", 503, 1, False, 7, "/pages")),
        ("429 retry_after=date:2", ("status", 429, 2, True, None, "")),
        ('html status=503 path="a b"', ("html", 503, None, False, None, "a b")),
    ],
)
def test_a_text_sets_the_fields_of_a_fault(text: str, fault: tuple[object, ...]) -> None:
    read = parse_fault(text)
    fields = (read.kind, read.status, read.retry_after, read.retry_after_date)
    assert (*fields, read.every, read.path) == fault


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "got an empty text"),
        ("boom", "must start with a status code or one of reset, .*, got 'boom'"),
        ("status", "must start with a status code"),
        ("99", "status must be 200 to 599, got 99"),
        ("600", "status must be 200 to 599"),
        ("503 first", "expected KEY=VALUE, got 'first'"),
        ("503 first=x", "first must be a whole number, got 'x'"),
        ("503 first=0", "count from 1"),
        ("503 only=0,1", "count from 1"),
        ("503 every=2 first=1", "at most one of first, every, only and attempts"),
        ("503 path=(", "path must be a regular expression, got"),
        ("503 colour=red", "key of a fault must be one of attempts, .*, got 'colour'"),
        ("redirect", "a redirect needs location=URL"),
        ('503 path="a', "No closing quotation"),
    ],
)
def test_an_invalid_text_raises_an_error_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_fault(text)
