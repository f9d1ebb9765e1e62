"""The door line in Chromium: by mouse, by touch and by keys, on a phone that is turned."""

from __future__ import annotations

import pytest

from .browser import DESK, MISSING, PHONE
from .shop import Open, Shop, at, draw, line_of, playing, save, wait_for_line

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


@pytest.mark.parametrize("size", [PHONE, DESK])
@pytest.mark.parametrize("rotation", [0, 180])
def test_the_line_is_drawn_by_mouse(shop: Shop, open_: Open, size: tuple[int, int], rotation: int) -> None:
    shop.door.state.documents["rotation"] = {"rotation": rotation}
    page = draw(shop, open_, size)
    mouse = page.page.mouse
    mouse.move(*at(page, 400, 800))
    mouse.down()
    mouse.move(*at(page, 500, 700), steps=5)
    mouse.move(*at(page, 620, 610), steps=5)
    mouse.up()
    save(page)
    slack = 1920 / size[0] * 2.5
    wait_for_line(shop.door, lambda line: line != (400, 800, 1500, 800))
    line = line_of(shop.door)
    assert line[0] == pytest.approx(620, abs=slack)
    assert line[1] == pytest.approx(610, abs=slack)
    assert line[2:] == (1500, 800)
    page.page.wait_for_selector("text=read back and compared")
    # The whole line; then a step back.
    mouse.move(*at(page, (line[0] + line[2]) / 2, (line[1] + line[3]) / 2))
    mouse.down()
    mouse.move(*at(page, (line[0] + line[2]) / 2 + 100, (line[1] + line[3]) / 2 - 200), steps=6)
    mouse.up()
    save(page)
    wait_for_line(
        shop.door,
        lambda now: now[2] == pytest.approx(1600, abs=slack) and now[3] == pytest.approx(600, abs=slack),
    )
    shop.door.state.documents["rotation"] = {"rotation": 0}


def test_the_line_is_drawn_by_touch(shop: Shop, open_: Open) -> None:
    page = draw(shop, open_, PHONE)
    client = page.page.context.new_cdp_session(page.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        client.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        )

    touch("touchStart", at(page, 1500, 800))
    for step in range(1, 9):
        touch("touchMove", at(page, 1500 - 30 * step, 800 - 20 * step))
    touch("touchEnd")
    assert page.page.evaluate("scrollY") == 0  # the page did not scroll away under the finger
    save(page)
    wait_for_line(
        shop.door,
        lambda line: line[2] == pytest.approx(1260, abs=15) and line[3] == pytest.approx(640, abs=15),
    )


def test_the_line_is_drawn_by_keys(shop: Shop, open_: Open) -> None:
    page = draw(shop, open_, DESK)
    page.page.get_by_role("slider", name="Left end of the door line").focus()
    for _ in range(4):
        page.page.keyboard.press("ArrowUp")
    page.page.keyboard.press("Shift+ArrowRight")
    page.page.wait_for_timeout(500)
    page.page.get_by_role("button", name="Save the line").focus()
    page.page.keyboard.press("Enter")
    wait_for_line(shop.door, lambda line: line == (450, 780, 1500, 800))
    page.page.get_by_role("button", name="Undo").is_disabled()
    assert page.page.locator(".lp-grid").count() == 0
    page.page.get_by_text("Grid").click()
    page.page.wait_for_selector(".lp-grid line", state="attached")


def test_a_line_that_is_none_is_red_with_the_reason_and_cannot_be_saved(shop: Shop, open_: Open) -> None:
    page = draw(shop, open_, DESK)
    mouse = page.page.mouse
    mouse.move(*at(page, 400, 800))
    mouse.down()
    mouse.move(*at(page, 1450, 800), steps=8)
    assert "Too short" in page.page.inner_text(".lp-why")  # while it is dragged
    assert page.page.locator(".lp-bad").count() == 1
    page.shot("line-too-short")
    mouse.up()
    page.page.wait_for_selector(".note.bad")
    assert page.page.get_by_role("button", name="Save the line").is_disabled()
    page.page.get_by_role("button", name="Undo").click()
    page.page.wait_for_selector(".note.good")
    mouse.move(*at(page, 400, 800))
    mouse.down()
    mouse.move(*at(page, -120, 800), steps=8)
    assert "Outside" in page.page.inner_text(".lp-why")
    mouse.up()
    assert line_of(shop.door) == (400, 800, 1500, 800)


def test_a_phone_that_is_turned_keeps_picture_and_line(shop: Shop, open_: Open) -> None:
    page = draw(shop, open_, PHONE)
    playing(page)
    for size in ((740, 360), (360, 740)):
        page.page.set_viewport_size({"width": size[0], "height": size[1]})
        page.page.wait_for_timeout(500)
        assert page.overflow() == []
        stage = page.page.locator(".lp-stage").bounding_box()
        assert stage is not None
        assert stage["width"] <= size[0] + 1
        moved = page.page.evaluate("document.querySelector('video.lp-media').currentTime")
        page.page.wait_for_function(
            "t => document.querySelector('video.lp-media').currentTime > t", arg=moved
        )
        # The line is where it was in the picture, and can be taken hold of.
        end, ring = at(page, 1500, 800), page.page.locator(".lp-ring").nth(1).bounding_box()
        assert ring is not None
        assert ring["x"] + ring["width"] / 2 == pytest.approx(end[0], abs=2)
        assert ring["y"] + ring["height"] / 2 == pytest.approx(end[1], abs=2)
    page.page.mouse.move(*at(page, 1500, 800))
    page.page.mouse.down()
    page.page.mouse.move(*at(page, 1400, 700), steps=4)
    page.page.mouse.up()
    save(page)
    wait_for_line(shop.door, lambda line: line[2] == pytest.approx(1400, abs=15))
