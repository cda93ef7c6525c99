"""No input of the corpus breaks its target any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.inputs import CORPUS, corpus_of, inputs_of
from tests.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from pathlib import Path

FILES = [(name, path) for name in TARGETS for path in corpus_of(name)]


@pytest.mark.parametrize(("target", "path"), FILES, ids=lambda one: getattr(one, "name", one))
def test_input_of_the_corpus_breaks_nothing(target: str, path: Path) -> None:
    TARGETS[target](path.read_bytes())


def test_every_target_has_a_corpus_and_every_folder_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == {*TARGETS}


@pytest.mark.parametrize("target", TARGETS)
@given(data=st.data())
def test_any_input_breaks_nothing(target: str, data: st.DataObject) -> None:
    TARGETS[target](data.draw(inputs_of(target)))
