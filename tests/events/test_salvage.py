"""A damaged spool: what can be read is saved, what cannot is told, and nothing that was removed comes back."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.database import settle
from sunmi_ipc.errors import SpoolDamaged, SpoolError
from sunmi_ipc.events import Spool
from sunmi_ipc.events.model import of
from sunmi_ipc.events.salvage import open_or_salvage, salvage
from sunmi_ipc.events.store import FILE

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
COUNT, PAGE = 400, 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spool with 400 events, some of them long, and a reader that has read ten."""
    folder = tmp_path_factory.mktemp("spool")
    with Spool(folder) as spool:

        def add(number: int) -> None:
            fields = {"event_type": "x", "sn": "FS101D8BS00106", "event_id": str(number)}
            long = {"note": "n" * 9000} if number % 50 == 7 else {"note": "中" * 40}
            spool.append(of(fields), fields | long, verified=True, seal=f"seal-{number}")

        with ThreadPoolExecutor(40) as pool:  # many in one commit
            list(pool.map(add, range(COUNT)))
        reader = spool.consumer("till")
        spool.acknowledge("till", 10)
        reader.close()
    assert settle(folder / FILE)
    return folder


@pytest.fixture
def spool(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "spool"))


def spoil(folder: Path, *pages: int, with_: bytes = b"\x5a" * PAGE) -> None:
    with (folder / FILE).open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(with_)


