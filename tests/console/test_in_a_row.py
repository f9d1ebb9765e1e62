"""Set-up of one camera after the other, in the browser: each page leads to the next camera that waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest

from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings
from sunmi_ipc.values import CardStatus

from .browser import ARGUMENTS, CHROMIUM, MISSING, PHONE, Page, console

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

SQUARE = VideoSettings(hd=PictureFormat(240, 240, 8), fhd=PictureFormat(240, 240, 8), zone=UTC)


@pytest.fixture
def three(tmp_path: Any) -> Iterator[tuple[dict[str, Any], list[VirtualCamera]]]:
    with Vendor() as vendor:
        made = [
            VirtualCamera(vendor, state="wired", seed=80 + n, model="FM010", video=SQUARE) for n in range(3)
        ]
        for camera in made[:2]:
            camera.start()
        made[0].insert_card(CardStatus.NORMAL)
        made[2].insert_card(CardStatus.NORMAL)
        made[1].state.format_s = 0.5  # the second one's card is blank
        environment = vendor.environment() | {
            "SUNMI_IPC_CONFIG_DIR": str(tmp_path), "SUNMI_IPC_INTERFACE": "lo", "LANG": "C.UTF-8",
        }  # fmt: skip
        try:
            with console(environment) as said:
                yield said, made
        finally:
            for camera in made:
                camera.close()


def test_three_cameras_in_a_row(three: tuple[dict[str, Any], list[VirtualCamera]]) -> None:
    from playwright.sync_api import TimeoutError, sync_playwright

    said, cameras = three
    left = {camera.sn: camera for camera in cameras}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(
            viewport={"width": PHONE[0], "height": PHONE[1]}, locale="en-GB", is_mobile=True, has_touch=True
        )
        context.set_default_timeout(60_000)
        page = Page(context.new_page(), said["base"])
        page.page.goto(said["url"])
        page.page.wait_for_url(said["base"] + "/")
        # Others of this machine may be heard, too: only ours are looked at.
        for camera in cameras[:2]:
            page.page.wait_for_selector(f"a.cam[href='/setup/{camera.sn}']")
        cameras[2].start()  # plugged in meanwhile: it appears by itself
        page.page.wait_for_selector(f"a.cam[href='/setup/{cameras[2].sn}']")
        page.page.locator(f"a.cam[href='/setup/{cameras[0].sn}']").click()
        for number in range(3):
            page.page.wait_for_url("**/setup/*")
            sn = page.page.url.rpartition("/")[2]
            camera = left.pop(sn)  # each once, and never one that is done
            press = page.page.get_by_role  # they are on a cable: Wi-Fi is no step to be done
            press("button", name="Activate", exact=True).click()
            page.page.locator(".q-dialog input").fill(sn[-4:])
            page.page.locator(".q-dialog").get_by_role("button", name="Activate", exact=True).click()
            if camera is cameras[1]:
                press("button", name="Format the SD card").click()
                page.page.locator(".q-dialog input").fill(sn[-4:])
                page.page.locator(".q-dialog").get_by_role("button", name="Format", exact=True).click()
            name = page.page.get_by_role("textbox", name="Name")
            try:
                name.wait_for()
            except TimeoutError:
                raise AssertionError(page.page.inner_text("body")) from None
            assert camera.state.activated
            assert camera.state.card is CardStatus.NORMAL
            name.fill(f"Aisle {number + 1}")
            press("button", name="Save the name").click()
            press("button", name="The picture is right").click()
            page.page.get_by_text("Hand-over report").wait_for()
            assert camera.state.name == f"Aisle {number + 1}"
            following = page.page.get_by_text("Set up the next one")
            offered = following.get_attribute("href").rpartition("/")[2] if following.count() else ""
            assert offered not in {one.sn for one in cameras} - left.keys(), "one that is done"
            if left:
                assert offered
                if offered in left:
                    following.click()
                else:  # a stranger
                    page.page.goto(f"{said['base']}/setup/{next(iter(left))}")
                page.page.wait_for_function("sn => !location.href.includes(sn)", arg=sn)
        page.page.get_by_text("To the cameras").click()
        for camera in cameras:
            page.page.wait_for_selector(f"a.cam[href='/camera/{camera.sn}'] .tag.ok")
        assert page.overflow() == []
        browser.close()
