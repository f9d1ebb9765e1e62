"""Files written whole or not at all: what they may take the place of, and what not."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from sunmi_ipc.atomic import passes_through, whole
from sunmi_ipc.errors import ConfigError

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(path := tmp_path / "pipe")
    return path


@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_written_to_and_stays_one(linked: bool, pipe: Path, tmp_path: Path) -> None:
    path = pipe
    if linked:
        path = tmp_path / "link"
        path.symlink_to(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    with whole(path) as file:
        file.write(b"all of it")
    reader.join(30)
    assert got == [b"all of it"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert path.is_symlink() is linked
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted({pipe.name, path.name})


def test_a_device_is_written_to_and_stays_one() -> None:
    """Whoever is allowed to could replace it: ``ipc support -o /dev/null`` as root."""
    before = os.stat(os.devnull)
    with whole(Path(os.devnull)) as file:
        file.write(b"nothing")
    assert os.stat(os.devnull).st_rdev == before.st_rdev
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_what_is_a_file_or_is_not_there_is_replaced(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "new", tmp_path / "no" / "folder"):
        assert not passes_through(path)
    for content in (b"one", b"two"):
        with whole(tmp_path / "new") as file:
            file.write(content)
        assert (tmp_path / "new").read_bytes() == content


def test_no_recording_takes_the_place_of_a_pipe(pipe: Path) -> None:
    pytest.importorskip("av")
    from sunmi_ipc.video.mux import MediaFile

    with pytest.raises(ConfigError, match="it is a pipe or a device"):
        MediaFile(pipe, [])
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [entry.name for entry in pipe.parent.iterdir()] == [pipe.name]
