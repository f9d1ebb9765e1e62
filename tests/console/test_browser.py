"""The console as people have it: in Chromium, at the size of a phone and of a laptop, in both languages."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sunmi_ipc import Camera
from sunmi_ipc.console.roles import Role
from sunmi_ipc.simulator import Feed, Play, Vendor, VirtualCamera, connect
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings
from sunmi_ipc.values import CardStatus

from .browser import ARGUMENTS, CHROMIUM, DESK, MISSING, PHONE, Page, console

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

SMALL = VideoSettings(hd=PictureFormat(640, 360, 12), fhd=PictureFormat(960, 540, 12), zone=UTC)
SQUARE = VideoSettings(
    hd=PictureFormat(360, 360, 12), fhd=PictureFormat(480, 480, 12), zone=UTC, clip_ready_s=(0.3, 0.6)
)
HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}"


class Shop:
    """Four virtual cameras, and a console for them."""

    def __init__(
        self, vendor: Vendor, started: dict[str, Any], cameras: dict[str, VirtualCamera], feed: Feed
    ) -> None:
        self.vendor, self.url, self.base = vendor, started["url"], started["base"]
        self.cameras, self.feed = cameras, feed

    def __getattr__(self, name: str) -> VirtualCamera:
        return self.cameras[name]

    def client(self, name: str) -> Camera:
        return connect(self.cameras[name])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Vendor() as vendor:
        made = {
            "door": VirtualCamera(vendor, state="ready", seed=41, video=SMALL),
            "side": VirtualCamera(vendor, state="ready", seed=42, video=SMALL),
            "till": VirtualCamera(vendor, state="ready", seed=43, model="FM010", video=SQUARE),
            "new": VirtualCamera(vendor, state="factory", seed=44, video=SMALL),
        }
        made["door"].state.name = "Front door"
        made["side"].state.name = HOSTILE
        made["till"].state.name = "收银台"
        made["new"].state.format_s = made["new"].state.join_s = 0.5
        for camera in made.values():
            camera.start()
        folder = tmp_path_factory.mktemp("console")
        environment = vendor.environment() | {
            "SUNMI_IPC_CONFIG_DIR": str(folder), "SUNMI_IPC_INTERFACE": "lo", "LANG": "C.UTF-8",
        }  # fmt: skip
        site = folder / "site.toml"
        site.write_text(
            f'[[cameras]]\nsn = "{made["till"].sn}"\nname = "Till"\nir = "on"\n[[cameras]]\nsn = "FS101D8BS99999"\n',
            "utf-8",
        )
        try:
            with (
                console(environment, "--site-file", str(site)) as started,
                Feed(list(made.values()), Play()) as feed,
            ):
                yield Shop(vendor, started, made, feed)
        finally:
            for camera in made.values():
                camera.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def cookie(shop: Shop, chromium: Any) -> list[Any]:
    """The session of the first one, who may everything."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(shop.url)
    page.wait_for_url(shop.base + "/")
    found: list[Any] = context.cookies()
    context.close()
    return found


Open = Callable[..., Page]


@pytest.fixture
def open_(shop: Shop, chromium: Any, cookie: list[Any]) -> Iterator[Open]:
    """A page: ``open_(PHONE, "zh-CN", dark=True)``."""
    contexts = []

    def start(
        size: tuple[int, int] = DESK, lang: str = "en-GB", *, dark: bool = False, cookies: Any = None
    ) -> Page:
        phone = size[0] < 600
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=lang,
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            is_mobile=phone,
            device_scale_factor=2 if phone else 1,
        )
        context.add_cookies(cookie if cookies is None else cookies)
        contexts.append(context)
        return Page(context.new_page(), shop.base)

    yield start
    for context in contexts:
        context.close()


def playing(page: Page) -> None:
    page.page.wait_for_function(
        "() => { const v = document.querySelector('video.lp-media'); return v && v.currentTime > 0 && v.readyState > 2 }",
        timeout=20_000,
    )


PATHS = {
    "home": "/",
    "picture": "/camera/{door}",
    "line": "/camera/{door}?tab=line",
    "people": "/camera/{door}?tab=people",
    "faces": "/camera/{door}?tab=faces",
    "recordings": "/camera/{door}?tab=recordings",
    "events": "/camera/{door}?tab=events",
    "detection": "/camera/{door}?tab=detection",
    "card": "/camera/{door}?tab=card",
    "network": "/camera/{door}?tab=network",
    "trust": "/camera/{door}?tab=trust",
    "endpoints": "/camera/{door}?tab=endpoints",
    "square": "/camera/{till}",
    "hostile": "/camera/{side}?tab=network",
    "setup": "/setup/{new}",
    "fleet": "/fleet",
    "sessions": "/sessions",
}


