"""A sample of the attacks, and the page that has all of them; ``make attacks`` runs all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks.page import PAGE, row_begin
from tests.attacks.running import run
from tests.attacks.table import ATTACKS, KINDS

if TYPE_CHECKING:
    from tests.attacks.attack import Attack

# Each starts a process, so they are few, and end soon: what is retried has pauses of 15 s.
_CHOSEN = {
    ("size", "2^62 bytes announced"),
    ("time", "a job that never ends"),
    ("HTTP", "a header of 60 KB"),
    ("shape", "a count of rows of 10^30"),
    ("parsers", "a text of },{"),
    ("log", "control characters in the reason of an error"),
    ("secrets", "our own header in an error"),
    ("paths", "a link that climbs"),
    ("storage", "the address of a cloud's metadata"),
    ("store", "an object with another ETag"),
    ("files", "100,000 lists as state"),
    ("process", "stderr is closed"),
}
_LEFT_OUT = {"progress", "Retry-After", "status", "depth", "names"}
_FOUND = {(one.kind, one.tried): one for one in ATTACKS}
SAMPLE = [_FOUND[chosen] for chosen in sorted(_CHOSEN)]


@pytest.mark.parametrize("attack", SAMPLE, ids=lambda one: f"{one.kind}: {one.tried}")
def test_attack_ends_in_one_line_or_in_right_rows(attack: Attack) -> None:
    ended = run(attack)
    assert ended.problems == [], ended.stderr[-2000:]


def test_sample_has_an_attack_of_most_kinds() -> None:
    assert len(SAMPLE) == len(_CHOSEN)
    assert {attack.kind for attack in SAMPLE} == KINDS.keys() - _LEFT_OUT


def test_no_attack_is_twice_in_the_table() -> None:
    names = [(attack.kind, row_begin(attack)) for attack in ATTACKS]
    assert len(set(names)) == len(names)


def test_page_has_every_attack_with_a_right_result() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [one.tried for one in ATTACKS if row_begin(one) not in text] == []
    assert [title for title in KINDS.values() if f"### {title}\n" not in text] == []
    assert "**wrong**" not in text
    assert "not run" not in text
