"""The station's way to the broker: what it tells of itself and its cameras, and the calls that come in.

It dials out; nothing listens to the internet. Retained topics say how the shop is now; counts and alerts come
from :mod:`.bridge_outbox`, events from the spool with a place of their own; calls go to :mod:`.gate`. Nothing here waits
in memory but one batch: whatever the broker does, the rest waits on the disk.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from .. import __version__
from ..broker import contract
from ..broker.connection import LOST, Broker, BrokerError, Connection, Delivered, Sent
from ..broker.contract import Availability, CameraState, Envelope, Event, Payload, StationState
from ..broker.keys import own_key
from ..errors import SunmiIpcError
from ..events.consumer import StoredEvent
from ..events.delivery import Again, Delivery
from ..events.homeassistant import Topics, discovery
from ..i18n import translate
from ..protocol.values import EventType
from .bridge_outbox import Outbox
from .gate import Gate
from .hours import day_bounds
from .refusals import Refusals
from .store import StoreError
from .verdict import REACH, CameraStatus, Reason, Transition

if TYPE_CHECKING:
    from ..events.spool import Spool
    from .station import Station

_log = logging.getLogger("sunmi_ipc")
_TICK_S, _PEOPLE_S, _HEALTH_S = 5.0, 30.0, 20.0
#: The broker keeps calls for a station that restarts for so long; they expire by themselves before.
_SESSION_S = 600
_PATIENCE_S, _ACKNOWLEDGE_S = 2.0, 30.0
KEY_FILE = "broker-key.pem"
#: That another station has taken our place is told for so long after the last time.
_TAKEN_S = 900.0
#: So many callers' keys are told of at most; of more, none: who is not named would take it for a refusal.
_CALLERS = 1000


class Bridge:
    """Connects a station to its broker until :meth:`close`; a context manager.

    Args:
        station: With ``[broker]`` in its file.

    Attributes:
        connection: To the broker.
        outbox: Counts and alerts that wait.
        gate: Where calls come in.
        refusals: What the broker does not take, of what is not in the outbox.

    Raises:
        ConfigError: A file of the broker's table cannot be used, or the extra ``mqtt`` is not installed.

    """

    site: str

    connection: Connection
    outbox: Outbox
    gate: Gate
    refusals: Refusals

    def __init__(self, station: Station) -> None:
        table = station.file.broker
        assert table is not None
        self._station, self._table, self.site = station, table, station.site
        folder = station.loaded.path.parent

        def path(text: str) -> str:
            return str(folder / text) if text else ""

        broker = Broker.of(
            table.url,
            user=table.user,
            password=station.loaded.secret(table.password) if table.password else "",
            ca=path(table.ca),
            certificate=path(table.certificate),
            key=path(table.key),
        )
        self._key = own_key(station.loaded.data / KEY_FILE)
        self._lock = threading.Lock()
        self._last, self._session = 0, 0
        self._began_ms = int(time.time() * 1000)
        self._sessions: deque[int] = deque(maxlen=1000)
        self._said: dict[str, str] = {}
        self.refusals = Refusals()
        self._replies: deque[Sent] = deque()
        self._introduced: set[str] = set()
        self._people: tuple[float, dict[str, dict[str, int]]] = (0.0, {})
        self._fresh, self._wake, self._closing = threading.Event(), threading.Event(), threading.Event()
        self.outbox = Outbox(station.store, self.site, table)
        self.outbox.begin()
        with contextlib.ExitStack() as stack:
            self.gate = Gate(station, table, self._key, self._reply)
            stack.callback(self.gate.close)
            self.connection = Connection(
                broker,
                client_id=f"sunmi-ipc-{self.site}",
                will=self._will,
                subscriptions=contract.filters(
                    site=self.site, names=["calls", "station"], prefix=table.prefix
                ),
                on_message=self._came,
                on_connect=self._connected,
                session_s=_SESSION_S,
                receive=50,
                name="broker",
            )
            stack.callback(self.connection.close)
            stack.callback(self._goodbye)
            if station.intake is not None and table.events:
                self.outbox.events = sink = _EventSink(self, station.intake.spool)
                delivery = Delivery(station.intake.spool, sink, name="broker", start="now")
                stack.callback(delivery.close)
            station.watch.subscribe(self._changed)
            station.scheduler.add("broker", self._health, delay=_HEALTH_S)
            stack.callback(station.scheduler.drop, "broker")
            self._thread = threading.Thread(target=self._run, name="bridge", daemon=True)
            self._thread.start()
            stack.callback(self._end)
            station.broker_figures = self.figures
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye and end; what waits is on the disk."""
        self._stack.close()

    def _end(self) -> None:
        self._station.broker_figures = None
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def figures(self) -> dict[str, Any]:
        """How it stands with the broker."""
        return {
            "connected": self.connection.connected,
            "connections": self.connection.connections,
            "problem": self.connection.problem or self.outbox.problem,
            "sent": self.outbox.sent,
            "backlog": self.outbox.backlog(),
            "unheard": list(self.outbox.unheard.kinds),
            "calls": dict(self.gate.counts),
        }

    def _health(self) -> float:
        """Have the watch tell of a broker that is away, one that refuses, and one at which nobody listens."""
        found: dict[str, dict[str, Any]] = {}
        connection, taken = self.connection, abs(time.time() - self.connection.taken_over) < _TAKEN_S
        if taken:
            found["broker-taken"] = {"site": self.site}
        elif connection.problem:
            found["broker"] = _both(problem=connection.problem, step=connection.step)
        if refused := self.outbox.refused | self.refusals.told():
            found["broker-refused"] = {
                "kinds": ", ".join(sorted(refused)), "user": self._table.user or "-", "site": self.site,
                **_both(problem=next(iter(sorted(set(refused.values()) - {LOST})), LOST)),
            }  # fmt: skip
        elif (kinds := self.outbox.unheard.kinds) and not found:
            found["broker-unheard"] = {"kinds": ", ".join(kinds)}
        codes = ["broker", "broker-taken", "broker-refused", "broker-unheard"]
        self._station.watch.tell(self._station.watch.judge.update("", found, codes))
        return _HEALTH_S

    # -- the connection -------------------------------------------------------------------------------

    def _revision(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, int(time.time() * 1000))
            return self._last

    def _topic(self, name: str, **parts: str) -> str:
        return contract.topic(name, self.site, prefix=self._table.prefix, **parts)

    def _will(self) -> tuple[str, bytes, str]:
        self._session = self._revision()
        self._sessions.append(self._session)
        will = StationState(state="offline", revision=self._session, since=time.time())
        return self._topic("station"), will.encode(), contract.MESSAGES["station"].schema

    def _connected(self) -> None:
        self._fresh.set()
        self._wake.set()

    def _changed(self, told: Sequence[Transition]) -> None:
        self._wake.set()

    def _came(self, message: Delivered) -> None:
        if message.topic == self._topic("station"):
            self._another(message)
            return
        if self.refusals.waits("replies"):  # nothing is done that nobody would hear of
            self.gate.turn_away("answers are not let through")
            return
        # Whose topic it is, is not asked: the signature says for which shop it is meant.
        self.gate.take(message.payload)

    def _another(self, message: Delivered) -> None:
        """See whether another station speaks for our site; some brokers do not say so when it takes our place."""
        if message.retained and self.connection.connections < 2:
            return  # of an earlier life of ours
        with contextlib.suppress(contract.BadMessage):
            state = contract.decode(StationState, message.payload)
            if state.revision > self._began_ms and state.revision not in self._sessions:
                if self.connection.taken_over == 0:
                    _log.warning("broker: another station uses this site's name: %s", self.site)
                self.connection.contested()

    def _reply(self, client: str, envelope: Envelope) -> None:
        sent = self.connection.publish(
            self._topic("replies", client=client),
            envelope.encode(),
            schema=contract.MESSAGES["replies"].schema,
            expiry_s=600,
            patience=5.0,
        )
        self._replies.append(sent)

    def _settle_replies(self) -> None:
        """See what became of answers; without waiting, as callers wait for the next ones."""
        while self._replies and self._replies[0].done:
            problem = self._replies.popleft().problem
            if problem:
                self.refusals.not_taken("replies", problem)
            else:
                self.refusals.taken("replies")

    def _goodbye(self) -> None:
        with contextlib.suppress(SunmiIpcError):
            state = self._state("offline")
            self._publish("station", state, patience=0.0).wait(2.0)

    # -- what is told ---------------------------------------------------------------------------------

    def _run(self) -> None:
        more = False
        while not self._closing.is_set():
            if not more:
                self._wake.wait(_TICK_S)
            self._wake.clear()
            more = False
            self._settle_replies()
            if self._closing.is_set() or not self.connection.connected:
                continue
            try:
                self._tell()
                more = self.outbox.send(self.connection)
            except BrokerError as error:
                _log.debug("bridge: %s", error)
            except Exception:  # the next round may do better
                _log.exception("bridge: what is to be told could not be")
                self._closing.wait(_TICK_S)

    def _tell(self) -> None:
        """Publish what differs from what the broker was told last."""
        if self._fresh.is_set():
            self._fresh.clear()
            self._said.clear()
            self._introduced.clear()
            self.outbox.unheard.clear()
        status = self._station.status()
        cameras = [camera for camera in status.cameras if self._sayable(camera.sn)]
        self._say("station", {"": self._state("online")})
        self._say("availability", {camera.sn: self._availability(camera) for camera in cameras})
        self._say("state", {camera.sn: self._camera(camera) for camera in cameras})
        if self._table.home_assistant:
            self._introduce([camera.sn for camera in cameras])
        self._forget({camera.sn for camera in cameras})

    def _sayable(self, sn: str) -> bool:
        """Whether a camera has a serial number yet, and one that a topic may have."""
        try:
            return (
                bool(sn)
                and any(member.sn == sn for member in self._station.roster.members())
                and bool(self._topic("state", sn=sn))
            )
        except contract.BadMessage:
            return False

    def _say(self, name: str, payloads: Mapping[str, Payload]) -> None:
        """Publish, by serial number, what is new of one kind, and wait for the broker: it may refuse this kind alone."""
        if self.refusals.waits(name):
            return
        sent: dict[str, Sent] = {}
        texts: dict[str, str] = {}
        for sn, payload in payloads.items():
            key = f"{name} {sn}" if sn else name
            texts[key] = payload.model_dump_json(exclude={"revision", "time", "seen"})
            if self._said.get(key) == texts[key]:
                continue
            try:
                sent[key] = self._publish(name, payload, sn=sn)
            except BrokerError:
                if not sent:
                    raise
                break
        for key in self._taken(name, sent):
            self._said[key] = texts[key]

    def _taken(self, kind: str, sent: Mapping[str, Sent]) -> list[str]:
        """Wait for messages of one kind; which of them the broker has taken. Raises BrokerError where it went away."""
        taken, problems = [], []
        until = time.monotonic() + _ACKNOWLEDGE_S
        for key, one in sent.items():
            try:
                one.wait(max(0.0, until - time.monotonic()))
            except BrokerError:
                if not one.done:
                    raise
                problems.append(one.problem)
            else:
                taken.append(key)
        if not problems:
            if taken:
                self.refusals.taken(kind)
            return taken
        problem = next((text for text in problems if text != LOST), LOST)
        self.refusals.not_taken(kind, problem)
        if problem == LOST:
            raise BrokerError("the broker did not take a message: {reason}", reason=LOST)
        return taken

    def _publish(self, name: str, payload: Payload, *, sn: str = "", patience: float = 5.0) -> Any:
        message = contract.MESSAGES[name]
        return self.connection.publish(
            self._topic(name, sn=sn) if sn else self._topic(name),
            payload.encode(),
            schema=message.schema,
            retain=message.retained,
            patience=patience,
        )

    def _forget(self, there: set[str]) -> None:
        """Take back what was told of cameras that have left."""
        gone = {key.partition(" ")[2] for key in self._said if " " in key} - there
        for sn in gone:
            for name in ("availability", "state"):
                if self.refusals.waits(name):
                    continue
                self.connection.publish(
                    self._topic(name, sn=sn), b"", schema=contract.MESSAGES[name].schema, retain=True
                )
                self._said.pop(f"{name} {sn}", None)

    def _state(self, state: Any) -> StationState:
        shop = self._station.file.station
        sns = [m.sn for m in self._station.roster.members() if m.sn]
        callers = self.gate.callers
        return StationState(
            state=state,
            revision=self._session,
            since=self._station.started or time.time(),
            version=__version__,
            name=shop.name or shop.site,
            timezone=shop.timezone,
            hours=str(shop.hours)[:500],
            public=self._key.public,
            cameras=tuple(sorted(sn for sn in sns if contract.is_serial(sn)))[:5000],
            # Where this is heard, there is a connection.
            reasons=_told([r for r in self._station.status().reasons if r.code != "broker"]),
            callers=tuple(callers) if len(callers) <= _CALLERS else None,
        )

    def _availability(self, camera: CameraStatus) -> Availability:
        there = not any(reason.code in REACH for reason in camera.reasons)
        return Availability(
            state="online" if there else "offline", revision=self._revision(), time=time.time()
        )

    def _camera(self, camera: CameraStatus) -> CameraState:
        clock = camera.facts.get("clock_s")
        return CameraState(
            verdict=str(camera.verdict),  # type: ignore[arg-type]
            reasons=_told(camera.reasons),
            revision=self._revision(),
            time=time.time(),
            seen=camera.seen or None,
            name=camera.name[:500],
            mac=next((m.mac for m in self._station.roster.members() if m.sn == camera.sn), "")[:500],
            model=camera.model[:500],
            firmware=camera.firmware[:500],
            card=str(camera.facts.get("card") or "")[:500],
            clock_offset_s=float(clock) if isinstance(clock, int | float) else None,
            people=self._today().get(camera.sn, {}) if self._table.counts else {},  # type: ignore[arg-type]
        )

    def _today(self) -> dict[str, dict[str, int]]:
        """People since the shop's midnight, by camera."""
        asked, found = self._people
        if time.monotonic() - asked > _PEOPLE_S or not asked:
            from datetime import datetime

            zone = self._station.loaded.zone
            start, _ = day_bounds(datetime.now(zone).date(), zone)
            found = {
                sn: {"arrivals": arrivals, "leaving": leaving, "passing": passing}
                for sn, arrivals, leaving, passing in self._station.store.read(
                    "SELECT sn, SUM(arrivals), SUM(leaving), SUM(passing) FROM counts"
                    " WHERE start >= ? AND state != 'gap' GROUP BY sn",
                    (int(start),),
                )
            }
            self._people = time.monotonic(), found
        return found

    def _introduce(self, cameras: Sequence[str]) -> None:
        """Tell Home Assistant of cameras, once a connection: a broker may forget what it retained."""
        prefix = self._table.home_assistant.strip("/")
        for sn in cameras:
            if sn in self._introduced or self.refusals.waits(prefix):
                continue
            configs = discovery(
                sn, home_assistant(self.site, sn, self._table.prefix), discovery_prefix=prefix
            )
            sent = {
                topic: self.connection.publish(
                    topic, json.dumps(config).encode(), schema="homeassistant/1", retain=True
                )
                for topic, config in configs.items()
            }
            if len(self._taken(prefix, sent)) == len(sent):
                self._introduced.add(sn)


