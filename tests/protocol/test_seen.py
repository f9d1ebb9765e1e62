"""A fact that a camera has shown is one line, and shown as proven wherever evidence is shown."""

from __future__ import annotations

import pytest

from sunmi_ipc.protocol import reference, seen
from sunmi_ipc.protocol.spec import registry


def test_the_shipped_file_names_endpoints_that_we_have() -> None:
    assert seen.seen().keys() <= registry().keys()


def test_a_line_makes_a_fact_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = seen.parse('"config/getLed" = ["FM020 1.8.2", "SS1 10.3.4"]')
    monkeypatch.setattr(seen, "seen", lambda: shown)
    assert reference.evidence(registry()["config/getLed"]) == "proven (FM020 1.8.2, SS1 10.3.4)"
    assert reference.evidence(registry()["config/setLed"]) == "inferred"


@pytest.mark.parametrize("text", ['"config/getLed" = "FM020 1.8.2"', '"config/getLed" = []', '"a" = ["yes"]'])
def test_a_line_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="MODEL FIRMWARE"):
        seen.parse(text)
