"""Whose messages a spool keeps, and how they are read: the seam for senders other than cameras.

Receiver, spool, consumers and sinks know nothing of how a POST's body is laid out. They ask a
:class:`Dialect`, three functions that follow each other: the body's fields (``read``), whether their
signature is good (``verify``), and the typed event in them (``event``). :data:`CAMERA` is the cameras'.

To receive another sender's messages, such as a cloud service's callbacks:

1. Derive a model from :class:`~sunmi_ipc.events.model.Event`. Give it ``sn`` and ``event_type`` (they
   become MQTT topics and file names, see ``model.Name``), and where messages carry no ``event_id``
   something that is the same when a message is repeated (``model.digest``). The three are the key under
   which repeats are recognised; override :attr:`Event.key` where another one is right.
2. Make a dialect of it. :func:`.layout.read` takes forms and JSON, unfolds ``payload`` and keeps what
   was signed; :func:`.layout.verify` checks the rule of every call. Both may be used as they are.
3. ``Spool(directory, dialect=YOURS)``; the receiver, the consumers and the sinks follow the spool::

       CLOUD = Dialect("cloud", event=message_of)

       with Spool("messages", dialect=CLOUD) as spool, Receiver(spool, host="0.0.0.0", secrets=…):
           for stored in spool.consumer("shop"):
               stored.event  # what message_of returned

One spool keeps one dialect's messages. What ``event`` refuses (``BadEvent``) is answered with 400; from
a spool, where an older version took it, it comes as a ``RawEvent``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from . import decoding as layout
from . import model
from .decoding import Posted, Secrets
from .model import Event


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of sender's messages are read.

    Args:
        name: For people.
        read: The fields of a body, given its content type; raises BadEvent.
        verify: Whether the signature in what ``read`` returned is that of a known app.
        event: The typed event of the fields, also when they come back from the spool; raises BadEvent.
        app_ids: The app_ids that a body may name, found without parsing it, so that a stranger's costs nothing;
            None where that cannot be told.

    """

    name: str
    read: Callable[[bytes, str], Posted] = layout.read
    verify: Callable[[Posted, Secrets], bool] = layout.verify
    event: Callable[[Mapping[str, Any]], Event] = model.of
    app_ids: Callable[[bytes, str], Collection[str]] | None = layout.app_ids


#: What cameras post (protocol.md, section 7).
CAMERA = Dialect("camera", read=model.read)
