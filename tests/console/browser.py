"""Chromium, driven by Playwright: one for all browser tests of a run; and what a page must not do."""

from __future__ import annotations

import json
import os
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
