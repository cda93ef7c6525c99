"""Names of vendors and users as column names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_kit.rows.names import MAX_NAME_LENGTH, snake_case, unique_labels, unique_names

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


@pytest.mark.parametrize(
    "name",
    [
        "Responding Agent Name",
        "respondingAgentName",
        "RespondingAgentName",
        "RESPONDING_AGENT_NAME",
        "responding-agent.name",
        "  responding  agent (name) ",
    ],
)
def test_all_spellings_of_a_name_become_one(name: str) -> None:
    assert snake_case(name) == "responding_agent_name"


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("", "column"),
        ("   ", "column"),
        ("___", "column"),
        ("日本語", "column"),
        ("😀 rate", "rate"),
        ("Größe", "groe"),
        ("Café Ünder", "cafe_under"),
        ("ﬁne", "fine"),
        ("1st reply", "column_1st_reply"),
        ("404", "column_404"),
        ("HTTPStatus", "http_status"),
        ("X axis", "x_axis"),
        ("Max", "max"),
        ("agentID", "agent_id"),
        ("SLA2Hours", "sla2_hours"),
        ("% of total", "of_total"),
        ("a\nb\tc", "a_b_c"),
        ("x" * 100, "x" * 62),
        ("x" * 61 + " y", "x" * 61),
    ],
)
def test_names_become_snake_case(name: str, column: str) -> None:
    assert snake_case(name) == column


@given(name=st.text())
def test_any_text_becomes_an_identifier_and_stays_one(name: str) -> None:
    column = snake_case(name)
    assert IDENTIFIER.fullmatch(column)
    assert len(column) <= MAX_NAME_LENGTH
    assert snake_case(column) == column


@given(
    names=st.lists(st.text(max_size=4) | st.sampled_from(["a", "A", "a 2", "a_2", "x" * 70])),
    taken=st.sets(st.sampled_from(["a", "a_2", "column", "x" * 62])),
)
def test_unique_names_are_different_from_each_other_and_from_taken_ones(
    names: list[str], taken: set[str]
) -> None:
    unique = unique_names(names, taken)
    assert len({name.lower() for name in unique} | taken) == len(names) + len(taken)
    assert all(IDENTIFIER.fullmatch(name) and len(name) <= MAX_NAME_LENGTH for name in unique)


def test_repeated_names_get_a_number() -> None:
    assert unique_names(["A b", "a_b", "aB", "a b 2"]) == ["a_b", "a_b_2", "a_b_3", "a_b_2_2"]
    assert unique_names(["x" * 99, "x" * 98]) == ["x" * 62, "x" * 60 + "_2"]
    assert unique_names(["row id"], ["row_id"]) == ["row_id_2"]


def test_repeated_labels_get_a_number() -> None:
    labels = ["Visits", "visits", "Visits", "", "", "Visits (2)", "Visits"]
    assert unique_labels(labels) == [
        *("Visits", "visits", "Visits (2)", "", " (2)"),
        *("Visits (2) (2)", "Visits (3)"),
    ]


@given(labels=st.lists(st.sampled_from(["a", "a (2)", "a (3)", "a (2) (2)", ""])))
def test_unique_labels_are_different(labels: list[str]) -> None:
    unique = unique_labels(labels)
    assert len(set(unique)) == len(labels)
    assert all(new.startswith(old) for new, old in zip(unique, labels, strict=True))
