"""Who may what, in Chromium: roles, and sessions that have ended."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sunmi_ipc.console.roles import Role
from sunmi_ipc.link.tls import ClientCertificate, fingerprint, shown_certificate
from sunmi_ipc.simulator import Vendor

from .browser import DESK, MISSING, PHONE
from .shop import Open, Shop, line_of, playing

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


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


def test_one_who_tunes_sets_what_can_be_set_back_and_is_told_why_no_more(
    shop: Shop, chromium: Any, open_: Open
) -> None:
    page = open_(PHONE, cookies=enter(shop, chromium, open_, Role.TUNE))
    press = page.page.get_by_role
    before = dict(shop.door.state.counts)
    page.go(f"/camera/{shop.door.sn}")
    for name in ("Focus by itself", "Save the name", "Which one is it?", "Zoom: more"):
        assert press("button", name=name, exact=True).is_enabled(), name
    press("button", name="Zoom: more", exact=True).tap()
    page.page.wait_for_function("document.querySelector('main').innerText.includes('50 / 500')")
    page.go(f"/camera/{shop.door.sn}?tab=line")
    assert page.page.locator(".lp-end").count() == 2
    # What destroys or locks out is not there, and why is said on every tab.
    page.go(f"/camera/{shop.door.sn}?tab=faces")
    press("button", name="Regulars").or_(page.page.get_by_text("Regulars")).first.tap()
    page.page.get_by_text("Add photos").wait_for()
    for tab, missing in {
        "faces": ("Delete", "Empty this group"),
        "card": ("Format the SD card",),
        "network": ("Save the address",),
        "trust": ("Forget the certificate",),
    }.items():
        if tab != "faces":
            page.go(f"/camera/{shop.door.sn}?tab={tab}")
        assert "set up picture and counting" in page.page.inner_text("main .mine"), tab
        for name in missing:
            assert press("button", name=name, exact=True).count() == 0, name
    for path in (f"/setup/{shop.new.sn}", "/sessions"):
        page.go(path)
        assert "needs the role" in page.page.inner_text("main")
    page.go("/fleet")
    assert press("button", name="Compare", exact=True).is_enabled()
    assert press("button", name="Make it so", exact=True).is_disabled()
    assert page.page.request.get(shop.base + "/fleet/file").status == 404
    changed = {k for k, v in shop.door.state.counts.items() if v != before.get(k) and "/set" in k}
    assert changed == {"config/setZoom"}
    assert page.wrong == []


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
    page.page.wait_for_url(shop.base + "/enter", timeout=60_000)


def test_a_certificate_of_another_ca_is_trusted_by_a_person_and_forgotten(
    shop: Shop, chromium: Any, open_: Open
) -> None:
    """The page shows what the camera shows, says what that means, and asks; then the camera is used as any other."""
    camera, own = shop.side, shop.side._context
    with Vendor() as other:
        context = other.server_context(camera.sn)
    context.load_verify_locations(cadata=shop.vendor.client_authority.pem.decode())
    camera._context = context
    camera._cut()
    certificate = ClientCertificate.load(shop.vendor.p12, shop.vendor.p12_password)
    shown = fingerprint(shown_certificate(camera.ip, camera.port, certificate, timeout=10))
    try:
        helper = open_(PHONE, cookies=enter(shop, chromium, open_, Role.TUNE))
        helper.go(f"/camera/{camera.sn}?tab=trust")
        helper.page.get_by_text("This camera is not trusted").wait_for()
        assert helper.page.get_by_role("button", name="Trust this certificate").count() == 0
        assert "ask who set this console up" in helper.page.inner_text("main")
        page = open_(PHONE)
        page.go(f"/camera/{camera.sn}?tab=trust")
        page.page.get_by_text("This camera is not trusted").wait_for()
        assert page.page.locator(".print").first.text_content() == shown
        assert page.overflow() == []
        page.shot("trust-phone")
        page.page.get_by_role("button", name="Trust this certificate").tap()
        dialog = page.page.locator(".q-dialog")
        assert shown in dialog.inner_text()
        assert dialog.get_by_role("button", name="Trust", exact=True).is_disabled()
        dialog.locator("input").fill(camera.sn[-4:])
        dialog.get_by_role("button", name="Trust", exact=True).tap()
        page.page.get_by_text("the certificate that was accepted here").wait_for()
        page.go(f"/camera/{camera.sn}")
        playing(page)
        page.go("/sessions")
        assert "trusted a camera's certificate" in page.page.inner_text("main")
        page.go(f"/camera/{camera.sn}?tab=trust")
        page.page.get_by_role("button", name="Forget the certificate", exact=True).tap()
        dialog.locator("input").fill(camera.sn[-4:])
        dialog.get_by_role("button", name="Forget", exact=True).tap()
        page.page.get_by_text("This camera is not trusted").wait_for()
        assert page.wrong == []
    finally:
        camera._context = own
        camera._cut()


def test_where_nothing_is_and_what_waits_is_said_with_the_way_on(shop: Shop, open_: Open) -> None:
    page = open_(PHONE, "zh-CN")
    for path in ("/nothing", "/camera", "/camera/FS101D8BS00001", "/setup/FS101D8BS00001/more"):
        page.go(path)
        text = page.page.inner_text("main")
        assert sum("\u4e00" <= c <= "\u9fff" for c in text) > 5, path
        assert "HTTPException" not in text
        assert page.page.get_by_role("link", name="回到摄像机列表").count() == 1, path
        assert page.overflow() == []
    page.go(f"/camera/{shop.new.sn}")
    page.page.get_by_role("link", name="设置这台摄像机").tap()
    page.page.wait_for_url(f"**/setup/{shop.new.sn}")
