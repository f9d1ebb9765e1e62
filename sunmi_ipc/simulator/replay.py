"""A virtual camera that answers as a dumped one: same layout, same types, same refusals.

Reads come from the dump as they stand there; what a set call changes is changed in what later reads say, in
the style of the dump. The camera's own address stands where the dumped camera had its own.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from .. import untrusted
from ..errors import ConfigError
from ..protocol import overrides as corrections
from ..protocol.serial import SerialNumber
from ..protocol.spec import Endpoint, registry
from ..protocol.wire import Override
from ..redact import printable
from ..survey.model import wrong

_KEPT = ("Server", "Content-Type")


class RawAnswer(dict[str, Any]):
    """An answer to be sent as it stands, whatever it is."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.status: int = status
        self.text: str = text
        self.headers: dict[str, str] = dict(headers or {})


class Replay:
    """What a dump says, ready to be said again.

    Raises:
        ConfigError: It is no dump that can be used.

    """

    def __init__(self, dump: Mapping[str, Any]) -> None:
        if trouble := wrong(dump):
            raise ConfigError(
                "the dump cannot be used: {reason}", hint="'ipc dump -o FILE' writes one.", reason=trouble
            )
        self.overrides: dict[str, Override] = corrections.parse(dump.get("overrides", ""), "the dump")
        heard = dump.get("discovery", {})
        self.discovery: dict[str, str] = dict(heard.get("json", {}))
        self._header = bytes.fromhex(heard.get("datagram", "") or "")[:8]
        self._length_fits = self._fits(bytes.fromhex(heard.get("datagram", "") or ""))
        self._calls: dict[str, dict[str, Any]] = {}
        for call in dump.get("calls", ()):
            if call.get("signed", "yes") != "wrongly" and call["status"]:
                self._calls.setdefault(call["path"], dict(call))
        video = dump.get("video", {})
        streams = {name: video.get(f"{name}_live_url") or {} for name in ("hd", "fhd")}
        #: What DESCRIBE was answered, and the size of the pictures, by stream.
        self.sdp: dict[str, str] = {f"live_{k}.sdp": v["sdp"] for k, v in streams.items() if v.get("sdp")}
        self.sizes: dict[str, tuple[int, int]] = {
            k: size for k, v in streams.items() if (size := _size(v.get("picture", ""))) is not None
        }
        self._files: dict[str, tuple[str, bytes]] = dict(self._heads(dump.get("video", {})))
        info = _data(self._calls.get("device/getInfo", {}).get("body", ""))
        # What it says of itself is shown and becomes a certificate: only what can be that is taken.
        self.sn: str = SerialNumber.read(info.get("sn") or self.discovery.get("deviceid")) or ""
        mac = _word(info.get("mac"), self.discovery.get("mac"))
        self.mac: str = mac if re.fullmatch(r"[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}", mac) else ""
        self.model: str = (
            _word(info.get("model_name"), dump.get("model"), self.discovery.get("model")) or "FM020"
        )
        self.firmware: str = _word(info.get("software_version"), dump.get("firmware"))
        self.old_ip: str = _word(info.get("ip"), self.discovery.get("ip"))
        self._documents = {
            endpoint.document: path
            for path, endpoint in self._dumped()
            if endpoint.document and endpoint.safe
        }

    def _heads(self, video: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, bytes]]]:
        for name, (path, key) in _FILES.items():
            part = video.get(name)
            if not isinstance(part, dict) or not part.get("head"):
                continue
            data = _data(self._calls.get(path, {}).get("body", ""))
            rows = next((v for v in data.values() if isinstance(v, list)), [data])
            url = next((row[key] for row in rows if isinstance(row, dict) and row.get(key)), "")
            head = bytes.fromhex(part["head"])
            size = min(part.get("bytes") or len(head), _MAX_FILE)
            try:
                place = urlsplit(str(url)).path.lstrip("/")
            except ValueError:
                continue
            yield place, (part.get("type", ""), head.ljust(size, b"\0"))

    def file(self, path: str) -> tuple[str, bytes] | None:
        """Type and bytes of the file at *path*, if the dump knows it."""
        return self._files.get(path)

    @staticmethod
    def _fits(datagram: bytes) -> bool:
        return len(datagram) < 12 or int.from_bytes(datagram[6:8], "big") == len(datagram) - 12

    def _dumped(self) -> list[tuple[str, Endpoint[..., Any]]]:
        """The dumped calls that are ours, by the path that they were sent to."""
        found = []
        for ours, endpoint in registry().items():
            override = self.overrides.get(ours)
            path = (override.path if override else "") or ours
            if path in self._calls:
                found.append((path, endpoint))
        return found

    def knows(self, path: str) -> bool:
        """Whether the dump has an answer to *path*."""
        return path in self._calls

    def unknown(self) -> tuple[int, str]:
        """How the camera answers where there is no such path: status and body."""
        call = self._calls.get("config/getNoSuchThing")
        return (call["status"], call["body"]) if call else (200, '{"code":6}')

    def answer(self, path: str, ip: str, port: int, live: str = "rtsp://") -> tuple[int, str, dict[str, str]]:
        """Status, body and headers of the dumped answer, with the addresses that the camera has now."""
        call = self._calls[path]
        headers = {k: v for k, v in call["headers"].items() if k in _KEPT}
        return call["status"], self._here(call["body"], ip, port, live), headers

    def _here(self, body: str, ip: str, port: int, live: str) -> str:
        if (stem := live.rpartition("/")[0]).count("/") > 2:
            # Where the streams are now: the address, the port and the 32 digits are this camera's.
            body = _STREAM.sub(lambda m: m[1] + stem.replace("/", m[2]) + m[2] + m[3], body)
        if not self.old_ip:
            return body
        body = re.sub(rf"(https?://){re.escape(self.old_ip)}(:\d+)?(?=/)", rf"\g<1>{ip}:{port}", body)
        return re.sub(rf"(?<![\d.]){re.escape(self.old_ip)}(?![\d.])", ip, body)

    def change(self, endpoint: Endpoint[..., Any], values: Mapping[str, Any]) -> None:
        """Have later reads say what a set call said, as numbers or texts as the camera writes them."""
        path = self._documents.get(endpoint.document) if endpoint.document else _PAIRS.get(endpoint.path)
        if path is None or path not in self._calls:
            return
        call = self._calls[path]
        payload = _object(call["body"])
        if not payload:
            return
        data = payload["data"] if isinstance(payload.get("data"), dict) else payload
        before = copy.deepcopy(data)
        names = self.overrides[endpoint.path].names if endpoint.path in self.overrides else {}
        for parameter in endpoint.parameters:
            if parameter.name in values:
                wire = names.get(parameter.wire, parameter.wire)
                old = before.get(wire)
                value = values[parameter.name]
                data[wire] = str(value) if isinstance(old, str) and not isinstance(value, str) else value
        style: dict[str, Any] = {"ensure_ascii": call["body"].isascii()}
        if '": ' not in call["body"]:
            style["separators"] = (",", ":")
        call["body"] = json.dumps(payload, **style)

    def datagram(self, values: Mapping[str, str]) -> bytes:
        """The discovery answer, with the header that the dumped camera sent."""
        told = dict(self.discovery)
        for name in ("ip", "port"):
            if name in values:
                told[name] = values[name]
        payload = base64.b64encode(json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"))
        length = len(payload) if self._length_fits else int.from_bytes(self._header[6:8], "big")
        head = (self._header[:6] or b"\xff\xff\x33\xff\x01\x02") + length.to_bytes(2, "big") + payload
        return head + zlib.crc32(head).to_bytes(4, "big")


_FILES = {
    "snapshot": ("media/getSnapshot", "snapshot_url"),
    "recording": ("media/getVideoRecordList", "url"),
    "clip": ("media/getVideoClip", "url"),
}
#: An RTSP address in JSON, where a slash may be written with a backslash before it: the stem, and what is asked for.
_STREAM = re.compile(
    r'(")rtsp:(\\?/)\\?/[^/"\\\s]{1,100}\\?/[^/"\\\s]{1,100}\\?/([^/"\\\s]{1,100}\.sdp)(?=[?"])'
)
_MAX_FILE = 32 * 1024 * 1024
#: Set calls whose read is another document than their own.
_PAIRS = {
    "config/setIpcName": "config/getIpcName",
    "config/setWifiConf": "config/getWifiConf",
    "config/setZoom": "config/getLensConf",
    "config/manualFocus": "config/getLensConf",
    "peopleFlow/setDoorLine": "peopleFlow/getDoorLine",
}


def _size(text: str) -> tuple[int, int] | None:
    """Width and height of pictures that a stream of ours can have."""
    match = re.fullmatch(r"([0-9]{2,4})x([0-9]{2,4})", text)
    if match is None:
        return None
    width, height = int(match[1]), int(match[2])
    fits = 64 <= width <= 2592 and 64 <= height <= 2592 and not (width % 2 or height % 2)
    return (width, height) if fits else None


def _object(body: str) -> dict[str, Any]:
    """The JSON object that *body* is; empty where it is none."""
    try:
        payload = untrusted.load_json(body, trailing=True)
    except untrusted.Refused:
        return {}
    return payload if isinstance(payload, dict) else {}


def _data(body: str) -> dict[str, Any]:
    payload = _object(body)
    data = payload.get("data", payload)
    return data if isinstance(data, dict) else {}


def _word(*said: Any) -> str:
    """The first of *said* that is something, as a text of one line."""
    return printable(str(next(filter(None, said), "")), 64)
