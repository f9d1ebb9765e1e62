"""``ipc console`` as a process: who reaches it, who is let in, what goes over the live socket."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings

from .browser import console
from .conftest import Http

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("nicegui") is None, reason="the extra console is not installed"),
]

VIDEO = VideoSettings(hd=PictureFormat(320, 180, 20), fhd=PictureFormat(320, 180, 20), zone=UTC)


@pytest.fixture(scope="module")
def camera() -> Iterator[VirtualCamera]:
    with Vendor() as vendor, VirtualCamera(vendor, state="ready", seed=77, video=VIDEO) as one:
        yield one


def environment(camera: VirtualCamera, folder: Path) -> dict[str, str]:
    return camera.vendor.environment() | {
        "SUNMI_IPC_CONFIG_DIR": str(folder), "SUNMI_IPC_INTERFACE": "lo", "LANG": "C.UTF-8",
    }  # fmt: skip


@pytest.fixture(scope="module")
def started(camera: VirtualCamera, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with console(environment(camera, tmp_path_factory.mktemp("config"))) as said:
        yield said


@pytest.fixture(scope="module")
def inside(started: dict[str, Any], camera: VirtualCamera) -> Http:
    """The first one, and only he: the link works once."""
    http = Http(started["base"])
    code = parse_qs(urlsplit(started["url"]).query)["code"][0]
    assert http.enter(code) == 303
    assert http.enter(code) == 403
    end = time.monotonic() + 60
    while http("GET", f"/picture/{camera.sn}.jpg")[0] != 200:
        assert time.monotonic() < end, "the camera was not found"
        time.sleep(0.3)
    return http


def test_it_says_where_it_is_and_listens_on_loopback_alone(started: dict[str, Any]) -> None:
    assert started["ready"] is True
    parts = urlsplit(started["url"])
    assert (parts.scheme, parts.hostname, parts.path) == ("http", "127.0.0.1", "/enter")
    assert parts.port is not None
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", parts.port))


def test_pages_and_pictures_are_for_sessions(
    started: dict[str, Any], inside: Http, camera: VirtualCamera
) -> None:
    stranger = Http(started["base"])
    for path in ("/", f"/camera/{camera.sn}", f"/picture/{camera.sn}.jpg", "/footage/x.mp4", "/_nicegui/x"):
        assert stranger("GET", path)[0] == 401, path
    assert stranger("GET", "/enter")[0] == 200
    status, headers, body = inside("GET", f"/picture/{camera.sn}.jpg?width=200")
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert body.startswith(b"\xff\xd8")
    assert inside("GET", "/picture/NOBODY.jpg")[0] == 404
    assert inside("GET", "/footage/..%2f..%2fetc%2fpasswd")[0] == 404
    assert inside("GET", "/", Host="evil.example")[0] == 421
    assert inside("POST", "/enter", "code=x", Origin="http://evil.example")[0] == 403
    forged = Http(started["base"])
    forged.cookie = "ipc_session=AAAA"
    assert forged("GET", "/")[0] == 401


def test_a_page_begins_with_its_picture_before_anything_has_to_be_fetched(
    inside: Http, camera: VirtualCamera
) -> None:
    status, headers, body = inside("GET", f"/camera/{camera.sn}")
    assert status == 200
    assert int(headers["content-length"]) == len(body)
    text = body.decode()
    begins = text.index(f'<script>LivePicture.begin("/live/{camera.sn}/fhd")</script>')
    assert (
        text.index("<head>") < text.index("window.LivePicture = LivePicture") < begins < text.index("@import")
    )
    assert f'<link rel="preload" as="image" href="/picture/{camera.sn}.jpg' in text[:begins]
    assert text.count("window.LivePicture = LivePicture") == 1
    # What waits for a camera is whole, too: a report stands for itself, set-up comes with its frame.
    report = inside("GET", f"/report/{camera.sn}")
    assert (report[0], b"<article" in report[2], b"nicegui" in report[2]) == (200, True, False)
    assert camera.sn in inside("GET", f"/setup/{camera.sn}")[2].decode()
    # Where no picture stands, none is asked for; reports and the door are not touched.
    assert "LivePicture.begin(" not in inside("GET", f"/camera/{camera.sn}?tab=card")[2].decode()
    assert b"LivePicture" not in inside("GET", "/enter?code=X")[2]


def test_a_camera_that_does_not_answer_holds_up_no_page(inside: Http, camera: VirtualCamera) -> None:
    """The page is there at once, and what the camera does not say is waited for in it."""
    camera.fail("hang", times=None)
    try:
        for path in ("/", f"/camera/{camera.sn}", f"/setup/{camera.sn}", "/fleet", "/sessions"):
            began = time.monotonic()
            status, _, body = inside("GET", path)
            assert status == 200, path
            assert b"response_timeout" not in body, path
            assert time.monotonic() - began < 8, path
        camera.faults.clear()
        camera.fail("delay", 4.0, path="media/getLiveStream", times=None)
        status, _, body = inside("GET", f"/report/{camera.sn}")  # its picture is waited for
        assert status == 200
        assert b"<article" in body
        assert b"data:image" in body
    finally:
        camera.faults.clear()


def test_what_is_too_large_is_refused_by_the_port(started: dict[str, Any]) -> None:
    stranger = Http(started["base"])
    assert stranger("POST", "/enter", "code=" + "A" * 20_000)[0] == 413


def test_wrong_codes_are_slowed_down(started: dict[str, Any]) -> None:
    http = Http(started["base"])
    for _ in range(12):
        status, _, body = http("POST", "/enter", "code=AAAAAAAA")
        assert status == 403
    assert b"too many" in body


def sockets(started: dict[str, Any], cookie: str, path: str, **more: Any) -> Any:
    from websockets.sync.client import connect

    return connect(
        started["base"].replace("http", "ws", 1) + path,
        additional_headers={"Cookie": cookie} if cookie else None,
        compression=None,
        **{"origin": started["base"]} | more,
    )


def test_the_live_socket_needs_a_session_and_this_origin(
    started: dict[str, Any], inside: Http, camera: VirtualCamera
) -> None:
    from websockets.exceptions import InvalidStatus

    path = f"/live/{camera.sn}/hd"
    for cookie, more in (
        ("", {}),
        (inside.cookie, {"origin": "http://evil.example"}),
        (inside.cookie, {"origin": None}),
    ):
        with pytest.raises(InvalidStatus):
            sockets(started, cookie, path, **more)
    for wrong in ("/live/NOBODY/hd", f"/live/{camera.sn}/8k"):
        with pytest.raises(InvalidStatus):
            sockets(started, inside.cookie, wrong)


def test_twenty_viewers_of_a_camera_are_one_session_with_it(
    started: dict[str, Any], inside: Http, camera: VirtualCamera
) -> None:
    before = camera.state.counts.get("media/getLiveStream", 0)
    with contextlib.ExitStack() as stack:
        viewers = [
            stack.enter_context(sockets(started, inside.cookie, f"/live/{camera.sn}/fhd")) for _ in range(20)
        ]
        for viewer in viewers:
            texts: list[dict[str, Any]] = []
            while not texts or "codecs" not in texts[-1]:
                message = viewer.recv(timeout=20)
                assert isinstance(message, str)
                texts.append(json.loads(message))
            assert texts[-1]["codecs"].startswith("avc1.")
            assert viewer.recv(timeout=20)[4:8] == b"ftyp"
            assert b"moof" in viewer.recv(timeout=20)[:16]
    # None, where the picture is still warm from a page that was looked at before.
    assert camera.state.counts["media/getLiveStream"] - before <= 1
    assert camera.state.counts["media/getLiveStream"] >= 1


def test_in_the_network_it_is_https_with_a_certificate_of_its_own(
    camera: VirtualCamera, tmp_path: Path
) -> None:
    with console(environment(camera, tmp_path), "--lan") as said:
        parts = urlsplit(said["url"])
        assert parts.scheme == "https"
        der = ssl.PEM_cert_to_DER_cert((tmp_path / "console" / "console.pem").read_text())
        context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(der))
        here = f"https://127.0.0.1:{parts.port}"
        request = urllib.request.Request(
            f"{here}/enter", f"code={parse_qs(parts.query)['code'][0]}".encode(), {"Origin": here}
        )

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                return None

        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), Stay)
        with pytest.raises(urllib.error.HTTPError) as caught:
            opener.open(request, timeout=20)
        assert caught.value.code == 303
        cookie = caught.value.headers["set-cookie"]
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert caught.value.headers["strict-transport-security"]
        caught.value.close()
        import hashlib

        assert said["sha256"].replace(":", "").lower() == hashlib.sha256(der).hexdigest()


def run(*options: str, **more: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "sunmi_ipc_cli", "console", "--no-open", *options],
        capture_output=True, text=True, timeout=60, env={**os.environ, **more}, check=False,
    )  # fmt: skip


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        made = run("--port", str(taken.getsockname()[1]), SUNMI_IPC_CONFIG_DIR=str(tmp_path))
    assert made.returncode == 2
    assert "--port" in made.stderr
    assert "Traceback" not in made.stderr
    made = run("--cert", "x.pem", SUNMI_IPC_CONFIG_DIR=str(tmp_path))
    assert (made.returncode, "--key" in made.stderr) == (2, True)
    broken = tmp_path / "x.pem"
    broken.write_text("nothing")
    made = run("--cert", str(broken), "--key", str(broken), SUNMI_IPC_CONFIG_DIR=str(tmp_path))
    assert made.returncode == 2
    assert "do not serve" in made.stderr


def test_the_terminal_shows_a_code_to_scan() -> None:
    from sunmi_ipc_cli.console.commands import qr_text

    made = qr_text("https://192.168.1.5:8500/enter?code=ABCD2345")
    lines = made.splitlines()
    assert 12 <= len(lines) <= 30
    assert any("█" in line or "▄" in line or "▀" in line for line in lines)
