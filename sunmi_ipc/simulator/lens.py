"""Lens, picture and name of the virtual camera."""

from __future__ import annotations

import time
from typing import Any

from ..protocol.spec import Model
from .checks import Refused
from .handlers import plays
from .state import CameraState

MAX_ZOOM, MAX_FOCUS = 500, 780
_STEPS_A_SECOND = 2_000


def _motor(state: CameraState, name: str) -> dict[str, Any]:
    motors: dict[str, dict[str, Any]] = state.documents.setdefault("motors", {})
    if not motors:  # out of its box: at the wide end, in focus
        motors["zoom"] = {"from": 0, "to": 0, "since": 0.0}
        motors["focus"] = {"from": best_focus(0), "to": best_focus(0), "since": 0.0}
    return motors[name]


def position(state: CameraState, name: str) -> int:
    """Where a motor is now, on its way."""
    motor = _motor(state, name)
    way = int((time.monotonic() - motor["since"]) * _STEPS_A_SECOND)
    if abs(motor["to"] - motor["from"]) <= way:
        return int(motor["to"])
    return int(motor["from"] + (way if motor["to"] > motor["from"] else -way))


def _move(state: CameraState, name: str, target: int) -> None:
    motor = _motor(state, name)
    motor.update({"from": position(state, name), "to": target, "since": time.monotonic()})


def best_focus(zoom: int) -> int:
    """Where the picture is sharp."""
    return 100 + zoom * (MAX_FOCUS - 200) // MAX_ZOOM


@plays("config/getLensConf")
def _show(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    point = state.documents.setdefault("focus_point", {"focused_x": 50, "focused_y": 50})
    return {
        "zoom": position(state, "zoom"),
        "max_zoom": MAX_ZOOM,
        "focus": position(state, "focus"),
        "max_focus": MAX_FOCUS,
        **point,
    }


@plays("config/setZoom")
def _zoom(state: CameraState, values: dict[str, Any]) -> None:
    if values["zoom"] > MAX_ZOOM:
        raise Refused(110)
    _move(state, "zoom", values["zoom"])
    _move(state, "focus", best_focus(values["zoom"]))


@plays("config/manualFocus")
def _focus(state: CameraState, values: dict[str, Any]) -> None:
    if values["focus"] > MAX_FOCUS:
        raise Refused(111)
    _move(state, "focus", values["focus"])


@plays("config/autoFocus")
def _autofocus(state: CameraState, values: dict[str, Any]) -> None:
    x, y = values.get("focused_x", 50), values.get("focused_y", 50)
    state.documents["focus_point"] = {"focused_x": x, "focused_y": y}
    _move(state, "focus", best_focus(_motor(state, "zoom")["to"]))


@plays("config/resetLens")
def _reset(state: CameraState, values: dict[str, Any]) -> None:
    _move(state, "zoom", 0)
    _move(state, "focus", best_focus(0))


def _angles(state: CameraState) -> list[int]:
    return [0, 180] if state.model is Model.FM020 else [0, 90, 180, 270]


@plays("config/getSupportRotations")
def _rotations(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return {"angles": [str(angle) for angle in _angles(state)]}


@plays("config/setRotation")
def _rotate(state: CameraState, values: dict[str, Any]) -> None:
    if values["rotation"] not in _angles(state):
        raise Refused(120)
    state.documents["rotation"] = {"rotation": values["rotation"]}


@plays("config/getIpcName")
def _name(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return {"name": state.name}


@plays("config/setIpcName")
def _set_name(state: CameraState, values: dict[str, Any]) -> None:
    if len(values["name"].encode()) > 96:  # the limit is not documented: our guess
        raise Refused(118)
    state.name = values["name"]


@plays("config/setMotionDetect")
def _set_motion(state: CameraState, values: dict[str, Any]) -> None:
    for name in ("start_time", "stop_time"):
        if not 0 <= values.get(name, 0) <= 1440:
            raise Refused(117)
    state.documents["motion"].update(values)
