"""The report on a phone: words whole, failures first, tiles that lead somewhere, small pictures."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from sunmi_ipc.errors import CameraNotFound
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.outcome import Outcome, Problem, Standing
from sunmi_ipc.fleet.pictures import MOST_BYTES, WIDTH, smaller
from sunmi_ipc.fleet.report import Row, collect, difference_label
from sunmi_ipc.fleet.report_html import page, write_html
from sunmi_ipc.fleet.settings import Difference
from sunmi_ipc.fleet.sitefile import load
from sunmi_ipc.i18n import Language

STANDINGS = [
    Standing.OK,
    Standing.DIFFERS,
    Standing.ABSENT,
    Standing.OK,
    Standing.REFUSED,
    Standing.FAILED,
    None,
]


def rows(folder: Path) -> list[Row]:
    """A camera of each standing, the absent and the new one known by the site file's name alone."""
    entries = "".join(
        f'[[cameras]]\nsn = "FS101D8BS0010{n}"\nname = "门口 {n} behind the counter"\ndoor_line = [400, 800, 1500, 800]\n'
        for n in range(len(STANDINGS))
    )
    (folder / "site.toml").write_text(entries, "utf-8")
    slots = load(folder / "site.toml").slots
    with Journal(None) as journal:
        for slot, standing in zip(slots, STANDINGS, strict=True):
            if standing is None:
                continue
            there = standing is not Standing.ABSENT
            outcome = Outcome(
                slot.key, sn=slot.sn, mac="02:53:4D:B2:F0:01", model="FM020", standing=standing, card="normal",
                address="192.168.100.121:8443" if there else "", name=slot.wanted.name or "" if there else "",
            )  # fmt: skip
            if not there:
                missing = CameraNotFound("the camera {sn} was not found", sn=slot.sn)
                outcome.problems.append(Problem.of(missing, "reach"))
            journal.keep(slot.key, slot.sn, outcome.stored())
            journal.end(journal.begin(slot.key, slot.sn, "activate"))
        return collect(slots, journal)


@pytest.mark.parametrize(
    ("one", "english", "chinese"),
    [
        (Difference("ir", "mode", "auto", "on"), "night mode", "夜视"),
        (Difference("rotation", "degrees", "0", "90"), "rotation", "画面旋转"),
        (Difference("ip", "gateway", "1", "2"), "IP settings: gateway", "IP：网关"),
        (Difference("subscriptions", "http://192.168.1.5/", "-", "on"), None, None),
    ],
)
def test_what_differs_is_said_in_one_language(
    one: Difference, english: str | None, chinese: str | None
) -> None:
    assert difference_label(one, "en") == (english or f"subscriptions: {one.field}")
    said = difference_label(one, "zh")
    assert said == chinese or one.field in said
    assert chinese is None or not re.search("[a-z]", said)


def test_failures_come_first_and_tiles_lead_to_what_they_count(tmp_path: Path) -> None:
    text = page("Shop", rows(tmp_path), "en")
    ids = re.findall(r'id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert [i.removeprefix("standing-") for i in ids if i.startswith("standing-")] == [
        "failed", "absent", "refused", "differs", "not-begun", "ok",
    ]  # fmt: skip
    tiles = re.findall(r'<li><a href="#([^"]+)"><b>(\d+)</b>', text)
    assert {target for target, _ in tiles} <= set(ids)
    for target, count in tiles[1:]:
        section = text.split(f'<section id="{target}">')[1].split("</section>")[0]
        assert section.count("<article") == int(count)


def test_an_absent_camera_has_the_site_files_name_and_its_number_once(tmp_path: Path) -> None:
    text = page("Shop", rows(tmp_path), "en")
    for number in (2, 6):
        article = text.split(f'<article id="FS101D8BS0010{number}">')[1].split("</header>")[0]
        assert f"门口 {number} behind the counter" in article
        assert article.count(f"FS101D8BS0010{number}") == 1


