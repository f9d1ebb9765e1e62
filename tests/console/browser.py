"""Chromium, driven by Playwright: one for all browser tests of a run; and what a page must not do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), "")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required")  # fmt: skip
#: Why there is no browser here; empty where there is one.
MISSING = (
    "Chromium is not installed (Debian: apt-get install chromium fonts-noto-cjk)"
    if not CHROMIUM
    else "Playwright's Python package is not installed"
    if find_spec("playwright") is None
    else "the extra console is not installed"
    if find_spec("nicegui") is None
    else ""
)
#: Until the page has been left alone for a while, and is connected; some pages are never quiet.
_QUIET = """() => new Promise(done => {
  const began = Date.now(); let last = began;
  const seen = new MutationObserver(() => { last = Date.now(); });
  seen.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
  const clock = setInterval(() => {
    const now = Date.now(), there = window.socket?.connected || now - began > 10_000;
    if (there && (now - last > 250 || now - began > 12_000)) { clearInterval(clock); seen.disconnect(); done(); }
  }, 50);
})"""
#: What a screen reader always says.
_SPOKEN = frozenset({"button", "link", "slider", "textbox", "switch", "checkbox", "progressbar", "img", "image", "meter",
                     "combobox", "radio", "tab", "menuitem"})  # fmt: skip
#: Names that are nobody's language: networks, kinds of files.
_AS_IT_IS = frozenset({"Shop-WiFi", "Shop-Guest", "咖啡店", "CSV", "XLSX"})
#: Where the keyboard is, and whether it is seen: by an outline, a shadow, a frame, a line of its own.
_STOP = """() => {
  const e = document.activeElement; if (!e || e === document.body) return null;
  window.stops ??= new Map(); if (!window.stops.has(e)) window.stops.set(e, window.stops.size);
  const marked = x => { const s = getComputedStyle(x);
    return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none'; };
  let seen = e.matches('.lp-grab, .lp-end') && getComputedStyle(e.querySelector('.lp-ring') || e).stroke.includes('255');
  for (let x = e, i = 0; x && i < 6 && !seen; x = x.parentElement, i++) {
    const own = x.querySelector('.q-focus-helper, .q-slider__focus-ring');
    seen = marked(x) || x.matches('.q-field--focused') || (own !== null && parseFloat(getComputedStyle(own).opacity) > 0.05);
  }
  return {number: window.stops.get(e), seen, what: `${e.tagName} ${e.getAttribute('aria-label') || e.innerText || ''}`.slice(0, 60)};
}"""
#: Where screenshots go, where they are wanted.
SHOTS = os.environ.get("SUNMI_IPC_SCREENSHOTS", "")
PHONE, DESK = (360, 740), (1280, 800)


class Page:
    """A page, and all that it did wrong."""

    def __init__(self, page: Any, base: str) -> None:
        self.page, self.base = page, base
        # A loaded machine takes its time; whoever waits for something that never comes still learns of it.
        page.set_default_timeout(60_000)
        self.wrong: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda e: self.wrong.append(f"error: {e}"))
        page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        # A picture that a card has not got yet is no fault of the page's.
        if message.type == "error" and "404" not in message.text:
            self.wrong.append(f"console: {message.text}")

    def _asked(self, request: Any) -> None:
        own = (self.base + "/", self.base.replace("http", "ws", 1) + "/", "blob:", "data:")
        if not request.url.startswith(own):
            self.wrong.append(f"foreign request: {request.url}")

    def go(self, path: str) -> None:
        """Open a page and wait until it is built: nothing is waited for, and nothing changes any more."""
        self.page.goto(self.base + path)
        self.page.wait_for_selector("#main")
        self.page.wait_for_function(
            "![...document.querySelectorAll('.q-linear-progress--indeterminate, .q-linear-progress__model--indeterminate')]"
            ".some(bar => bar.offsetParent) || document.body.innerText.includes('…')"
        )
        self.page.evaluate(_QUIET)

    def shot(self, name: str) -> None:
        """Keep a picture of the page where that is wanted."""
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)

    def overflow(self) -> list[str]:
        """What is wider than the page."""
        found: list[str] = self.page.evaluate(
            """() => { const w = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= w) return [];
            return [...document.querySelectorAll('main *, header *')].filter(e => e.getBoundingClientRect().right > w + 1)
              .slice(0, 5).map(e => e.tagName + '.' + e.className); }"""
        )
        return found

    def small(self) -> list[str]:
        """Buttons and links that a thumb misses: less than 44 px in height, or in width."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll('main button, header a, header button, .tabs a, main a')].filter(e => {
              const r = e.getBoundingClientRect();
              return r.width > 2 && r.height > 2 && getComputedStyle(e).visibility !== 'hidden' && (r.height < 43.5 || r.width < 36);
            }).map(e => e.outerHTML.slice(0, 120))"""
        )
        return found

    def unnamed(self, lang: str) -> list[str]:
        """What a screen reader finds and cannot say, or says in another language than the page's."""
        tree = self.page.context.new_cdp_session(self.page)
        wrong = []
        for node in tree.send("Accessibility.getFullAXTree")["nodes"]:
            role, name = node["role"]["value"], str((node.get("name") or {}).get("value", "")).strip()
            if node.get("ignored") or role in ("RootWebArea", "generic", "main", "Video"):
                continue
            flags = {p["name"]: p["value"].get("value") for p in node.get("properties", ())}
            if not flags.get("focusable") and role not in _SPOKEN:
                continue
            # Within a field for a time they are the browser's own, in the browser's language.
            if name in _AS_IT_IS or name.startswith(
                ("Show time picker", "Hours", "Minutes", "Seconds", "AM/PM")
            ):
                continue
            chinese, latin = re.search("[\u4e00-\u9fff]", name), re.search("[A-Za-z]{4}", name)
            if not name or (latin and not chinese if lang == "zh-CN" else chinese and not latin):
                wrong.append(f"{role} {name!r}")
        tree.detach()
        return wrong

    def walked(self) -> list[str]:
        """Go through the page by Tab: where the keyboard is kept, and where nobody sees that it is there."""
        self.page.evaluate("document.activeElement?.blur()")
        wrong: list[str] = []
        stops: list[int] = []
        for _ in range(150):
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(_STOP)
            if stop is None or (stops and stop["number"] == stops[0]):
                return wrong
            stops.append(stop["number"])
            # A field for a time has a stop for each of its parts.
            if len(stops) > 6 and len(set(stops[-6:])) == 1:
                return [*wrong, f"keeps the keyboard: {stop['what']}"]
            if not stop["seen"]:
                wrong.append(f"focus is not seen: {stop['what']}")
        return [*wrong, "no end by Tab"]

    def axe(self) -> list[str]:
        """axe-core's serious and critical findings."""
        self.page.evaluate(axe_source())
        result = self.page.evaluate(
            "() => axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
        )
        return [
            f"{v['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
            for v in result["violations"]
            if v["impact"] in ("serious", "critical")
            for node in v["nodes"][:3]
        ]


def axe_source() -> str:
    """axe-core as a Python package ships it."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


@contextmanager
def console(environment: dict[str, str], *options: str) -> Iterator[dict[str, Any]]:
    """``ipc console`` as a process of its own; what it says when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", "console", "--json", "--no-open", "--port", "0", *options],
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
    )
    try:
        assert process.stdout is not None
        yield {"pid": process.pid} | json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()
