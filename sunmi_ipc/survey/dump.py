"""What a camera really says, in one document that can be shown to anybody. Reads alone; nothing is changed."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..discovery import packet
from ..errors import ExtraMissingError, SunmiIpcError
from ..protocol import overrides as corrections
from ..protocol import wire
from ..protocol.spec import Endpoint, Sign, registry
from ..protocol.wire import Incoming, Outgoing
from ..untrusted import Refused, load_json
from .anonymise import Anonymiser
from .findings import Finding, judge
from .handshake import tls_facts
from .outcome import SILENT, Outcome, read

if TYPE_CHECKING:
    from ..camera import Camera

Progress = Callable[[int, int, str], None]
FORMAT, VERSION = "sunmi-ipc-dump", 1
#: Headers that tell something of the web server; others may tell of the owner.
_HEADERS = (
    "server",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "date",
    "www-authenticate",
)
_PLAIN_HEADERS = frozenset(_HEADERS) - {"www-authenticate"}
_HEAD = 64
#: A path that no camera has: how it says so.
NO_PATH = "config/getNoSuchThing"
_LATER = ("media/getPlaybackStream", "media/getVideoClip")


class Answers:
    """What was learnt from answers that later questions need."""

    start: int
    end: int

    def __init__(self, now: float) -> None:
        self.now: int = int(now)
        self.start, self.end = self.now - 86_400, self.now
        self.group = "stranger"
        self.face: str = ""
        self.record: tuple[int, int] | None = None

    def take(self, path: str, data: Any) -> None:
        if not isinstance(data, dict):
            return
        rows = next((v for v in data.values() if isinstance(v, list) and v and isinstance(v[0], dict)), [])
        for row in rows:
            face = row.get("faceid") or row.get("faceId") or row.get("face_id")
            self.face = self.face or (str(face) if face else "")
            times = [row.get(k) for k in ("start_time", "end_time")]
            if path.endswith("getVideoRecordList") and self.record is None and all(times):
                with contextlib.suppress(ValueError, TypeError):
                    self.record = int(str(times[0])), int(str(times[1]))

    def values(self, endpoint: Endpoint[..., Any]) -> dict[str, str] | None:
        """Wire values for a question; None where something is needed that nobody told us."""
        start, end = self.start, self.end
        if endpoint.path in _LATER:
            start, end = self.record or (self.now - 120, self.now - 60)
            end = min(end, start + 60)
        known: dict[str, str] = {
            "start_time": str(start), "end_time": str(end), "group_name": self.group, "name": self.group,
            "faceid": self.face, "num": "5", "page_num": "1", "page_size": "10",
        }  # fmt: skip
        values: dict[str, str] = {}
        for parameter in endpoint.parameters:
            if not parameter.required and parameter.name not in ("page_num", "page_size"):
                continue
            value = known.get(parameter.wire, "")
            if not value:
                return None
            values[parameter.wire] = value
        return values


def questions() -> list[Endpoint[..., Any]]:
    """Every endpoint that only reads, in the order in which they are asked; none that takes a picture."""
    reads = [e for e in registry().values() if e.safe and not any(p.kind == "file" for p in e.parameters)]
    return sorted(reads, key=lambda e: (e.path != "device/getInfo", e.path in _LATER))


class Survey:
    """One camera, asked everything that only reads.

    Args:
        camera: The camera; its overrides are in force.
        pace: Seconds between two calls, for a small computer behind a cheap switch.
        progress: Told how many calls are done, how many there are, and the path of the next.

    """

    camera: Camera

    def __init__(self, camera: Camera, *, pace: float = 0.25, progress: Progress | None = None) -> None:
        self.camera, self._pace = camera, pace
        self._progress = progress or (lambda done, total, path: None)
        #: Every call with what came, secrets in it.
        self.calls: list[dict[str, Any]] = []
        self.findings: list[Finding] = []

    def send(self, path: str, values: Mapping[str, str], how: Sign, *, spoil: bool = False) -> Outcome:
        """Send one call, note it, and say what came.

        Args:
            path: ``apiType/action``, as it is sent.
            values: Private parameters by wire name.
            how: What signs it.
            spoil: Sign it wrongly.

        """
        outgoing = wire.build_raw(
            path, values, self.camera.credentials, now=time.time() + self.camera.clock_offset,
            random=wire.nonce(), how=how,
        )  # fmt: skip
        if spoil:
            wrong = "0" * 32
            fields = tuple((k, wrong if k == "sign" else v) for k, v in outgoing.fields)
            outgoing = Outgoing(outgoing.path, fields, outgoing.files, outgoing.safe)
        started = time.monotonic()
        incoming: Incoming | None = None
        self.trouble = None
        try:
            incoming = self.camera.send(outgoing)
        except SunmiIpcError as error:
            self.trouble = error
        took = time.monotonic() - started
        signed = "no" if how is Sign.NONE else "wrongly" if spoil else "yes"
        self.calls.append(
            {
                "path": path,
                "sent": dict(values),
                "signed": signed,
                "status": incoming.status if incoming else 0,
                "headers": {k: v for k, v in incoming.headers.items() if k.lower() in _HEADERS}
                if incoming
                else {},
                "body": incoming.body.decode("utf-8", "replace") if incoming else "",
                "ms": round(took * 1000, 1),
            }
        )
        if incoming is not None and incoming.date is not None:
            self._clock = incoming.date - time.time()
        if self._pace:
            time.sleep(self._pace)
        return read(incoming) if incoming else SILENT

    _clock: float | None = None
    #: Why the last call brought no answer.
    trouble: SunmiIpcError | None = None

    def ask(self) -> None:
        """Ask everything that only reads."""
        learnt = Answers(time.time() + self.camera.clock_offset)
        asked = questions()
        for number, endpoint in enumerate(asked):
            override = self.camera.overrides.get(endpoint.path)
            path = (override.path if override else "") or endpoint.path
            self._progress(number, len(asked) + 1, path)
            values = learnt.values(endpoint)
            if values is None:
                continue
            names = override.names if override else {}
            outcome = self.send(path, {names.get(k, k): v for k, v in values.items()}, endpoint.sign)
            if outcome.kind == "code" and outcome.number in (2, 5) and self._redate():
                outcome = self.send(path, {names.get(k, k): v for k, v in values.items()}, endpoint.sign)
            learnt.take(endpoint.path, outcome.data)
            self.findings += judge(endpoint, outcome)
            if override is not None:
                for row in self.findings[-3:]:
                    if row["path"] == endpoint.path and row["verdict"] == "proven":
                        row["verdict"], row["detail"] = "corrected", f"{row['detail']} as {path}"
        self._progress(len(asked), len(asked) + 1, NO_PATH)
        self.send(NO_PATH, {}, Sign.SECRET)

    def _redate(self) -> bool:
        """Sign with the camera's time from now on, where its clock is elsewhere."""
        offset = self._clock
        if offset is None or abs(offset - self.camera.clock_offset) < 60:
            return False
        self.camera.clock_offset = offset
        return True


