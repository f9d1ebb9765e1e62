"""The site file in Chromium: its plan, and carrying it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.simulator import Vendor, VirtualCamera

from .browser import DESK, MISSING, PHONE, Page, console
from .shop import Open, Shop

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


def test_the_sites_plan_is_shown_and_carried_out(shop: Shop, open_: Open) -> None:
    shop.till.state.documents["ir"] = {"irmode": 0}
    page = open_(DESK)
    page.go("/fleet")
    page.page.get_by_role("button", name="Compare").click()
    page.page.wait_for_selector("table.plain", timeout=60_000)
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


def test_a_phone_has_the_site_file_made_and_takes_another(tmp_path: Path, chromium: Any) -> None:
    """Where the console was started without one: nobody on a ladder types a command."""
    with Vendor() as vendor, VirtualCamera(vendor, state="ready", seed=91, model="FM010") as camera:
        camera.state.name = "Till"
        environment = vendor.environment() | {
            "SUNMI_IPC_CONFIG_DIR": str(tmp_path), "SUNMI_IPC_INTERFACE": "lo", "LANG": "C.UTF-8",
        }  # fmt: skip
        with console(environment) as said:
            context = chromium.new_context(
                viewport={"width": PHONE[0], "height": PHONE[1]},
                locale="en-GB",
                is_mobile=True,
                has_touch=True,
            )
            page = Page(context.new_page(), said["base"])
            page.page.goto(said["url"])
            page.page.wait_for_url(said["base"] + "/")
            page.page.wait_for_selector(f"a.cam[href='/camera/{camera.sn}'] .tag.ok")
            page.go("/fleet")
            assert "ipc " not in page.page.inner_text("main")
            page.shot("fleet-none")
            press = page.page.get_by_role
            press("button", name="Write down how they are now").tap()
            press("button", name="Compare", exact=True).tap()
            page.page.wait_for_selector("text=1 of 1 camera is as wanted")
            page.shot("fleet-made")
            assert page.overflow() == []
            assert page.small() == []
            # Somebody turns the camera's name: the page tells, and puts it back.
            camera.state.name = "Till 2"
            press("button", name="Compare", exact=True).tap()
            page.page.wait_for_selector("td:text-is('Till 2')")
            press("button", name="Make it so", exact=True).tap()
            page.page.wait_for_selector("text=1 of 1 camera is as wanted")
            assert camera.state.name == "Till"
            # It can be had, changed by hand, and given back; one that is wrong is told of by its line.
            with page.page.expect_download() as saved:
                press("link", name="Download the file").tap()
            text = saved.value.path().read_text("utf-8")
            assert camera.sn in text
            send = page.page.locator("input[type=file]")
            send.set_input_files(
                [{"name": "x.toml", "mimeType": "", "buffer": (text + "\ncolour = 5\n").encode()}]
            )
            page.page.wait_for_selector(".note.bad")
            assert "colour" in page.page.inner_text(".note.bad")
            changed = text.replace('name = "Till"', 'name = "Cash desk"').encode()
            page.page.locator("input[type=file]").set_input_files(
                [{"name": "x.toml", "mimeType": "", "buffer": changed}]
            )
            page.page.wait_for_selector(".note.bad", state="detached")
            press("button", name="Compare", exact=True).tap()
            page.page.wait_for_selector("td:text-is('Cash desk')")
            assert page.wrong == []
            context.close()
        assert (tmp_path / "console-site" / "site.toml").read_bytes() == changed
