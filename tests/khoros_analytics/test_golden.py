"""All messages of a full and a resumed run, compared with files that a person has read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.golden import assert_golden
from tests.khoros_analytics.site import FIRST
from tests.singer import Output

if TYPE_CHECKING:
    from tests.khoros_analytics.conftest import Serve

FOLDER = Path(__file__).with_name("golden")
SMALL = dict.fromkeys(("team_performance", "team_performance_interval", "user"), 2)
HALF_DAYS = 43_200_000


def settled(output: Output) -> Output:
    """Return the output without the intermediate states, whose time depends on the clock."""
    lines = output.text.split("\n")[:-1]
    states = [number for number, line in enumerate(lines) if line.startswith('{"type":"STATE"')]
    state = json.loads(lines[states[-1]])  # sorted: the files do not fix the order of partitions
    state["value"]["bookmarks"]["conversation"]["partitions"].sort(key=str)
    lines[states[-1]] = json.dumps(state, sort_keys=True)
    left = [line for number, line in enumerate(lines) if number not in states[:-1]]
    return Output("".join(f"{line}\n" for line in left))


def test_a_full_run_and_the_run_of_the_next_day(serve: Serve) -> None:
    rows = {"response": 2, "incoming_post": 2, "conversation": 4}
    site = serve(rows_per_day={**dict.fromkeys(OTHERS, 1), **rows, **SMALL}, since=FIRST)
    full = site.sync(end_date="2024-02-01", time_interval=HALF_DAYS)
    assert_golden(FOLDER / "full.jsonl", settled(full))
    streams = ("author", "conversation", "team_performance_interval", "teams")
    resumed = site.sync(*streams, state=full.state, time_interval=HALF_DAYS)
    assert_golden(FOLDER / "resumed.jsonl", settled(resumed))


OTHERS = (
    "author",
    "combined",
    "conversation_actions",
    "conversation_history_action",
    "raw_agent_states",
    "raw_expert_help",
    "response_approval",
)
