"""What the cloud posts to you: verified, kept and forwarded by the same means as cameras' events.

::

    spool = Spool("messages", dialect=CLOUD)
    with spool, MessageReceiver(spool, host="0.0.0.0", secrets={app_id: secret_key}) as receiver:
        cloud.messages.subscribe("https://shop.example/messages")   # forwarded to receiver.port
        for stored in spool.consumer("till"):
            print(stored.event)

The service POSTs a signed form: ``sunmi_shop_no``, ``event`` and ``payload``, JSON text (documented).
What answer and which repeats it expects is not known: it gets 200 and ``{"code":0}`` once the message
is on the disk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BeforeValidator, Field

from .. import untrusted
from ..errors import BadEvent, ReplyError
from ..events import decoding as layout
from ..events.adapters import Dialect
from ..events.decoding import Posted
from ..events.model import Event, Name, digest
from ..events.receiver import Receiver
from ..models.base import Int
from ..protocol.values import AgeRange, Gender
from .values import PERSON_SEEN, GroupType

_HINT = "'-vv' shows which camera sent it."
#: A bare or half-quoted key, as the vendor's page prints them (one of its keys has a stray quote).
_KEY = re.compile(r"([{,]\s*)\"?([A-Za-z_][A-Za-z0-9_]*)\"?\s*:")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
#: Where the envelope's time and the message's identity are kept beside its fields.
_SENT, _ID = "timestamp_", "event_id"


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) else value


_Number = BeforeValidator(_number)


class CloudMessage(Event):
    """A message; ``payload`` as it came.

    ``sn`` is the camera's ``ipc_id``, or ``shop-`` and the shop's number where no camera is named;
    ``event_type`` is ``cloud_`` and the message's number.
    """

    sn: Name
    event: Annotated[Int, _Number]
    sunmi_shop_no: str = ""
    shop_id: str = ""
    payload: dict[str, Any] = Field(default_factory=dict)


class PersonSeen(CloudMessage):
    """Message 2001: a camera has seen somebody."""

    ipc_id: str = ""
    face_id: str = ""
    gender: Annotated[Gender, _Number] = Gender.UNKNOWN
    age_range: Annotated[AgeRange, _Number] | None = None
    group_id: str = ""
    group_name: str = ""
    group_type: Annotated[GroupType, _Number] | None = None

    @property
    def is_personal(self) -> bool:
        """Always."""
        return True

    def as_dict(self, *, reveal: bool = False) -> dict[str, Any]:
        """As every event, each field once: ``payload`` keeps those that are not known."""
        data = super().as_dict(reveal=reveal)
        data["payload"] = {k: v for k, v in data["payload"].items() if k not in data}
        if not data["payload"]:
            del data["payload"]
        return data


def _payload(text: str) -> dict[str, Any]:
    try:
        value = untrusted.load_json(_KEY.sub(r'\1"\2":', text))
    except untrusted.Refused:
        raise BadEvent("the event is not JSON", hint=_HINT) from None
    if not isinstance(value, dict):
        raise BadEvent("the event is JSON, but not an object", hint=_HINT)
    return value


def read(body: bytes, content_type: str = "") -> Posted:
    """The fields of a message's body.

    Raises:
        BadEvent: The body holds no message.

    """
    try:
        posted = layout.read(body, content_type)
        top = posted.top
    except BadEvent:
        # A payload that is JSON by intention only: everything else must be in order.
        try:
            pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        except ValueError:
            pairs = []
        top = dict(pairs)
        if len(top) != len(pairs) or not top.get("payload", "").lstrip().startswith("{"):
            raise
    payload = top.get("payload")
    inner = _payload(payload) if isinstance(payload, str) and payload.strip() else payload or {}
    # No signature covers an empty value: anybody could add one, and it says nothing.
    event = {
        k: v for k, v in top.items() if k not in layout.PUBLIC and k != "payload" and v not in (None, "")
    }
    # Two visits of one person look alike but for the envelope: it is part of what the message is.
    envelope = {name: top.get(name) for name in ("timestamp", "random")}
    event |= {
        "payload": inner,
        _SENT: top.get("timestamp"),
        _ID: digest({**event, "payload": inner, **envelope}),
    }
    return Posted(top, event, nested=False)


def message_of(fields: Mapping[str, Any]) -> CloudMessage:
    """The typed message of *fields*, as :func:`read` or the spool gives them.

    Raises:
        BadEvent: No message number, or no payload that is one.

    """
    payload = fields.get("payload")
    if not isinstance(payload, Mapping):
        raise BadEvent("the event's {field} is missing or not usable", hint=_HINT, field="payload")
    payload = {str(k).strip("\"' "): v for k, v in payload.items()}
    number = fields.get("event")
    camera = str(payload.get("ipc_id") or "")
    shop = str(fields.get("sunmi_shop_no") or fields.get("shop_id") or "")
    data = {
        **fields,
        "sn": camera if _PLAIN.fullmatch(camera) else f"shop-{shop}",
        "event_type": f"cloud_{number}",
        "event_id": fields.get(_ID) or digest(fields),
        "report_time": fields.get(_SENT),
        "payload": payload,
    }
    kind = PersonSeen if str(number) == str(PERSON_SEEN) else CloudMessage
    try:
        return kind.read({**payload, **data} if kind is PersonSeen else data)
    except ReplyError as error:
        raise BadEvent(
            "the event's {field} is missing or not usable", hint=_HINT, field=error.values.get("field", "")
        ) from None


#: What the cloud posts.
CLOUD = Dialect("cloud", read=read, event=message_of)


class MessageReceiver(Receiver):
    """Receives the cloud's messages into a spool made with ``dialect=CLOUD``; see ``Receiver``."""
