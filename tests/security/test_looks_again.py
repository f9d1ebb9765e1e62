"""What destroys looks again: the camera that was named is the one on which it happens, by every way."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sunmi_ipc_cli import target

from sunmi_ipc import errors
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.faces import populate

Virtual = Callable[..., VirtualCamera]


@pytest.fixture
def two(virtual: Virtual) -> tuple[VirtualCamera, VirtualCamera]:
    one, other = virtual(), virtual()
    for camera in (one, other):
        populate(camera.state, 3)
    return one, other


DESTROYING: dict[str, Callable[[Any], Any]] = {
    "config/formatMemoryCard": lambda camera: camera.sdcard.format(),
    "face/clearGroup": lambda camera: camera.faces.clear_group("regular"),
    "face/deleteFaces": lambda camera: camera.faces.delete("regular", ["0" * 16]),
}


@pytest.mark.parametrize("path", DESTROYING)
def test_another_camera_of_the_same_ca_at_the_address(
    two: tuple[VirtualCamera, VirtualCamera], both_colours: Any, path: str
) -> None:
    one, other = two
    with both_colours(one, sn=one.sn) as camera:
        camera.device.info()
        camera.move(other.address)  # as where DHCP has given the address to another
        with pytest.raises(errors.CameraNotFound, match=f"{other.sn} now, and not {one.sn}"):
            DESTROYING[path](camera)
        assert path not in other.state.counts
        camera.move(one.address)
        DESTROYING[path](camera)
    assert path in one.state.counts
    assert path not in other.state.counts


def test_every_call_that_destroys_is_among_those() -> None:
    from sunmi_ipc.protocol.spec import registry

    every = {path for path, endpoint in registry().items() if endpoint.destroys}
    # The activation carries the serial number itself: a camera refuses another's with code 11.
    assert every - {"device/activate"} == {*DESTROYING}


@pytest.mark.parametrize("fault", ["garble", "status"])
def test_a_camera_that_does_not_say_who_it_is(ready: VirtualCamera, fault: str) -> None:
    if fault == "garble":
        ready.fail("garble", path="device/getInfo", times=None)
    else:
        ready.fail("code", 6, path="device/getInfo", times=None)
    with connect(ready, sn=ready.sn, model="FM020", retries=0) as camera:
        camera.sdcard.format()
    assert ready.state.counts["config/formatMemoryCard"] == 1


def test_the_question_names_the_camera_at_an_address_and_the_answer_counts_for_it_alone(
    two: tuple[VirtualCamera, VirtualCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    asked: list[str] = []
    opened = connect(one)
    state: Any = SimpleNamespace(camera=one.address, found=None, settings=SimpleNamespace(camera=""))

    def swapped(text: str, yes: bool) -> None:
        asked.append(text)
        opened.move(other.address)

    monkeypatch.setattr(target, "open_camera", lambda _: opened)
    monkeypatch.setattr(target, "is_terminal", lambda: True)
    monkeypatch.setattr(target, "confirm", swapped)
    with (
        pytest.raises(errors.CameraNotFound, match="nothing was destroyed"),
        target.destroying(state, lambda name: f"Format {name}?", yes=False) as camera,
    ):
        camera.sdcard.format()
    assert asked == [f"Format {one.sn}?"]
    assert "config/formatMemoryCard" not in one.state.counts
    assert "config/formatMemoryCard" not in other.state.counts
