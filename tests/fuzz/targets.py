"""What is fuzzed: one function a parser. It takes any bytes, and may raise nothing.

Each holds its parser to what the parser promises: errors of our tree alone, texts that can be shown, the same
answer however the bytes are cut.
"""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sunmi_ipc.broker import contract, failures, keys
from sunmi_ipc.broker.stations import KnownStations
from sunmi_ipc.cloud import wire as cloud_wire
from sunmi_ipc.discovery import mdns, packet
from sunmi_ipc.discovery.camera import DiscoveredCamera, observe
from sunmi_ipc.discovery.interfaces import Interface
from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.events import decoding
from sunmi_ipc.events import model as event_model
from sunmi_ipc.fleet import sitefile
from sunmi_ipc.hub import rows
from sunmi_ipc.link.guard import file_name
from sunmi_ipc.protocol import postman, wire
from sunmi_ipc.protocol.spec import registry
from sunmi_ipc.protocol.wire import Incoming
from sunmi_ipc.redact import printable, redact_text
from sunmi_ipc.simulator.replay import Replay
from sunmi_ipc.station.loading import load as load_station
from sunmi_ipc.survey import model as dump_model
from sunmi_ipc.survey import outcome
from sunmi_ipc.survey.anonymise import Anonymiser
from sunmi_ipc.survey.findings import judge
from sunmi_ipc.video import container
from sunmi_ipc.video.address import RtspAddress
from sunmi_ipc.video.rtsp import Authentication, Malformed, Message, Parser

APP, KEY = "JO83UNV983U9OR", "12345678"
_RESULTS = sorted((e for e in registry().values() if e.result is not None), key=lambda e: e.path)
_CLOUD = sorted(registry("cloud").values(), key=lambda e: e.path)
_FOLDER = Path(
    tempfile.mkdtemp(prefix="sunmi-ipc-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
)


def _shown(error: SunmiIpcError) -> None:
    for text in (str(error), *error.localized("zh")):
        assert text.isprintable(), "an error that steers the terminal"
        assert len(text) < 100_000


def _file(name: str, data: bytes) -> Path:
    path = _FOLDER / f"{os.getpid()}-{name}"
    path.write_bytes(data)
    return path


def packet_(data: bytes) -> None:
    """A discovery datagram as it comes, and with its CRC made to fit."""
    for one in (data, data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "big")):
        try:
            found = packet.parse(one)
        except packet.BadPacket:
            continue
        camera = observe(found.payload, "127.0.0.9", odd=bool(found.odd))
        assert camera.sn.isprintable()
        assert all(
            len(text) < 1300 and text.isprintable() for text in (camera.name, camera.mac, camera.model)
        )
        assert 0 < camera.port < 65536