@pytest.mark.parametrize("size", [(1920, 1080), (1920, 1920), (640, 360)])
def test_pictures_are_sized_down_and_keep_their_shape(size: tuple[int, int], tmp_path: Path) -> None:
    made, room = io.BytesIO(), Image.linear_gradient("L").resize(size)
    room.paste(Image.effect_noise((size[0] // 3, size[1] // 3), 60), (size[0] // 4, size[1] // 2))
    room.convert("RGB").save(made, "JPEG", quality=92)
    data, kind, told = smaller(made.getvalue(), "jpeg")
    assert (kind, told) == ("jpeg", size)
    with Image.open(io.BytesIO(data)) as image:
        assert image.width == min(WIDTH, size[0])
        assert abs(image.width / image.height - size[0] / size[1]) < 0.01
    assert len(data) < len(made.getvalue())
    listed = rows(tmp_path)
    listed[0].picture, listed[0].kind, listed[0].size = data, kind, told
    assert f'viewBox="0 0 1920 {round(1920 * size[1] / size[0])}"' in page("Shop", listed, "en")


@pytest.mark.parametrize("size", [(1920, 1080), (1920, 1920)])
def test_a_camera_takes_little_room_in_a_report_whatever_it_sees(
    size: tuple[int, int], tmp_path: Path
) -> None:
    """Noise in all colours is the worst picture there is: no camera's compresses less."""
    made = io.BytesIO()
    worst = Image.merge("RGB", [Image.effect_noise(size, 120) for _ in range(3)])
    worst.save(made, "JPEG", quality=92)
    data, kind, told = smaller(made.getvalue(), "jpeg")
    assert len(data) <= MOST_BYTES
    with Image.open(io.BytesIO(data)) as image:
        assert abs(image.width / image.height - size[0] / size[1]) < 0.01
    listed = rows(tmp_path)
    plain = len(page("Shop", listed, "zh").encode())
    for row in listed:
        row.picture, row.kind, row.size = data, kind, told
    whole = len(page("Shop", listed, "zh").encode())
    assert plain / len(listed) < 5_000
    assert (whole - plain) / len(
        listed
    ) < MOST_BYTES * 4 / 3 + 500  # base64; thirty cameras are 3.4 MB at most


def test_what_is_no_picture_is_left_as_it_came() -> None:
    assert smaller(b"\xff\xd8\xff broken", "jpeg") == (b"\xff\xd8\xff broken", "jpeg", None)


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_on_a_screen_no_word_is_torn_and_nothing_sticks_out(
    tmp_path: Path, lang: Language, width: int
) -> None:
    api = pytest.importorskip("playwright.sync_api")
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("no Chromium")
    (long := rows(tmp_path))[0].outcome.name = "W" * 300
    long[3].outcome.name = "店" * 200
    write_html(tmp_path / "r.html", "S" * 300, long, lang)
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        tab = browser.new_page(viewport={"width": width, "height": 800})
        tab.goto((tmp_path / "r.html").as_uri())
        paper = "getComputedStyle(document.body).backgroundColor"
        assert tab.evaluate(paper) == "rgb(255, 255, 255)"
        tab.emulate_media(color_scheme="dark")
        assert tab.evaluate(paper) == "rgb(20, 23, 26)"
        tab.emulate_media(media="print", color_scheme="dark")
        assert tab.evaluate(paper) == "rgb(255, 255, 255)"  # paper is white
        tab.emulate_media(media="screen", color_scheme="light")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        torn = tab.evaluate(
            """[...document.querySelectorAll('.one, .tag, .sum a, th')].flatMap(e => {
              const torn = [], walker = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
              for (let node; (node = walker.nextNode());) {
                const range = document.createRange(); range.selectNodeContents(node);
                const lines = [...range.getClientRects()].map(box => Math.round(box.top));
                if (Math.max(...lines) - Math.min(...lines) > 4) torn.push(node.textContent);
              }
              return torn; })"""
        )
        browser.close()
    assert torn == []
