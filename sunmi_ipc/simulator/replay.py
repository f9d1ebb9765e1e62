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

from ..protocol import overrides as corrections
from ..protocol.spec import Endpoint, registry
from ..protocol.wire import Override

_KEPT = ("Server", "Content-Type")


class RawAnswer(dict[str, Any]):
    """An answer to be sent as it stands, whatever it is."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.status: int = status
        self.text: str = text
        self.headers: dict[str, str] = dict(headers or {})


class Replay:
    """What a dump says, ready to be said again."""

    def __init__(self, dump: Mapping[str, Any]) -> None:
        self.overrides: dict[str, Override] = corrections.parse(dump.get("overrides", ""), "the dump")
        heard = dump.get("discovery", {})
        self.discovery: dict[str, str] = dict(heard.get("json", {}))
        self._header = bytes.fromhex(heard.get("datagram", "") or "")[:8]
        self._length_fits = self._fits(bytes.fromhex(heard.get("datagram", "") or ""))
        self._calls: dict[str, dict[str, Any]] = {}
        for call in dump.get("calls", ()):
            if call.get("signed", "yes") != "wrongly" and call["status"]:
                self._calls.setdefault(call["path"], dict(call))
        self._files: dict[str, tuple[str, bytes]] = dict(self._heads(dump.get("video", {})))
        info = _data(self._calls.get("device/getInfo", {}).get("body", ""))
        self.sn: str = str(info.get("sn") or self.discovery.get("deviceid") or "")
        self.mac: str = str(info.get("mac") or self.discovery.get("mac") or "")
        self.model: str = str(
            info.get("model_name") or dump.get("model") or self.discovery.get("model") or "FM020"
        )
        self.firmware: str = str(info.get("software_version") or dump.get("firmware") or "")
        self.old_ip: str = str(info.get("ip") or self.discovery.get("ip") or "")
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
            size = min(int(part.get("bytes") or len(head)), _MAX_FILE)
            yield urlsplit(str(url)).path.lstrip("/"), (str(part.get("type", "")), head.ljust(size, b"\0"))

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

    def answer(self, path: str, ip: str, port: int) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers of the dumped answer, with the address that the camera has now."""
        call = self._calls[path]
        headers = {k: v for k, v in call["headers"].items() if k in _KEPT}
        return call["status"], self._here(call["body"], ip, port), headers

    def _here(self, body: str, ip: str, port: int) -> str:
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
        try:
            payload = json.loads(call["body"])
        except ValueError:
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
        payload = base64.b64encode(json.dumps(told, ensure_ascii=False).encode())
        length = len(payload) if self._length_fits else int.from_bytes(self._header[6:8], "big")
        head = (self._header[:6] or b"\xff\xff\x33\xff\x01\x02") + length.to_bytes(2, "big") + payload
        return head + zlib.crc32(head).to_bytes(4, "big")


_FILES = {
    "snapshot": ("media/getSnapshot", "snapshot_url"),
    "recording": ("media/getVideoRecordList", "url"),
    "clip": ("media/getVideoClip", "url"),
}
_MAX_FILE = 32 * 1024 * 1024
#: Set calls whose read is another document than their own.
_PAIRS = {
    "config/setIpcName": "config/getIpcName",
    "config/setWifiConf": "config/getWifiConf",
    "config/setZoom": "config/getLensConf",
    "config/manualFocus": "config/getLensConf",
    "peopleFlow/setDoorLine": "peopleFlow/getDoorLine",
}


def _data(body: str) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except ValueError:
        return {}
    data = payload.get("data", payload) if isinstance(payload, dict) else {}
    return data if isinstance(data, dict) else {}
