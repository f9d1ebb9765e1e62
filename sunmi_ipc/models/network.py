"""Results of the ``network`` group."""

from __future__ import annotations

from ..protocol.values import Flag01
from .base import Reply


class IpConfiguration(Reply):
    """IP settings; the fields' names are our guess."""

    dhcp: Flag01 = Flag01.ON
    ip: str = ""
    netmask: str = ""
    gateway: str = ""
    dns: str = ""
