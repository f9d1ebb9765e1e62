"""A camera's tabs in Chromium, each by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sunmi_ipc.values import CardStatus
from tests.patience import eventually

from .browser import DESK, MISSING, PHONE, Page
from .shop import HOSTILE, Open, Shop, at, playing

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


def last_recording(shop: Shop, open_: Open) -> Page:
    """The page of recordings, where the last one plays."""
    page = open_(PHONE)
    page.go(f"/camera/{shop.till.sn}?tab=recordings")
    page.page.wait_for_selector(".day i")
    page.page.get_by_role("button", name="Previous").click()
    page.page.wait_for_function("document.querySelector('main video')?.currentTime > 0", timeout=60_000)
    return page


def test_events_fill_the_wall_with_pictures(shop: Shop, open_: Open) -> None:
    page = open_(PHONE)
    page.go(f"/camera/{shop.door.sn}?tab=events")
    page.page.get_by_role("button", name="Listen").click()
    page.page.wait_for_selector("text=Stop listening")
    shop.feed.happen(shop.door, gender=2, age=31)
    page.page.wait_for_selector(".event img", timeout=60_000)
    page.page.wait_for_function("document.querySelector('.event img').naturalWidth > 10", timeout=60_000)
    assert "woman 31" in page.page.inner_text(".wall")
    page.shot("events-face")
    # What was heard is marked on the day of its recordings, too, and the marks are explained.
    page.go(f"/camera/{shop.door.sn}?tab=recordings")
    page.page.wait_for_selector(".day em.face", state="attached")
    assert page.page.inner_text(".legend").split("\n") == ["Motion", "Faces"]
    page.go(f"/camera/{shop.door.sn}?tab=events")
    page.page.wait_for_selector(".event img")
    page.page.get_by_role("button", name="Motion and sound").click()
    page.page.wait_for_timeout(600)
    assert page.page.locator(".event img").count() == 0
    page.page.get_by_role("button", name="Stop listening").click()
    page.page.wait_for_selector("text=Listen")


def test_a_recording_plays_and_a_part_is_kept(shop: Shop, open_: Open, tmp_path: Path) -> None:
    page = open_(PHONE)
    page.go(f"/camera/{shop.till.sn}?tab=recordings")
    page.page.wait_for_selector(".day i")
    page.page.get_by_role("button", name="Previous").click()
    page.page.wait_for_function("document.querySelector('main video')?.currentTime > 0", timeout=60_000)
    with page.page.expect_download(timeout=60_000) as saved:
        page.page.get_by_role("button", name="Download").click()
        page.page.get_by_text("Save ", exact=False).last.click(timeout=60_000)
    path = tmp_path / "kept.mp4"
    saved.value.save_as(path)
    assert path.read_bytes()[4:8] == b"ftyp"


def test_a_download_that_was_cut_off_goes_on(shop: Shop, open_: Open) -> None:
    """Between camera and console: what is here is not fetched again. Between console and browser: by range."""
    page = last_recording(shop, open_)
    # Some recordings, each of which the camera cuts off; then it does so no more.
    start, end = page.page.locator("input[type=time]").nth(0), page.page.locator("input[type=time]").nth(1)
    hour, minute, second = (int(part) for part in (start.input_value() + ":00").split(":")[:3])
    first = max(0, hour * 3600 + minute * 60 + second - 120)
    start.fill(f"{first // 3600:02}:{first // 60 % 60:02}:{first % 60:02}")
    start.blur()
    now = datetime.now(UTC)
    for record in shop.client("till").video.records(now - timedelta(minutes=20), now):
        shop.till.fail("cut", path=urlsplit(record.url).path.lstrip("/"), times=2)
    page.page.get_by_role("button", name="Download").click()
    page.page.wait_for_timeout(1500)
    shop.till.faults.clear()
    end.blur()
    button = page.page.get_by_role("button", name="Download")
    button.click()
    link = page.page.get_by_text("Save ", exact=False).last
    link.wait_for(timeout=60_000)
    # The browser has half of it when its network breaks; it asks for the rest, if that is still the same file.
    made = page.page.evaluate(
        """async path => {
          const cut = new AbortController(), whole = await fetch(path, {signal: cut.signal});
          const tag = whole.headers.get('etag'), size = Number(whole.headers.get('content-length')), reader = whole.body.getReader();
          const {value} = await reader.read(); const half = Math.min(value.length, Math.floor(size / 2)); cut.abort();
          const rest = await fetch(path, {headers: {Range: `bytes=${half}-`, 'If-Range': tag}});
          const other = await fetch(path, {headers: {Range: `bytes=${half}-`, 'If-Range': '"another"'}});
          const bytes = new Uint8Array(await rest.arrayBuffer()), full = new Uint8Array(await (await fetch(path)).arrayBuffer());
          let same = half + bytes.length === full.length && value.subarray(0, half).every((b, i) => b === full[i]);
          same = same && bytes.every((b, i) => b === full[half + i]);
          return [whole.status, rest.status, rest.headers.get('content-range'), other.status, same, half, size];
        }""",
        link.get_attribute("href"),
    )
    assert made[:2] == [200, 206]
    assert made[2] == f"bytes {made[5]}-{made[6] - 1}/{made[6]}"
    assert made[3] == 200  # what has changed is had from its beginning
    assert made[4] is True
    assert 0 < made[5] < made[6]


def test_two_handles_make_a_part(shop: Shop, open_: Open) -> None:
    page = open_(DESK)
    page.go(f"/camera/{shop.till.sn}?tab=recordings")
    page.page.wait_for_selector(".day i")
    page.page.get_by_role("button", name="Previous").click()
    page.page.wait_for_selector(".q-range__thumb, .q-slider__thumb")
    times = "() => [...document.querySelectorAll('input[type=time]')].map(i => i.value)"
    before = page.page.evaluate(times)
    page.page.wait_for_function("document.querySelector('main video')?.currentTime > 0", timeout=60_000)
    thumbs = page.page.locator(".q-slider__thumb")
    assert thumbs.count() == 2
    thumbs.nth(1).scroll_into_view_if_needed()
    box = thumbs.nth(1).bounding_box()
    assert box is not None
    assert box["width"] >= 24
    track = page.page.locator(".q-slider__track").bounding_box()
    assert track is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    way = 40 if x + 40 < track["x"] + track["width"] else -40
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x + way / 2, y)
    page.page.mouse.move(x + way, y)
    page.page.mouse.up()
    page.page.wait_for_function(
        "b => [...document.querySelectorAll('input[type=time]')][1].value !== b", arg=before[1]
    )
    after = page.page.evaluate(times)
    assert (after[0] == before[0]) or way < 0
    assert page.page.locator(".day mark").count() == 1
    page.shot("recordings-handles")


def test_without_a_card_the_recordings_say_so_in_words(shop: Shop, open_: Open) -> None:
    shop.till.insert_card(CardStatus.NONE)
    try:
        page = open_(PHONE, "zh-CN")
        page.go(f"/camera/{shop.till.sn}?tab=recordings")
        page.page.wait_for_selector(".note.bad")
        said = page.page.inner_text(".note.bad")
        assert "SD 卡" in said
        assert "ipc" not in said
        assert page.page.get_by_role("button", name="上一段").count() == 0
    finally:
        shop.till.insert_card(CardStatus.NORMAL)


def test_of_two_tabs_tapped_in_a_row_the_second_is_shown_alone(shop: Shop, open_: Open) -> None:
    page = open_(PHONE)
    page.go(f"/camera/{shop.door.sn}?tab=card")
    alone = page.page.locator("section.stack").all_inner_texts()
    for first in ("people", "faces", "recordings", "detection"):
        page.page.evaluate(
            "names => names.forEach(name => document.querySelector(`.tabs a[href='?tab=${name}']`).click())",
            [first, "card"],
        )
        page.page.get_by_role("button", name="Format the SD card").wait_for(timeout=15_000)
        page.page.wait_for_timeout(1000)
        assert page.page.locator("section.stack").all_inner_texts() == alone, first
        assert page.page.locator(".q-linear-progress--indeterminate").count() == 0
    assert page.wrong == []


def test_people_are_downloaded_as_csv_and_as_a_workbook(shop: Shop, open_: Open, tmp_path: Path) -> None:
    import zipfile

    page = open_(PHONE)
    page.go(f"/camera/{shop.door.sn}?tab=people")
    page.page.get_by_role("button", name="Yesterday").click()
    page.page.wait_for_timeout(3000)  # the old day's buttons go with it
    page.page.get_by_text("Compare with the period before").click()
    page.page.wait_for_timeout(3000)
    assert page.page.locator("canvas").count() == 2
    for kind in ("CSV", "XLSX"):
        with page.page.expect_download(timeout=60_000) as saved:
            page.page.get_by_role("button", name=kind).click()
        path = tmp_path / f"people.{kind.lower()}"
        assert saved.value.suggested_filename.endswith(path.suffix)
        saved.value.save_as(path)
    text = (tmp_path / "people.csv").read_text("utf-8-sig")
    assert (tmp_path / "people.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert len(text.splitlines()) >= 24
    with zipfile.ZipFile(tmp_path / "people.xlsx") as book:
        assert "xl/workbook.xml" in book.namelist()
    assert page.wrong == []


def test_a_photo_of_a_phone_is_shrunk_and_added(shop: Shop, open_: Open, tmp_path: Path) -> None:
    from PIL import Image

    photo = tmp_path / "photo.jpg"
    Image.effect_noise((3000, 4000), 80).convert("RGB").save(photo, quality=95)
    assert photo.stat().st_size > 1_000_000
    page = open_(PHONE)
    page.go(f"/camera/{shop.door.sn}?tab=faces")
    page.page.get_by_text("Regulars").click()
    page.page.wait_for_selector("input[type=file]", state="attached")
    page.page.set_input_files("input[type=file]", str(photo))
    page.page.wait_for_selector("text=photo.jpg: added", timeout=60_000)
    page.shot("faces-added")


def test_detection_is_dragged_over_the_week(shop: Shop, open_: Open) -> None:
    page = open_(DESK)
    page.go(f"/camera/{shop.door.sn}?tab=detection")
    cells = page.page.locator(".week b")

    def centre(day: int, hour: int) -> tuple[float, float]:
        box = cells.nth(day * 24 + hour).bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    page.page.mouse.move(*centre(0, 9))
    page.page.mouse.down()
    page.page.mouse.move(*centre(2, 15), steps=5)
    page.page.mouse.move(*centre(4, 21), steps=5)
    page.page.mouse.up()
    page.page.wait_for_selector("text=Mon, Tue, Wed, Thu, Fri 9:00-22:00")
    page.page.get_by_role("button", name="Save", exact=True).click()
    page.page.wait_for_selector(".q-notification")
    kept = shop.door.state.documents["motion"]
    assert (kept["weekday"], kept["start_time"], kept["stop_time"]) == (0x1F, 540, 1320)


def test_zoom_and_focus_move_the_motors(shop: Shop, open_: Open) -> None:
    from sunmi_ipc.simulator.lens import position

    page = open_(PHONE)
    page.go(f"/camera/{shop.side.sn}")
    before = position(shop.side.state, "zoom")
    page.page.get_by_role("button", name="Zoom: more").click()
    page.page.wait_for_selector(f"text={before + 50} / 500", timeout=60_000)
    assert position(shop.side.state, "zoom") == before + 50
    playing(page)
    page.page.mouse.click(*at(page, 480, 270))
    where = lambda: shop.side.state.documents.get("focus_point", {}).get("focused_x")  # noqa: E731
    assert eventually(lambda: where() == pytest.approx(25, abs=1))
    assert page.page.locator(".lp-sharp").count() == 1


def test_the_zoom_is_set_by_keys_and_stays_where_it_was_put(shop: Shop, open_: Open) -> None:
    from sunmi_ipc.simulator.lens import position

    page = open_(DESK)
    page.go(f"/camera/{shop.side.sn}")
    slider = page.page.get_by_role("slider", name="Zoom")
    before = int(slider.get_attribute("aria-valuenow") or 0)
    page.page.get_by_role("button", name="Zoom: less").focus()
    page.page.keyboard.press("Shift+Tab")
    page.page.keyboard.press("Tab")
    assert page.page.evaluate("getComputedStyle(document.activeElement).boxShadow") != "none"  # it is seen
    page.page.keyboard.press("Tab")
    for _ in range(4):  # as fast as fingers are: the motors still run for the first
        page.page.keyboard.press("ArrowRight")
    page.page.wait_for_selector(f"text={before + 40} / 500", timeout=60_000)
    page.page.wait_for_function("() => !document.body.innerText.includes('The motors run')", timeout=60_000)
    assert position(shop.side.state, "zoom") == before + 40
    assert slider.get_attribute("aria-valuenow") == str(before + 40)
    # Dragged, and then moved by a button: it goes along.
    box = slider.bounding_box()
    assert box is not None
    page.page.mouse.move(box["x"] + box["width"] * (before + 40) / 500, box["y"] + box["height"] / 2)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.page.mouse.up()
    page.page.wait_for_timeout(500)
    page.page.wait_for_function("() => !document.body.innerText.includes('The motors run')", timeout=60_000)
    middle = position(shop.side.state, "zoom")
    assert middle == pytest.approx(250, abs=20)
    page.page.get_by_role("button", name="Zoom: more").click()
    page.page.wait_for_selector(f"text={middle + 50} / 500", timeout=60_000)
    page.page.wait_for_function(
        "v => document.querySelector('[role=slider][aria-label=Zoom]').getAttribute('aria-valuenow') === v",
        arg=str(middle + 50),
    )


def test_what_a_camera_shows_and_is_called_is_set(shop: Shop, open_: Open) -> None:
    page, documents = open_(PHONE), shop.side.state.documents
    page.go(f"/camera/{shop.side.sn}")
    press = page.page.get_by_role

    def until(check: Callable[[], bool]) -> None:
        end = time.monotonic() + 15
        while not check():
            assert time.monotonic() < end, documents
            page.page.wait_for_timeout(100)

    try:
        night = page.page.get_by_role("group", name="Night mode")
        night.get_by_role("button", name="on", exact=True).click()
        until(lambda: documents["ir"]["irmode"] == 1)
        page.page.wait_for_selector("[aria-label='Night mode'] [aria-pressed=true]:text-is('on')")
        press("group", name="Turn the picture").get_by_role("button", name="180°").click()
        until(lambda: documents["rotation"]["rotation"] == 180)
        before = dict(documents["led"])
        page.page.get_by_text("Status light").click()
        until(lambda: documents["led"] != before)
        seen = shop.side.state.counts.get("config/setLed", 0)
        after = dict(documents["led"])
        press("button", name="Which one is it?").click()
        until(lambda: shop.side.state.counts.get("config/setLed", 0) >= seen + 4)
        until(lambda: page.page.get_by_role("button", name="Which one is it?").is_enabled())
        assert documents["led"] == after  # as it was
        field = page.page.get_by_role("textbox", name="Name")
        field.fill("Side door 侧门")
        press("button", name="Save the name").click()
        until(lambda: shop.side.state.name == "Side door 侧门")
        page.page.wait_for_selector("h1:text-is('Side door 侧门')")
        assert page.wrong == []
    finally:
        shop.side.state.name = HOSTILE
        documents["ir"]["irmode"], documents["rotation"]["rotation"] = 2, 0


def test_faces_rule_and_what_deletes_asks(shop: Shop, open_: Open) -> None:
    page = open_(DESK)
    shop.feed.happen(shop.door, gender=1, age=44)
    page.go(f"/camera/{shop.door.sn}?tab=faces")
    page.page.get_by_role("spinbutton", name="Visits").fill("5")
    page.page.get_by_role("spinbutton", name="within days").fill("12")
    page.page.get_by_role("button", name="Save", exact=True).click()
    page.page.wait_for_selector(".q-notification")
    stranger = shop.door.state.documents["groups"]["stranger"]
    assert (stranger["times"], stranger["period"]) == (5, 12)
    assert len(stranger["faces"]) > 0
    page.page.get_by_text("Strangers").first.click()
    page.page.get_by_role("button", name="Empty this group").click()
    dialog = page.page.locator(".q-dialog")
    sure = dialog.get_by_role("button", name="Empty", exact=True)
    assert sure.is_disabled()  # until its name is typed
    dialog.locator("input").fill("regular")
    assert sure.is_disabled()
    dialog.get_by_role("button", name="Cancel").click()
    page.page.wait_for_timeout(400)
    assert len(stranger["faces"]) > 0
    page.page.get_by_role("button", name="Empty this group").click()
    page.page.locator(".q-dialog input").fill("stranger")
    page.page.locator(".q-dialog").get_by_role("button", name="Empty", exact=True).click()
    page.page.wait_for_selector(".q-notification >> text=Done")
    assert len(shop.door.state.documents["groups"]["stranger"]["faces"]) == 0


def test_a_clip_is_cut_by_the_camera(shop: Shop, open_: Open, tmp_path: Path) -> None:
    page = last_recording(shop, open_)
    start, end = page.page.locator("input[type=time]").nth(0), page.page.locator("input[type=time]").nth(1)
    hour, minute, second = (int(part) for part in (start.input_value() + ":00").split(":")[:3])
    to = hour * 3600 + minute * 60 + second + 10
    end.fill(f"{to // 3600:02}:{to // 60 % 60:02}:{to % 60:02}")
    end.blur()
    with page.page.expect_download(timeout=60_000) as saved:
        page.page.get_by_role("button", name="Clip").click()
        page.page.get_by_text("Save ", exact=False).last.click(timeout=60_000)
    path = tmp_path / "clip.mp4"
    saved.value.save_as(path)
    assert path.read_bytes()[4:8] == b"ftyp"
