"""A shop of four virtual cameras with its console, and how its pages are opened and used in Chromium."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

import pytest

from sunmi_ipc import Camera
from sunmi_ipc.simulator import Feed, Play, Vendor, VirtualCamera, connect
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings

from .browser import ARGUMENTS, CHROMIUM, DESK, Page, console

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
        self.cameras, self.feed, self.pid = cameras, feed, started["pid"]

    def __getattr__(self, name: str) -> VirtualCamera:
        return self.cameras[name]

    def client(self, name: str) -> Camera:
        return connect(self.cameras[name])


Open = Callable[..., Page]


def playing(page: Page) -> None:
    page.page.wait_for_function(
        "() => { const v = document.querySelector('video.lp-media'); return v && v.currentTime > 0 && v.readyState > 2 }",
        timeout=60_000,
    )


def line_of(camera: VirtualCamera) -> tuple[int, int, int, int]:
    kept = camera.state.documents["door_line"]
    return kept["start_x"], kept["start_y"], kept["end_x"], kept["end_y"]


def wait_for_line(camera: VirtualCamera, check: Callable[[tuple[int, int, int, int]], bool]) -> None:
    end = time.monotonic() + 60
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


def activate(page: Page, sn: str) -> None:
    page.page.get_by_role("button", name="Activate", exact=True).click(timeout=60_000)
    page.page.locator(".q-dialog input").fill(sn[-4:])
    page.page.locator(".q-dialog").get_by_role("button", name="Activate", exact=True).click()


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
