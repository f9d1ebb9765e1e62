"""A virtual cloud: the vendor's service on this machine, for trying and for tests.

::

    with VirtualCloud() as virtual, connect(virtual) as cloud:
        print(cloud.devices.list().ipc_list)
"""

from __future__ import annotations

from typing import Any

from ...cloud.client import Cloud
from .server import VirtualCloud


def connect(virtual: VirtualCloud, **options: Any) -> Cloud:
    """A client with the credentials and the shop that the virtual cloud hands out."""
    settings: dict[str, Any] = {
        "app_id": virtual.app_id,
        "secret_key": virtual.secret_key,
        "shop_no": virtual.shop_no,
        "url": virtual.url,
        "ca": virtual.ca,
    }
    return Cloud(**settings | options)


__all__ = ["VirtualCloud", "connect"]
