"""The pictures of README and guide: a shop as a reader would have it, in both languages, taken in the browser.

They land in the folder ``$SUNMI_IPC_SCREENSHOTS``; ``.ci/pictures`` takes them and puts the chosen ones into ``docs/``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.simulator import Feed, Play, Vendor, VirtualCamera
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings

from .browser import ARGUMENTS, CHROMIUM, DESK, MISSING, SHOTS, console

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

#: Eleven in the morning, whenever they are taken: a shop at night is dark.
MORNING = timezone(timedelta(hours=11 - datetime.now(UTC).hour))
WIDE = VideoSettings(hd=PictureFormat(640, 360, 12), fhd=PictureFormat(1280, 720, 8), zone=MORNING)
SQUARE = VideoSettings(hd=PictureFormat(360, 360, 12), fhd=PictureFormat(720, 720, 8), zone=MORNING)
PHONE = (390, 800)
LINE = {"resolution": 0, "start_x": 400, "start_y": 800, "end_x": 1500, "end_y": 800}
NAMES = {"en": ("Front door", "Till"), "zh-CN": ("正门", "收银台")}
#: Name, size, address, and what stands on the page once it is as it should be.
PAGES = (
    ("home", PHONE, "/", ".cam .shot img"),
    ("line", PHONE, "/camera/{door}?tab=line", ".lp-end"),
    ("setup", PHONE, "/setup/{new}", ".choice"),
    ("people", PHONE, "/camera/{door}?tab=people", "canvas"),
    ("recordings", PHONE, "/camera/{till}?tab=recordings", ".day i"),
    ("desk", DESK, "/camera/{door}", ".lp-sharp"),
    ("fleet", DESK, "/fleet", "table.plain"),
)


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dict[str, Any], dict[str, VirtualCamera]]]:
    folder = tmp_path_factory.mktemp("pictures")
    with Vendor() as vendor:
        made = {
            "door": VirtualCamera(vendor, state="ready", seed=61, video=WIDE),
            "till": VirtualCamera(vendor, state="ready", seed=63, model="FM010", video=SQUARE),
            "new": VirtualCamera(vendor, state="factory", seed=64, video=WIDE),
        }
        made["door"].state.documents["door_line"] = dict(LINE)
        for camera in made.values():
            camera.state.documents["ir"] = {"irmode": 0}  # in colour, whatever the hour
        for camera in made.values():
            camera.start()
        site = folder / "site.toml"
        rows = (f'[[cameras]]\nsn = "{made[k].sn}"\nir = "on"\nrotation = 180\n' for k in ("door", "till"))
        site.write_text("".join(rows), "utf-8")
        environment = vendor.environment() | {
            "SUNMI_IPC_CONFIG_DIR": str(folder), "SUNMI_IPC_INTERFACE": "lo", "LANG": "C.UTF-8",
        }  # fmt: skip
        try:
            with console(environment, "--site-file", str(site)) as said, Feed(list(made.values()), Play()):
                yield said, made
        finally:
            for camera in made.values():
                camera.close()


@pytest.fixture(scope="module")
def browser(shop: tuple[dict[str, Any], dict[str, VirtualCamera]]) -> Iterator[tuple[Any, list[Any]]]:
    """Chromium, and the cookies of one who was let in."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = made.new_context()
        page = context.new_page()
        page.goto(shop[0]["url"])
        page.wait_for_url(shop[0]["base"] + "/")
        cookies: list[Any] = context.cookies()
        context.close()
        yield made, cookies
        made.close()


@pytest.mark.parametrize(("name", "size", "path", "there"), PAGES)
@pytest.mark.parametrize("lang", list(NAMES))
def test_picture_of_the_guide(
    shop: tuple[dict[str, Any], dict[str, VirtualCamera]],
    browser: tuple[Any, list[Any]],
    tmp_path: Path,
    lang: str,
    name: str,
    size: tuple[int, int],
    path: str,
    there: str,
) -> None:
    from PIL import Image

    said, cameras = shop
    for key, words in zip(("door", "till"), NAMES[lang], strict=True):
        cameras[key].state.name = words
    chromium, cookies = browser
    phone = size == PHONE
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=lang,
        is_mobile=phone,
        has_touch=phone,
        device_scale_factor=2 if phone else 1.25,
        color_scheme="light",
    )
    context.add_cookies(cookies)
    page = context.new_page()
    try:
        page.goto(said["base"] + path.format(**{k: c.sn for k, c in cameras.items()}))
        if name == "fleet":
            # The first of the sheet: the page's own menu is a button as well.
            page.locator("main .sheet .q-btn").first.click(timeout=60_000)
        if name == "people":
            page.locator(".seg button").nth(1).click(timeout=60_000)
        page.wait_for_selector(there, timeout=120_000)
        if name == "home":  # names are asked for anew; every camera that can be seen has its picture
            page.wait_for_selector(f"text={NAMES[lang][0]}", timeout=60_000)
            page.wait_for_function(
                """() => { const i = [...document.querySelectorAll('.cam .shot img')].filter(e => e.getBoundingClientRect().top < innerHeight);
                return i.length > 0 && i.every(e => e.naturalWidth > 0) }""",
                timeout=60_000,
            )
        elif page.locator(".lp").count() and page.locator(".lp").is_visible():
            page.wait_for_selector(".lp-live", timeout=30_000)
        page.wait_for_timeout(1200)  # what moves comes to rest
        folder = Path(SHOTS) if SHOTS else tmp_path
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"guide-{name}-{lang}.png"
        page.screenshot(path=str(file))
    finally:
        context.close()
    with Image.open(file) as picture:
        assert picture.width == size[0] * (2 if phone else 1.25)
        colours = picture.convert("RGB").resize((200, 200)).getcolors(40_000)
        assert colours is not None
        assert len(colours) > 50, "an empty page"
    assert time.time() - file.stat().st_mtime < 120
