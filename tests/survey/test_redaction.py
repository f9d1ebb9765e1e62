"""Marks in every place of a dump, in every spelling: none is left.

A document as a camera might make it is built on the dumps that we have; nothing of it is known beforehand but the
secrets, the address and the serial number. Then every spelling of every mark is looked for in every byte.
"""

from __future__ import annotations

import base64
import copy
import json
import random
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sunmi_ipc.protocol import overrides as corrections
from sunmi_ipc.protocol.wire import Override
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect
from sunmi_ipc.survey import model
from sunmi_ipc.survey.anonymise import Anonymiser
from sunmi_ipc.survey.dump import anonymous, dump

Way = Callable[[str], str]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _for_urls(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


#: How a value may be written where it stands.
WAYS: dict[str, Way] = {
    "plain": lambda v: v,
    "in a sentence": lambda v: f"the {v} of the shop",
    "upper case": str.upper,
    "lower case": str.lower,
    "other case": str.swapcase,
    "base64": _base64,
    "base64 twice": lambda v: _base64(_base64(v)),
    "base64 of a form": lambda v: _base64(f"name={v}&x=1"),
    "base64 for URLs": _for_urls,
    "base64 for URLs twice": lambda v: _for_urls(_for_urls(v)),
    "percent": _percent,
    "percent twice": lambda v: quote(_percent(v), safe=""),
    "percent of base64": lambda v: _percent(_base64(v)),
    "base64 of percent": lambda v: _base64(_percent(v)),
    "hex": lambda v: v.encode().hex(),
    "HEX": lambda v: v.encode().hex().upper(),
    "hex in pairs": lambda v: v.encode().hex(":"),
    "JSON": lambda v: json.dumps({"a": v}),
    "JSON in JSON in JSON": lambda v: json.dumps({"a": json.dumps({"b": json.dumps([v])})}),
    "escaped": lambda v: "".join(f"\\u{ord(c):04x}" for c in v),
    "UTF-16 in hex": lambda v: v.encode("utf-16-le").hex(),
    "UTF-16 in base64": lambda v: base64.b64encode(v.encode("utf-16-le")).decode(),
    "punycode": lambda v: "xn--" + v.encode("punycode").decode(),
    "with blanks": " ".join,
    "with hyphens": "-".join,
    "HTML": lambda v: "".join(f"&#{ord(c)};" for c in v),
}
_FILES = sorted((Path(__file__).parents[1] / "dumps").glob("*.json"))
#: Two flavours more than there are files of.
_MADE: dict[str, dict[str, Any]] = {
    "neighbours": {"quirks": ("neighbours", "unknown-fields")}, "FM010": {"model": "FM010", "quirks": ("missing-fields",)},
}  # fmt: skip


def marks(seed: str) -> dict[str, str]:
    """Something of each kind that identifies, made of nothing that a dump has anyhow."""
    die = random.Random(seed)

    def some(count: int, of: str) -> str:
        return "".join(die.choice(of) for _ in range(count))

    return {
        "name": f"Zq{some(8, 'abcdefghkmnp')}7收银",
        "word": f"Zt{some(9, 'abcdefghkmnp')}8",
        "secret": f"pW{some(6, 'ABCDEFabcdef0123456789')}!x9",
        "serial number": f"FS{die.randrange(100, 999)}D8BS{die.randrange(10_000, 99_999)}",
        "face": some(16, "0123456789abcdef"),
        "host": f"shop{some(6, 'abcdefghk')}.example",
        "mac": ":".join(f"{die.randrange(16, 256):02X}" for _ in range(6)),
        "ip": f"192.168.{die.randrange(100, 256)}.{die.randrange(100, 255)}",
    }


def spellings(kind: str, value: str) -> Iterator[str]:
    """Everything that *value* must not be found as."""
    for way in WAYS.values():
        made = way(value)
        yield from (made, made.strip("="), json.dumps(made)[1:-1])
    for shift in (1, 2):  # as a part of something longer in base64
        yield base64.b64encode(b"x" * shift + value.encode() + b"xx").decode()[4:-4]
    if kind == "mac":
        bare = value.replace(":", "")
        for mac in (bare, value.replace(":", "-"), ".".join(bare[i : i + 4] for i in (0, 4, 8))):
            yield from (mac, mac.lower())


def planted(document: dict[str, Any], m: dict[str, str], way: Way) -> dict[str, Any]:
    """*document* with the marks in every place that a camera fills."""
    made = copy.deepcopy(document)
    made.pop("replaced", None)
    sn, name, secret, face, host, mac = (
        m[k] for k in ("serial number", "name", "secret", "face", "host", "mac")
    )
    bare = mac.replace(":", "")
    heard = made["discovery"]
    heard["json"] = {
        **heard.get("json", {}),
        "deviceid": sn,
        "name": name,
        "mac": mac,
        "alias": way(name),
        sn: way(sn),
    }
    heard["raw"], heard["odd"] = _datagram(heard["json"]), [f"odd {sn}"]
    made["tls"]["certificate"]["subject"] = {
        "CN": sn,
        "O": name,
        "OU": way(name),
        "emailAddress": f"x@{host}",
    }
    made["tls"]["certificate"]["issuer"] = {"CN": way(host)}
    for number, call in enumerate(made["calls"]):
        call["headers"] |= {
            "Server": f"srv/1.0 {sn}",
            "WWW-Authenticate": f'Digest realm="{name}", nonce="{way(secret)}"',
        }
        call["sent"] = {"group_name": name, "faceid": face}
        fields = {
            "sn": sn, "ssid": name, "password": secret, "faceid": face, "mac": mac, "host": host, "owner": m["word"],
            "mac2": way(mac), "mac3": bare.lower(), "mac4": ".".join(bare[i : i + 4] for i in (0, 4, 8)).lower(),
            "mac5": mac.replace(":", "-"), "mac6": mac.lower(), "note": way(name), "log": way(secret), "id": way(face),
            "text": way(sn), "more": way(host), "type": sn, "status": way(name)[:24], "firmware": way(sn),
            name: 1, sn: {"a": 1}, face: 2, way(name): 3, way(face): 4,
            "pic_url": f"http://{host}/x/{face}.jpg?token={quote(way(secret), safe='')}&n={quote(way(name), safe='')}",
        }  # fmt: skip
        try:
            body = json.loads(call["body"])
        except ValueError:
            body = {}
        if number % 4 == 0:
            body = {"code": 5, "msg": f"no {way(name)} {sn} {way(secret)}", "data": fields}
        elif number % 4 == 1:
            (body["data"] if isinstance(body.get("data"), dict) else body).update(fields)
        else:
            body |= fields
        call["body"] = json.dumps(body, ensure_ascii=bool(number % 2))
        if number % 5 == 0:
            call["body"] = f"<html>{name} {way(sn)} {way(name)} {secret}</html>"
    sdp = (
        f"v=0\r\no={m['word']} 1 1 IN IP4 {m['ip']}\r\ns={name}\r\ni={way(name)}\r\nu=http://{host}/\r\ne=a@{host}\r\n"
        f"t=0 0\r\na=tool:{m['word']}\r\na=control:rtsp://{m['ip']}:8554/{face}\r\nm=video 0 RTP/AVP 96\r\n"
        f"a=rtpmap:96 H264/90000\r\na=x-name:{way(name)}\r\n"
    )
    head = (b"\xff\xd8" + sn.encode() + name.encode("utf-16-le") + host.encode())[:64]
    made["video"] = {
        "hd_live_url": {"sdp": sdp, "picture": f"no: {sn}"},
        "snapshot": {"type": f"image/jpeg; name={sn}", "bytes": 3, "head": head.hex(), "container": "jpeg"},
        "clip": {"refused": f"HTTP 404 {sn} http://{host}/{face}"},
    }
    made["overrides"] = corrections.dump({"config/setLed": Override("", {"led_switch": f"led_{sn}"})})
    made["findings"] = [
        {"path": "config/getLed", "fact": "fields", "evidence": "inferred", "verdict": "open",
         "detail": f"unknown: {name}, {sn}, {face}, {way(name)}"},
    ]  # fmt: skip
    made["model"], made["firmware"] = f"FM020 {sn}", f"1.8.2 {name}"
    return made


def _datagram(told: dict[str, str]) -> bytes:
    payload = base64.b64encode(json.dumps(told, ensure_ascii=False).encode())
    head = b"\xff\xff3\xff\x01\x02" + len(payload).to_bytes(2, "big") + payload
    return head + zlib.crc32(head).to_bytes(4, "big")


def every_byte(document: dict[str, Any]) -> str:
    """The document as text, with what is in hex and base64 in it."""
    datagram = bytes.fromhex(document["discovery"]["datagram"])[8:-4]
    head = bytes.fromhex(document["video"]["snapshot"]["head"])
    return "\n".join(
        [json.dumps(document, ensure_ascii=False), json.dumps(document), base64.b64decode(datagram).decode(),
         head.decode("latin-1"), head.decode("utf-16-le", "replace"), head[1:].decode("utf-16-le", "replace")]
    )  # fmt: skip


def leaks(document: dict[str, Any], m: dict[str, str]) -> list[str]:
    """The marks that are in *document*, each with how it is spelt there."""
    text = every_byte(document)
    found = ((kind, s) for kind, value in m.items() for s in spellings(kind, value) if len(s) > 5)
    return [f"{kind} as {spelling!r}" for kind, spelling in found if spelling in text]


def check(document: dict[str, Any], way: str, seed: str) -> None:
    m = marks(seed)
    before = planted(document, m, WAYS[way])
    after = anonymous(copy.deepcopy(before), Anonymiser([m["secret"]], host=m["ip"], sn=m["serial number"]))
    assert leaks(after, m) == []
    before["discovery"].pop("raw")
    before["discovery"]["datagram"] = _datagram({"a": ""}).hex()
    assert {line.split(" as ")[0] for line in leaks(before, m)} == set(m)  # the search means something
    after.pop("replaced")
    assert model.wrong(after) is None


@pytest.mark.parametrize("way", ["plain", "base64 twice", "JSON in JSON in JSON", "UTF-16 in hex"])
def test_marks_everywhere(way: str) -> None:
    check(model.read(_FILES[-1]), way, way)


@pytest.mark.slow
@pytest.mark.parametrize("flavour", [*(path.stem for path in _FILES), *_MADE])
def test_every_spelling_in_every_flavour(flavour: str, vendor: Vendor) -> None:
    if flavour in _MADE:
        with VirtualCamera(vendor, state="ready", **_MADE[flavour]) as virtual, connect(virtual) as camera:
            document = dump(camera, pace=0.0, video=False)
    else:
        document = model.read(next(path for path in _FILES if path.stem == flavour))
    for way in WAYS:
        for turn in range(2):
            check(document, way, f"{flavour}/{way}/{turn}")


@pytest.mark.parametrize(
    "key",
    [
        "张伟",
        "Nanjing Road",
        "8a7b6c5d4e3f2a1b",
        "a7b6c5d4e3f2a1b8",
        "acde48001122",
        "Zoë",
        "a@b.example",
        "wang5678",
    ],
)
def test_what_is_a_key_alone(key: str) -> None:
    """Fields keep their names, for they are what we want to see; people and things that stand in their place do not."""
    body = json.dumps({"code": 0, "data": {key: 1, "led_switch": 1, "people_detect_status": 2, "page2": 0}})
    anonymiser = Anonymiser()
    anonymiser.learn(body)
    cleaned = anonymiser.clean(body)
    assert key not in cleaned
    assert json.dumps(key)[1:-1] not in cleaned
    assert {"led_switch", "people_detect_status", "page2"} < set(json.loads(cleaned)["data"])
