"""Where events are kept, for how long, what becomes of what was given up, and a person's request."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.events import Spool
from sunmi_ipc.events.model import of
from sunmi_ipc.events.moving import move_over
from sunmi_ipc.settings import state_dir


def ipc(*words: str) -> Any:
    return CliRunner().invoke(app, ["events", *words])


def put(spool: Spool, number: int, face: str = "anna") -> None:
    fields = {"event_type": "face_recog_event", "sn": "FS1", "event_id": str(number), "faceid": face}
    spool.append(of(fields), fields, verified=True)


def test_events_are_kept_in_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SUNMI_IPC_CONFIG_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_dir() == tmp_path / "xdg" / "sunmi-ipc"
    monkeypatch.setenv("SUNMI_IPC_CONFIG_DIR", str(tmp_path / "all"))
    assert state_dir() == tmp_path / "all"
    monkeypatch.setenv("SUNMI_IPC_STATE_DIR", str(tmp_path / "own"))
    assert state_dir() == tmp_path / "own"


def test_an_older_spool_is_moved_over_with_all_that_is_in_it(tmp_path: Path) -> None:
    old, new = tmp_path / "config" / "events", tmp_path / "state" / "events"
    assert move_over(old, new) == new
    with Spool(old) as spool:
        put(spool, 1)
        spool.consumer("till")
        spool.give_up("till", 1, "no")
    assert move_over(old, new) == new
    assert not old.exists()
    with Spool(new) as spool:
        assert len(spool.consumer("till").read()) == 1
        assert spool.letters.counts() == {"till": 1}
    assert move_over(old, new) == new


@pytest.mark.parametrize("how", ["reader", "open"])
def test_a_spool_in_use_stays_where_it_is(tmp_path: Path, how: str) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    with Spool(old) as spool:
        if how == "reader":
            spool.consumer("till", alone=True)
        put(spool, 1)
        assert move_over(old, new) == old
        put(spool, 2)
    assert move_over(old, new) == new
    with Spool(new, writable=False) as moved:
        assert moved.counts()["kept"] == 2


def test_of_two_the_new_one_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Spool(tmp_path / "old").close()
    Spool(tmp_path / "new").close()
    assert move_over(tmp_path / "old", tmp_path / "new") == tmp_path / "new"
    assert "older spool" in caplog.text


def test_what_is_no_spool_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "events.sqlite3").write_bytes(b"no database" * 1000)
    assert move_over(tmp_path / "old", tmp_path / "new") == tmp_path / "old"
    with closing(sqlite3.connect(":memory:")):
        assert (tmp_path / "old" / "events.sqlite3").exists()


class Taking(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.status, self.got = 400, list[str]()
        super().__init__(("127.0.0.1", 0), TakingHandler)


class TakingHandler(BaseHTTPRequestHandler):
    server: Taking

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.status  # once: a test changes it meanwhile
        if status == 200:
            self.server.got.append(json.loads(body)["event_id"])
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def test_what_was_given_up_is_named_and_sent_again(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        for number in range(3):
            put(spool, number)
        spool.consumer("webhook").close()
        for seq in (1, 3):
            spool.give_up("webhook", seq, "HTTP 400")
    status = json.loads(
        CliRunner().invoke(app, ["--json", "events", "status", "--spool", str(tmp_path)]).stdout
    )
    assert status["dead_letters"] == {"file": str(tmp_path / "given-up.jsonl"), "by_sink": {"webhook": 2}}
    assert "given-up.jsonl" in ipc("status", "--spool", str(tmp_path)).stderr
    shown = ipc("replay", "--spool", str(tmp_path), "--given-up", "--jsonl").stdout
    assert [json.loads(line)["event_id"] for line in shown.splitlines()] == ["0", "2"]
    with Taking() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            server.status = 200
            url = f"http://127.0.0.1:{server.server_port}/"
            done = ipc(
                "replay", "--spool", str(tmp_path), "--given-up", "--sink", "webhook", "--webhook", url
            )
        finally:
            server.shutdown()
            thread.join()
    assert (done.exit_code, server.got) == (0, ["0", "2"])
    with Spool(tmp_path, writable=False) as spool:
        assert spool.letters.counts() == {}
        assert spool.counts()["kept"] == 3


def test_a_persons_request(tmp_path: Path) -> None:
    saved = tmp_path / "pictures"
    with Spool(tmp_path / "spool") as spool:
        put(spool, 1, "anna")
        put(spool, 2, "bert")
        spool.note_folder(str(saved))
        for seq in (1, 2):
            (saved / "FS1").mkdir(parents=True, exist_ok=True)
            for suffix in (".jpg", ".json"):
                (saved / "FS1" / f"{seq}{suffix}").write_text("x")
            spool.note_picture(seq, "pic_url", "saved", path=f"FS1/{seq}.jpg")
    words = ["purge", "--spool", str(tmp_path / "spool"), "--face", "anna"]
    assert ipc(*words).exit_code == 2  # nobody to ask
    assert ipc("purge", "--spool", str(tmp_path / "spool"), "--yes").exit_code == 2  # of what?
    done = CliRunner().invoke(app, ["--json", "events", *words, "--yes"])
    assert json.loads(done.stdout) == {"events": 1, "files": 2}
    assert sorted(p.name for p in (saved / "FS1").iterdir()) == ["2.jpg", "2.json"]
    done = CliRunner().invoke(
        app, ["--json", "events", "purge", "--spool", str(tmp_path / "spool"), "--faces", "-y"]
    )
    assert json.loads(done.stdout) == {"events": 1, "files": 2}
    with Spool(tmp_path / "spool", writable=False) as spool:
        assert spool.counts()["kept"] == 0


def test_until_a_day_that_is_past(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        put(spool, 1, "anna")
    words = ["--json", "events", "purge", "--spool", str(tmp_path), "--faces", "--yes", "--to"]
    for day, removed in (("2020-01-01", 0), ("last week", 0), ("today", 1)):
        done = CliRunner().invoke(app, [*words, day])
        assert (done.exit_code, done.stdout and json.loads(done.stdout)["events"]) == (0, removed), (
            done.stderr
        )
    replay = CliRunner().invoke(
        app, ["events", "replay", "--spool", str(tmp_path), "--given-up", "--to", "2020-01-01"]
    )
    assert replay.exit_code == 0, replay.stderr


@pytest.mark.parametrize(("start", "wanted"), [((), 0), (("--from", "oldest"), 3), (("--from", "now"), 0)])
def test_where_a_new_sink_begins(tmp_path: Path, start: tuple[str, ...], wanted: int) -> None:
    with Spool(tmp_path) as spool:
        for number in range(3):
            put(spool, number)
    done = ipc(
        "listen", "--port", "0", "--host", "127.0.0.1", "--allow-unsigned", "--spool", str(tmp_path),
        "--jsonl", "--for", "1.0", *start,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == wanted
    # It has its place now: what comes while it is away is kept for it.
    with Spool(tmp_path) as spool:
        put(spool, 7)
    again = ipc(
        "listen", "--port", "0", "--host", "127.0.0.1", "--allow-unsigned", "--spool", str(tmp_path),
        "--jsonl", "--for", "1.0",
    )  # fmt: skip
    assert [json.loads(line)["event_id"] for line in again.stdout.splitlines()] == ["7"]


def test_looking_leaves_the_files_as_they_are(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        put(spool, 1)
        before = sorted(p.name for p in tmp_path.iterdir())
        for words in (("status",), ("replay",), ("replay", "--jsonl")):
            assert ipc(*words, "--spool", str(tmp_path)).exit_code == 0
        assert sorted(p.name for p in tmp_path.iterdir()) == before
    time.sleep(0)
    assert ipc("status", "--spool", str(tmp_path / "none")).exit_code != 0
    assert not (tmp_path / "none").exists()
