"""``camera.events``: what the camera pushes, and where to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ..errors import ParameterError, UnsupportedError
from ..link.caller import Link, direct
from ..protocol.fields import Callback, Refused, Wire
from ..protocol.fields import Events as EventList
from ..protocol.spec import DOC, INFERRED, C, Group, Model, endpoint
from ..protocol.steps import Pair, Steps, known_model, pair, steps, work
from ..protocol.values import EventType

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from ..events.native import AsyncEventStream
    from ..events.stream import EventStream
    from ..models import IpcEventCollection

_EVENTS = Annotated[EventList, Refused(310), Wire("event_list")]
_CALLBACK = Annotated[Callback, Wire("http_callback")]


class Events(Group[C], name="events"):
    """What the camera pushes, and where to."""

    @endpoint("hook/add", evidence=DOC, documented={0, 1, 2, 5, 310, 311})
    def add(self, events: _EVENTS, callback: _CALLBACK) -> None:
        """Have events posted to a URL; ``subscribe`` checks the camera's model first."""

    @endpoint("hook/delete", evidence=DOC, params=INFERRED, codes={310, 311})
    def unsubscribe(self, events: _EVENTS, callback: _CALLBACK) -> None:
        """End a subscription."""

    @endpoint("hook/getList", evidence=INFERRED)
    def list(self) -> IpcEventCollection:
        """List the subscriptions."""

    @property
    def link(self) -> Link:
        """The way to the camera itself; raises UnsupportedError where there is none."""
        return direct(self._caller)

    @steps
    def callback(self, port: int | None = None) -> Steps[str]:
        """The URL under which the camera reaches a receiver on this computer, by the system's routes.

        Args:
            port: Where the receiver listens; default: where ``ipc events listen`` does.

        Raises:
            ConnectionFailed: There is no route to the camera.

        """
        from ..events.subscription import PORT, callback_for

        return (yield from work(callback_for, self.link.host, port or PORT))

    @steps
    def subscribe(self, *events: EventType | str, callback: str = "") -> Steps[str]:
        """Have events posted to a URL.

        ::

            camera.events.subscribe("face_recog_event", callback="http://192.168.1.5:8480/events")

        Args:
            events: ``face_recog_event`` (FM020), ``dynamic_detect_event``.
            callback: An ``http://`` or ``https://`` URL that the camera can reach; default: see
                :meth:`callback`.

        Returns: the callback.

        Raises:
            UnsupportedError: ``face_recog_event`` on an FM010; nothing was sent.
            ParameterError: An unknown event, or a callback that is no URL; nothing was sent.
            ConnectionFailed: There is no route to the camera, to work the callback out from.

        """
        callback = callback or (yield from Events.callback.steps(self))
        if not callback.startswith(("http://", "https://")):
            raise ParameterError(
                "{name}: not a URL", name="callback", hint="For example http://192.168.1.5:8080/events."
            )
        try:
            wanted = [EventType(event) for event in events]
        except ValueError:
            raise ParameterError(
                "{name}: {value} is not an event",
                name="events",
                value=", ".join(repr(event) for event in events if event not in list(EventType)),
                hint="Allowed, one by one and not as a list: {bounds}.",
                bounds=", ".join(EventType),
            ) from None
        if EventType.FACE_RECOGNITION in wanted and Model.read((yield from known_model())) is Model.FM010:
            raise UnsupportedError(
                "the {model} has no {feature}",
                name="events",
                feature="face recognition",
                model="FM010",
                hint="Cameras that have it: {models}.",
                models="FM020",
            )
        yield from Events.add.ask(wanted, callback)
        return callback

    @pair
    def stream(
        self,
        *events: EventType | str,
        spool: str | os.PathLike[str] | None = None,
        save: str | os.PathLike[str] | None = None,
        name: str = "stream",
        host: str = "",
        port: int = 0,
        callback: str = "",
        allow_unsigned: bool = False,
        every: float = 30.0,
        interfaces: Sequence[str] | None = None,
    ) -> Pair[EventStream, AsyncEventStream]:
        """Subscribe, receive, keep and hand over events; unsubscribe at the end, also on Ctrl-C.

        ::

            with camera.events.stream("face_recog_event") as events:
                for event in events:
                    print(event.faceid, event.arrive_count)

        Under asyncio: ``async with`` and ``async for``.

        The subscription is renewed when this computer's address changes or the camera has forgotten it; a
        camera that has got another address is found by its serial number, where it is known.
        An event is on the disk before the camera is answered, and acknowledged when the next is asked for.

        Args:
            events: ``face_recog_event`` (FM020), ``dynamic_detect_event``.
            spool: Folder that keeps the events; what a program did not get to comes when it is run again.
                Default: a temporary one, gone at the end.
            save: Folder to save pictures and clips in.
            name: The reader's name in the spool, whose place is kept.
            host: Address to listen on; default: every one of this computer, loopback alone for a camera there.
            port: Where to listen; 0 takes a free one.
            callback: The URL that reaches us, where the camera does not do so directly; default: worked out.
            allow_unsigned: Whether to take events without a signature.
            every: Seconds between looks at whether the camera still has the subscription.
            interfaces: Where to look for the camera when it has gone; default: on all.

        Raises (on entering):
            UnsupportedError, ParameterError: As :meth:`subscribe`; nothing was sent.
            ConfigError: The port is taken, the spool cannot be used or has a reader of that name, no secret key.
            ConnectionFailed, TlsError, ReplyError, DeviceError: The camera could not be subscribed to.

        """
        from ..events.stream import EventStream

        link = self.link

        def made() -> EventStream:
            return EventStream(
                Events(link),
                events,
                spool=spool,
                save=save,
                name=name,
                host=host,
                port=port,
                callback=callback,
                allow_unsigned=allow_unsigned,
                every=every,
                interfaces=interfaces,
            )

        def awaited() -> AsyncEventStream:
            from ..events.native import AsyncEventStream

            return AsyncEventStream(made())

        return Pair(made, awaited)