def leaves(folder: Path) -> list[int]:
    """The pages that hold events."""
    data = (folder / FILE).read_bytes()
    return [n + 1 for n in range(1, len(data) // PAGE)
            if data[n * PAGE] == 0x0D and data[n * PAGE : (n + 1) * PAGE].count(b'"event_id"') > 2]  # fmt: skip


def numbers(folder: Path) -> set[int]:
    with Spool(folder, retention=None) as spool:
        return {int(stored.event.event_id) for stored in spool.replay(EPOCH)}


def test_a_whole_one_stays_whole(spool: Path) -> None:
    saved = salvage(spool)
    assert (saved.events, saved.missing, saved.complete, saved.readers) == (COUNT, 0, True, ("till",))
    assert numbers(spool) == set(range(COUNT))
    with Spool(spool, retention=None) as again:
        assert again.counts()["consumers"]["till"]["backlog"] == COUNT - 10
        event = of({"event_type": "x", "sn": "FS101D8BS00106", "event_id": "new"})
        assert not again.append(event, seal="seal-3")  # an envelope counts once, still
        assert again.append(event, seal="seal-new")
        assert again.newest_seq() == COUNT + 1


def test_one_leaf_costs_its_own_events_and_they_are_told(spool: Path) -> None:
    middle = leaves(spool)[len(leaves(spool)) // 2]
    spoil(spool, middle)
    with pytest.raises(SpoolDamaged, match="salvage"), Spool(spool):
        pass
    saved = salvage(spool)
    assert 0 < saved.missing < 40
    assert saved.events == COUNT - saved.missing
    assert len(numbers(spool)) == saved.events
    assert saved.last_missing - saved.first_missing < 60
    assert saved.kept.read_bytes()[(middle - 1) * PAGE :][:PAGE] == b"\x5a" * PAGE


@pytest.mark.parametrize("with_", [b"\0" * PAGE, b"\xff" * PAGE, b"SQLite format 3\0" * (PAGE // 16)])
def test_the_way_to_the_leaves_is_gone(spool: Path, with_: bytes) -> None:
    data = (spool / FILE).read_bytes()
    inner = [n + 1 for n in range(len(data) // PAGE) if data[n * PAGE] == 0x05]
    spoil(spool, 1, *inner, with_=with_)
    saved = salvage(spool)
    assert saved.events == COUNT
    assert numbers(spool) == set(range(COUNT))
    assert saved.readers == ("till",)
    assert not saved.complete


def test_the_end_is_cut_off(spool: Path) -> None:
    data = (spool / FILE).read_bytes()
    (spool / FILE).write_bytes(data[: len(data) // 2 - 100])
    saved = salvage(spool)
    assert 20 < saved.events < COUNT
    assert len(numbers(spool)) == saved.events


def test_nothing_but_noise(spool: Path) -> None:
    (spool / FILE).write_bytes(random.Random(1).randbytes(60_000))
    saved = salvage(spool)
    assert saved.events == 0
    with Spool(spool) as again:
        assert again.append(of({"event_type": "x", "sn": "FS101D8BS00106", "event_id": "1"}))


def test_what_only_the_log_has(tmp_path: Path) -> None:
    """Killed before the log was written over: the log counts, and of a page its newest form."""
    folder = tmp_path / "killed"
    with Spool(folder) as spool:
        for number in range(30):
            spool.append(of({"event_type": "x", "sn": "FS101D8BS00106", "event_id": str(number)}))
        copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    assert (copy / f"{FILE}-wal").stat().st_size > 0
    spoil(copy, 1)
    assert salvage(copy).events == 30
    assert numbers(copy) == set(range(30))


@pytest.mark.parametrize("seed", range(6))
def test_any_damage_ends_in_a_whole_spool(spool: Path, seed: int) -> None:
    die, path = random.Random(seed), spool / FILE
    data = bytearray(path.read_bytes())
    for _ in range(40):
        at = die.randrange(len(data))
        data[at : at + 8] = die.randbytes(8)
    path.write_bytes(data)
    saved = salvage(spool)
    assert saved.events > COUNT // 3
    assert len(numbers(spool)) == saved.events


class PowerCut(BaseException):
    """Nothing catches it."""


@pytest.mark.parametrize("after", range(5))
def test_a_power_cut_between_any_two_renames(
    spool: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    with closing(sqlite3.connect(spool / FILE)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM events").fetchone()
    (spool / f"{FILE}-wal").write_bytes(b"what a damaged database left")
    rename, done = os.rename, list[str]()

    def renamed(old: Any, new: Any) -> None:
        if len(done) == after:
            raise PowerCut
        done.append(str(new))
        rename(old, new)

    monkeypatch.setattr(os, "rename", renamed)
    with contextlib.suppress(PowerCut):
        salvage(spool)
    assert len(done) == min(after, 4)
    monkeypatch.undo()
    with Spool(spool) as again:
        found = again.after(0, 2 * COUNT)
    assert len(found) == count
    assert not [file.name for file in spool.iterdir() if file.name.endswith((".ready", ".salvaged"))]


def test_what_was_removed_stays_removed(spool: Path) -> None:
    with closing(sqlite3.connect(spool / FILE)) as other:
        other.execute("DELETE FROM events WHERE CAST(event_id AS INTEGER) BETWEEN 100 AND 299")
        other.commit()
    spoil(spool, leaves(spool)[0])
    saved = salvage(spool)
    assert not numbers(spool) & set(range(100, 300))
    assert 100 < saved.events <= 200


def test_not_under_a_program_that_reads(spool: Path) -> None:
    with Spool(spool, retention=None) as open_:
        reader = open_.consumer("till")
        with pytest.raises(SpoolError, match="another program uses"):
            salvage(spool)
        reader.close()
    with pytest.raises(SpoolError, match="no event spool"):
        salvage(spool / "elsewhere")


def test_who_must_receive_starts_all_the_same(spool: Path) -> None:
    spoil(spool, leaves(spool)[2])
    told: list[Any] = []
    with open_or_salvage(spool, told=told.append) as opened:
        assert opened.append(of({"event_type": "x", "sn": "FS101D8BS00106", "event_id": "new"}))
        assert opened.newest_seq() == COUNT + 1
    assert told[0].missing > 0


def test_the_command(spool: Path) -> None:
    def ipc(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--spool", str(spool), "--yes"])

    spoil(spool, leaves(spool)[1])
    done = ipc("--json", "events", "salvage")
    assert done.exit_code == 0
    saved = json.loads(done.stdout)
    assert saved["events"] + saved["missing"] == COUNT
    done = ipc("--lang", "zh", "events", "salvage")
    assert done.exit_code == 0
    assert f"已救回 {saved['events']} 个事件" in done.stderr
