"""The virtual camera: real UDP, real TLS, its own checks, its own memory."""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from typing import Any, Self

from ..errors import ConfigError, ParameterError
from ..protocol.spec import Endpoint, Model, Sign, registry
from ..protocol.values import CardStatus
from ..protocol.wire import Override
from . import behaviours, discovery, faults, flow, handlers, hooks, lens, loop, media
from .card import rtsp_url
from .checks import Refused, check_private, check_public, parse_form, parse_multipart
from .faces import populate
from .faults import Fault, Faults
from .files import Content
from .http import Connection
from .quirks import UNKNOWN_FIELDS, parse_quirks
from .replay import RawAnswer, Replay
from .state import CameraState, new_state
from .variant import draw
from .vendor import Vendor
from .video import VideoSettings, available
from .video.rtsp import RtspServer

#: Importing them fills the tables of behaviours and of files.
_SUBJECTS = (behaviours, flow, hooks, lens, media)
STATES = ("factory", "wired", "ready")
#: The models' older names (A W).
_OLDER = {"SS1": Model.FM010, "FS1": Model.FM020}
#: So many taken addresses in a row are not other virtual cameras: the port is held on all of them.
_MISSES = 2_000


class VirtualCamera:
    """A camera on this machine. Use it as a context manager.

    What the protocol sheet leaves open is our guess, listed here, so that nobody takes a green test
    for a fact about cameras:

    ==================================  ==========================================================
    question                            the virtual camera
    ==================================  ==========================================================
    order of checks                     URL, model, app_id, form of timestamp and random, activated,
                                        signature, clock, parameters
    clock                               code 5 beyond ``clock_tolerance_s`` (300)
    ``device/activate``                 serial number (11), active already (9), bound (10), internet (4)
    replayed ``random``                 accepted
    ``device/getInfo`` before activation  code 7
    card while formatting               blank (1)
    subscriptions after a restart       gone
    Wi-Fi with a wrong password         it is on its own access point alone: no discovery, no events; its
                                        address stands for the access point, where it can be told another
    answer to new Wi-Fi settings        comes, before it leaves; not with the fault ``lost``
    picture                             magnification 4 at the longest end; sharp at one focus a zoom;
                                        automatic IR: grey from 22 to 6; rotation clockwise; the door
                                        line stands as stored, whatever the rotation
    people flow                         counts from activation on; every face seen is an arrival
    clip                                its URL answers ``{"code": 236}`` until it is ready, 4 to 12 s
                                        after ``media/getVideoClip``; then 404 after ten minutes
    ``data``                            under ``data``; with ``flat=True`` beside ``code``
    ==================================  ==========================================================

    Args:
        vendor: Whose certificates and secrets it takes; default: a vendor of its own.
        model: FM010 or FM020, or by their older names SS1 and FS1: it calls itself what it is called here.
        state: ``factory`` (out of the box), ``wired`` (out of the box, on a cable with internet) or
            ``ready`` (on the LAN, activated, card formatted); default: ``ready`` where it answers as a dumped
            one, which was, else ``factory``.
        ip: Its address; default: a free one in 127.0.0.0/8.
        port: Its HTTPS port; 0 takes a free one.
        seed, number: The same numbers give the same serial number and MAC.
        expose: Allow an address beyond loopback.
        flat: Print the fields beside ``code`` instead of under ``data``.
        overrides: Other paths and names than the table's, as a real camera may have.
        udp: Answer discovery.
        reply: Where answers go: ``sender``, ``port`` or ``broadcast`` (``simulator.discovery``).
        people: How many come by an FM020; they have come before to one that is ready.
        dump: A camera's dump (see ``ipc dump``): answer as that camera did; ``set`` calls change what later reads say.
        wire_seed: Draw other undocumented paths, names, layouts and orders of checks from this number.
        video: How it films: sizes, frame rates, codec, RTSP user; default: as its model does.
        quirks: What it does otherwise than documented (``simulator.quirks``).

    """

    flat: bool
    clock_tolerance_s: float
    overrides: dict[str, Override]
    ip: str
    port: int

    def __init__(
        self,
        vendor: Vendor | None = None,
        *,
        model: str = "FM020",
        state: str = "",
        ip: str = "",
        port: int = 0,
        seed: int = 0,
        number: int = 0,
        expose: bool = False,
        flat: bool = False,
        clock_tolerance_s: float = 300.0,
        overrides: Mapping[str, Override] | None = None,
        udp: bool = True,
        reply: str = "sender",
        people: int = 12,
        video: VideoSettings | None = None,
        quirks: Iterable[str] = (),
        minimum_tls: ssl.TLSVersion | None = None,
        dump: Mapping[str, Any] | None = None,
        wire_seed: int | None = None,
    ) -> None:
        self._replay = Replay(dump) if dump is not None else None
        word = (self._replay.model if self._replay is not None else model).upper()
        known = _OLDER.get(word) or next((m for m in Model if m == word), None)
        if known is None and self._replay is not None:
            known = Model.FM020  # a word that nobody has seen: it may have everything
        if known is None:
            raise ParameterError(
                "{name}: there is no model {model}", name="model", model=model, hint="FM010 or FM020."
            )
        state = state or ("factory" if dump is None else "ready")
        if state not in STATES:
            raise ParameterError(
                "{name}: unknown", name="state", hint="One of {kinds}.", kinds=", ".join(STATES)
            )
        if reply not in discovery.REPLIES:
            raise ParameterError(
                "{name}: unknown", name="reply", hint="One of {kinds}.", kinds=", ".join(discovery.REPLIES)
            )
        if ip and not ip_address(ip).is_loopback and not expose:
            raise ConfigError(
                "a virtual camera stays on this machine unless told otherwise",
                hint="To let others reach it, allow it: --expose.",
            )
        self._own_vendor, self._expose = vendor is None, expose
        self.vendor: Vendor = vendor or Vendor()
        self.state: CameraState = new_state(known, state, seed, number, parse_quirks(quirks))
        self.state.model_word = word
        self.state.video = video or self.state.video
        if self.state.model is Model.FM020:
            self.state.people = people
            if self.state.card is CardStatus.NORMAL:
                populate(self.state, people)
        self.faults: Faults = Faults(seed)
        self.flat, self.clock_tolerance_s, self.overrides = flat, clock_tolerance_s, dict(overrides or {})
        self._wanted = (ip, port)
        self._udp, self._minimum_tls, self._reply = udp, minimum_tls, reply
        #: What it says of itself in discovery other than it should.
        self.claims: dict[str, str] = {}
        self.ip, self.port = ip, port
        self._sockets: list[socket.socket] = []
        self._connections: set[socket.socket] = set()
        self._away_until = 0.0
        self._rtsp: RtspServer | None = None
        self._lock = threading.Lock()
        self.closing: threading.Event = threading.Event()
        self._variant = draw(wire_seed) if wire_seed is not None else None
        if self._variant is not None:
            self.overrides |= self._variant.overrides
            self.flat = self._variant.flat
        if self._replay is not None:
            self._become(self._replay, sized=video is None)
        self._table = self._index()

    def _index(self) -> dict[str, Endpoint[..., Any]]:
        table = {}
        for path, endpoint in registry().items():
            override = self.overrides.get(path)
            table[(override.path if override else "") or path] = endpoint
        return table

    # -- life ------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Self:
        """Bind and answer; returns when the camera can be reached.

        Raises:
            ConfigError: An address or port cannot be had.

        """
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def _open(self) -> None:
        self._context = self.vendor.server_context(self.state.sn, minimum=self._minimum_tls)
        listener = self._bind()
        self.ip, self.port = listener.getsockname()[:2]
        self.state.documents["address"] = {"ip": self.ip, "port": self.port}
        running = loop.acquire()
        running.add(listener, self._accept)
        self._sockets.append(listener)
        if available():
            self._rtsp = RtspServer(self)
            self.state.documents["address"]["rtsp_port"] = self._rtsp.port
            running.add(self._rtsp.listener, self._rtsp.accept)
        if self._udp:
            own = discovery.udp_socket(self.ip)
            running.add(own, self._hear)
            self._sockets.append(own)
            discovery.BROADCASTS.join(self._answer_discovery)

    def _bind(self) -> socket.socket:
        ip, port = self._wanted
        for _ in range(20):
            address = ip or "127." + ".".join(str(1 + secrets.randbelow(254)) for _ in range(3))
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((address, port))
            except OSError as error:
                listener.close()
                if ip:
                    raise ConfigError(
                        "{address}:{port} cannot be used: {reason}",
                        hint="Choose another --port, or end the program that holds it.",
                        address=address,
                        port=port,
                        reason=error.strerror or "",
                    ) from None
                continue
            listener.listen(256)
            return listener
        raise ConfigError("no free loopback address was found")

    def close(self) -> None:
        """Leave the network."""
        self.closing.set()
        self._leave()
        if self._own_vendor:
            self.vendor.close()

    def move(self, ip: str = "") -> None:
        """Get another address, as from a router that was restarted: connections break, all else stays.

        Args:
            ip: Default: a free one in 127.0.0.0/8.

        """
        self._leave()
        self._wanted = (ip, self._wanted[1])
        self._open()

    def _leave(self) -> None:
        running = loop.acquire()
        if self._udp and self._sockets:
            discovery.BROADCASTS.leave(self._answer_discovery)
        for sock in self._sockets:
            running.remove(sock)
        if self._rtsp is not None:
            running.remove(self._rtsp.listener)
        if self._sockets:
            loop.release()
        loop.release()
        self._sockets.clear()
        self._cut(wait=True)

    def _cut(self, *, wait: bool = False) -> None:
        if self._rtsp is not None:
            self._rtsp.cut(wait=wait)
        with self._lock:
            connections, self._connections = self._connections, set()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def restart(self, seconds: float) -> None:
        """Leave the network for *seconds*: connections break, nothing answers; subscriptions are lost."""
        self.state.documents.pop("hooks", None)
        self._away_until = time.monotonic() + seconds
        self.state.go_blind(self.clock(), self.clock() + seconds)
        self._cut()

    def update_firmware(self, version: str = "", *, after: float = 0.0, seconds: float = 5.0) -> None:
        """Play a firmware update from a card: off the network, then back with another version.

        Args:
            version: The new version; default: the next one.
            after: Seconds until it begins.
            seconds: Seconds that the camera is away; a real one takes a minute or two.

        """
        head, dot, tail = self.state.firmware.rpartition(".")
        new = version or f"{head}{dot}{int(tail) + 1}"

        def play() -> None:
            if not self.closing.wait(after):
                self.restart(seconds)
                self.state.firmware = new

        if after:
            threading.Thread(target=play, daemon=True).start()
        else:
            play()

    @property
    def away(self) -> bool:
        """Whether the camera is restarting or changing networks."""
        return time.monotonic() < self._away_until

    @property
    def address(self) -> str:
        """``ip:port``."""
        return f"{self.ip}:{self.port}"

    def live_url(self, size: str = "fhd") -> str:
        """The RTSP address of the live picture, ``hd`` or ``fhd``; empty without the extra ``video``."""
        return rtsp_url(self.state, f"live_{size}.sdp") if self._rtsp is not None else ""

    @property
    def sn(self) -> str:
        """The serial number."""
        return self.state.sn

    def fail(
        self,
        kind: str,
        value: float = 0.0,
        *,
        path: str | None = None,
        times: int | None = 1,
        probability: float = 1.0,
    ) -> None:
        """Play a fault (see ``sunmi_ipc.simulator.faults``)."""
        if kind == "restart":
            self.restart(value)
        elif kind == "update":
            self.update_firmware(after=value)
        elif kind == "clock":
            self.state.clock_offset = value
        elif kind not in faults.KINDS:
            raise ParameterError(
                "{name}: unknown", name="kind", hint="One of {kinds}.", kinds=", ".join(faults.KINDS)
            )
        else:
            self.faults.add(Fault(kind, value, path, times, probability))

    def walk(self, way: str) -> None:
        """Send somebody through the door now: ``in``, ``out``, or ``passing``. Nobody is counted without a card."""
        kind = {"in": "arrivals", "out": "leaving", "passing": "passing"}[way]
        if self.state.activated and self.state.card_status is CardStatus.NORMAL:
            self.state.walks.setdefault(kind, []).append(time.time() + self.state.clock_offset)

    def insert_card(self, status: CardStatus) -> None:
        """Put a card of this state into the camera (or take it out: ``CardStatus.NONE``)."""
        if status is CardStatus.NORMAL:
            self.state.see_again(self.clock())
        elif self.state.card_status is CardStatus.NORMAL:
            self.state.go_blind(self.clock())
        self.state.card, self.state.card_busy_until, self.state.card_removed = status, 0.0, False

    def remove_card(self) -> None:
        """Remove the card by software: it stays in its slot, state 4, until it is put in again."""
        if self.state.card_status is CardStatus.NORMAL:
            self.state.go_blind(self.clock())
        self.state.card_removed = True

    # -- discovery -------------------------------------------------------------------------------

    def describe(self) -> dict[str, str]:
        """What the camera says of itself in discovery."""
        state = self.state
        values = {
            "deviceid": state.sn,
            "ip": self.ip,
            "mac": state.mac,
            "firmware": state.firmware,
            "name": state.name,
            "model": state.model_word,
            "type": "IPC",
            "network": "LAN" if state.wired else "AP",
        }
        if self.port != 443:
            values["port"] = str(self.port)
        return values | self.claims

    def _answer_discovery(self, sender: tuple[str, int]) -> None:
        if self.away or self.closing.is_set() or self.state.off_network:
            return
        if not (self._expose or ip_address(sender[0]).is_loopback):
            return  # broadcasts of other machines reach us too; a virtual camera stays on this one
        to = discovery.reply_address(self._reply, sender, self.ip)
        with contextlib.suppress(OSError, IndexError):
            said = self.describe()
            answer = discovery.response(said) if self._replay is None else self._replay.datagram(said)
            self._sockets[1].sendto(answer, to)

    def _hear(self, sock: socket.socket) -> None:
        data, sender = sock.recvfrom(65_535)
        if discovery.is_request(data):
            self._answer_discovery(sender)

    # -- HTTPS -----------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        connection, peer = listener.accept()
        if self.away:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
            return
        threading.Thread(target=self._serve, args=(connection, peer), daemon=True).start()

    def _serve(self, raw: socket.socket, peer: Any) -> None:
        raw.settimeout(60)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secure = None
        try:
            spare = raw.dup()
        except OSError:  # no more files
            raw.close()
            return
        with self._lock:
            self._connections.add(raw)
        try:
            secure = self._context.wrap_socket(raw, server_side=True)
            with self._lock:
                self._connections.discard(raw)
                self._connections.add(secure)
            if Connection(self, secure, peer).polite:
                _say_goodbye(secure)
        except (OSError, ValueError):
            # A broken client is the client's affair; but let a refused one read the alert that says why:
            # closing over unread data would reset the connection under it.
            with contextlib.suppress(OSError):
                spare.shutdown(socket.SHUT_WR)
                spare.settimeout(1)
                while spare.recv(65_536):
                    pass
        finally:
            spare.close()
            with self._lock:
                self._connections.discard(raw)
                if secure is not None:
                    self._connections.discard(secure)
            for sock in (secure, raw):
                if sock is not None:
                    with contextlib.suppress(OSError):
                        sock.close()

    def dumped_file(self, path: str) -> Content | None:
        """A file that the dump has the first bytes of; zeros follow."""
        found = self._replay.file(path) if self._replay is not None else None
        return Content(found[1], found[0]) if found is not None else None

    def dumped_sdp(self, name: str) -> str:
        """What a dump says of the stream *name*; empty where it says nothing."""
        return self._replay.sdp.get(name, "") if self._replay is not None else ""

    def clock(self) -> float:
        """The camera's time, Unix seconds."""
        return time.time() + self.state.clock_offset

    def answer(self, path: str, body: bytes, kind: str = "") -> dict[str, Any]:
        """Carry out one call; the answer's JSON. *kind* is the body's content type."""
        try:
            endpoint = self._table.get(path)
            if endpoint is None:
                return self._no_such_url(body)
            with self.state.lock:
                data = self._carry_out(endpoint, body, kind)
                if isinstance(data, RawAnswer):
                    return data
                self.state.counts[endpoint.path] = self.state.counts.get(endpoint.path, 0) + 1
                self.state.changes += not endpoint.safe
        except Refused as refused:
            return {"code": refused.code}
        if data is None:
            return {"code": 0}
        if self._variant is not None:
            data = self._variant.renamed(endpoint, data)
        return {"code": 0, **data} if self.flat else {"code": 0, "data": data}

    def _become(self, replay: Replay, *, sized: bool) -> None:
        """Take on what a dump says of the camera; *sized*: the size of its pictures, too."""
        state = self.state
        state.sn, state.mac = replay.sn or state.sn, replay.mac or state.mac
        state.firmware = replay.firmware or state.firmware
        self.overrides |= replay.overrides
        for name, (width, height) in replay.sizes.items() if sized else ():
            form = replace(getattr(state.video, name), width=width, height=height)
            state.video = replace(state.video, **{name: form})

    def _no_such_url(self, body: bytes) -> dict[str, Any]:
        if self._replay is not None:
            return RawAnswer(*self._replay.unknown())
        if self._variant is not None:
            if not self._variant.url_first:
                key = self.vendor.secret_key.reveal()
                check_public(
                    parse_form(body),
                    self.vendor.app_id,
                    key,
                    clock=self.clock(),
                    tolerance=self.clock_tolerance_s,
                )
            if self._variant.status_404:
                return RawAnswer(404, faults.HTML.decode(), {"Content-Type": "text/html"})
        raise Refused(6)

    def _replayed(self, endpoint: Endpoint[..., Any], values: dict[str, Any]) -> RawAnswer | None:
        """What the dump says to *endpoint*; a change is kept. None where the dump says nothing of it."""
        assert self._replay is not None
        override = self.overrides.get(endpoint.path)
        path = (override.path if override else "") or endpoint.path
        if endpoint.safe:
            if not self._replay.knows(path):
                return None
            if values.get("page_num", 1) > 1:
                raise Refused(next(p.refused for p in endpoint.parameters if p.name == "page_num"))
            return RawAnswer(*self._replay.answer(path, self.ip, self.port, self.live_url()))
        self._replay.change(endpoint, values)
        return None

    def _carry_out(self, endpoint: Endpoint[..., Any], body: bytes, kind: str) -> dict[str, Any] | None:
        if self.state.model not in endpoint.models:
            raise Refused(13)
        form, files = parse_multipart(body, kind) if kind.startswith("multipart/") else (parse_form(body), {})
        if self.state.told_unknown:
            form.pop(faults.UNKNOWN_KEY, None)  # who reads, changes and sends back all, sends this back, too
        if endpoint.sign is Sign.NONE:
            if self.state.activated:
                raise Refused(12)
        else:
            activating = endpoint.sign is Sign.ACTIVATION
            if not activating and not self.state.activated:
                raise Refused(7)
            key = self.vendor.activation_code if activating else self.vendor.secret_key
            check_public(
                form, self.vendor.app_id, key.reveal(), clock=self.clock(), tolerance=self.clock_tolerance_s
            )
        override = self.overrides.get(endpoint.path)
        unknown = self._unknown_fields(endpoint, form)
        kept = self.state.documents.get(endpoint.document) if endpoint.keeps else None
        any_more = "any-parameters" in self.state.quirks
        values = check_private(endpoint, form, files, override, kept, any_more=any_more)
        if self._replay is not None and (said := self._replayed(endpoint, values)) is not None:
            return said
        behaviour = handlers.behaviour_of(endpoint)
        if behaviour is None:
            raise Refused(13)
        data = behaviour(self.state, values)
        if unknown:
            self.state.documents[endpoint.document].update(unknown)
        return data

    def _unknown_fields(self, endpoint: Endpoint[..., Any], form: dict[str, str]) -> dict[str, Any]:
        """Take from a write those fields of a setting that nothing documents; one that is not sent is reset."""
        fields = UNKNOWN_FIELDS.get(endpoint.document) if endpoint.document else None
        if fields is None or endpoint.safe or "unknown-fields" not in self.state.quirks:
            return {}
        given = {name: form.pop(name, "") for name in fields}
        return {name: int(text) if text.isdecimal() else 0 for name, text in given.items()}

    def thinned(self, path: str, answer: dict[str, Any]) -> dict[str, Any]:
        """*answer* without its last optional field, as sloppy firmware leaves one out."""
        endpoint = self._table.get(path)
        data = answer.get("data")
        if endpoint is None or endpoint.result is None or not isinstance(data, dict):
            return answer
        optional = [
            field.alias or name
            for name, field in endpoint.result.model_fields.items()  # type: ignore[attr-defined]
            if not field.is_required()
        ]
        gone = next((name for name in reversed(optional) if not isinstance(data.get(name), list)), None)
        return answer | {"data": {k: v for k, v in data.items() if k != gone}}

    def hold(self, path: str, answer: dict[str, Any]) -> None:
        """Wait where an answer comes late: that to formatting may come when it is over (I)."""
        slow = "slow-format" in self.state.quirks and path == "config/formatMemoryCard"
        if slow and answer.get("code") == 0:
            self.closing.wait(self.state.format_s)

    def after(self, path: str) -> None:
        """What follows an answer: with new Wi-Fi settings the camera changes networks."""
        if path.startswith("config/setWifiConf") and not self.state.wired:
            self.restart(self.state.join_s)


