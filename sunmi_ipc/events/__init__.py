"""Events without loss: receive, verify, keep, forward.

::

    from sunmi_ipc.events import Receiver, Spool

    with Spool("events") as spool, Receiver(spool, host="192.168.1.5", secrets={app_id: secret_key}):
        consumer = spool.consumer("door")
        for stored in consumer:
            print(stored.event.sn, stored.event.report_time)
            consumer.ack(stored)

Other senders' messages are kept by the same means: see :mod:`.dialect`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..protocol.values import EventType as EventType
    from .adapters import Dialect as Dialect
    from .consumer import Consumer as Consumer
    from .consumer import StoredEvent as StoredEvent
    from .delivery import Delivery as Delivery
    from .model import Event as Event
    from .model import FaceRecognitionEvent as FaceRecognitionEvent
    from .model import MotionDetectEvent as MotionDetectEvent
    from .model import RawEvent as RawEvent
    from .model import parse as parse
    from .pictures import Pictures as Pictures
    from .receiver import Receiver as Receiver
    from .spool import Retention as Retention
    from .spool import Spool as Spool
    from .stream import EventStream as EventStream
    from .subscription import Subscription as Subscription

# Loaded when first used: the command line's help must not pay for models and servers.
_HOMES = {
    "Consumer": "consumer",
    "Delivery": "delivery",
    "Dialect": "adapters",
    "Event": "model",
    "EventStream": "stream",
    "EventType": "model",
    "FaceRecognitionEvent": "model",
    "MotionDetectEvent": "model",
    "Pictures": "pictures",
    "RawEvent": "model",
    "Receiver": "receiver",
    "Retention": "spool",
    "Spool": "spool",
    "StoredEvent": "consumer",
    "Subscription": "subscription",
    "parse": "model",
}
__all__ = [*_HOMES]


if not TYPE_CHECKING:  # a checker must find misspelt names

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
