"""Why a broker has no connection for us, or takes no message: in words, with the next step.

MQTT 5 gives each refusal and each end a reason code. A library's names for them ("Unspecified error") help nobody, and
the same name stands for a line that broke. Here is each code, and each way in which a connection ends without one.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final, NamedTuple

from ..i18n import later

#: A second client with our name: the broker gives it our place.
TAKEN_OVER: Final = 0x8E
#: Not authorised, in each packet that can say so.
NOT_AUTHORISED: Final = 0x87
#: Who we are is refused: our name, its password, or the way in which we prove it.
OUR_NAME: Final = frozenset({0x85, 0x86, NOT_AUTHORISED, 0x8A, 0x8C})
_UNSPECIFIED, _KEEPALIVE, _PROTOCOL = 0x80, 0x8D, 0x82


class Reason(NamedTuple):
    """Why, and what to do.

    Attributes:
        problem: Why, in English; a template without values, which has its Chinese.
        step: The next step, likewise.

    """

    problem: str
    step: str


_LOG = later("Look into the broker's own log: it says more.")
_WAIT = later("Nothing to do here: it is tried again. If it stays so, look at the broker.")
_LIMITS = later("Look at the broker's limits for one client, and at how much is sent.")
_NAME = later("Are name and password right, and does the broker know them?")
_OURS = later("Please report this, with the broker's name and version.")

#: Each reason code from 0x80 on that a broker may send in CONNACK, DISCONNECT, PUBACK, SUBACK or UNSUBACK.
CODES: Final[dict[int, Reason]] = {
    0x80: Reason(later("it refuses, and does not say why"), _LOG),
    0x81: Reason(later("it could not read what we sent"), _OURS),
    0x82: Reason(later("it says that we do not keep to the protocol"), _OURS),
    0x83: Reason(later("it refuses for a reason of its own"), _LOG),
    0x84: Reason(
        later("it does not speak MQTT 5"), later("Use a broker of MQTT 5, or allow version 5 in its settings.")
    ),
    0x85: Reason(
        later("it does not accept our client's name"),
        later("Look at the broker's rules for client identifiers: ours begin with 'sunmi-ipc-'."),
    ),
    0x86: Reason(later("name or password is wrong"), _NAME),
    0x87: Reason(
        later("our name may not do this (not authorised)"),
        later("Are name and password right? May the name write and read these topics (the broker's access list, ACL)?"),
    ),
    0x88: Reason(later("it cannot serve anybody at the moment"), _WAIT),
    0x89: Reason(later("it is too busy"), _WAIT),
    0x8A: Reason(later("it has banned us"), later("Ask who runs the broker; its log says why.")),
    0x8B: Reason(later("it is being shut down"), _WAIT),
    0x8C: Reason(
        later("it wants another way to log in"), later("Use name and password, or a certificate of our own.")
    ),
    0x8D: Reason(
        later("it has not heard from us for too long"),
        later("Is the line very slow, or this computer asleep or overloaded?"),
    ),
    0x8E: Reason(
        later("another client has come under our name, and has our place"),
        later("Look for a second program with the same name: a second 'ipc serve' or 'ipc hub', or a copy of its file on another computer."),
    ),
    0x8F: Reason(later("it does not accept what we subscribe to"), later("Is the prefix right? It has no '+' and no '#'.")),
    0x90: Reason(later("it does not accept a topic's name"), later("Look at the prefix, and at the broker's rules for topics.")),
    0x91: Reason(later("it mistakes a message for another one on its way"), _LOG),
    0x92: Reason(later("it does not know the message that was acknowledged"), _LOG),
    0x93: Reason(later("more messages were under way than it allows"), _LIMITS),
    0x94: Reason(later("it does not accept a short form of a topic"), _OURS),
    0x95: Reason(later("a message is larger than it allows"), _LIMITS),
    0x96: Reason(later("we send more messages than it allows"), _LIMITS),
    0x97: Reason(later("our share at the broker is used up"), _LIMITS),
    0x98: Reason(later("whoever runs the broker has ended the connection"), later("Ask who runs the broker; its log says why.")),
    0x99: Reason(later("it does not accept a message's content"), later("Look at the broker's rules for payloads.")),
    0x9A: Reason(later("it keeps no retained messages"), later("Allow retained messages in the broker's settings: a shop's state lives on them.")),
    0x9B: Reason(later("it does not do QoS 1"), later("Allow QoS 1 in the broker's settings, or use another broker.")),
    0x9C: Reason(later("it sends us to another broker for now"), later("Ask who runs the broker for the right address.")),
    0x9D: Reason(later("it has moved"), later("Ask who runs the broker for the new address.")),
    0x9E: Reason(later("it has no shared subscriptions"), later("A hub needs them: allow them in the broker's settings, or use another broker.")),
    0x9F: Reason(later("too many connections are being made to it"), _WAIT),
    0xA0: Reason(later("it lets nobody stay for longer"), _WAIT),
    0xA1: Reason(later("it has no numbers for subscriptions"), _OURS),
    0xA2: Reason(later("it does not take '+' and '#' in subscriptions"), later("Allow wildcards in the broker's settings, or use another broker.")),
}  # fmt: skip

#: The connection broke, and the broker has given no reason.
CLOSED: Final = Reason(
    later("the connection broke, or the broker closed the connection without a reason"),
    later("Is the line steady? Some brokers close it where a name may not write a topic, or where another client comes under our name: look at the broker's log and access list (ACL)."),
)  # fmt: skip
#: The same before it had answered at all.
TURNED_AWAY: Final = Reason(
    later("the broker closed the connection before it had answered"),
    later("Does this port speak what the URL says (mqtts: TLS, mqtt: none)? Does the broker ask for a certificate of ours? Its log says more."),
)  # fmt: skip
SILENT: Final = Reason(
    later("it does not answer the subscription"),
    later("Is this an MQTT broker, and is it overloaded? Look into its log."),
)
NOT_THERE: Final = Reason(
    later("the broker has been silent for too long"), later("Is the line down, or the broker stopped?")
)
BROKEN: Final = Reason(
    later("it does not keep to the protocol"), later("Is this an MQTT 5 broker? Look at the port.")
)
TOO_LONG: Final = Reason(
    later("it has sent a message that is longer than any of ours"),
    later("Who else writes to our topics at the broker?"),
)


def coded(value: int) -> Reason:
    """What the reason code *value* means, one of MQTT 5 or any other number."""
    return CODES.get(value, CODES[_UNSPECIFIED])


def ended(value: int, *, said: bool, greeted: bool = True) -> Reason:
    """Why a connection ended.

    Args:
        value: The reason code; of our own client's making where the broker sent none.
        said: Whether the broker sent it.
        greeted: Whether it had let us in before.

    """
    if said:
        return coded(value)
    if value == _PROTOCOL:
        return BROKEN
    if value == _KEEPALIVE:
        return NOT_THERE
    return CLOSED if greeted else TURNED_AWAY


def unreached(error: BaseException | None) -> Reason:
    """Why there was no connection at all, by what the system says."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error.verify_code)
    if isinstance(error, ssl.SSLEOFError):
        return TURNED_AWAY
    if isinstance(error, ssl.SSLError):
        return Reason(
            later("TLS cannot be agreed on with it"),
            later("Does this port speak TLS (mqtts), and TLS 1.2 at least? Does the broker ask for a certificate of ours?"),
        )  # fmt: skip
    if isinstance(error, socket.gaierror):
        return Reason(
            later("the name of the broker is not known"),
            later("Is the host in the URL spelt right? Does this computer reach its name server?"),
        )
    if isinstance(error, ConnectionRefusedError):
        return Reason(
            later("nobody listens at its port"), later("Does the broker run? Is the port in the URL right?")
        )
    if isinstance(error, TimeoutError):
        return Reason(
            later("nobody answers at its address"),
            later("Is the address right, and is there a firewall in between?"),
        )
    if isinstance(error, ConnectionError):
        return TURNED_AWAY
    if isinstance(error, OSError) and error.strerror:
        return Reason(error.strerror, later("Is this computer on the network, and the address right?"))
    return CLOSED


_CA = later(
    "Name the PEM file of whoever signs the broker's certificate: ca under [broker], --ca, or $SUNMI_IPC_VIA_CA."
)
_UNTRUSTED: Final[dict[int, Reason]] = {
    9: Reason(later("its certificate is not valid yet"), later("Is this computer's clock right?")),
    10: Reason(
        later("its certificate has expired"), later("Renew the broker's certificate. Is this computer's clock right?")
    ),
    18: Reason(later("its certificate is not trusted: self-signed certificate"), _CA),
    19: Reason(later("its certificate is not trusted: self-signed certificate above it"), _CA),
    62: Reason(
        later("its certificate is for another name"), later("Use the name that stands in the broker's certificate.")
    ),
    64: Reason(
        later("its certificate is for another address"), later("Use the name that stands in the broker's certificate.")
    ),
}  # fmt: skip


def _untrusted(code: int) -> Reason:
    return _UNTRUSTED.get(
        code, Reason(later("its certificate is not trusted: nobody whom we trust has signed it"), _CA)
    )


def value_of(reason: Any) -> int:
    """The number of paho's reason code; of one that it does not know, unspecified."""
    value = getattr(reason, "value", _UNSPECIFIED)
    return value if isinstance(value, int) else _UNSPECIFIED
