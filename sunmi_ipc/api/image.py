"""``camera.image``: night mode, rotation, LED, name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ..protocol.fields import CameraName, Help, Refused, Wire
from ..protocol.spec import INFERRED, C, Group, endpoint
from ..protocol.values import Flag01, IrMode

if TYPE_CHECKING:
    from ..models import IpcName, IrConfiguration, LedConfiguration, Rotation, SupportRotations


class Image(Group[C], name="image"):
    """Night mode, rotation, LED, name."""

    @endpoint("config/getIrMode", evidence=INFERRED, document="ir")
    def ir(self) -> IrConfiguration:
        """Read the night mode."""

    @endpoint("config/setIrMode", evidence=INFERRED, codes={113}, document="ir")
    def set_ir(
        self, mode: Annotated[IrMode, Wire("irmode"), Refused(113), Help("0 off, 1 on, 2 automatic")]
    ) -> None:
        """Set the night mode."""

    @endpoint("config/getRotation", evidence=INFERRED, document="rotation")
    def rotation(self) -> Rotation:
        """Read the picture's rotation."""

    @endpoint("config/setRotation", evidence=INFERRED, codes={120}, document="rotation")
    def set_rotation(
        self,
        rotation: Annotated[
            int, Refused(120), Help("rotation; 'rotations' lists what this camera can", "degrees")
        ],
    ) -> None:
        """Turn the picture."""

    @endpoint("config/getSupportRotations", evidence=INFERRED)
    def rotations(self) -> SupportRotations:
        """List the angles that this camera supports."""

    @endpoint("config/getLed", evidence=INFERRED, document="led")
    def led(self) -> LedConfiguration:
        """Read the status light's switch."""

    @endpoint("config/setLed", evidence=INFERRED, codes={119}, document="led")
    def set_led(
        self, switch: Annotated[Flag01, Wire("led_switch"), Refused(119), Help("0 off, 1 on")]
    ) -> None:
        """Switch the status light."""

    @endpoint("config/getIpcName", evidence=INFERRED)
    def name_(self) -> IpcName:
        """Read the camera's name."""

    @endpoint("config/setIpcName", evidence=INFERRED, codes={118})
    def set_name(self, name: CameraName) -> None:
        """Name the camera."""
