"""What a value should have been, in words of both languages."""

from __future__ import annotations

import pytest

from sunmi_ipc.i18n import translate
from sunmi_ipc.protocol.kinds import _WORDS, wanted


@pytest.mark.parametrize("kind", ["bool_parsing", "string_type", "int_from_float", "LensMode", *_WORDS])
def test_a_kind_is_said_in_words(kind: str) -> None:
    said = wanted(kind)
    assert " " in said
    shown = translate("{name}: wrong type, {wanted} is needed", "zh", {"name": "x", "wanted": said})
    assert said not in shown
