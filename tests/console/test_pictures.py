"""The pictures of README and docs are made here, so that they show what there is."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings

from .browser import ARGUMENTS, CHROMIUM, MISSING, Page, console
from .pictures import GAP, PICTURES, Picture

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

DOCS = Path(__file__).parents[2] / "docs" / "images"
#: Where they are kept, where that is wanted: tests themselves have no such variables.
KEEP = os.environ.get("SUNMI_IPC_PICTURES", "") and Path(os.environ["SUNMI_IPC_PICTURES"]).resolve()
#: Eleven in the morning, whenever it is made: at night pictures are grey.
MORNING = timezone(timedelta(hours=11 - datetime.now(UTC).hour))
CLEAR = VideoSettings(hd=PictureFormat(640, 360, 12), fhd=PictureFormat(1280, 720, 12), zone=MORNING)
NAMES = {"en-GB": ("Front door", "Till", "Window"), "zh-CN": ("正门", "收银台", "橱窗")}


@pytest.fixture(scope="module", params=["en-GB", "zh-CN"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A shop whose cameras have names in the language of the pictures; a way to look at its pages."""
    from playwright.sync_api import sync_playwright

    lang: str = request.param
    with Vendor() as vendor:
        cameras = [VirtualCamera(vendor, state="ready", seed=seed, video=CLEAR) for seed in (41, 43, 45)]
        cameras.append(VirtualCamera(vendor, state="factory", seed=44, video=CLEAR))
        for camera, name in zip(cameras, NAMES[lang], strict=False):
            camera.state.name = name
        folder = tmp_path_factory.mktemp("pictures")
        environment = vendor.environment() | {
            "SUNMI_IPC_CONFIG_DIR": str(folder), "SUNMI_IPC_INTERFACE": "lo", "LANG": "C.UTF-8", "TZ": "UTC",
        }  # fmt: skip
        try:
            for camera in cameras:
                camera.start()
            with console(environment) as started, sync_playwright() as play:
                browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                entered = browser.new_context()
                entered.new_page().goto(started["url"])
                entered.pages[0].wait_for_url(started["base"] + "/")
                cookies = entered.cookies()

                def look(picture: Picture) -> list[bytes]:
                    context = browser.new_context(
                        viewport={"width": picture.size[0], "height": picture.size[1]},
                        locale=picture.lang,
                        has_touch=picture.size[0] < 600,
                        is_mobile=picture.size[0] < 600,
                        device_scale_factor=2,
                    )
                    context.add_cookies(cookies)
                    page = Page(context.new_page(), started["base"])
                    shown = []
                    for path in picture.pages:
                        page.go(path.format(door=cameras[0].sn, new=cameras[-1].sn), wait=500)
                        ready(page, path, NAMES[lang][0])
                        shown.append(page.page.screenshot())
                    context.close()
                    assert page.wrong == []
                    return shown

                yield lang, look
                browser.close()
        finally:
            for camera in cameras:
                camera.close()


def ready(page: Page, path: str, name: str) -> None:
    """Wait until what the page is about is to be seen: pictures, the moving one, the networks."""
    wait = page.page.wait_for_function
    if path == "/":
        # Cards load their pictures when they come into view; others' cameras may stand before ours.
        page.page.get_by_text(name).first.scroll_into_view_if_needed(timeout=60_000)
        wait("[...document.querySelectorAll('main img')].some(i => i.naturalWidth > 50)", timeout=60_000)
        page.page.evaluate("scrollTo(0, 0)")
    elif "camera" in path:
        wait(
            "() => { const v = document.querySelector('video.lp-media'); return v && v.currentTime > 0 && v.readyState > 2 }",
            timeout=40_000,
        )
        page.page.wait_for_selector(".lp-end")
    else:
        page.page.get_by_text("Shop-Guest").wait_for(timeout=60_000)
    page.page.wait_for_timeout(700)


def test_the_pictures_of_the_docs(shop: Any) -> None:
    from PIL import Image

    lang, look = shop
    for name, picture in PICTURES.items():
        if picture.lang != lang:
            continue
        whole = Image.new(
            "RGB", (len(picture.pages) * (picture.size[0] + GAP) * 2 - 2 * GAP, picture.height * 2), "#dfe3ea"
        )
        for number, shown in enumerate(look(picture)):
            page = Image.open(io.BytesIO(shown)).crop((0, 0, picture.size[0] * 2, picture.height * 2))
            # Something is on it, from top to bottom and not one colour.
            assert len(page.convert("L").resize((64, 64)).getcolors() or ()) > 20, (name, number)
            whole.paste(page, (number * (picture.size[0] + GAP) * 2, 0))
        made = whole.resize(picture.pixels, Image.Resampling.LANCZOS).quantize(128, dither=Image.Dither.NONE)
        if KEEP:
            made.save(Path(KEEP) / name, optimize=True)
        with Image.open(DOCS / name) as there:
            size = there.size
        assert made.size == size, f"{name} is an old one: tests/console/pictures.py says how to make it"
