"""Set-up in Chromium: from the box to a counted person."""

from __future__ import annotations

import pytest

from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.values import CardStatus

from .browser import MISSING, PHONE
from .shop import SMALL, Open, Shop, activate, playing

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


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
    page.page.wait_for_selector("text=blank", timeout=60_000)
    assert new.state.activated
    press("button", name="Format the SD card").click()
    page.page.locator(".q-dialog input").fill(new.sn[-4:])
    page.page.locator(".q-dialog").get_by_role("button", name="Format", exact=True).click()
    page.page.get_by_role("textbox", name="Name").wait_for(timeout=60_000)
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
    page.page.wait_for_selector(".way.seen", timeout=60_000)
    assert page.page.locator(".way.seen").count() == 1
    new.walk("out")
    page.page.wait_for_selector("text=In and out were each counted", timeout=60_000)
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


def test_a_network_that_hides_its_name_is_typed(shop: Shop, open_: Open) -> None:
    with VirtualCamera(shop.vendor, state="factory", seed=46, video=SMALL) as camera:
        state = camera.state
        state.join_s = 0.5
        seen, hidden = state.networks, ("Cellar 地下室", "WPA2_PSK", "welcome-2020")
        page = open_(PHONE)
        page.go("/")
        page.page.locator(f"a.cam[href='/setup/{camera.sn}']").tap()
        press = page.page.get_by_role
        press("button", name="A network that hides its name").tap()
        assert "Cellar" not in page.page.inner_text("main")
        state.networks = (*seen, hidden)  # it takes whoever knows it
        # Without a name nothing is sent, and the page says what is missing.
        press("button", name="Join this network").tap()
        page.page.wait_for_selector(".note.bad")
        assert "config/setWifiConf" not in "".join(state.counts)
        page.page.get_by_label("Name of the network").fill(hidden[0])
        page.page.get_by_label("Password of the network").fill(hidden[2])
        page.shot("setup-hidden")
        press("button", name="Join this network").tap()
        press("button", name="Activate", exact=True).wait_for()
        assert state.ssid == hidden[0]
        assert page.wrong == []