class _Silent(mdns.asyncio.DatagramProtocol):
    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Take it."""


def mdns_(data: bytes) -> None:
    """An mDNS announcement: who speaks, and each record as a service."""
    from zeroconf import DNSIncoming, DNSText, ServiceInfo  # type: ignore[attr-defined]

    speakers: set[tuple[str, str]] = set()
    mdns._Overheard(_Silent(), speakers).datagram_received(data, ("127.0.0.9", 5353))
    assert all(sender == "127.0.0.9" for _, sender in speakers)
    found: list[DiscoveredCamera] = []
    browser = mdns.Browser([], found.append, lambda reason: None)
    browser._interfaces = [Interface("lo", "127.0.0.1", 8)]
    browser._speakers = speakers
    for record in DNSIncoming(data).answers():
        if not isinstance(record, DNSText):
            continue
        try:
            kind = "_https._tcp.local."
            info = ServiceInfo(kind, f"x.{kind}", 8443, properties=record.text, server=record.name,
                               addresses=[bytes((127, 0, 0, 9)), data[:4].ljust(4, b"\0")])  # fmt: skip
        except Exception:
            continue
        browser._report(info)
    for camera in found:
        assert camera.serial_number is not None
        assert not set(camera.flags) <= {mdns.RELAYED} or camera.ip.startswith("127.")


def answer(data: bytes) -> None:
    """A camera's answer to a call, a cloud's, and what a survey makes of it; the first byte says which."""
    which, body = data[:1] or b"\0", data[1:]
    incoming = Incoming(200, {"Date": body[:40].decode("latin-1")}, body)
    assert incoming.date is None or incoming.date >= 0 or incoming.date < 0
    endpoint = _RESULTS[which[0] % len(_RESULTS)]
    try:
        printable(repr(wire.open_reply(endpoint, incoming)))
    except SunmiIpcError as error:
        _shown(error)
    try:
        printable(repr(cloud_wire.open_reply(_CLOUD[which[0] % len(_CLOUD)], incoming)))
    except SunmiIpcError as error:
        _shown(error)
    judge(endpoint, outcome.read(incoming))
    redact_text(body.decode("utf-8", "replace"))


def anonymous(data: bytes) -> None:
    """What a dump makes of an answer: the secret that is in it does not leave."""
    text = data.decode("utf-8", "replace")
    secret = "Qz7kPw93mVx2"
    for body in (text, f'{{"password":"{secret}","more":{json.dumps(text)}}}'):
        anonymiser = Anonymiser([secret], host="192.168.77.31", sn="FS101D8BS00106")
        anonymiser.learn(body)
        cleaned = anonymiser.clean({"body": body, "again": f"a {secret} b"})
        made = json.dumps(cleaned, ensure_ascii=False)
        assert secret not in made
        assert "FS101D8BS00106" not in made
        assert "192.168.77.31" not in made


def event(data: bytes) -> None:
    """An event's body, in any layout."""
    kind = "application/json" if data[:1] == b"\x01" else "application/x-www-form-urlencoded"
    body = data[1:] if data[:1] in (b"\0", b"\x01") else data
    decoding.app_ids(body, kind)
    try:
        posted = event_model.read(body, kind)
        decoding.has_signature(posted)
        decoding.verify(posted, {APP: KEY})
        fields = decoding.harmless(posted.event)
        assert len(posted.seal) == 32
        decoding.content(fields)
        kept = json.loads(json.dumps(fields))
        found = event_model.of(fields)
        assert event_model.of(kept).key == found.key, "another event when it is read from the spool"
        assert all(part.isprintable() for part in found.key)
        found.model_dump_json()
        for name in found.links:
            file_name(name)
    except SunmiIpcError as error:
        _shown(error)