@pytest.mark.parametrize(
    ("size", "lang", "dark"), list(itertools.product((PHONE, DESK), ("en-GB", "zh-CN"), (False, True)))
)
def test_every_page(shop: Shop, open_: Open, size: tuple[int, int], lang: str, dark: bool) -> None:
    page = open_(size, lang, dark=dark)
    found: dict[str, list[str]] = {}
    for name, path in PATHS.items():
        page.go(path.format(**{k: c.sn for k, c in shop.cameras.items()}), wait=700)
        wrong = [f"overflow: {what}" for what in page.overflow()]
        wrong += [f"small: {what}" for what in page.small()]
        wrong += [f"axe: {what}" for what in page.axe()]
        wrong += page.wrong
        page.wrong = []
        text = page.page.inner_text("body")
        chinese = sum("\u4e00" <= c <= "\u9fff" for c in text)
        if (lang == "zh-CN") != (chinese > 20):
            wrong.append(f"{chinese} Chinese characters")
        if page.page.get_attribute("html", "lang") != ("zh-CN" if lang == "zh-CN" else "en-US"):
            wrong.append("lang")
        if ("body--dark" in (page.page.get_attribute("body", "class") or "")) != dark:
            wrong.append("colours")
        page.shot(f"{name}-{size[0]}-{lang}-{'dark' if dark else 'light'}")
        if wrong:
            found[name] = wrong
    assert found == {}


def test_what_a_camera_says_is_text(shop: Shop, open_: Open) -> None:
    page = open_()
    alerts: list[str] = []
    page.page.on("dialog", lambda d: (alerts.append(d.message), d.dismiss()))
    for path in ("/", f"/camera/{shop.side.sn}", f"/camera/{shop.side.sn}?tab=network"):
        page.go(path)
        page.page.wait_for_timeout(1500)
        assert HOSTILE in page.page.inner_text("body") or path.endswith("network")
    assert alerts == []
    assert page.page.locator("img[src=x]").count() == 0


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
    page.page.wait_for_function(f"() => ({behind})() < 0.9", timeout=5_000)
    assert page.wrong == []


def test_square_pictures_are_square(shop: Shop, open_: Open) -> None:
    page = open_(PHONE)
    page.go(f"/camera/{shop.till.sn}")
    playing(page)
    box = page.page.locator(".lp-stage").bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(box["height"], rel=0.03)


def test_the_picture_comes_back_after_a_restart_and_rests_while_hidden(shop: Shop, open_: Open) -> None:
    page = open_()
    page.go(f"/camera/{shop.side.sn}")
    playing(page)
    shop.side.restart(1.5)
    page.page.wait_for_selector(".lp-state", timeout=15_000)
    playing(page)
    hide = "h => { Object.defineProperty(document, 'hidden', {value: h, configurable: true}); document.dispatchEvent(new Event('visibilitychange')) }"
    page.page.evaluate(hide, True)
    page.page.wait_for_timeout(500)
    assert page.page.evaluate("document.querySelector('video.lp-media').src") == ""
    page.page.evaluate(hide, False)
    playing(page)


def test_a_stream_that_browsers_do_not_play_is_shown_as_pictures(shop: Shop, open_: Open) -> None:
    shop.side.state.video = VideoSettings(hd=SMALL.hd, fhd=SMALL.fhd, codec="mjpeg", zone=UTC)
    shop.side.restart(0.5)
    try:
        time.sleep(1)
        page = open_()
        page.go(f"/camera/{shop.side.sn}")
        page.page.wait_for_function(
            "() => { const i = [...document.querySelectorAll('img.lp-media')].pop(); return i && i.src.includes('&t=') && i.naturalWidth > 300 }",
            timeout=20_000,
        )
    finally:
        shop.side.state.video = SMALL
        shop.side.restart(0.5)


# -- the door line ------------------------------------------------------------------------------------


def line_of(camera: VirtualCamera) -> tuple[int, int, int, int]:
    kept = camera.state.documents["door_line"]
    return kept["start_x"], kept["start_y"], kept["end_x"], kept["end_y"]


