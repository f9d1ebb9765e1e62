"""The vendor's cloud: cameras of a shop, live picture, people flow, faces, messages.

::

    from sunmi_ipc.cloud import Cloud

    with Cloud(app_id=..., secret_key=..., shop_no="560279010307") as cloud:
        for camera in cloud.devices.list().ipc_list:
            print(camera.ipc_sn, camera.ipc_name)
        year = cloud.flow.by_day(date(2026, 1, 1), date(2026, 12, 31))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..codes.cloud import CloudCode as CloudCode
    from .client import Cloud as Cloud
    from .messages import CloudMessage as CloudMessage
    from .messages import MessageReceiver as MessageReceiver
    from .messages import PersonSeen as PersonSeen

# Loaded when first used: the command line's help must not pay for models and TLS.
_HOMES = {
    "Cloud": ".client",
    "CloudCode": "..codes.cloud",
    "CloudMessage": ".messages",
    "MessageReceiver": ".messages",
    "PersonSeen": ".messages",
}
__all__ = [*_HOMES]


if not TYPE_CHECKING:  # a checker must find misspelt names

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return getattr(import_module(_HOMES[name], __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
