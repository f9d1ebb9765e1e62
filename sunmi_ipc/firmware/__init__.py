"""Recovering a camera's firmware from an SD card.

::

    from sunmi_ipc import firmware

    image = firmware.read_image("FM020_1.8.4.zip")
    volume = firmware.inspect("/media/me/SUNMI-4A5B")
    firmware.require(volume, firmware.label_for("02:53:4D:10:4A:5B"))
    firmware.install(image, volume)

What the camera wants is the vendor's word (protocol sheet, section 10): an exFAT card labelled
``SUNMI-XXXX`` (XXXX = the last two bytes of its MAC) with the unpacked, signed image of that very
model as ``up.bin`` in its root.
"""

from .card import UP_BIN, clean, examine, require
from .copying import Installed, digest, install
from .formatting import formatted
from .image import Image, read_image
from .label import label_for
from .systems import inspect
from .update import Update, follow
from .volume import Volume, require_same

__all__ = [
    "UP_BIN",
    "Image",
    "Installed",
    "Update",
    "Volume",
    "clean",
    "digest",
    "examine",
    "follow",
    "formatted",
    "inspect",
    "install",
    "label_for",
    "read_image",
    "require",
    "require_same",
]
