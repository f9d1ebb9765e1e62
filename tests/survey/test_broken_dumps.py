"""Files that are no dump, and dumps that somebody has made to do harm: named, and nothing worse."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.protocol.spec import registry
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect
from sunmi_ipc.survey import model

DUMP = Path(__file__).parents[1] / "dumps" / "virtual-FM020.json"


def _text(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    return lambda raw: change(raw.decode()).encode()


def _part(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def made(raw: bytes) -> bytes:
        document = json.loads(raw)
        change(document)
        return json.dumps(document).encode()

    return made


def _set(*path: str | int, to: Any) -> Callable[[bytes], bytes]:
    def change(document: dict[str, Any]) -> None:
        inner: Any = document
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = to

    return _part(change)


#: How a file was broken by hand, and what the error must name.
BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda raw: b"", ""),
    "cut": (lambda raw: raw[: len(raw) // 2], ""),
    "no JSON": (lambda raw: b"<html>", ""),
    "a list": (lambda raw: b"[]", ""),
    "null": (lambda raw: b"null", ""),
    "not UTF-8": (lambda raw: b"\xff\xfe" + raw, ""),
    "a comment": (_text(lambda t: "// mine\n" + t), ""),
    "a comma too many": (_text(lambda t: t.rstrip()[:-1] + ",}"), ""),
    "deep": (lambda raw: b"[" * 200_000, ""),
    "a long number": (_text(lambda t: t.replace('"version": 1', '"version": ' + "9" * 5000)), ""),
    "another format": (_set("format", to="other"), "format"),
    "a later version": (_set("version", to=2), "version"),
    "no calls": (_part(lambda d: d.pop("calls")), "calls"),
    "calls of texts": (_set("calls", to=["x"]), "calls.0"),
    "a call without its path": (_part(lambda d: d["calls"][0].pop("path")), "calls.0.path"),
    "a path out of the tree": (_set("calls", 0, "path", to="../../etc/passwd"), "calls.0.path"),
    "a status of 9999": (_set("calls", 3, "status", to=9999), "calls.3.status"),
    "a header over two lines": (_set("calls", 0, "headers", to={"Server": "a\r\nX: y"}), "calls.0.headers"),
    "a body that is an object": (_set("calls", 0, "body", to={}), "calls.0.body"),
    "a time below nothing": (_set("calls", 0, "ms", to=-1), "calls.0.ms"),
    "no hex": (_set("discovery", "datagram", to="xyz"), "discovery.datagram"),
    "a verdict of one's own": (
        _part(lambda d: d["findings"][0].update(verdict="good")),
        "findings.0.verdict",
    ),
    "overrides that are no TOML": (_set("overrides", to="[["), ""),
    "a file of a petabyte": (
        _set("video", to={"snapshot": {"bytes": 1 << 60, "head": "ff"}}),
        "video.snapshot",
    ),
    "an sdp of a megabyte": (_set("video", to={"hd_live_url": {"sdp": "a" * 1_000_000}}), "sdp"),
    "a model of two lines": (_set("model", to="FM\n020"), "model"),
}


def _few(kinds: dict[str, Any], *quick: str) -> list[Any]:
    """All of *kinds*; those that are not *quick* where there is time."""
    assert set(quick) <= set(kinds)
    return [k if k in quick else pytest.param(k, marks=pytest.mark.slow) for k in sorted(kinds)]


@pytest.mark.parametrize(
    "kind", _few(BROKEN, "cut", "deep", "a path out of the tree", "overrides that are no TOML")
)
def test_a_broken_file_is_named_with_the_place(kind: str, tmp_path: Path) -> None:
    change, place = BROKEN[kind]
    path = tmp_path / "dump.json"
    path.write_bytes(change(DUMP.read_bytes()))
    for lang, opening in (("en", "error:"), ("zh", "错误")):
        for words in (["dump", "--check", str(path)], ["sim", "start", "--port", "0", "--from", str(path)]):
            done = CliRunner().invoke(app, words, env={"SUNMI_IPC_LANG": lang})
            said = done.stderr.strip()
            assert done.exit_code == 2, (words, done.output)
            assert said.startswith(opening)
            assert len(said.splitlines()) == 1
            assert str(path) in said
            assert place in said
            assert lang == "en" or any("\u4e00" <= c <= "\u9fff" for c in said.replace("错误", "", 1))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    with path.open("wb") as file:
        file.truncate(1 << 33)
    done = CliRunner().invoke(app, ["dump", "--check", str(path)])
    assert done.exit_code == 2
    assert "too large" in done.stderr
    assert CliRunner().invoke(app, ["dump", "--check", str(tmp_path)]).exit_code == 2
    assert CliRunner().invoke(app, ["dump", "--check", str(tmp_path / "none")]).exit_code == 2


#: Dumps whose form is right and whose content means harm.
HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "bodies that are no answer": _part(lambda d: [c.update(body="<html>") for c in d["calls"]]),
    "bodies of nothing": _part(lambda d: [c.update(body="") for c in d["calls"]]),
    "bodies nested deeply": _part(lambda d: [c.update(body='{"code":0,"data":' + "[" * 50_000) for c in d["calls"]]),
    "bodies of a megabyte": _part(
        lambda d: [c.update(body='{"code":0,"data":{"x":"' + "y" * 300_000 + '"}}') for c in d["calls"]]
    ),
    "links to elsewhere": _part(
        lambda d: [c.update(body='{"code":0,"data":{"url":"http://[","snapshot_url":"file:///etc/passwd"}}')
                   for c in d["calls"]]
    ),
    "every call a hundred times": _part(lambda d: d.update(calls=d["calls"] * 100)),
    "no call at all": _set("calls", to=[]),
    "refusals alone": _part(lambda d: [c.update(body='{"code":13}', status=500) for c in d["calls"]]),
    "no answer to anything": _part(lambda d: [c.update(body="", status=0) for c in d["calls"]]),
    "discovery of anybody": _set("discovery", "json", to={"ip": "8.8.8.8", "deviceid": "\x1b[2J", "mac": "x" * 5000}),
    "a datagram of four bytes": _set("discovery", "datagram", to="ffffffff"),
    "times of a year": _part(lambda d: [c.update(ms=3e10) for c in d["calls"]]),
    "an address that is a pattern": _part(
        lambda d: [c.update(body='{"code":0,"data":{"ip":"(a+)+$","sn":"(.*)*","mac":"((("}}') for c in d["calls"]]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", _few(HOSTILE, "bodies nested deeply", "no call at all"))
def test_a_dump_that_means_harm_makes_a_camera_that_answers(kind: str, vendor: Vendor) -> None:
    document = json.loads(HOSTILE[kind](DUMP.read_bytes()))
    if trouble := model.wrong(document):
        raise AssertionError(trouble)
    with VirtualCamera(vendor, state="ready", dump=document, udp=False) as replayed:
        with connect(replayed, timeout=10) as camera:
            for path in ("device/getInfo", "config/getLed", "media/getSnapshot", "face/getGroupList"):
                with contextlib.suppress(SunmiIpcError):
                    camera.call(registry()[path])
            with contextlib.suppress(SunmiIpcError):
                camera.image.set_led(False)
        assert replayed.sn.isprintable()
        assert replayed.ip.startswith("127.")
