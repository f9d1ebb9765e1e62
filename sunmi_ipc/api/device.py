"""``camera.device``: activation and identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import AlreadyActivatedError
from ..protocol.fields import Sn
from ..protocol.spec import DOC, C, Group, Sign, endpoint
from ..protocol.steps import Steps, steps

if TYPE_CHECKING:
    from ..models import DeviceInfo


class Device(Group[C], name="device"):
    """Activation and identity."""

    @endpoint(
        "device/activate",
        evidence=DOC,
        sign=Sign.ACTIVATION,
        documented={0, 1, 2, 3, 4, 8, 9, 10, 11},
        destroys="every face group on the camera's SD card, with all faces",
        timeout_s=30,
    )
    def activate(self, sn: Sn) -> None:
        """Activate the camera for your app; it must be on the internet.

        Signed with the activation code. Deletes every face group on the SD card and creates
        ``stranger`` and ``regular``. Counts against the vendor's quota: it is never repeated by itself.
        """

    @endpoint("device/getInfo", evidence=DOC, params=DOC)
    def info(self) -> DeviceInfo:
        """Read serial number, model, name, versions and addresses."""

    @steps
    def ensure_active(self, sn: str) -> Steps[bool]:
        """Activate the camera unless it is; True if this call did it, False if it was active already.

        Raises: as :meth:`activate`, but for code 9.
        """
        try:
            yield from Device.activate.ask(sn)
        except AlreadyActivatedError:
            return False
        return True