def rtsp(data: bytes) -> None:
    """An RTSP server's answers: the same messages however they are cut, and a challenge to answer."""

    def cut(at: int) -> list[tuple[str, bytes] | bytes | str]:
        parser, found = Parser(), list[tuple[str, bytes] | bytes | str]()
        for piece in (data[:at], data[at:]):
            parser.feed(piece)
            try:
                while (item := parser.next()) is not None:
                    found.append((item.first, item.body) if isinstance(item, Message) else item)
                    if isinstance(item, Message):
                        _answered(item)
            except Malformed:
                found.append("malformed")
                break
        return found

    assert cut(len(data)) == cut(len(data) // 2), "another message when it comes in two pieces"


def _answered(message: Message) -> None:
    assert 0 <= message.status < 1000
    authentication = Authentication(RtspAddress("rtsp://127.0.0.1/x.sdp", "admin", "admin"))
    try:
        if authentication.take(message):
            said = authentication.header("DESCRIBE", "rtsp://127.0.0.1/x.sdp")
            Message("DESCRIBE x RTSP/1.0", [("Authorization", said)]).pack()
    except Malformed:
        return


def site(data: bytes) -> None:
    """A site file: CSV where the first byte is a comma, else TOML."""
    path = _file("site.csv", data[1:]) if data[:1] == b"," else _file("site.toml", data)
    try:
        loaded = sitefile.load(path, resolve=False)
        assert loaded.slots is not None
    except SunmiIpcError as error:
        _shown(error)


def postman_(data: bytes) -> None:
    """A Postman collection: names in it are plain words."""
    try:
        found = postman.read(_file("postman.json", data))
        for request in found:
            assert all(name.isprintable() and " " not in name for name in (request.path, *request.names))
        for row in postman.compare(found):
            if row.override is not None:
                assert "://" not in row.override.path
        for left in found.unread:
            assert left.title.isprintable()
    except SunmiIpcError as error:
        _shown(error)


def image(data: bytes) -> None:
    """The beginning of a picture or a recording."""
    assert container.suffix_of(data[:512]) in ("", ".mp4", ".flv", ".mkv", ".avi", ".ts", ".h264")
    _shown(container.no_video(data[:512]))
    from sunmi_ipc import photos
    from sunmi_ipc.video.libraries import has_library
    from sunmi_ipc.video.snapshot import Snapshot

    if not has_library("PIL"):
        return
    for work in (lambda: photos.shrunk(data), lambda: Snapshot(data).image()):
        try:
            work()
        except SunmiIpcError as error:
            _shown(error)


def dump(data: bytes) -> None:
    """A dump from elsewhere: refused, or a camera that can be played."""
    try:
        document = dump_model.read(_file("dump.json", data))
        camera = Replay(document)
        camera.datagram({"ip": "127.0.0.9", "port": "8443"})
        camera.unknown()
        for endpoint in registry().values():
            camera.change(endpoint, {p.name: 1 for p in endpoint.parameters})
            if camera.knows(endpoint.path):
                camera.answer(endpoint.path, "127.0.0.9", 8443)
    except SunmiIpcError as error:
        _shown(error)


_STORED = sorted(name for name, message in contract.MESSAGES.items() if message.stored)


def broker(data: bytes) -> None:
    """What comes from a broker: a stored message, a call or an answer, an error to be raised; the first byte says which."""
    which, body = data[:1] or b"\0", data[1:]
    name = _STORED[which[0] % len(_STORED)]
    sn = (
        "" if "SN" not in contract.MESSAGES[name].path else ("FS101D8BS00106", "fs101d8bs00106")[which[0] & 1]
    )
    try:
        found = contract.read(contract.topic(name, "s1", sn=sn), body)
        _, row = rows.row(found, 1.0)
        kept = str(row.get("sn") or "")
        assert kept == kept.upper()
        json.dumps(row, allow_nan=False)
        json.loads(row.get("data", "{}"), parse_constant=_no_number)
    except SunmiIpcError as error:
        _shown(error)
    for model in (contract.Envelope, contract.Request, contract.Answer, contract.Failure):
        try:
            read = contract.decode(model, body, limit=contract.MAX_CALL)
            if isinstance(read, contract.Failure):
                raise failures.raised(read, "s1/FS101D8BS00106")
            if isinstance(read, contract.Envelope):
                keys.verify(read, keys.CALL, "A" * 43 + "=")
        except SunmiIpcError as error:
            _shown(error)


def _no_number(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def station(data: bytes) -> None:
    """A station file."""
    try:
        load_station(_file("station.toml", data), resolve=False)
    except SunmiIpcError as error:
        _shown(error)


def keys_(data: bytes) -> None:
    """The list of keys, a private key, and the stations that are known."""
    folder = _FOLDER / f"{os.getpid()}-keys"
    folder.mkdir(exist_ok=True)
    for name in ("index.json", "key.pem", "known.json"):
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    store = keys.KeyStore(folder)
    for look in (
        store.list,
        store.load,
        lambda: store.load(str(folder / "key.pem")),
        lambda: KnownStations(folder / "known.json").approve("b/s1", "x"),
    ):
        try:
            look()
        except SunmiIpcError as error:
            _shown(error)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "packet": packet_,
    "mdns": mdns_,
    "answer": answer,
    "anonymous": anonymous,
    "event": event,
    "rtsp": rtsp,
    "site": site,
    "postman": postman_,
    "image": image,
    "dump": dump,
    "broker": broker,
    "station": station,
    "keys": keys_,
}
