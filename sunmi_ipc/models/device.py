"""Results of the ``device`` group."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ..protocol.serial import SerialNumber
from .base import Reply

# One spelling; a camera that says an odd one is still read.
_Sn = Annotated[str, AfterValidator(lambda text: SerialNumber.read(text) or text.strip())]


class DeviceInfo(Reply):
    """What a camera says of itself (SDK: ``IpcDeviceData``)."""

    sn: _Sn
    model: str = Field("", alias="model_name")
    name: str = ""
    software_version: str = ""
    hardware_version: str = ""
    ip: str = ""
    mac: str = ""
