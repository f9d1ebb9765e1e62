"""Files are whole or as they were, whoever is killed, and nothing is left lying about."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sunmi_ipc.atomic import whole

posix = pytest.mark.skipif(os.name != "posix", reason="locks and modes of POSIX")
WRITER = """
import sys
from pathlib import Path
from sunmi_ipc.atomic import whole
print("ready", flush=True)
number = 0
while True:
    number += 1
    with whole(Path(sys.argv[1])) as file:
        for _ in range(50):
            file.write(b"%08d" % number)
            file.flush()
"""


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


@posix
def test_kills_leave_one_file_behind_at_most_and_the_next_takes_it_away(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o700)
    path = folder / "x.json"
    for turn in range(3):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            running.stdout.readline()
            time.sleep(0.01 + 0.007 * turn)
            running.send_signal(signal.SIGKILL)
        if path.exists():
            content = path.read_bytes()
            assert content == content[:8] * 50
        assert set(names(folder)) <= {"x.json", ".x.json.part"}
    with whole(path) as file:
        file.write(b"y")
    assert (names(folder), path.read_bytes()) == (["x.json"], b"y")


def test_many_at_once_write_whole_files(tmp_path: Path) -> None:
    path, broken = tmp_path / "x", list[bytes]()

    def write(number: int) -> None:
        for turn in range(30):
            with whole(path) as file:
                for _ in range(20):
                    file.write(b"%02d%02d" % (number, turn))
                    file.flush()
            content = path.read_bytes()
            if content != content[:4] * 20:
                broken.append(content)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    assert names(tmp_path) == ["x"]


@posix
@pytest.mark.parametrize("kind", ["hard link", "link", "pipe", "folder", "everybody's folder", "long name"])
def test_what_lies_where_the_new_file_would_be_made_is_not_written_to(tmp_path: Path, kind: str) -> None:
    folder, mine = tmp_path / "f", tmp_path / "mine"
    folder.mkdir(mode=0o700)
    mine.write_bytes(b"precious")
    path = folder / ("x" if kind != "long name" else "x" * 252)
    part = folder / f".{path.name}.part"
    if kind == "hard link":
        os.link(mine, part)
    elif kind == "link":
        part.symlink_to(mine)
    elif kind == "pipe":
        os.mkfifo(part)
    elif kind == "folder":
        part.mkdir()
    elif kind == "everybody's folder":
        folder.chmod(0o777)
        part.write_bytes(b"theirs")
    before = set(names(folder))
    with whole(path, mode=0o640) as file:
        file.write(b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)
    assert mine.read_bytes() == b"precious"
    assert set(names(folder)) == before | {path.name}
    if kind == "everybody's folder":
        assert part.read_bytes() == b"theirs"


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def break_off() -> None:
        with whole(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert (names(tmp_path), path.read_bytes()) == (["x"], b"old")