def wait_for_line(camera: VirtualCamera, check: Callable[[tuple[int, int, int, int]], bool]) -> None:
    end = time.monotonic() + 10
    while not check(line_of(camera)):
        assert time.monotonic() < end, line_of(camera)
        time.sleep(0.05)


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the 1080p picture is on the page."""
    page.page.locator("svg.lp-over").scroll_into_view_if_needed()
    box = page.page.locator("svg.lp-over").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"] / 1920, box["y"] + y * box["height"] / 1080


def draw(shop: Shop, open_: Open, size: tuple[int, int]) -> Page:
    shop.door.state.documents["door_line"] = {
        "resolution": 0,
        "start_x": 400,
        "start_y": 800,
        "end_x": 1500,
        "end_y": 800,
    }
    page = open_(size)
    page.go(f"/camera/{shop.door.sn}?tab=line")
    page.page.wait_for_selector(".lp-end")
    return page


def save(page: Page) -> None:
    page.page.get_by_role("button", name="Save the line").click()


@pytest.mark.parametrize("size", [PHONE, DESK])
@pytest.mark.parametrize("rotation", [0, 180])
def test_the_line_is_drawn_by_mouse(shop: Shop, open_: Open, size: tuple[int, int], rotation: int) -> None:
    shop.door.state.documents["rotation"] = {"rotation": rotation}
    page = draw(shop, open_, size)
    mouse = page.page.mouse
    mouse.move(*at(page, 400, 800))
    mouse.down()
    mouse.move(*at(page, 500, 700), steps=5)
    mouse.move(*at(page, 620, 610), steps=5)
    mouse.up()
    save(page)
    slack = 1920 / size[0] * 2.5
    wait_for_line(shop.door, lambda line: line != (400, 800, 1500, 800))
    line = line_of(shop.door)
    assert line[0] == pytest.approx(620, abs=slack)
    assert line[1] == pytest.approx(610, abs=slack)
    assert line[2:] == (1500, 800)
    page.page.wait_for_selector("text=read back and compared")
    # The whole line; then a step back.
    mouse.move(*at(page, (line[0] + line[2]) / 2, (line[1] + line[3]) / 2))
    mouse.down()
    mouse.move(*at(page, (line[0] + line[2]) / 2 + 100, (line[1] + line[3]) / 2 - 200), steps=6)
    mouse.up()
    save(page)
    wait_for_line(
        shop.door,
        lambda now: now[2] == pytest.approx(1600, abs=slack) and now[3] == pytest.approx(600, abs=slack),
    )
    shop.door.state.documents["rotation"] = {"rotation": 0}


def test_the_line_is_drawn_by_touch(shop: Shop, open_: Open) -> None:
    page = draw(shop, open_, PHONE)
    client = page.page.context.new_cdp_session(page.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        client.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        )

    touch("touchStart", at(page, 1500, 800))
    for step in range(1, 9):
        touch("touchMove", at(page, 1500 - 30 * step, 800 - 20 * step))
    touch("touchEnd")
    assert page.page.evaluate("scrollY") == 0  # the page did not scroll away under the finger
    save(page)
    wait_for_line(
        shop.door,
        lambda line: line[2] == pytest.approx(1260, abs=15) and line[3] == pytest.approx(640, abs=15),
    )


def test_the_line_is_drawn_by_keys(shop: Shop, open_: Open) -> None:
    page = draw(shop, open_, DESK)
    page.page.get_by_role("slider", name="Left end of the door line").focus()
    for _ in range(4):
        page.page.keyboard.press("ArrowUp")
    page.page.keyboard.press("Shift+ArrowRight")
    page.page.wait_for_timeout(500)
    page.page.get_by_role("button", name="Save the line").focus()
    page.page.keyboard.press("Enter")
    wait_for_line(shop.door, lambda line: line == (450, 780, 1500, 800))
    page.page.get_by_role("button", name="Undo").is_disabled()
    assert page.page.locator(".lp-grid").count() == 0
    page.page.get_by_text("Grid").click()
    page.page.wait_for_selector(".lp-grid line", state="attached")


def test_a_line_that_is_none_is_red_with_the_reason_and_cannot_be_saved(shop: Shop, open_: Open) -> None:
    page = draw(shop, open_, DESK)
    mouse = page.page.mouse
    mouse.move(*at(page, 400, 800))
    mouse.down()
    mouse.move(*at(page, 1450, 800), steps=8)
    assert "Too short" in page.page.inner_text(".lp-why")  # while it is dragged
    assert page.page.locator(".lp-bad").count() == 1
    page.shot("line-too-short")
    mouse.up()
    page.page.wait_for_selector(".note.bad")
    assert page.page.get_by_role("button", name="Save the line").is_disabled()
    page.page.get_by_role("button", name="Undo").click()
    page.page.wait_for_selector(".note.good")
    mouse.move(*at(page, 400, 800))
    mouse.down()
    mouse.move(*at(page, -120, 800), steps=8)
    assert "Outside" in page.page.inner_text(".lp-why")
    mouse.up()
    assert line_of(shop.door) == (400, 800, 1500, 800)


# -- from the box to a counted person ---------------------------------------------------------------


def test_set_up_from_the_box_to_a_counted_person(shop: Shop, open_: Open) -> None:
    page, new = open_(PHONE), shop.new
    page.go("/")
    page.page.get_by_text("Set up the new camera").click()
    press = page.page.get_by_role
    # A wrong password first: the network does not let the camera in, and the page says so.
    page.page.get_by_role("button", name="Shop-WiFi").click()
    page.page.get_by_label("Password of the network").fill("wrong-password")
    press("button", name="Join this network").click()
    page.page.wait_for_selector("text=the password is wrong", timeout=60_000)
    assert "ipc wifi" not in page.page.inner_text("main")
    page.shot("setup-wrong-password")
    page.page.get_by_role("button", name="Shop-WiFi").click()
    page.page.get_by_label("Password of the network").fill("welcome-2020")
    press("button", name="Join this network").click()
    activate(page, new.sn)
    # The card is blank; formatting asks.
    page.page.wait_for_selector("text=blank", timeout=20_000)
    assert new.state.activated
    press("button", name="Format the SD card").click()
    page.page.locator(".q-dialog input").fill(new.sn[-4:])
    page.page.locator(".q-dialog").get_by_role("button", name="Format", exact=True).click()
    page.page.get_by_role("textbox", name="Name").wait_for(timeout=20_000)
    assert new.state.card is CardStatus.NORMAL
    page.page.get_by_role("textbox", name="Name").fill("Back door")
    press("button", name="Save the name").click()
    press("button", name="The picture is right").wait_for()
    playing(page)
    page.shot("setup-picture")
    press("button", name="The picture is right").click()
    page.page.wait_for_selector(".lp-end")
    press("button", name="Save the line").click()
    page.page.wait_for_selector(".way")
    page.page.wait_for_timeout(2500)
    assert page.page.locator(".way.seen").count() == 0
    new.walk("in")
    page.page.wait_for_selector(".way.seen", timeout=15_000)
    assert page.page.locator(".way.seen").count() == 1
    new.walk("out")
    page.page.wait_for_selector("text=In and out were each counted", timeout=15_000)
    page.shot("setup-walk")
    press("button", name="Go on").click()
    page.page.wait_for_selector("text=The camera is ready")
    assert new.state.name == "Back door"
    with page.page.context.expect_page() as opened:
        page.page.get_by_text("Hand-over report").click()
    report = opened.value
    report.wait_for_selector("article")
    assert "Back door" in report.inner_text("body")
    assert report.locator("svg image").count() == 1  # the picture is in it


def activate(page: Page, sn: str) -> None:
    page.page.get_by_role("button", name="Activate", exact=True).click(timeout=20_000)
    page.page.locator(".q-dialog input").fill(sn[-4:])
    page.page.locator(".q-dialog").get_by_role("button", name="Activate", exact=True).click()


# -- who may what -----------------------------------------------------------------------------------


def enter(shop: Shop, chromium: Any, open_: Open, role: Role) -> list[Any]:
    """The cookies of one who was let in with *role* by the first one's page."""
    page = open_()
    page.go("/sessions")
    words = {
        Role.VIEW: "Code for: look only",
        Role.TUNE: "Code for: set up picture",
        Role.ADMIN: "Code for: everything",
    }
    page.page.get_by_role("button", name=words[role]).click()
    code = page.page.inner_text(".code")
    assert page.page.locator(".qr svg").count() == 1
    context = chromium.new_context()
    fresh = context.new_page()
    fresh.goto(shop.base + "/enter")
    fresh.fill("#code", code.lower())
    fresh.click("button")
    fresh.wait_for_url(shop.base + "/")
    cookies: list[Any] = context.cookies()
    assert all(c["httpOnly"] and c["sameSite"] == "Strict" for c in cookies if c["name"] == "ipc_session")
    context.close()
    return cookies


