"""The live picture in Chromium: it plays, comes back, falls back."""

from __future__ import annotations

import time
from datetime import UTC
from typing import Any

import pytest

from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.video import VideoSettings
from tests.patience import eventually

from ..video.rtsp_server import Server
from .browser import MISSING, PHONE, Page
from .shop import SMALL, Open, Shop, playing

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


def test_video_plays_and_moves(shop: Shop, open_: Open) -> None:
    page = open_(PHONE)
    page.go(f"/camera/{shop.door.sn}")
    playing(page)
    shots = """() => { const v = document.querySelector('video.lp-media'), c = document.createElement('canvas');
      c.width = 160; c.height = 90; const g = c.getContext('2d'); g.drawImage(v, 0, 0, 160, 90);
      return [v.currentTime, [...g.getImageData(0, 0, 160, 90).data], v.videoWidth, v.videoHeight] }"""
    before = page.page.evaluate(shots)
    page.page.wait_for_timeout(2500)
    after = page.page.evaluate(shots)
    assert after[0] - before[0] > 1.5
    assert sum(a != b for a, b in zip(before[1], after[1], strict=True)) > 200
    assert after[2:] == [960, 540]
    # What has drifted, as after a pause of the network, is at the newest again in no time.
    behind = "() => { const v = document.querySelector('video.lp-media'), b = v.buffered; return b.end(b.length - 1) - v.currentTime }"
    drifted = page.page.evaluate(
        "() => { const v = document.querySelector('video.lp-media'), b = v.buffered; v.currentTime = Math.max(b.start(0), b.end(b.length - 1) - 2.5);"
        " return b.end(b.length - 1) - v.currentTime }"
    )
    assert drifted > 1
    page.page.wait_for_function(f"() => ({behind})() < 0.9", timeout=60_000)
    assert page.wrong == []


def test_square_pictures_are_square(shop: Shop, open_: Open) -> None:
    page = open_(PHONE)
    page.go(f"/camera/{shop.till.sn}")
    playing(page)
    box = page.page.locator(".lp-stage").bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(box["height"], rel=0.03)


_HIDE = (
    "h => { Object.defineProperty(document, 'hidden', {value: h, configurable: true});"
    " document.dispatchEvent(new Event('visibilitychange')) }"
)


def played_from(camera: VirtualCamera) -> int:
    """How many have the camera's stream at this moment, as the camera itself knows it."""
    assert camera._rtsp is not None
    return sum(one._player is not None for one in tuple(camera._rtsp._connections))


def wait_until_played_from(camera: VirtualCamera, many: int) -> None:
    end = time.monotonic() + 60
    while played_from(camera) != many:
        assert time.monotonic() < end, played_from(camera)
        time.sleep(0.1)


def test_the_picture_comes_back_after_a_restart(shop: Shop, open_: Open) -> None:
    page = open_()
    page.go(f"/camera/{shop.side.sn}")
    playing(page)
    shop.side.restart(1.5)
    page.page.wait_for_selector(".lp-state")
    playing(page)


def test_a_page_that_is_hidden_has_no_stream_and_has_it_again_when_it_is_seen(
    shop: Shop, open_: Open
) -> None:
    """One with the phone in the pocket costs camera and network nothing: the camera itself says so."""
    page = open_(PHONE)
    sockets: list[Any] = []
    page.page.on("websocket", lambda one: sockets.append(one) if "/live/" in one.url else None)
    page.go(f"/camera/{shop.till.sn}")
    playing(page)
    wait_until_played_from(shop.till, 1)
    page.page.evaluate(_HIDE, True)
    page.page.wait_for_function("document.querySelector('video.lp-media').src === ''")
    wait_until_played_from(shop.till, 0)
    assert [one.is_closed() for one in sockets] == [True] * len(sockets)
    page.page.evaluate(_HIDE, False)
    playing(page)
    wait_until_played_from(shop.till, 1)


def test_a_stream_that_browsers_do_not_play_is_shown_as_pictures_until_it_is_one_that_they_do(
    shop: Shop, open_: Open
) -> None:
    shop.side.state.video = VideoSettings(hd=SMALL.hd, fhd=SMALL.fhd, codec="mjpeg", zone=UTC)
    shop.side.restart(0.5)
    try:
        time.sleep(1)
        page = open_()
        page.go(f"/camera/{shop.side.sn}")
        page.page.wait_for_function(
            "() => { const i = [...document.querySelectorAll('img.lp-media')].pop(); return i && i.src.includes('&t=') && i.naturalWidth > 300 }",
        )
        page.page.evaluate("LivePicture.AGAIN_MS = 2000")  # it is tried again every minute
        page.page.evaluate(_HIDE, True)
        page.page.evaluate(_HIDE, False)
        first = page.page.evaluate("[...document.querySelectorAll('img.lp-media')].pop().src")
        page.page.wait_for_function(
            "f => { const i = [...document.querySelectorAll('img.lp-media')].pop(); return i && i.src !== f }",
            arg=first,
        )
    finally:
        shop.side.state.video = SMALL
        shop.side.restart(0.5)
    playing(page)
    page.page.wait_for_function("!document.querySelector('img.lp-media[src*=\"&t=\"]')")


