"""What the virtual camera does on the calls about itself: activation, Wi-Fi, card."""

from __future__ import annotations

import time
from typing import Any

from ..protocol.values import CardStatus
from .checks import Refused
from .handlers import plays
from .state import CameraState


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
        "model_name": state.model_word,
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
    if state.card is CardStatus.NONE or state.card_removed:
        raise Refused(220)
    if state.card in (CardStatus.BROKEN, CardStatus.REMOVED):
        raise Refused(221)
    state.card = CardStatus.NORMAL
    state.card_busy_until = time.monotonic() + state.format_s
    state.documents.pop("groups", None)


@plays("config/getMemoryCardStatus")
def _card(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    return {"status": int(state.card_status)}
