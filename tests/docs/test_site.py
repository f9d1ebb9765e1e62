"""The built site: strict, whole in both languages, and nothing on it comes from the internet."""

from __future__ import annotations

import functools
import http.server
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from sunmi_ipc_cli import reference

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as .ci/docs builds it, strictly: a broken link or anchor ends it."""
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.anchors.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") in ("canonical", "alternate"):
            return
        if (loaded := given.get("src") or (given.get("href") if tag == "link" else "")) and tag != "a":
            self.loads.append(loaded)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, _Page]:
    return {path: _Page(path.read_text("utf-8")) for path in site.rglob("*.html")}


def test_every_link_and_anchor_leads_somewhere(site: Path, pages: dict[Path, _Page]) -> None:
    broken = []
    for path, page in pages.items():
        if path.name == "404.html":  # its links are from the server's root
            continue
        here = "/" + str(path.relative_to(site))
        for link in page.links:
            if re.match(r"(?:https?|mailto|javascript):", link) or not link:
                continue
            address, anchor = urldefrag(urljoin(here, link))
            there = site / unquote(urlsplit(address).path).lstrip("/")
            there = there / "index.html" if there.is_dir() else there
            if not there.exists() or (
                anchor and there in pages and unquote(anchor) not in pages[there].anchors
            ):
                broken.append((here, link))
    assert broken == []


def test_nothing_is_fetched_from_elsewhere(site: Path, pages: dict[Path, _Page]) -> None:
    assert [
        (p.name, url) for p, page in pages.items() for url in page.loads if re.match(r"(?:https?:)?//", url)
    ] == []
    for sheet in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//", sheet.read_text("utf-8")) == [], sheet


def test_every_page_is_there_in_both_languages(site: Path) -> None:
    names = {p.stem for p in (ROOT / "docs").glob("*.md") if not p.name.endswith(".zh-CN.md")} - {"index"}
    for folder, language in ((site, "en"), (site / "zh-CN", "zh")):
        for name in names:
            text = (folder / name / "index.html").read_text("utf-8")
            assert re.search(rf'<html lang="{language}', text), name


def test_the_search_knows_where_a_chinese_word_ends(site: Path) -> None:
    """jieba cuts sentences into words; the index is told that words end where it has cut."""
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    section = next(d for d in index["docs"] if d["location"] == "zh-CN/events/#在命令行中")
    words = re.split(index["config"]["separator"], section["text"])
    assert {"摄像机", "订阅", "后来", "出现"} <= set(words)
    assert max(len(word) for word in words if re.fullmatch(r"[\u4e00-\u9fff]+", word)) < 6


def test_the_threat_model_is_on_the_site(site: Path, pages: dict[Path, _Page]) -> None:
    for folder, title in ((site, "The threat model in a page"), (site / "zh-CN", "威胁模型")):
        page = folder / "security" / "index.html"
        text = page.read_text("utf-8")
        assert text.count("<h1") == 1
        assert title in text
        assert "tests/security/test_mitm.py" in text


@pytest.mark.parametrize("folder", ["", "zh-CN"])
def test_the_api_has_every_model_with_its_fields(site: Path, pages: dict[Path, _Page], folder: str) -> None:
    page = site / folder / "api" / "index.html"
    text = page.read_text("utf-8")
    missing = []
    for home, kind in reference.results():
        name = f"{home}.{kind.__name__}"
        if name not in pages[page].anchors:
            missing.append(name)
        # What it inherits stands at its parent.
        own = [field for field in kind.model_fields if field in kind.__annotations__]
        where = f"{kind.__module__}.{kind.__name__}"
        missing += [f"{name}.{field}" for field in own if f'title="{where}.{field}"' not in text]
    assert missing == []


#: Rooms whose public names are on the page, each where the page shows it.
ROOMS = ("", ".aio", ".cloud", ".discovery", ".events", ".firmware", ".fleet", ".onboarding", ".station.live")


@pytest.mark.parametrize("folder", ["", "zh-CN"])
def test_the_api_has_every_public_name(site: Path, pages: dict[Path, _Page], folder: str) -> None:
    anchors = {
        anchor.rpartition(".")[2]
        for anchor in pages[site / folder / "api" / "index.html"].anchors
        if anchor.startswith("sunmi_ipc")
    }
    for room in ROOMS:
        module = importlib.import_module(f"sunmi_ipc{room}")
        named = {
            n
            for n in module.__all__
            if inspect.isclass(getattr(module, n)) or inspect.isfunction(getattr(module, n))
        }
        assert named - anchors == set(), room
    for error in reference.error_classes():
        assert error.__name__ in anchors, error


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("folder", "words", "found"),
    [
        ("", "door line", "door line"),
        ("zh-CN/", "进店划线", "进店划线"),
        # A sentence, as it stands on a page, and as somebody asks.
        ("zh-CN/", "它在找到的每台摄像机上订阅，后来出现的也订阅", "在命令行中"),
        ("zh-CN/", "怎样激活摄像机？", "激活"),
    ],
)
def test_search(address: str, folder: str, words: str, found: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )  # fmt: skip
        page = browser.new_page(viewport={"width": 390, "height": 844})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/{folder}")
        page.evaluate("document.querySelector('#__search').click()")
        page.locator(".md-search__input").press_sequentially(words)
        page.wait_for_selector(".md-search-result__item", timeout=60_000)
        text = page.inner_text(".md-search-result__list").replace("\u200b", "")  # where words may break
        assert found in text.lower()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
        browser.close()