def _told(reasons: Sequence[Reason]) -> tuple[contract.Reason, ...]:
    """Reasons as they travel."""
    return tuple(
        contract.Reason(code=r.code, level=str(r.level), since=r.since, text=r.text("en")[:500])  # type: ignore[arg-type]
        for r in reasons[:50]
        if str(r.level) != "ok"
    )


def _both(**texts: str) -> dict[str, str]:
    """Texts without values, in both languages, as details of a reason."""
    return texts | {f"{name}_zh": translate(text, "zh", {}) for name, text in texts.items()}


def home_assistant(site: str, sn: str, prefix: str) -> Topics:
    """Where Home Assistant finds a camera's news on the topics of the contract."""

    def topic(name: str, sn: str = "") -> str:
        return contract.topic(name, site, sn=sn, prefix=prefix)

    events, state = topic("events", sn), topic("state", sn)
    online = "{{ value_json.state }}"

    def last(kind: EventType) -> dict[str, Any]:
        # An empty value is no news: the sensor stays as it is.
        when = f"{{{{ (value_json.received | as_datetime).isoformat() if value_json.type == '{kind}' else '' }}}}"
        return {"state_topic": events, "value_template": when}

    return Topics(
        (
            {"topic": topic("station"), "value_template": online},
            {"topic": topic("availability", sn), "value_template": online},
        ),
        last,
        {
            "state_topic": events,
            "value_template": f"{{{{ 'ON' if value_json.type == '{EventType.MOTION}' else '' }}}}",
        },
        (state, {"total": "people.arrivals", "passing": "people.passing", "leaving": "people.leaving"}),
        state,
    )


