"""The fixed corpus goes through every parser; a longer, guided run is ``tests/fuzz/run``."""

from __future__ import annotations

from pathlib import Path

import pytest

from .targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_no_parser_breaks_on_its_corpus(name: str) -> None:
    inputs = sorted((CORPUS / name).iterdir())
    assert len(inputs) > 5
    broken = []
    for one in inputs:
        try:
            TARGETS[name](one.read_bytes())
        except Exception as error:
            broken.append(f"{one.name}: {type(error).__name__}: {error}")
    assert not broken, "\n".join(broken)


def test_every_folder_is_a_parsers() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