def test_the_picture_plays_by_a_managed_media_source(shop: Shop, chromium: Any, cookie: list[Any]) -> None:
    """As on an iPhone, where there is no other; with a stand-in for it."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.add_cookies(cookie)
    context.add_init_script(
        "const Real = window.MediaSource; window.made = 0;"
        "window.ManagedMediaSource = class extends Real { constructor() { super(); window.made++;"
        " const v = window.earlyPicture?.video || document.querySelector('video.lp-media');"
        " window.remote = v?.disableRemotePlayback; } };"
        "delete window.MediaSource;"
    )
    page = Page(context.new_page(), shop.base)
    page.go(f"/camera/{shop.door.sn}")
    playing(page)
    assert page.page.evaluate("[window.made > 0, typeof window.MediaSource]") == [True, "undefined"]
    assert page.page.evaluate("document.querySelector('video.lp-media').disableRemotePlayback")
    context.close()


def test_the_picture_comes_back_when_the_network_does(shop: Shop, chromium: Any, cookie: list[Any]) -> None:
    """Out of the Wi-Fi's reach no socket breaks: nothing comes any more. Then it is back."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.add_cookies(cookie)
    context.add_init_script(
        "window.sockets = []; window.WebSocket = class extends WebSocket {"
        " constructor(...a) { super(...a); if (String(a[0]).includes('/live/')) window.sockets.push(this); }"
        " set onmessage(hear) { super.onmessage = hear && (e => { if (!window.away) hear(e); }); } };"
    )
    page = Page(context.new_page(), shop.base)
    page.go(f"/camera/{shop.door.sn}")
    playing(page)
    page.page.evaluate("window.away = true")
    page.page.wait_for_selector(".lp-state", timeout=60_000)
    assert page.page.evaluate("window.sockets.length") >= 2  # it has tried
    page.page.evaluate("() => { window.away = false; for (const s of window.sockets) s.close(); }")
    playing(page)
    context.close()