def test_one_who_looks_only_finds_nothing_to_change(shop: Shop, chromium: Any, open_: Open) -> None:
    page = open_(DESK, cookies=enter(shop, chromium, open_, Role.VIEW))
    before = dict(shop.door.state.counts)
    page.go(f"/camera/{shop.door.sn}")
    playing(page)
    for name in ("Focus by itself", "Save the name", "Which one is it?"):
        assert page.page.get_by_role("button", name=name).is_disabled(), name
    page.go(f"/camera/{shop.door.sn}?tab=line")
    assert page.page.locator(".lp-end").count() == 0
    page.go(f"/camera/{shop.door.sn}?tab=card")
    assert page.page.get_by_role("button", name="Format the SD card").count() == 0
    for path in (f"/setup/{shop.new.sn}", "/sessions"):
        page.go(path)
        assert "needs the role" in page.page.inner_text("main")
    # Faces are personal data: no tab, no way around it, no picture.
    page.go(f"/camera/{shop.door.sn}?tab=faces")
    assert page.page.get_by_role("link", name="Faces").count() == 0
    assert "Strangers" not in page.page.inner_text("main")
    group = shop.client("door").faces.groups().face_group[0].name
    for face in itertools.islice(shop.client("door").faces.list(group), 1):
        assert page.page.request.get(f"{shop.base}/face/{shop.door.sn}/{face.faceid}").status == 404
    page.go("/fleet")
    assert page.page.get_by_role("button", name="Make it so").is_disabled()
    changed = {k for k, v in shop.door.state.counts.items() if v != before.get(k) and "/set" in k}
    assert changed == set()


