"""``cloud.messages``: what the cloud posts to you, and where to."""

from __future__ import annotations

from typing import Annotated

from ...protocol.fields import Wire
from ...protocol.spec import Group
from ..fields import Callback
from ..fields import Events as EventList
from ..spec import endpoint
from ..values import PERSON_SEEN

_EVENTS = Annotated[EventList, Wire("event_list")]
_CALLBACK = Annotated[Callback, Wire("http_callback")]


class Messages(Group, name="messages", api="cloud"):
    """What the cloud posts to you, and where to."""

    @endpoint("hook/add", codes=())
    def add(self, events: _EVENTS, callback: _CALLBACK) -> None:
        """Have messages posted to a URL that the cloud can reach."""

    @endpoint("hook/delete", codes=())
    def delete(self, events: _EVENTS, callback: _CALLBACK) -> None:
        """End a subscription."""

    def subscribe(self, callback: str) -> None:
        """Have a message posted to *callback* for every person seen."""
        self.add([PERSON_SEEN], callback)
