"""The site file in Chromium: its plan, and carrying it out."""

from __future__ import annotations

import pytest

from .browser import DESK, MISSING
from .shop import Open, Shop

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


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
