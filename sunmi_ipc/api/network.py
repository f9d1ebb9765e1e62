"""``camera.network``: IP settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ..protocol.fields import Help
from ..protocol.spec import INFERRED, C, Group, endpoint
from ..protocol.steps import Steps, steps
from ..protocol.values import Flag01

if TYPE_CHECKING:
    from ..models import IpConfiguration


class Network(Group[C], name="network"):
    """IP settings. That the feature exists is known; its parameters' names are our guess."""

    @endpoint("config/getIpConf", evidence=INFERRED, document="ip")
    def show(self) -> IpConfiguration:
        """Read address, mask, gateway, DNS, and whether DHCP gives them."""

    @endpoint("config/setIpConf", evidence=INFERRED, document="ip", keeps=True)
    def set(
        self,
        dhcp: Annotated[Flag01, Help("1 takes everything from DHCP, 0 from here")] | None = None,
        ip: Annotated[str, Help("address")] | None = None,
        netmask: Annotated[str, Help("mask, such as 255.255.255.0")] | None = None,
        gateway: Annotated[str, Help("gateway's address")] | None = None,
        dns: Annotated[str, Help("name server's address")] | None = None,
    ) -> None:
        """Set the camera's address. A wrong one takes it off the network. ``update`` sends the whole set."""

    @steps
    def update(
        self,
        *,
        dhcp: Flag01 | None = None,
        ip: str | None = None,
        netmask: str | None = None,
        gateway: str | None = None,
        dns: str | None = None,
    ) -> Steps[IpConfiguration]:
        """Read, change what is given, and send back everything that came. Returns: what was set."""
        changed, values = (yield from Network.show.ask()).changed(
            dhcp=dhcp, ip=ip, netmask=netmask, gateway=gateway, dns=dns
        )
        yield from Network.set.ask_with(values)
        return changed