def _say_goodbye(connection: ssl.SSLSocket) -> None:
    """End TLS as RFC 8446 asks, and wait for nobody's answer."""
    with contextlib.suppress(OSError, ValueError):
        connection.setblocking(False)
        connection.unwrap()


def start_cameras(
    vendor: Vendor, count: int, *, first: int = 2, port: int = 8443, **options: Any
) -> list[VirtualCamera]:
    """Start *count* cameras on 127.0.0.*first* and up, skipping addresses that are taken.

    Args:
        vendor: Whose they are.
        count: How many, from 1.
        first: Last byte of the first address.
        port: The HTTPS port of all.
        options: For each :class:`VirtualCamera`.

    Raises:
        ConfigError: There are not so many free addresses, the system does not allow so many open files,
            or the discovery port cannot be had.

    """
    loop.allow_sockets(4 * count)
    if options.get("udp", True):
        # Who holds the port of every address, lets no camera start.
        discovery.udp_socket("0.0.0.0").close()  # noqa: S104 - nothing is read from it
    cameras: list[VirtualCamera] = []
    number, missed = first, 0
    try:
        while len(cameras) < count:
            if number > 65_000 or missed > _MISSES:
                raise ConfigError("no free loopback address was found", hint="Choose another --port.")
            ip = f"127.0.{number // 254}.{1 + number % 254}" if number > 253 else f"127.0.0.{number}"
            # Asked before a certificate is made: a program may hold the port of every address.
            missed = 0 if _is_free(ip, port) else missed + 1
            if missed:
                number += 1
                continue
            make = partial(VirtualCamera, vendor, ip=ip, port=port, number=len(cameras), **options)
            with contextlib.suppress(ConfigError):
                cameras.append(make().start())
            number += 1
    except BaseException as error:
        for camera in cameras:
            camera.close()
        if isinstance(error, OSError):
            raise ConfigError(
                "only {started} of {count} virtual cameras could be started: {reason}",
                hint="Start fewer, or allow more open files (ulimit -n).",
                started=len(cameras),
                count=count,
                reason=error.strerror or type(error).__name__,
            ) from None
        raise
    return cameras


def _is_free(ip: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
            probe.listen(1)
        except OSError:
            return False
    return True
