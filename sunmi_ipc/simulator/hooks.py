"""Subscriptions of the virtual camera."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ..protocol.spec import Model
from ..protocol.values import EventType
from .checks import Refused
from .handlers import plays
from .state import CameraState


def subscriptions(state: CameraState) -> dict[str, list[str]]:
    """Callbacks by event."""
    return state.documents.setdefault("hooks", {})


@plays("hook/add")
def _add(state: CameraState, values: dict[str, Any]) -> None:
    if EventType.FACE_RECOGNITION in values["events"] and state.model is Model.FM010:
        raise Refused(310)
    callback = urlsplit(values["callback"])
    if callback.scheme not in ("http", "https") or not callback.hostname:
        raise Refused(311)
    for event in values["events"]:
        urls = subscriptions(state).setdefault(event, [])
        if values["callback"] not in urls:
            urls.append(values["callback"])


@plays("hook/delete")
def _delete(state: CameraState, values: dict[str, Any]) -> None:
    for event in values["events"]:
        urls = subscriptions(state).get(event, [])
        if values["callback"] not in urls:
            raise Refused(310)
        urls.remove(values["callback"])
        if not urls:
            del subscriptions(state)[event]


@plays("hook/getList")
def _list(state: CameraState, values: dict[str, Any]) -> dict[str, Any]:
    every = [{"event": event, "http_callback": list(urls)} for event, urls in subscriptions(state).items()]
    return {"num": len(every), "sub_event": every}
