"""Results of the ``wifi`` group."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Listed, Reply


class WifiConfiguration(Reply):
    """The network that the camera joins. ``password`` is a secret: ``repr`` does not show it."""

    ssid: str = ""
    password: str = Field("", repr=False)


class AccessPoint(Reply):
    """A network that the camera can see. ``key_mgmt`` is ``WPA-PSK``, ``NONE`` and so on."""

    ssid: str
    key_mgmt: str = ""


class AccessPoints(Reply):
    """The networks that the camera can see (SDK: ``ScanResultCollection``)."""

    num: int = 0
    ap_list: Annotated[tuple[AccessPoint, ...], Listed] = ()
