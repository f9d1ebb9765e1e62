"""Results of the ``image`` group."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..protocol.values import Flag01, IrMode
from .base import Int, Listed, Reply


class IrConfiguration(Reply):
    """Night mode."""

    mode: IrMode = Field(alias="irmode")


class IpcName(Reply):
    """The camera's name."""

    name: str


class LedConfiguration(Reply):
    """The status light."""

    switch: Flag01 = Field(alias="led_switch")


class Rotation(Reply):
    """The picture's rotation in degrees."""

    rotation: Int


class SupportRotations(Reply):
    """The angles in degrees that the camera supports."""

    angles: Annotated[tuple[Int, ...], Listed] = ()