def test_a_page_that_stands_open_when_its_session_ends_may_nothing(
    shop: Shop, chromium: Any, open_: Open
) -> None:
    page = open_(DESK, cookies=enter(shop, chromium, open_, Role.TUNE))
    page.go(f"/camera/{shop.door.sn}?tab=line")
    page.page.wait_for_selector(".lp-end")
    page.page.get_by_role("slider", name="Left end of the door line").focus()
    page.page.keyboard.press("ArrowUp")
    page.page.wait_for_timeout(600)
    first = open_()
    first.go("/sessions")
    first.page.get_by_role("button", name="End", exact=True).first.click()
    before = line_of(shop.door)
    # Whatever may lie over it by now.
    page.page.get_by_role("button", name="Save the line").dispatch_event("click")
    page.page.wait_for_function(
        "() => document.body.innerText.includes('The session has ended') || location.pathname === '/enter'"
    )
    assert line_of(shop.door) == before
    # Who came, who let them in and who was sent away is written down.
    first.go("/sessions")
    written = first.page.inner_text("main")
    for words in ("signed in", "let somebody in", "ended a session", "127.0.0.1"):
        assert words in written
    # And then it is shown nothing more: what happens in the shop is no longer its business.
    page.page.wait_for_url(shop.base + "/enter", timeout=30_000)


# -- other pages, by hand ---------------------------------------------------------------------------


def test_events_fill_the_wall_with_pictures(shop: Shop, open_: Open) -> None:
    page = open_(PHONE)
    page.go(f"/camera/{shop.door.sn}?tab=events")
    page.page.get_by_role("button", name="Listen").click()
    page.page.wait_for_selector("text=Stop listening")
    shop.feed.happen(shop.door, gender=2, age=31)
    page.page.wait_for_selector(".event img", timeout=20_000)
    page.page.wait_for_function("document.querySelector('.event img').naturalWidth > 10", timeout=10_000)
    assert "woman 31" in page.page.inner_text(".wall")
    page.shot("events-face")
    page.page.get_by_role("button", name="Motion and sound").click()
    page.page.wait_for_timeout(600)
    assert page.page.locator(".event img").count() == 0
    page.page.get_by_role("button", name="Stop listening").click()
    page.page.wait_for_selector("text=Listen")


def test_a_recording_plays_and_a_part_is_kept(shop: Shop, open_: Open, tmp_path: Path) -> None:
    page = open_(PHONE)
    page.go(f"/camera/{shop.till.sn}?tab=recordings")
    page.page.wait_for_selector(".day i")
    page.page.get_by_role("button", name="Previous").click()
    page.page.wait_for_function("document.querySelector('main video')?.currentTime > 0", timeout=40_000)
    with page.page.expect_download(timeout=60_000) as saved:
        page.page.get_by_role("button", name="Download").click()
        page.page.get_by_text("Save ", exact=False).last.click(timeout=40_000)
    path = tmp_path / "kept.mp4"
    saved.value.save_as(path)
    assert path.read_bytes()[4:8] == b"ftyp"


def test_a_download_that_was_cut_off_goes_on(shop: Shop, open_: Open) -> None:
    """Between camera and console: what is here is not fetched again. Between console and browser: by range."""
    page = open_(PHONE)
    page.go(f"/camera/{shop.till.sn}?tab=recordings")
    page.page.wait_for_selector(".day i")
    page.page.get_by_role("button", name="Previous").click()
    page.page.wait_for_function("document.querySelector('main video')?.currentTime > 0", timeout=60_000)
    # Some recordings, each of which the camera cuts off; then it does so no more.
    start, end = page.page.locator("input[type=time]").nth(0), page.page.locator("input[type=time]").nth(1)
    hour, minute, second = (int(part) for part in (start.input_value() + ":00").split(":")[:3])
    first = max(0, hour * 3600 + minute * 60 + second - 120)
    start.fill(f"{first // 3600:02}:{first // 60 % 60:02}:{first % 60:02}")
    start.blur()
    now = datetime.now(UTC)
    for record in shop.client("till").video.records(now - timedelta(minutes=20), now):
        shop.till.fail("cut", path=urlsplit(record.url).path.lstrip("/"), times=2)
    page.page.get_by_role("button", name="Download").click()
    page.page.wait_for_timeout(1500)
    shop.till.faults.clear()
    end.blur()
    button = page.page.get_by_role("button", name="Download")
    button.click()
    link = page.page.get_by_text("Save ", exact=False).last
    link.wait_for(timeout=60_000)
    # The browser has half of it when its network breaks; it asks for the rest, if that is still the same file.
    made = page.page.evaluate(
        """async path => {
          const cut = new AbortController(), whole = await fetch(path, {signal: cut.signal});
          const tag = whole.headers.get('etag'), size = Number(whole.headers.get('content-length')), reader = whole.body.getReader();
          const {value} = await reader.read(); const half = Math.min(value.length, Math.floor(size / 2)); cut.abort();
          const rest = await fetch(path, {headers: {Range: `bytes=${half}-`, 'If-Range': tag}});
          const other = await fetch(path, {headers: {Range: `bytes=${half}-`, 'If-Range': '"another"'}});
          const bytes = new Uint8Array(await rest.arrayBuffer()), full = new Uint8Array(await (await fetch(path)).arrayBuffer());
          let same = half + bytes.length === full.length && value.subarray(0, half).every((b, i) => b === full[i]);
          same = same && bytes.every((b, i) => b === full[half + i]);
          return [whole.status, rest.status, rest.headers.get('content-range'), other.status, same, half, size];
        }""",
        link.get_attribute("href"),
    )
    assert made[:2] == [200, 206]
    assert made[2] == f"bytes {made[5]}-{made[6] - 1}/{made[6]}"
    assert made[3] == 200  # what has changed is had from its beginning
    assert made[4] is True
    assert 0 < made[5] < made[6]


