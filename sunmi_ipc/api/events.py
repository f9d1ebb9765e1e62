"""``camera.events``: what the camera pushes, and where to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ..errors import ParameterError, UnsupportedError
from ..fields import Callback, Refused, Wire
from ..fields import Events as EventList
from ..spec import DOC, INFERRED, Group, endpoint
from ..values import EventType

if TYPE_CHECKING:
    from ..models import IpcEventCollection

_EVENTS = Annotated[EventList, Refused(310), Wire("event_list")]
_CALLBACK = Annotated[Callback, Wire("http_callback")]


class Events(Group, name="events"):
    """What the camera pushes, and where to."""

    @endpoint("hook/add", evidence=DOC, codes={310, 311})
    def add(self, events: _EVENTS, callback: _CALLBACK) -> None:
        """Have events posted to a URL; ``subscribe`` checks the camera's model first."""

    @endpoint("hook/delete", evidence=DOC, params=INFERRED, codes={310, 311})
    def unsubscribe(self, events: _EVENTS, callback: _CALLBACK) -> None:
        """End a subscription."""

    @endpoint("hook/getList", evidence=INFERRED)
    def list(self) -> IpcEventCollection:
        """List the subscriptions."""

    def subscribe(self, *events: EventType | str, callback: str) -> None:
        """Have events posted to *callback*, an ``http://`` or ``https://`` URL that the camera can reach.

        Raises:
            UnsupportedError: ``face_recog_event`` on an FM010; nothing was sent.
            ParameterError: An unknown event, or a callback that is no URL; nothing was sent.

        """
        if not callback.startswith(("http://", "https://")):
            raise ParameterError(
                "{name}: not a URL", name="callback", hint="For example http://192.168.1.5:8080/events."
            )
        try:
            wanted = [EventType(event) for event in events]
        except ValueError:
            raise ParameterError(
                "{name}: unknown", name="events", hint="Allowed: {bounds}.", bounds=", ".join(EventType)
            ) from None
        if EventType.FACE_RECOGNITION in wanted and "FM010" in self._caller.known_model().upper():
            raise UnsupportedError(
                "{feature} does not exist on the {model}",
                name="events",
                feature="face_recog_event",
                model="FM010",
                hint="It needs {models}.",
                models="FM020",
            )
        self.add(wanted, callback)
