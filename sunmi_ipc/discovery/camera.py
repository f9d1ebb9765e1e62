"""What an answer says about a camera, made safe to show and to connect to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..protocol.serial import SerialNumber
from ..redact import printable

__all__ = [
    "ACCESS_POINT",
    "DUPLICATE_SN",
    "FAR",
    "IP_MISMATCH",
    "ODD_ANSWER",
    "ODD_SN",
    "OTHER_NETWORK",
    "RELAYED",
    "UNSURE",
    "DiscoveredCamera",
    "observe",
    "serial_number_in",
]

ACCESS_POINT = "192.168.200.1"
"""A camera's address on its own access point (vendor's documentation)."""

IP_MISMATCH = "ip-mismatch"
DUPLICATE_SN = "duplicate-sn"
OTHER_NETWORK = "other-network"
ODD_ANSWER = "odd-answer"
ODD_SN = "odd-sn"
RELAYED = "relayed"

FAR = frozenset({OTHER_NETWORK, RELAYED})
"""Flags of an address that nothing connects to by itself: in another network, or named by somebody else."""
UNSURE = FAR | {DUPLICATE_SN}
"""Flags of a camera that is not connected to unless a person gives its address."""

# Inferred from the five serial numbers that we have seen (C201000P00123, FS101D8BS00106, ...). Only
# mDNS and certificates are searched with it; a UDP answer may carry any serial number.
_SERIAL_NUMBER = re.compile(r"(?<![0-9A-Z])(?:C|FS|SS)\d{3}[0-9A-Z]{4}\d{5}(?![0-9A-Z])")


@dataclass(frozen=True, slots=True)
class DiscoveredCamera:
    """A camera that was found, and how.

    Attributes:
        sn: Serial number; empty where only the HTTPS port was recognised.
        ip: The address that it answered from, whatever it says about itself.
        port: Its HTTPS port.
        mac: ``AA:BB:CC:DD:EE:FF`` where it says one.
        model: For example ``FM020``.
        name: The name its owner gave it.
        firmware: Its firmware's version.
        network: ``AP`` = Wi-Fi, ``LAN`` = cable (SDK's words).
        interface: Our interface that it was found on.
        interface_ip: That interface's own address.
        source: ``udp``, ``mdns``, ``https``, or ``ap`` for one on its own access point.
        rtt_ms: Milliseconds from the last request before the answer to the answer.
        addresses: Every address that it answered from, ``ip`` first.
        far: Those of them that nothing connects to: in another network, or named by somebody else.
        claimed_ip: The address that it says it has, where it says one.
        flags: ``ip-mismatch`` (it claims another address than it answers from),
            ``duplicate-sn`` (another camera claims the same serial number), ``other-network`` (on the
            same wire as the interface, but with an address outside its network: it can be heard, and
            perhaps not reached), ``odd-sn`` (what it calls its serial number is none; ``sn`` shows it, and
            nothing goes by it), ``odd-answer`` (its answer is not quite what is known of answers),
            ``relayed`` (announced by mDNS from another address than the one it names).

    """

    sn: str
    ip: str
    port: int = 443
    mac: str = ""
    model: str = ""
    name: str = ""
    firmware: str = ""
    network: str = ""
    interface: str = ""
    interface_ip: str = ""
    source: str = "udp"
    rtt_ms: float = 0.0
    addresses: tuple[str, ...] = ()
    claimed_ip: str = ""
    flags: tuple[str, ...] = ()
    far: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``ip``, or ``ip:port`` where the port is not 443."""
        return self.ip if self.port == 443 else f"{self.ip}:{self.port}"

    @property
    def serial_number(self) -> SerialNumber | None:
        """Its serial number, to go by; None where it tells none, or an odd one."""
        return SerialNumber.read(self.sn)


def observe(
    payload: Mapping[str, str],
    sender: str,
    *,
    odd: bool = False,
    interface: str = "",
    interface_ip: str = "",
    rtt_ms: float = 0.0,
) -> DiscoveredCamera:
    """The camera that answered *payload* from *sender*; *odd*: the datagram was not quite as it should be.

    Whatever it says is bounded and printable. It is shown without a serial number, too, and flagged.
    """
    # Keys in one case: "deviceId" is the same word; of two the one that we know wins.
    payload = {key.lower(): value for key, value in payload.items()} | dict(payload)
    said = payload.get("deviceid", "")
    sn = SerialNumber.read(said) or printable(said.strip(), 64)
    flags = [ODD_ANSWER] if odd or not sn else []
    if sn and not isinstance(sn, SerialNumber):
        flags.append(ODD_SN)
    claimed = _shown(payload.get("ip", ""))
    if claimed and claimed != sender:
        flags.append(IP_MISMATCH)
    return DiscoveredCamera(
        sn=sn,
        ip=sender,
        port=_port(payload.get("port", "")),
        mac=_mac(payload.get("mac", "")),
        model=_shown(payload.get("model", "")),
        name=_shown(payload.get("name", "")),
        firmware=_shown(payload.get("firmware", "")),
        network=_shown(payload.get("network", "")),
        interface=interface,
        interface_ip=interface_ip,
        source="ap" if sender == ACCESS_POINT else "udp",
        rtt_ms=rtt_ms,
        addresses=(sender,),
        claimed_ip=claimed,
        flags=tuple(flags),
    )


def serial_number_in(text: str) -> str:
    """The first SUNMI serial number in *text*, or ``""``."""
    match = _SERIAL_NUMBER.search(text.upper())
    return match[0] if match else ""


def _shown(text: str) -> str:
    return printable(text.strip(), 128)


def _mac(text: str) -> str:
    digits = re.sub(r"[:.\s-]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{12}", digits):
        return _shown(text)
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _port(text: str) -> int:
    # A real camera has no such key; a wrong one must not hide the camera.
    if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536:
        return int(text)
    return 443