def test_two_handles_make_a_part(shop: Shop, open_: Open) -> None:
    page = open_(DESK)
    page.go(f"/camera/{shop.till.sn}?tab=recordings")
    page.page.wait_for_selector(".day i")
    page.page.get_by_role("button", name="Previous").click()
    page.page.wait_for_selector(".q-range__thumb, .q-slider__thumb")
    times = "() => [...document.querySelectorAll('input[type=time]')].map(i => i.value)"
    before = page.page.evaluate(times)
    page.page.wait_for_function("document.querySelector('main video')?.currentTime > 0", timeout=40_000)
    thumbs = page.page.locator(".q-slider__thumb")
    assert thumbs.count() == 2
    thumbs.nth(1).scroll_into_view_if_needed()
    box = thumbs.nth(1).bounding_box()
    assert box is not None
    assert box["width"] >= 24
    track = page.page.locator(".q-slider__track").bounding_box()
    assert track is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    way = 40 if x + 40 < track["x"] + track["width"] else -40
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x + way / 2, y)
    page.page.mouse.move(x + way, y)
    page.page.mouse.up()
    page.page.wait_for_function(
        "b => [...document.querySelectorAll('input[type=time]')][1].value !== b", arg=before[1]
    )
    after = page.page.evaluate(times)
    assert (after[0] == before[0]) or way < 0
    assert page.page.locator(".day mark").count() == 1
    page.shot("recordings-handles")


def test_without_a_card_the_recordings_say_so_in_words(shop: Shop, open_: Open) -> None:
    shop.till.insert_card(CardStatus.NONE)
    try:
        page = open_(PHONE, "zh-CN")
        page.go(f"/camera/{shop.till.sn}?tab=recordings")
        page.page.wait_for_selector(".note.bad")
        said = page.page.inner_text(".note.bad")
        assert "SD 卡" in said
        assert "ipc" not in said
        assert page.page.get_by_role("button", name="上一段").count() == 0
    finally:
        shop.till.insert_card(CardStatus.NORMAL)