def dump(
    camera: Camera,
    *,
    pace: float = 0.25,
    video: bool = True,
    progress: Progress | None = None,
    survey: Survey | None = None,
    note: str = "",
) -> dict[str, Any]:
    """What *camera* says, secrets and identities replaced; see cli.md for the form.

    Args:
        camera: The camera.
        pace: Seconds between two calls.
        video: Whether to look at the stream and at the first bytes of files.
        progress: Told how far it is.
        survey: One that has asked already, by a probe; its calls and findings are taken.
        note: A sentence of its own, for example that the camera is a virtual one.

    Raises:
        ConnectionFailed, TlsError: The camera cannot be reached.
        Leak: Something that was to be replaced is still in the document.

    """
    tls = tls_facts(camera)
    survey = survey or Survey(camera, pace=pace, progress=progress)
    if not survey.calls:
        survey.ask()
    heard = _discovery(camera)
    seen = dict(_video(camera, survey)) if video else {"not_tried": "left out"}
    info = next((c for c in survey.calls if c["path"].endswith("device/getInfo")), None)
    told = _told(info["body"]) if info else {}
    credentials = camera.credentials
    hidden = [
        "".join(s) for s in (credentials.app_id, credentials.secret_key, credentials.activation_code) if s
    ]
    if "".join(camera.rtsp_password) != "admin":
        hidden += [camera.rtsp_user, "".join(camera.rtsp_password)]
    anonymiser = Anonymiser(hidden, host=camera.host, sn=str(told.get("sn") or camera.sn or ""))
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "tool": f"sunmi-ipc {__version__}",
        "model": str(told.get("model_name") or heard.get("json", {}).get("model") or camera.model or ""),
        "firmware": str(told.get("software_version") or heard.get("json", {}).get("firmware") or ""),
        "note": note,
        "discovery": heard,
        "tls": tls,
        "clock": {"offset_s": round(survey._clock, 1) if survey._clock is not None else None},
        "calls": survey.calls,
        "video": seen,
        "overrides": corrections.dump(camera.overrides) if camera.overrides else "",
        "findings": survey.findings,
    }
    return anonymous(document, anonymiser)


