"""Every dump that we have answers every read of the library as it stands there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.protocol.spec import registry
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.survey import model
from sunmi_ipc.survey.dump import questions

DUMPS = sorted((Path(__file__).parents[1] / "dumps").glob("*.json"))


def test_there_are_some() -> None:
    assert len(DUMPS) >= 3


@pytest.mark.parametrize("path", DUMPS, ids=lambda p: p.stem)
def test_every_read(path: Path) -> None:
    document = model.read(path)
    bodies: dict[str, Any] = {}
    for call in document["calls"]:
        bodies.setdefault(call["path"], (call, json.loads(call["body"])))
    read = refused = 0
    codes: list[tuple[str, int, int]] = []
    with VirtualCamera(state="ready", dump=document, udp=False) as replayed, connect(replayed) as camera:
        camera.overrides.update(replayed.overrides)
        for endpoint in questions():
            override = replayed.overrides.get(endpoint.path)
            known = bodies.get((override.path if override else "") or endpoint.path)
            if known is None or endpoint.path == "config/getApListWithoutAuth":
                continue
            call, body = known
            values = {
                p.name: call["sent"].get((override.names if override else {}).get(p.wire, p.wire))
                for p in endpoint.parameters
            }
            typed = {k: _typed(endpoint, k, v) for k, v in values.items() if v is not None}
            try:
                result = camera.call(endpoint, typed)
            except errors.DeviceError as error:
                codes.append((endpoint.path, int(error.code), body["code"]))
                refused += 1
            except errors.UnsupportedError:
                refused += 1
            else:
                assert body["code"] == 0
                assert result is not None or endpoint.result is None
                read += 1
    assert [row for row in codes if row[1] != row[2]] == []
    assert read >= 15
    assert read + refused >= 25 if "FM020" in path.stem else read >= 15
    assert len(registry()) > 50


def _typed(endpoint: Any, name: str, value: str) -> Any:
    from datetime import UTC, datetime

    parameter = next(p for p in endpoint.parameters if p.name == name)
    if parameter.base is datetime:
        return datetime.fromtimestamp(int(value), UTC)
    return int(value) if parameter.kind == "int" else value
