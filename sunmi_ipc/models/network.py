"""Results of the ``network`` group."""

from __future__ import annotations

from ..protocol.values import Flag01
from .base import Settings


class IpConfiguration(Settings):
    """IP settings; the fields' names are our guess. None: not told."""

    dhcp: Flag01 | None = None
    ip: str | None = None
    netmask: str | None = None
    gateway: str | None = None
    dns: str | None = None