def anonymous(document: dict[str, Any], anonymiser: Anonymiser) -> dict[str, Any]:
    """A document of what a camera said, as a dump has it: with nobody in it.

    Raises:
        Leak: Something that was to be replaced is still in it.

    """
    heard, seen = document["discovery"], document["video"]
    heard_raw = heard.pop("raw", b"")
    heads = {
        name: part.pop("head") for name, part in seen.items() if isinstance(part, dict) and "head" in part
    }
    _learn(anonymiser, document)
    cleaned: dict[str, Any] = {
        key: value if key in _OURS else anonymiser.clean(value) for key, value in document.items()
    }
    cleaned["discovery"]["datagram"] = _fake_datagram(heard_raw, anonymiser)
    for name, head in heads.items():
        cleaned["video"][name]["head"] = anonymiser.data(bytes.fromhex(head)).hex()
    cleaned["replaced"] = dict(sorted(anonymiser.replaced.items()))
    anonymiser.check({k: v for k, v in cleaned.items() if k not in ("tool", "format", "replaced")})
    return cleaned


#: Written by us, from words of ours and of the protocol.
_OURS = frozenset({"format", "version", "tool", "note", "clock"})
#: What an SDP says of streams; its other lines may name people and places.
_STREAM_LINE = re.compile(
    r"[vbmt]=|a=(rtpmap|fmtp|control|range|framerate|framesize|recvonly|sendonly|type|range)\b"
)


def _learn(anonymiser: Anonymiser, document: Mapping[str, Any]) -> None:
    """Take in what a document holds of the camera's; what is ours in it is no secret."""
    anonymiser.learn(document["discovery"].get("json", {}))
    for call in document["calls"]:
        anonymiser.learn(call["sent"])
        anonymiser.learn(call["body"])
        for name, value in call["headers"].items():
            anonymiser.patterns(value) if name.lower() in _PLAIN_HEADERS else anonymiser.learn(value, name)
    for names in (document["tls"]["certificate"].get(part, {}) for part in ("subject", "issuer")):
        anonymiser.learn(names)
    for part in document["video"].values():
        for key, value in part.items() if isinstance(part, dict) else ():
            if key == "sdp":
                for line in str(value).splitlines():
                    if _STREAM_LINE.match(line):
                        anonymiser.patterns(line.partition("control:")[0], tokens=False)
                        if "://" in line:
                            anonymiser.learn(line.partition("control:")[2])
                    else:
                        for word in line[2:].split():
                            anonymiser.learn(word)
            elif isinstance(value, str) and key not in ("picture", "container"):
                anonymiser.patterns(value)
    for row in document["findings"]:
        anonymiser.patterns(row["detail"])
    anonymiser.patterns(document["overrides"], tokens=False)


def _told(body: str) -> dict[str, Any]:
    try:
        data = load_json(body, trailing=True)
    except Refused:
        return {}
    inner = data.get("data", data) if isinstance(data, dict) else {}
    return inner if isinstance(inner, dict) else {}


# -- discovery --------------------------------------------------------------------------------------