def test_people_are_downloaded_as_csv_and_as_a_workbook(shop: Shop, open_: Open, tmp_path: Path) -> None:
    import zipfile

    page = open_(PHONE)
    page.go(f"/camera/{shop.door.sn}?tab=people")
    page.page.get_by_role("button", name="Yesterday").click()
    page.page.wait_for_timeout(3000)  # the old day's buttons go with it
    page.page.get_by_text("Compare with the period before").click()
    page.page.wait_for_timeout(3000)
    assert page.page.locator("canvas").count() == 2
    for kind in ("CSV", "XLSX"):
        with page.page.expect_download(timeout=20_000) as saved:
            page.page.get_by_role("button", name=kind).click()
        path = tmp_path / f"people.{kind.lower()}"
        assert saved.value.suggested_filename.endswith(path.suffix)
        saved.value.save_as(path)
    text = (tmp_path / "people.csv").read_text("utf-8-sig")
    assert (tmp_path / "people.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert len(text.splitlines()) >= 24
    with zipfile.ZipFile(tmp_path / "people.xlsx") as book:
        assert "xl/workbook.xml" in book.namelist()
    assert page.wrong == []


def test_the_sites_plan_is_shown_and_carried_out(shop: Shop, open_: Open) -> None:
    shop.till.state.documents["ir"] = {"irmode": 0}
    page = open_(DESK)
    page.go("/fleet")
    page.page.get_by_role("button", name="Compare").click()
    page.page.wait_for_selector("table.plain", timeout=40_000)
    page.page.wait_for_selector("text=of 2 cameras are as wanted", timeout=60_000)
    page.shot("fleet-plan")
    assert "Till" in page.page.inner_text("main")
    assert "FS101D8BS99999" in page.page.inner_text("main")
    page.page.get_by_role("button", name="Make it so").click()
    page.page.wait_for_function(
        "document.querySelector('.note').innerText.includes('1 of 2')", timeout=60_000
    )
    assert shop.till.state.name == "Till"
    page.shot("fleet-applied")
    report = page.page.context.new_page()
    report.goto(shop.base + "/fleet/report")
    assert shop.till.sn in report.inner_text("body")
    shop.till.state.name = "收银台"


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
    page.page.wait_for_selector(".lp-state", timeout=15_000)
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
        timeout=20_000,
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


def test_a_photo_of_a_phone_is_shrunk_and_added(shop: Shop, open_: Open, tmp_path: Path) -> None:
    from PIL import Image

    photo = tmp_path / "photo.jpg"
    Image.effect_noise((3000, 4000), 80).convert("RGB").save(photo, quality=95)
    assert photo.stat().st_size > 1_000_000
    page = open_(PHONE)
    page.go(f"/camera/{shop.door.sn}?tab=faces")
    page.page.get_by_text("Regulars").click()
    page.page.wait_for_selector("input[type=file]", state="attached")
    page.page.set_input_files("input[type=file]", str(photo))
    page.page.wait_for_selector("text=photo.jpg: added", timeout=20_000)
    page.shot("faces-added")


def test_detection_is_dragged_over_the_week(shop: Shop, open_: Open) -> None:
    page = open_(DESK)
    page.go(f"/camera/{shop.door.sn}?tab=detection")
    cells = page.page.locator(".week b")

    def centre(day: int, hour: int) -> tuple[float, float]:
        box = cells.nth(day * 24 + hour).bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    page.page.mouse.move(*centre(0, 9))
    page.page.mouse.down()
    page.page.mouse.move(*centre(2, 15), steps=5)
    page.page.mouse.move(*centre(4, 21), steps=5)
    page.page.mouse.up()
    page.page.wait_for_selector("text=Mon, Tue, Wed, Thu, Fri 9:00-22:00")
    page.page.get_by_role("button", name="Save", exact=True).click()
    page.page.wait_for_selector(".q-notification")
    kept = shop.door.state.documents["motion"]
    assert (kept["weekday"], kept["start_time"], kept["stop_time"]) == (0x1F, 540, 1320)


def test_zoom_and_focus_move_the_motors(shop: Shop, open_: Open) -> None:
    from sunmi_ipc.simulator.lens import position

    page = open_(PHONE)
    page.go(f"/camera/{shop.side.sn}")
    page.page.get_by_role("button", name="Zoom: more").click()
    page.page.wait_for_selector("text=50 / 500")
    assert position(shop.side.state, "zoom") == 50
    playing(page)
    page.page.mouse.click(*at(page, 480, 270))
    end = time.monotonic() + 5
    while shop.side.state.documents.get("focus_point", {}).get("focused_x") != pytest.approx(25, abs=1):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert page.page.locator(".lp-sharp").count() == 1


def test_what_a_camera_shows_and_is_called_is_set(shop: Shop, open_: Open) -> None:
    page, documents = open_(PHONE), shop.side.state.documents
    page.go(f"/camera/{shop.side.sn}")
    press = page.page.get_by_role

    def until(check: Callable[[], bool]) -> None:
        end = time.monotonic() + 15
        while not check():
            assert time.monotonic() < end, documents
            page.page.wait_for_timeout(100)

    try:
        night = page.page.get_by_role("group", name="Night mode")
        night.get_by_role("button", name="on", exact=True).click()
        until(lambda: documents["ir"]["irmode"] == 1)
        page.page.wait_for_selector("[aria-label='Night mode'] [aria-pressed=true]:text-is('on')")
        press("group", name="Turn the picture").get_by_role("button", name="180°").click()
        until(lambda: documents["rotation"]["rotation"] == 180)
        before = dict(documents["led"])
        page.page.get_by_text("Status light").click()
        until(lambda: documents["led"] != before)
        seen = shop.side.state.counts.get("config/setLed", 0)
        after = dict(documents["led"])
        press("button", name="Which one is it?").click()
        until(lambda: shop.side.state.counts.get("config/setLed", 0) >= seen + 4)
        until(lambda: page.page.get_by_role("button", name="Which one is it?").is_enabled())
        assert documents["led"] == after  # as it was
        field = page.page.get_by_role("textbox", name="Name")
        field.fill("Side door 侧门")
        press("button", name="Save the name").click()
        until(lambda: shop.side.state.name == "Side door 侧门")
        page.page.wait_for_selector("h1:text-is('Side door 侧门')")
        assert page.wrong == []
    finally:
        shop.side.state.name = HOSTILE
        documents["ir"]["irmode"], documents["rotation"]["rotation"] = 2, 0


def test_faces_rule_and_what_deletes_asks(shop: Shop, open_: Open) -> None:
    page = open_(DESK)
    shop.feed.happen(shop.door, gender=1, age=44)
    page.go(f"/camera/{shop.door.sn}?tab=faces")
    page.page.get_by_role("spinbutton", name="Visits").fill("5")
    page.page.get_by_role("spinbutton", name="within days").fill("12")
    page.page.get_by_role("button", name="Save", exact=True).click()
    page.page.wait_for_selector(".q-notification")
    stranger = shop.door.state.documents["groups"]["stranger"]
    assert (stranger["times"], stranger["period"]) == (5, 12)
    assert len(stranger["faces"]) > 0
    page.page.get_by_text("Strangers").first.click()
    page.page.get_by_role("button", name="Empty this group").click()
    dialog = page.page.locator(".q-dialog")
    sure = dialog.get_by_role("button", name="Empty", exact=True)
    assert sure.is_disabled()  # until its name is typed
    dialog.locator("input").fill("regular")
    assert sure.is_disabled()
    dialog.get_by_role("button", name="Cancel").click()
    page.page.wait_for_timeout(400)
    assert len(stranger["faces"]) > 0
    page.page.get_by_role("button", name="Empty this group").click()
    page.page.locator(".q-dialog input").fill("stranger")
    page.page.locator(".q-dialog").get_by_role("button", name="Empty", exact=True).click()
    page.page.wait_for_selector(".q-notification >> text=Done")
    assert len(shop.door.state.documents["groups"]["stranger"]["faces"]) == 0


def test_a_clip_is_cut_by_the_camera(shop: Shop, open_: Open, tmp_path: Path) -> None:
    page = open_(PHONE)
    page.go(f"/camera/{shop.till.sn}?tab=recordings")
    page.page.wait_for_selector(".day i")
    page.page.get_by_role("button", name="Previous").click()
    page.page.wait_for_function("document.querySelector('main video')?.currentTime > 0", timeout=60_000)
    start, end = page.page.locator("input[type=time]").nth(0), page.page.locator("input[type=time]").nth(1)
    hour, minute, second = (int(part) for part in (start.input_value() + ":00").split(":")[:3])
    to = hour * 3600 + minute * 60 + second + 10
    end.fill(f"{to // 3600:02}:{to // 60 % 60:02}:{to % 60:02}")
    end.blur()
    with page.page.expect_download(timeout=60_000) as saved:
        page.page.get_by_role("button", name="Clip").click()
        page.page.get_by_text("Save ", exact=False).last.click(timeout=60_000)
    path = tmp_path / "clip.mp4"
    saved.value.save_as(path)
    assert path.read_bytes()[4:8] == b"ftyp"


def test_a_phone_that_is_turned_keeps_picture_and_line(shop: Shop, open_: Open) -> None:
    page = draw(shop, open_, PHONE)
    playing(page)
    for size in ((740, 360), (360, 740)):
        page.page.set_viewport_size({"width": size[0], "height": size[1]})
        page.page.wait_for_timeout(500)
        assert page.overflow() == []
        stage = page.page.locator(".lp-stage").bounding_box()
        assert stage is not None
        assert stage["width"] <= size[0] + 1
        moved = page.page.evaluate("document.querySelector('video.lp-media').currentTime")
        page.page.wait_for_function(
            "t => document.querySelector('video.lp-media').currentTime > t", arg=moved
        )
        # The line is where it was in the picture, and can be taken hold of.
        end, ring = at(page, 1500, 800), page.page.locator(".lp-ring").nth(1).bounding_box()
        assert ring is not None
        assert ring["x"] + ring["width"] / 2 == pytest.approx(end[0], abs=2)
        assert ring["y"] + ring["height"] / 2 == pytest.approx(end[1], abs=2)
    page.page.mouse.move(*at(page, 1500, 800))
    page.page.mouse.down()
    page.page.mouse.move(*at(page, 1400, 700), steps=4)
    page.page.mouse.up()
    save(page)
    wait_for_line(shop.door, lambda line: line[2] == pytest.approx(1400, abs=15))


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


def test_two_people_have_two_languages(open_: Open) -> None:
    one, two = open_(PHONE, "zh-CN"), open_(PHONE, "en-GB")
    one.go("/")
    two.go("/")
    assert "摄像机" in one.page.inner_text("h1")
    assert "Cameras" in two.page.inner_text("h1")
