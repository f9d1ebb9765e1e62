"""Results of the ``events`` group."""

from __future__ import annotations

from typing import Annotated

from .base import Int, Listed, Reply


class Subscription(Reply):
    """An event, and the URLs that it is posted to."""

    event: str
    http_callback: Annotated[tuple[str, ...], Listed] = ()


class IpcEventCollection(Reply):
    """The subscriptions."""

    num: Int = 0
    sub_event: Annotated[tuple[Subscription, ...], Listed] = ()
