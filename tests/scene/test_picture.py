"""What one does to the lens can be seen: pixels of snapshots prove it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sunmi_ipc.protocol.values import IrMode
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.video import scene
from sunmi_ipc.simulator.video.scene import Scene, walkers
from sunmi_ipc.simulator.video.viewpoint import Look

from .conftest import FHD, zone

Film, Shot = Callable[..., VirtualCamera], Callable[..., Any]


def sharpness(picture: Any) -> float:
    """Mean square of the second derivative, without the title."""
    grey = picture[30:].mean(axis=2)
    return float((np.diff(grey, 2, axis=0)[:, 2:] ** 2).mean() + (np.diff(grey, 2, axis=1) ** 2).mean())


def settle(camera: VirtualCamera) -> None:
    """Wait until the motors stand still."""
    motors = camera.state.documents["motors"]
    with connect(camera) as client:
        # Two equal answers in a row prove nothing: a call is quicker than a step of the motor.
        while (now := client.lens.show()) and (now.zoom, now.focus) != (
            motors["zoom"]["to"],
            motors["focus"]["to"],
        ):
            pass


def alike(a: Any, b: Any) -> float:
    """Correlation of two pictures of one size."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.fixture
def empty_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is there: where people happen to stand must not weigh in what the lens does."""
    monkeypatch.setattr(scene, "walkers", lambda sn, when: iter(()))


@pytest.mark.usefixtures("empty_shop")
def test_zoom_shows_the_middle_larger(film: Film, shot: Shot) -> None:
    camera = film()
    wide = shot(camera)
    with connect(camera) as client:
        client.lens.zoom(167)  # of 500: twice as large
    settle(camera)
    near = shot(camera)
    middle = Image.fromarray(wide[90:270, 160:480].astype("uint8")).resize((640, 360))
    assert alike(near[40:], np.asarray(middle)[40:]) > 0.8
    assert alike(near[40:], wide[40:]) < 0.6


@pytest.mark.usefixtures("empty_shop")
def test_focus_is_sharp_at_one_place_only(film: Film, shot: Shot) -> None:
    camera = film()
    with connect(camera) as client:
        best = client.lens.show().focus
        sharp = sharpness(shot(camera))
        found = [sharp]
        for off in (60, 200):
            client.lens.focus(best + off)
            settle(camera)
            found.append(sharpness(shot(camera)))
        assert found[0] > 1.5 * found[1] > 2 * found[2]
        client.lens.autofocus()
        settle(camera)
        assert sharpness(shot(camera)) == pytest.approx(sharp, rel=0.01)


def test_infrared_is_grey_and_automatic_at_night(film: Film, shot: Shot) -> None:
    def colour(camera: VirtualCamera) -> float:
        picture = shot(camera)[30:]
        return float(np.abs(picture - picture.mean(axis=2, keepdims=True)).mean())

    day, night = film("FM010"), film("FM010", hour=23)
    assert colour(day) > 5
    assert colour(night) < 1 < 50 < shot(night).mean()
    with connect(day) as client:
        client.image.set_ir(IrMode.ON)
    with connect(night) as client:
        client.image.set_ir(IrMode.OFF)
    assert colour(day) < 1
    assert shot(night).mean() < 50


def test_rotation(film: Film, shot: Shot) -> None:
    camera = film("FM010")
    upright = shot(camera)
    with connect(camera) as client:
        client.image.set_rotation(180)
        assert alike(shot(camera)[30:-30], upright[::-1, ::-1][30:-30]) > 0.97
        client.image.set_rotation(90)
        turned = shot(camera)
        assert turned.shape == (640, 360, 3)
        assert alike(turned[30:], np.rot90(upright, -1)[30:]) > 0.97


def test_the_door_line_is_drawn(film: Film, shot: Shot) -> None:
    def yellow(picture: Any, y: int) -> int:
        row = picture[y - 2 : y + 3, :, :].astype(int)
        return int(((row[..., 0] > 180) & (row[..., 1] > 140) & (row[..., 2] < 110)).any(axis=0).sum())

    camera = film()
    with connect(camera) as client:
        client.people_flow.set_door_line(start_x=300, start_y=960, end_x=1200, end_y=960)
        assert yellow(shot(camera), 320) > 250
        client.people_flow.set_door_line(start_x=300, start_y=990, end_x=600, end_y=990)
        assert yellow(shot(camera), 320) < 20
        assert yellow(shot(camera), 330) > 80
    assert yellow(shot(film("FM010")), 267) < 20


def test_people_walk_and_the_clock_goes(film: Film, shot: Shot) -> None:
    camera = film()
    before, after = shot(camera, ago=61), shot(camera, ago=60)
    changed = np.abs(before - after).max(axis=2) > 40
    assert changed[:16, :230].any()  # the seconds
    assert changed[100:].sum() > 200  # the people
    assert not changed[40:90, 20:140].any()  # the wall


def test_the_clock_is_the_camera_s() -> None:
    moment = 1_700_000_000
    pictures = [
        Scene("FS101D8BS00106", 640, 360, tz).picture(moment, Look(infrared=0)).planes[0][:16, :230]
        for tz in (zone(11), zone(12), zone(12))
    ]
    assert (pictures[0] != pictures[1]).any()
    assert (pictures[1] == pictures[2]).all()


def test_somebody_is_there_most_of_the_time() -> None:
    start = int(time.time())
    counts = [len(list(walkers("FS101D8BS00106", start + s))) for s in range(600)]
    assert sum(c > 0 for c in counts) > 500
    assert max(counts) < 8


def test_the_picture_follows_the_motors_on_their_way(film: Film) -> None:
    camera = film()
    with connect(camera) as client:
        client.lens.zoom(500)
        seen = {Look.of(camera.state).magnification}
        while max(seen) < 4:
            seen.add(Look.of(camera.state).magnification)
    assert len(seen) > 2


def test_sizes(film: Film, shot: Shot) -> None:
    assert shot(film()).shape == (FHD.height, FHD.width, 3)
