"""Results of the ``device`` group."""

from __future__ import annotations

from pydantic import Field

from .base import Reply


class DeviceInfo(Reply):
    """What a camera says of itself (SDK: ``IpcDeviceData``)."""

    sn: str
    model: str = Field("", alias="model_name")
    name: str = ""
    software_version: str = ""
    hardware_version: str = ""
    ip: str = ""
    mac: str = ""