def _discovery(camera: Camera) -> dict[str, Any]:
    """The camera's discovery answer as it came; asked of it alone."""
    answer = b""
    with socket.socket(socket.AF_INET6 if ":" in camera.host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(3):
            with contextlib.suppress(OSError):
                sock.settimeout(0.7)
                sock.sendto(packet.REQUEST, (camera.host, packet.PORT))
                answer, _ = sock.recvfrom(packet.MAX_SIZE)
                break
    if not answer:
        return {"answered": False}
    told: dict[str, Any] = {
        "answered": True,
        "bytes": len(answer),
        "length_field": answer[6:8].hex(),
        "raw": answer,
    }
    with contextlib.suppress(SunmiIpcError, ValueError):
        found = packet.parse(answer)
        told["json"] = dict(found.payload)
        told["odd"] = list(found.odd)
    return told


def _fake_datagram(raw: bytes, anonymiser: Anonymiser) -> str:
    """The datagram with fakes in it: same header and layout, its own CRC."""
    if len(raw) < 12:
        return ""
    import zlib

    payload = raw[8:-4]
    try:
        text = base64.b64decode(payload + b"=" * (-len(payload) % 4)).decode("utf-8", "replace")
    except ValueError:
        return ""
    fake = base64.b64encode(anonymiser.text(text).encode())
    length = len(fake) if int.from_bytes(raw[6:8], "big") == len(payload) else int.from_bytes(raw[6:8], "big")
    head = raw[:6] + length.to_bytes(2, "big") + fake
    return (head + zlib.crc32(head).to_bytes(4, "big")).hex()


# -- video ------------------------------------------------------------------------------------------


def _video(camera: Camera, survey: Survey) -> Iterator[tuple[str, Any]]:
    answers = {c["path"].rpartition("/")[2]: _told(c["body"]) for c in survey.calls if c["status"] == 200}
    urls = answers.get("getLiveStream", {})
    for name in ("hd_live_url", "fhd_live_url"):
        url = urls.get(name)
        if isinstance(url, str) and url:
            yield name, _stream(camera, url)
    for name, path, key in (
        ("snapshot", "getSnapshot", "snapshot_url"),
        ("recording", "getVideoRecordList", "url"),
        ("clip", "getVideoClip", "url"),
    ):
        told = answers.get(path, {})
        rows = next(
            (v for v in told.values() if isinstance(v, list) and v and isinstance(v[0], dict)), [told]
        )
        url = next((v for row in rows for k, v in row.items() if k == key and isinstance(v, str)), "")
        if url:
            yield name, _first_bytes(camera, url, patience=14.0 if name == "clip" else 0.0)


def _stream(camera: Camera, url: str) -> dict[str, Any]:
    from ..video.address import rtsp
    from ..video.describe import describe

    told: dict[str, Any] = {}
    try:
        address = rtsp(camera, url)
        told["sdp"] = describe(address)
    except SunmiIpcError as error:
        return {"refused": error.message}
    try:
        from ..video.stream import frames

        with contextlib.closing(frames(address, every=0.0, timeout=10.0)) as pictures:
            picture = next(pictures)
        told["picture"] = f"{picture.shape[1]}x{picture.shape[0]}"
    except (ExtraMissingError, StopIteration):
        told["picture"] = "not looked at"
    except SunmiIpcError as error:
        told["picture"] = error.message
    return told


def _first_bytes(camera: Camera, url: str, *, patience: float) -> dict[str, Any]:
    """The first bytes of a file; never so many that there is a picture in them."""
    from ..video.fetch import Connection

    until = time.monotonic() + patience
    while True:
        try:
            with Connection(camera) as connection, connection.get(url) as body:
                head = bytearray()
                for piece in body.pieces(bytearray(_HEAD)):
                    head += piece
                    if len(head) >= _HEAD:
                        break
                return {"type": body.kind, "bytes": body.total, "head": bytes(head[:_HEAD]).hex(),
                        "container": container(bytes(head))}  # fmt: skip
        except SunmiIpcError as error:
            if time.monotonic() > until:
                return {"refused": error.message}
        time.sleep(1.0)


def container(head: bytes) -> str:
    """What the first bytes of a file show it to be."""
    if head[4:8] in (b"ftyp", b"moov", b"mdat"):
        return "mp4"
    for magic, name in (
        (b"FLV\x01", "flv"), (b"\xff\xd8\xff", "jpeg"), (b"\x89PNG", "png"), (b"RIFF", "riff"),
        (b"\x1aE\xdf\xa3", "matroska"), (b"G", "mpeg-ts"), (b"<", "markup"), (b"{", "json"),
    ):  # fmt: skip
        if head.startswith(magic):
            return name
    return "unknown"


__all__ = ["Progress", "Survey", "container", "dump", "questions"]