def test_a_phone_that_waits_for_its_page_sees_the_picture_before(
    shop: Shop, chromium: Any, cookie: list[Any]
) -> None:
    """What frames the page is held back: the picture is there all the same."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.add_cookies(cookie)
    page = context.new_page()
    held: list[Any] = []
    page.route("**/nicegui.js", lambda route: held.append(route))
    page.goto(f"{shop.base}/camera/{shop.door.sn}", wait_until="commit")
    page.wait_for_function(
        "() => { const v = document.querySelector('#early video.lp-media'); return v && v.readyState >= 2 && v.offsetWidth > 300 }",
        timeout=60_000,
    )
    where = "() => { const r = document.querySelector('.lp-stage').getBoundingClientRect(); return [r.left, r.top, r.width, r.height].map(Math.round) }"
    before = page.evaluate(where)
    held[0].continue_()
    page.wait_for_selector("#main .tabs")
    page.wait_for_function("() => !document.getElementById('early')")
    page.wait_for_timeout(800)
    after = page.evaluate(where)
    assert all(abs(a - b) <= 2 for a, b in zip(before, after, strict=True)), (before, after)
    moved = page.evaluate("document.querySelector('#main video.lp-media').currentTime")
    page.wait_for_function("t => document.querySelector('#main video.lp-media').currentTime > t", arg=moved)
    context.close()


def test_twenty_tabs_of_one_camera_are_one_session_with_it(
    shop: Shop, chromium: Any, cookie: list[Any]
) -> None:
    before = shop.side.state.counts.get("media/getLiveStream", 0)
    context = chromium.new_context(viewport={"width": 390, "height": 500})
    context.add_cookies(cookie)
    try:
        pages = []
        for _ in range(20):
            page = context.new_page()
            page.goto(f"{shop.base}/camera/{shop.side.sn}", wait_until="commit")
            pages.append(page)
        for page in (pages[0], pages[-1]):
            page.bring_to_front()
            page.wait_for_function(
                "() => { const v = document.querySelector('video.lp-media'); return v && v.currentTime > 0 && v.readyState > 2 }",
                timeout=60_000,
            )
        assert shop.side.state.counts["media/getLiveStream"] - before <= 1
    finally:
        context.close()


def test_a_tap_on_the_picture_focuses_there(shop: Shop, open_: Open) -> None:
    """With a finger, on a phone: where it was, in percent of the picture."""
    page = open_(PHONE)
    page.go(f"/camera/{shop.door.sn}")
    page.page.wait_for_selector("svg.lp-focus")
    box = page.page.locator("svg.lp-over").bounding_box()
    assert box is not None
    for x, y in ((20, 70), (80, 30)):
        page.page.touchscreen.tap(box["x"] + box["width"] * x / 100, box["y"] + box["height"] * y / 100)
        end = time.monotonic() + 60
        while abs((at := focused(shop.door))[0] - x) > 2 or abs(at[1] - y) > 2:
            assert time.monotonic() < end, at
            time.sleep(0.1)
        shown = page.page.locator(".lp-point circle").first
        assert eventually(lambda x=x, shown=shown: abs(float(shown.get_attribute("cx")) - x * 19.2) < 40)
    assert page.wrong == []


def focused(camera: VirtualCamera) -> tuple[int, int]:
    """Where the camera has focused last, as it knows itself."""
    point = camera.state.documents.get("focus_point", {})
    return point.get("focused_x", -99), point.get("focused_y", -99)


def test_sound_is_off_until_somebody_wants_it(shop: Shop, chromium: Any, cookie: list[Any]) -> None:
    """With a stream that is said to have sound: the picture is silent, a button makes it heard, a reload silent again."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.add_cookies(cookie)
    context.add_init_script(
        "Object.defineProperty(window, 'LivePicture', {configurable: true, get() { return this.pictures }, set(made) {"
        " const begin = made.prototype.begin; this.pictures = made;"
        " made.prototype.begin = function (codecs) { begin.call(this, codecs); this.codecs += ',mp4a.40.2'; }; }});"
    )
    page = Page(context.new_page(), shop.base)
    video = "document.querySelector('#main video.lp-media')"
    for _ in range(2):
        page.go(f"/camera/{shop.door.sn}")
        playing(page)
        button = page.page.get_by_role("button", name="Sound", exact=True)
        button.wait_for()
        assert page.page.evaluate(f"[{video}.muted, {video}.paused]") == [True, False]
        assert button.get_attribute("aria-pressed") == "false"
        button.click()
        page.page.wait_for_function(f"!{video}.muted")
        assert button.get_attribute("aria-pressed") == "true"
    button.click()
    page.page.wait_for_function(f"{video}.muted")
    context.close()


def test_a_stream_that_never_begins_is_told_of_and_shown_as_pictures(shop: Shop, open_: Open) -> None:
    """No key frame comes: the page says so, and shows single pictures until one does."""
    server = Server(host=shop.side.ip)
    units = list(server._units)
    server._units = units[1:]
    address = shop.side.state.documents["address"]
    own, address["rtsp_port"] = address["rtsp_port"], server.port
    try:
        time.sleep(11)  # a session that another test has looked at lingers
        page = open_(PHONE)
        page.go(f"/camera/{shop.side.sn}")
        page.page.wait_for_function(
            "document.querySelector('.lp-state')?.innerText.includes('whole picture')"
        )
        page.page.wait_for_function(
            "[...document.querySelectorAll('img.lp-media')].some(i => i.src.includes('&t=') && i.naturalWidth > 300)"
        )
        page.shot("no-key-frame-phone")
        server._units[:] = units
        playing(page)
        page.page.wait_for_function("!document.querySelector('.lp-state')")
        assert page.wrong == []
    finally:
        address["rtsp_port"] = own
        server.close()


def test_one_that_is_not_trusted_says_so_once(shop: Shop, open_: Open) -> None:
    """In words of a page, and leads to where something can be done."""
    with Vendor() as other, VirtualCamera(other, state="ready", seed=59, video=SMALL) as stranger:
        page = open_(PHONE)
        end = time.monotonic() + 60
        while True:
            page.go(f"/camera/{stranger.sn}")
            if page.page.locator(".tabs").count():
                break  # the console has found it
            assert time.monotonic() < end
            time.sleep(0.5)
        page.page.locator(".note.bad").first.wait_for()
        page.page.wait_for_timeout(1000)
        said = page.page.locator("#main").inner_text()
        assert page.page.locator(".note").count() == 1, said
        assert said.count("not trusted: its certificate is not the vendor's") == 1
        assert "SUNMI_IPC" not in said
        # Nor is there a sign for a picture that is broken.
        assert page.page.evaluate(
            "[...document.querySelectorAll('img.lp-media')].every(i => !i.offsetParent || i.naturalWidth)"
        )
        page.shot("not-trusted-phone")
        page.page.get_by_role("button", name="Trust", exact=True).tap()
        page.page.wait_for_url("**tab=trust")
        page.page.get_by_role("heading", name="Trust", exact=True).wait_for()