class _EventSink:
    """Hands events from the spool to the broker; one counts as delivered when the broker has it for somebody.

    What nobody heard is set aside, so that it waits by itself and keeps up nothing else.
    """

    name = "broker"
    batch = 50
    parallel = 1

    def __init__(self, bridge: Bridge, spool: Spool) -> None:
        self._bridge, self._spool = bridge, spool

    def send(self, events: Sequence[StoredEvent]) -> None:
        connection = self._bridge.connection
        if not connection.wait(_PATIENCE_S):
            raise Again(connection.problem or "no connection to the broker")
        refusals = self._bridge.refusals
        if refusals.waits("events"):
            raise Again(refusals.told().get("events", LOST))
        sent: list[tuple[StoredEvent, Any]] = []
        try:
            waiting = {sn for kind, sn in self._bridge.outbox.unheard.waiting() if kind == "events"}
            aside: list[tuple[str, int]] = []
            for stored in events:
                payload = self._payload(stored)
                if payload is not None and payload.sn in waiting:
                    aside.append((payload.sn, stored.seq))
                elif payload is not None:
                    sent.append((stored, self._bridge._publish("events", payload, sn=payload.sn)))
            for _, one in sent:
                one.wait(_ACKNOWLEDGE_S)
            if sent:
                refusals.taken("events")
        except BrokerError as error:
            for _, one in sent:
                if one.done and one.problem:
                    refusals.not_taken("events", one.problem)
                    break
            raise Again(error.message, suspect=connection.connections > 0) from None
        if self._bridge._table.hold:
            aside += [(stored.event.sn, stored.seq) for stored, one in sent if one.unheard]
        if aside:
            try:
                self._bridge.outbox.set_aside(aside)
            except StoreError as error:  # the database is away: they come again
                raise Again(error.message) from None
            self._bridge._wake.set()

    def payload(self, number: int) -> Event | None:
        """An event by its number, as it leaves the shop; None where it does not, or is no longer kept."""
        found = self._spool.after(number - 1, 1)
        return self._payload(found[0]) if found and found[0].seq == number else None

    def oldest(self) -> int:
        """The number of the oldest event that is kept; 0: none."""
        return self._spool.oldest_seq()

    def _payload(self, stored: StoredEvent) -> Event | None:
        event, table = stored.event, self._bridge._table
        if (event.is_personal and not table.faces) or not contract.is_serial(event.sn):
            return None
        received = stored.received.timestamp()
        when = event.report_time.timestamp() if event.report_time is not None else received
        return Event(
            key=f"{self._bridge.site}/events/{stored.key}"[:500],
            revision=stored.seq,
            sn=event.sn,
            type=event.event_type,
            time=when if 0 <= when < 4102444800 else received,
            received=received,
            personal=event.is_personal,
            data=_plain(event.as_dict(), {*event.links, "sn", "event_type", "event_id", "report_time"}),
        )

    def close(self) -> None:
        """Nothing of its own."""


def _plain(fields: dict[str, Any], without: set[str]) -> dict[str, Any]:
    """An event's fields without links, pictures and whatever is long."""
    fields = fields | fields.pop("fields", {})
    return {
        name[:64]: value
        for name, value in list(fields.items())[:64]
        if name not in without
        and (
            isinstance(value, bool | int | float)
            or (isinstance(value, str) and len(value) <= 500 and "://" not in value)
        )
    }
