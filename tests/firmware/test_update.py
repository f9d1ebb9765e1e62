"""A camera that is followed through an update, over real TLS."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from sunmi_ipc.camera import Camera
from sunmi_ipc.errors import ConnectionFailed, ProvisionError
from sunmi_ipc.firmware import follow
from sunmi_ipc.simulator import VirtualCamera, connect


@pytest.fixture
def camera(ready: VirtualCamera) -> Iterator[Camera]:
    with contextlib.closing(connect(ready, timeout=1, retries=0)) as made:
        yield made


class Watched:
    """Reads the version; the camera leaves once it was read, and is back once it was missed."""

    def __init__(self, virtual: VirtualCamera, camera: Camera, *versions: str) -> None:
        self.virtual, self.camera, self.versions = virtual, camera, list(versions)

    def __call__(self) -> str:
        try:
            version = self.camera.device.info().software_version
        except ConnectionFailed:
            self.virtual.restart(0)
            raise
        if self.versions:
            self.virtual.update_firmware(self.versions.pop(0), seconds=60)
        return version


def test_gone_and_back_with_another_version(ready: VirtualCamera, camera: Camera) -> None:
    seen: list[str] = []
    update = follow(Watched(ready, camera, "1.9.0"), interval=0.02, settle=0.1, on_step=seen.append)
    assert (update.before, update.after, update.changed) == ("1.8.2", "1.9.0", True)
    assert update.away_s > 0
    assert seen == ["gone", "back"]


def test_a_camera_that_restarts_twice(ready: VirtualCamera, camera: Camera) -> None:
    """What answers between two restarts is not the end of the update."""
    seen: list[str] = []
    watched = Watched(ready, camera, "1.9.0", "1.9.1")
    update = follow(watched, interval=0.02, settle=0.2, on_step=seen.append)
    assert update.after == "1.9.1"
    assert seen == ["gone", "back", "gone again", "back"]


def test_never_gone_and_never_back(ready: VirtualCamera, camera: Camera) -> None:
    def version() -> str:
        return camera.device.info().software_version

    with pytest.raises(ProvisionError, match="did not leave") as caught:
        follow(version, gone_timeout=0.2, interval=0.05)
    assert caught.value.step == "gone"
    answers = iter(["1.8.2"])

    def leaves() -> str:
        for answer in answers:
            return answer
        ready.restart(60)
        return version()

    with pytest.raises(ProvisionError, match="did not come back") as caught:
        follow(leaves, back_timeout=0.3, interval=0.05)
    assert (caught.value.step, caught.value.done) == ("back", ("gone",))


def test_not_there_at_the_beginning(ready: VirtualCamera, camera: Camera) -> None:
    ready.restart(60)
    with pytest.raises(ConnectionFailed):
        follow(lambda: camera.device.info().software_version)


def test_the_same_version(ready: VirtualCamera, camera: Camera) -> None:
    assert not follow(Watched(ready, camera, "1.8.2"), interval=0.02, settle=0.1).changed


def test_the_fault_makes_it_the_next_version(ready: VirtualCamera) -> None:
    ready.fail("update")
    assert ready.away
    assert ready.state.firmware == "1.8.3"
