"""Cameras and texts that mean ill, in Chromium: streams that drip and never end, names that are scripts."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.fleet.journal import StepRecord
from sunmi_ipc.fleet.outcome import Outcome, Problem, Standing
from sunmi_ipc.fleet.report import Row
from sunmi_ipc.fleet.report_html import write_html
from sunmi_ipc.fleet.sitefile import load
from sunmi_ipc.i18n import Language
from sunmi_ipc.simulator import VirtualCamera

from .browser import MISSING, PHONE, Page
from .shop import Open, Shop, playing

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

#: Whatever stands in a page as what it is shown: none of it may run.
SCRIPTS = (
    "<script>window.__xss=1</script>",
    "<img src=x onerror=window.__xss=2>",
    "</title><svg onload=window.__xss=3>",
    "\"'><iframe srcdoc='<script>top.__xss=4</script>'>{{constructor.constructor('window.__xss=5')()}}",
)


#: What a video service answers to everything, until it is told to stop.
Answer = Callable[[socket.socket, threading.Event], None]


def _drip(sock: socket.socket, stop: threading.Event) -> None:
    """An answer of which a byte a second comes."""
    for byte in itertools.cycle(b"RTSP/1.0 200 OK\r\nX: "):
        sock.sendall(bytes([byte]))
        if stop.wait(1.0):
            return


def _endless_head(sock: socket.socket, stop: threading.Event) -> None:
    """A head without an end, as fast as it is taken."""
    sock.sendall(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n")
    while not stop.is_set():
        sock.sendall(b"X-More: " + b"a" * 4000 + b"\r\n")


def _endless_sdp(sock: socket.socket, stop: threading.Event) -> None:
    """A description that says that it is ten gigabytes, and sends them."""
    sock.sendall(
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 10000000000\r\n\r\nv=0\r\n"
    )
    while not stop.is_set():
        sock.sendall(b"a=" + b"x" * 65_000 + b"\r\n")


def _dripping_sdp(sock: socket.socket, stop: threading.Event) -> None:
    """A description of which a byte a second comes."""
    sock.sendall(
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 4000\r\n\r\n"
    )
    _drip(sock, stop)


@contextmanager
def answering(host: str, answer: Answer) -> Iterator[int]:
    """A port at which every connection gets *answer* to whatever it asks."""
    stop = threading.Event()
    listener = socket.create_server((host, 0))

    def serve(sock: socket.socket) -> None:
        with suppress(OSError), sock:
            sock.recv(4096)
            answer(sock, stop)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def streaming_from(camera: VirtualCamera, port: int) -> Iterator[None]:
    """*camera* names this port for its video, as an owned one may."""
    address = camera.state.documents["address"]
    own, address["rtsp_port"] = address["rtsp_port"], port
    try:
        yield
    finally:
        address["rtsp_port"] = own


def megabytes(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.parametrize("answer", [_drip, _endless_head, _endless_sdp, _dripping_sdp])
def test_a_video_service_that_drips_or_never_ends_is_told_of_and_holds_up_nobody(
    shop: Shop, open_: Open, answer: Answer
) -> None:
    """Within its bounds: in words, with single pictures meanwhile; the other cameras play, and no memory is taken."""
    with answering(shop.side.ip, answer) as port, streaming_from(shop.side, port):
        time.sleep(11)  # a session of another test's lingers
        before = megabytes(shop.pid)
        page = open_(PHONE)
        page.go(f"/camera/{shop.side.sn}")
        page.page.wait_for_function(
            "() => { const s = document.querySelector('.lp-state')?.innerText || ''; return s.includes('Single pictures meanwhile') }"
        )
        page.page.wait_for_function(
            "[...document.querySelectorAll('img.lp-media')].some(i => i.src.includes('&t=') && i.naturalWidth > 300)"
        )
        said = page.page.inner_text(".lp-state")
        assert "Traceback" not in said
        assert len(said.split(". ")[0]) > 10, said
        other = open_(PHONE)
        other.go(f"/camera/{shop.door.sn}")
        playing(other)
        assert megabytes(shop.pid) - before < 60
        assert page.wrong == []
    playing(page)  # and once the camera's own answers, it plays by itself


def ran_nothing(page: Page) -> None:
    """Nothing of what was shown has run."""
    page.page.wait_for_timeout(300)
    assert page.page.evaluate("window.__xss") is None
    assert page.page.locator("img[src=x], iframe").count() == 0


def test_nothing_that_a_camera_a_guest_or_a_link_says_runs(
    shop: Shop, chromium: Any, cookie: list[Any]
) -> None:
    """Names, networks, groups of faces, a browser's own name, addresses: in a real browser, on every page."""
    side, new = shop.side.state, shop.new.state
    with shop.client("side") as camera:
        camera.faces.groups()
    groups = side.documents["groups"]
    before, networks, kept = side.name, new.networks, dict(groups)
    ran: list[str] = []
    try:
        for script in SCRIPTS:
            side.name, new.networks = script, ((script, "WPA-PSK", "x" * 8), *networks)
            groups[script] = dict(groups["stranger"]) | {"group_name": script}
            context = chromium.new_context(user_agent=script, viewport={"width": 390, "height": 844})
            context.add_cookies(cookie)
            page = Page(context.new_page(), shop.base)
            page.page.on("dialog", lambda d: (ran.append(d.message), d.dismiss()))
            own = f"/camera/{shop.side.sn}"
            seen = ""
            for path in ("/", own, f"{own}?tab=faces", f"/setup/{shop.new.sn}", "/sessions"):
                page.page.goto(shop.base + path)
                page.page.wait_for_selector("#main")
                page.page.wait_for_timeout(600)
                seen += page.page.inner_text("body")
                ran_nothing(page)
            assert script in seen, script  # it was there to be run: shown as what it is
            for path in (
                f"/enter?code={quote(script)}",
                f"/camera/{quote(script, safe='')}?tab={quote(script)}",
            ):
                page.page.goto(shop.base + path)
                ran_nothing(page)
            context.close()
        assert ran == []
    finally:
        side.name, new.networks = before, networks
        groups.clear()
        groups.update(kept)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_in_a_report_runs(chromium: Any, tmp_path: Path, lang: Language) -> None:
    """The report of a site and of all sites: whatever stands in it came from cameras, files and other people."""
    script = "".join(SCRIPTS)
    (tmp_path / "site.toml").write_text('[[cameras]]\nsn = "FS101D8BS00100"\n', "utf-8")
    (slot,) = load(tmp_path / "site.toml").slots
    outcome = Outcome(
        slot.key, sn=script, mac=script, model=script, standing=Standing.FAILED, card=script, address=script,
        name=script,
    )  # fmt: skip
    outcome.problems.append(Problem.of(SunmiIpcError("{said}", hint="{said}", said=script), script, script))
    outcome.notes.append(script)
    step = StepRecord(1, slot.key, script, script, script, script, 1.0, 2.0, {})
    row = Row(slot, outcome, updated=time.time(), steps=[step], missing=script)
    write_html(tmp_path / "report.html", script, [row], lang)
    context = chromium.new_context()
    page = context.new_page()
    ran: list[str] = []
    page.on("dialog", lambda d: (ran.append(d.message), d.dismiss()))
    page.goto((tmp_path / "report.html").as_uri())
    page.wait_for_timeout(500)
    assert page.evaluate("window.__xss") is None
    assert page.locator("script, iframe, img, [onload], [onerror]").count() == 0
    assert "window.__xss=1" in page.inner_text("body")
    assert ran == []
    context.close()
