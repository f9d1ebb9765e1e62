"""Every page in Chromium: at the size of a phone and of a laptop, in both languages, light and dark."""

from __future__ import annotations

import itertools

import pytest

from .browser import DESK, MISSING, PHONE
from .shop import HOSTILE, Open, Shop

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


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
        page.go(path.format(**{k: c.sn for k, c in shop.cameras.items()}))
        wrong = [f"overflow: {what}" for what in page.overflow()]
        wrong += [f"small: {what}" for what in page.small()]
        wrong += [f"axe: {what}" for what in page.axe()]
        if size == DESK and not dark:
            wrong += [f"screen reader: {what}" for what in page.unnamed(lang)]
            wrong += [f"keyboard: {what}" for what in page.walked()]
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


def test_two_people_have_two_languages(open_: Open) -> None:
    one, two = open_(PHONE, "zh-CN"), open_(PHONE, "en-GB")
    one.go("/")
    two.go("/")
    assert "摄像机" in one.page.inner_text("h1")
    assert "Cameras" in two.page.inner_text("h1")
