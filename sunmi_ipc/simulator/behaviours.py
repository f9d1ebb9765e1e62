"""What the virtual camera does, endpoint by endpoint, where a rule cannot answer.

A rule answers most: an endpoint with ``document=`` reads or changes that document. Here stands the
rest. Each behaviour gets the camera's state and the checked parameters and returns the answer's
``data``, or raises ``Refused(code)``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from ..protocol.spec import Endpoint, registry
from ..protocol.values import CardStatus
from .checks import Refused
from .state import CameraState

Behaviour = Callable[[CameraState, dict[str, Any]], dict[str, Any] | None]
BEHAVIOURS: dict[str, Behaviour] = {}


def plays(path: str) -> Callable[[Behaviour], Behaviour]:
    """Register the behaviour of *path*."""

    def register(behaviour: Behaviour) -> Behaviour:
        BEHAVIOURS[path] = behaviour
        return behaviour

    return register


@cache
def load() -> None:
    """Import every subject, so that its behaviours and what it serves are registered."""
    for subject in ("lens", "flow", "media", "faces", "hooks"):
        import_module(f"{__package__}.{subject}")


def behaviour_of(endpoint: Endpoint[..., Any]) -> Behaviour | None:
    """The behaviour of *endpoint*, its own or the document rule; None where there is neither."""
    load()
    if endpoint.path in BEHAVIOURS:
        return BEHAVIOURS[endpoint.path]
    if not endpoint.document:
        return None

    def document(state: CameraState, values: dict[str, Any]) -> dict[str, Any] | None:
        stored = state.documents.setdefault(endpoint.document, {})
        if endpoint.safe:
            return dict(stored)
        stored.update({p.wire: values[p.name] for p in endpoint.parameters if p.name in values})
        return None

    return document


def unplayed() -> list[str]:
    """Endpoints that the virtual camera cannot play; a test holds this empty."""
    return [e.path for e in registry().values() if behaviour_of(e) is None]


@plays("device/activate")
def _activate(state: CameraState, values: dict[str, Any]) -> None:
    if values["sn"] != state.sn:
        raise Refused(11)
    if state.activated:
        raise Refused(9)
    if state.bound:
        raise Refused(10)
    if not state.online:
        raise Refused(4)
    state.activated = True
    state.filming_since = time.time() + state.clock_offset
    state.documents.pop("groups", None)


@plays("device/getInfo")
def _info(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "sn": state.sn,
        "model_name": str(state.model),
        "name": state.name,
        "software_version": state.firmware,
        "hardware_version": state.hardware,
        "ip": state.documents.get("address", {}).get("ip", ""),
        "mac": state.mac,
    }


@plays("config/setWifiConf")
@plays("config/setWifiConfWithoutAuth")
def _set_wifi(state: CameraState, values: dict[str, Any]) -> None:
    state.ssid, state.wifi_password = values["ssid"], values.get("password", "")


@plays("config/getWifiConf")
def _wifi(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return {"ssid": state.ssid, "password": state.wifi_password}


@plays("config/getApList")
@plays("config/getApListWithoutAuth")
def _networks(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    seen = [{"ssid": ssid, "key_mgmt": key} for ssid, key, _ in state.networks]
    return {"num": len(seen), "ap_list": seen}


@plays("config/formatMemoryCard")
def _format(state: CameraState, values: dict[str, Any]) -> None:
    if state.card is CardStatus.NONE:
        raise Refused(220)
    if state.card is CardStatus.BROKEN:
        raise Refused(221)
    state.card = CardStatus.NORMAL
    state.card_busy_until = time.monotonic() + state.format_s
    state.documents.pop("groups", None)


@plays("config/getMemoryCardStatus")
def _card(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return {"status": int(state.card_status)}
