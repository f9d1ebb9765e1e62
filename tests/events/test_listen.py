"""``ipc events listen`` and ``replay``, in whole processes, against virtual cameras that post."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.forward import lines as shown_lines
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.discovery import DiscoveredCamera, memory
from sunmi_ipc.errors import SpoolError
from sunmi_ipc.events import Spool, Subscription
from sunmi_ipc.events.model import of
from sunmi_ipc.events.receiver import free_port
from sunmi_ipc.face_names import FILE_NAME, FaceNames
from sunmi_ipc.protocol.values import EventType
from sunmi_ipc.settings import config_dir
from sunmi_ipc.simulator import Feed, Play, Vendor, VirtualCamera, connect
from sunmi_ipc.simulator.hooks import subscriptions
from tests.patience import eventually

FACE, MOTION = EventType


@pytest.fixture
def environment(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def spooled(tmp_path: Path) -> Path:
    """A folder in which three events are kept."""
    folder = tmp_path / "spool"
    with Spool(folder) as spool:
        for number, kind in enumerate((FACE, MOTION, FACE)):
            fields = {
                "event_type": kind,
                "sn": f"FS{number % 2}",
                "event_id": f"e{number}",
                "faceid": "\x1b[31m访客",
            }
            spool.append(of(fields), fields)
    return folder


def ipc(*args: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["events", *args])
    assert done.exit_code == code, (args, done.stdout, done.stderr)
    return done


@contextlib.contextmanager
def listening(*args: str, stdout: Any = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """``ipc events listen`` once it listens; killed where it has not ended."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "sunmi_ipc_cli", "events", "listen", "--port", "0", *args],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    with process:
        assert process.stderr is not None
        try:
            for said in process.stderr:
                if said.startswith("Listening at http://127.0.0.1:"):
                    break
            else:
                raise AssertionError("it does not listen")
            yield process
        finally:
            process.kill()


@pytest.mark.usefixtures("environment")
def test_from_the_subscription_to_ctrl_c(ready: VirtualCamera, tmp_path: Path) -> None:
    folder, out = tmp_path / "spool", tmp_path / "ran"
    command = f"{sys.executable} -c \"import sys; open({str(out)!r}, 'a').write(sys.stdin.read())\""
    options = ["-c", ready.address, "--subscribe", FACE, "--jsonl", "--spool", str(folder)]
    options += ["--save", str(tmp_path / "pictures"), "--exec", command, "--exec-parallel", "1"]
    with listening(*options) as process, Feed([ready]) as feed:
        made = [feed.happen(ready, FACE) for _ in range(3)]
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(3)]
        assert [(line["event_id"], line["sn"], line["verified"]) for line in lines] == [
            (one, ready.sn, True) for one in made
        ]
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "")
    assert "3 events kept, 0 repeats, 0 refused." in said
    assert not subscriptions(ready.state)
    with Spool(folder, retention=None) as spool:
        consumers = spool.counts()["consumers"]
    assert {name: figures["given_up"] for name, figures in consumers.items()} == {
        "jsonl": 0,
        "exec": 0,
        "pictures": 0,
    }
    assert consumers["jsonl"]["backlog"] == 0
    # What Ctrl-C came before is done at the next start.
    again = ["--spool", str(folder), "--exec", command, "--exec-parallel", "1", "--for", "0.1"]
    ipc("listen", "--port", "0", "--host", "127.0.0.1", *again)
    ran = [json.loads(line)["event_id"] for line in out.read_text().splitlines()]
    assert sorted(set(ran)) == sorted(made)


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_the_first_event_of_each_type_is_shown_as_it_came(ready: VirtualCamera, tmp_path: Path) -> None:
    dump = tmp_path / "found.json"
    shutil.copy(Path(__file__).parents[1] / "dumps" / "virtual-FM020.json", dump)
    options = ["-c", ready.address, "--subscribe", FACE, "--jsonl", "--spool", str(tmp_path / "spool")]
    with listening(*options, "--learn", "--learn-into", str(dump)) as process, Feed([ready]) as feed:
        for _ in range(3):
            feed.happen(ready, FACE)
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert said.count("Content-Type: ") == said.count("read as: ") == 1  # the first alone
    assert FACE in said
    assert ready.sn not in said.partition("Content-Type: ")[2].partition("read as: ")[0]
    (learnt,) = json.loads(dump.read_text("utf-8"))["events"]
    assert learnt["event_type"] == FACE
    assert ready.sn not in dump.read_text("utf-8")
    ipc_dump = CliRunner().invoke(app, ["dump", "--check", str(dump)])
    assert ipc_dump.exit_code == 0


@pytest.mark.usefixtures("environment")
def test_people_read_lines_and_json_sums_up(
    virtual: Callable[..., VirtualCamera], tmp_path: Path, kit: Any
) -> None:
    cameras = [virtual(), virtual(model="FM010")]
    on = [word for camera in cameras for word in ("--on", camera.address)]
    options = ["--subscribe", MOTION, *on, "--spool", str(tmp_path), "--count", "2"]
    with kit.happening(cameras, MOTION, detect_type=3):
        lines = ipc("listen", "--port", "0", *options).stdout
    assert sorted(line.split()[2] for line in lines.splitlines()) == sorted(c.sn for c in cameras)
    # The wire's number and the type in words; commands and --json have the wire's.
    assert all("motion or sound" in line and "motion and sound" in line for line in lines.splitlines())
    assert not any("detect_type" in line or "idempotency" in line for line in lines.splitlines())
    with kit.happening(cameras, MOTION):
        document = json.loads(ipc("listen", "--port", "0", *options, "--json").stdout)
    assert document["received"]["stored"] == 2
    assert not any(subscriptions(camera.state) for camera in cameras)


@pytest.mark.usefixtures("environment")
def test_a_reader_that_goes_away_ends_it(ready: VirtualCamera, tmp_path: Path) -> None:
    options = ["-c", ready.address, "--subscribe", FACE, "--jsonl", "--spool", str(tmp_path)]
    with listening(*options) as process, Feed([ready]) as feed:
        assert process.stdout is not None
        process.stdout.close()
        feed.happen(ready, FACE)
        assert process.wait(20) == 0
    with Spool(tmp_path, retention=None) as spool:
        assert spool.counts()["consumers"]["jsonl"]["backlog"] == 1


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_kill_9_while_cameras_post_loses_and_doubles_nothing(ready: VirtualCamera, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    port = str(free_port("127.0.0.1"))
    with connect(ready) as client:
        client.events.subscribe(FACE, callback=f"http://127.0.0.1:{port}/events")
    options = ["--host", "127.0.0.1", "--port", port, "--spool", str(tmp_path / "spool"), "--jsonl"]
    made: list[str] = []
    with Feed([ready], Play(attempts=1000, pause=0.02, repeat=0.1)) as feed, out.open("w") as lines:
        for _ in range(2):
            with listening(*options, stdout=lines):  # killed at its end
                made += [feed.happen(ready, FACE) for _ in range(60)]
                wanted = len(made) - 40
                assert eventually(lambda least=wanted: feed.counts["acknowledged"] > least)
        with listening(*options, stdout=lines) as process:
            assert feed.drain(30)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
    with Spool(tmp_path / "spool", retention=None) as spool:
        kept = [stored.event.event_id for stored in spool.replay(datetime(2000, 1, 1, tzinfo=UTC))]
        assert spool.counts()["consumers"]["jsonl"]["backlog"] == 0
    assert sorted(kept) == sorted(made)
    printed = [json.loads(line)["event_id"] for line in out.read_text().splitlines() if line.endswith("}")]
    assert set(printed) == set(made)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--subscribe", "nonsense"], 2, "--subscribe nonsense: unknown. Allowed: face, motion."),
        (["--on", "all"], 2, "--subscribe"),
        (["--jsonl", "--json"], 2, "--json"),
        (["--exec", "/nowhere/at/all"], 2, "/nowhere/at/all"),
        (["--webhook", "ftp://x"], 2, "http"),
        (["--mqtt", "http://x"], 2, "mqtt"),
        (["--host", "192.0.2.1"], 2, "192.0.2.1"),
    ],
)
def test_what_cannot_be(options: list[str], code: int, words: str, tmp_path: Path) -> None:
    assert words in ipc("listen", "--port", "0", "--spool", str(tmp_path), *options, code=code).stderr


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("option", ["--json", "--quiet"])
def test_a_spool_that_can_no_longer_be_read_is_an_error(
    tmp_path: Path, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(consumer: object, **options: object) -> None:
        raise SpoolError("the event spool {path} is closed", path="here")

    monkeypatch.setattr("sunmi_ipc.events.consumer.Consumer.read", read)
    done = ipc("listen", "--port", "0", "--spool", str(tmp_path), "--exec", "cat", option, code=2)
    assert "spool here is closed" in done.stdout + done.stderr


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("sink", [["--jsonl"], ["--exec", "cat"], ["--save", "pictures"], []])
def test_a_second_one_on_the_spool_would_send_each_event_twice(sink: list[str], tmp_path: Path) -> None:
    options = ["--port", "0", "--host", "127.0.0.1", "--spool", str(tmp_path)]
    options += ["--save", str(tmp_path / "pictures")] if "--save" in sink else sink
    names = {"--jsonl": "jsonl", "--exec": "exec", "--save": "pictures"}
    with Spool(tmp_path) as spool:
        spool.consumer(names[sink[0]] if sink else "terminal", alone=True)
        said = ipc("listen", *options, code=2).stderr
        assert "another program takes" in said
        assert "--spool" in said
    ipc("listen", *options, "--for", "0.1")


def test_no_secret_no_listening(tmp_path: Path) -> None:
    assert "SUNMI_IPC_SECRET_KEY" in ipc("listen", "--port", "0", "--spool", str(tmp_path), code=2).stderr
    ipc("listen", "--port", "0", "--spool", str(tmp_path), "--allow-unsigned", "--for", "0.1")


@pytest.mark.usefixtures("environment")
def test_face_events_are_refused_on_an_fm010(virtual: Callable[..., VirtualCamera], tmp_path: Path) -> None:
    store = virtual(model="FM010")
    options = ["--port", "0", "--spool", str(tmp_path), "-c", store.address]
    assert "FM010" in ipc("listen", "--subscribe", FACE, *options, code=2).stderr
    assert "FM010" in ipc("subscribe", FACE, "-c", store.address, code=2).stderr
    assert "hook/add" not in store.state.counts


@pytest.mark.usefixtures("environment")
def test_one_that_refuses_does_not_keep_the_others(
    virtual: Callable[..., VirtualCamera], tmp_path: Path
) -> None:
    face, store = virtual(), virtual(model="FM010")
    options = ["--port", "0", "--spool", str(tmp_path), "--subscribe", FACE, "--for", "0.1"]
    on = [word for camera in (store, face) for word in ("--on", camera.address)]
    assert (
        f"not subscribed: {store.address}: the FM010 has no face recognition"
        in ipc("listen", *options, *on).stderr
    )
    assert face.state.counts["hook/add"] == face.state.counts["hook/delete"] == 1
    on = [word for camera in (store, store) for word in ("--on", camera.address)]
    ipc("listen", *options, *on, code=2)


@pytest.mark.usefixtures("environment")
def test_a_camera_that_is_off_is_subscribed_to_later(
    virtual: Callable[..., VirtualCamera], tmp_path: Path, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sunmi_ipc.events.subscription._SOON_S", 0.2)
    port = free_port("127.0.0.1")
    memory.remember([DiscoveredCamera(sn="FS1", ip="127.9.9.9", port=port)], config_dir())
    options = ["--host", "127.0.0.1", "--spool", str(tmp_path), "--subscribe", MOTION, "--count", "1"]
    came: list[VirtualCamera] = []
    failed = threading.Event()

    def wanted(subscription: Subscription, error: Exception) -> None:
        failed.set()
        noted(subscription, error)

    def come() -> None:
        assert failed.wait(20)
        came.append(camera := virtual(ip="127.9.9.9", port=port))
        with kit.happening([camera], MOTION):
            pass

    noted = Subscription._failed
    monkeypatch.setattr(Subscription, "_failed", wanted)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(come)
        ipc("listen", "--port", "0", *options, "--for", "20", "--on", "FS1")
        coming.result()
    assert not subscriptions(came[0].state)
    with Spool(tmp_path, retention=None) as spool:
        assert spool.counts()["kept"] == 1


@pytest.mark.usefixtures("environment")
def test_the_callback_is_worked_out(ready: VirtualCamera) -> None:
    where = ["-c", ready.address, "--json"]
    assert json.loads(ipc("subscribe", FACE, *where).stdout) == {
        "http_callback": "http://127.0.0.1:8480/events"
    }
    ipc("subscribe", MOTION, "--port", "99", *where)
    assert subscriptions(ready.state)[MOTION] == ["http://127.0.0.1:99/events"]
    ipc("unsubscribe", FACE, *where)
    assert list(subscriptions(ready.state)) == [MOTION]
    assert "--yes" in ipc("unsubscribe", MOTION, "--all", *where, code=2).stderr
    assert json.loads(ipc("unsubscribe", MOTION, "--all", "--yes", *where).stdout) == {"ended": 1}
    assert not subscriptions(ready.state)


def test_replay(spooled: Path, tmp_path: Path) -> None:
    where = ["--spool", str(spooled)]
    lines = ipc("replay", *where).stdout.splitlines()
    assert [" ".join(line.split()[3:5]) for line in lines] == [
        "face recognised",
        "motion or",
        "face recognised",
    ]
    assert "face id: \\x1b[31m访客" in lines[0]  # shown, never obeyed
    found = [json.loads(line) for line in ipc("replay", "--jsonl", "--sn", "FS0", *where).stdout.splitlines()]
    assert [event["event_id"] for event in found] == ["e0", "e2"]
    document = json.loads(ipc("replay", "--json", "--event", MOTION, *where).stdout)
    assert [event["event_id"] for event in document["events"]] == ["e1"]
    assert ipc("replay", "--from", "yesterday 10:00", "--to", "yesterday 11:00", *where).stdout == ""
    ipc("replay", "--from", "nonsense", *where, code=2)
    done = ipc("replay", "--exec", "false", "--sn", "none", *where)
    assert "0 events delivered" in done.stderr
    out = tmp_path / "out"
    command = f"{sys.executable} -c \"import sys; open({str(out)!r}, 'a').write(sys.stdin.read())\""
    assert (
        "exec: 2 events delivered, 0 given up."
        in ipc("replay", "--sn", "FS0", "--exec", command, *where).stderr
    )
    assert [json.loads(line)["event_id"] for line in out.read_text().splitlines()] == ["e0", "e2"]
    with Spool(spooled, retention=None) as spool:
        assert spool.counts()["consumers"] == {}


def test_status_and_forget(spooled: Path, tmp_path: Path) -> None:
    where = ["--spool", str(spooled)]
    with Spool(spooled, retention=None) as spool:
        spool.consumer("webhook")
    assert json.loads(ipc("status", "--json", *where).stdout)["consumers"]["webhook"]["backlog"] == 3
    assert "webhook" in ipc("status", *where).stdout
    assert "--yes" in ipc("forget", "webhook", *where, code=2).stderr
    ipc("forget", "nobody", "--yes", *where, code=2)
    with Spool(spooled, retention=None) as spool:
        spool.consumer("webhook", alone=True)
        assert "another program takes" in ipc("forget", "webhook", "--yes", *where, code=2).stderr
    ipc("forget", "webhook", "--yes", *where)
    assert json.loads(ipc("status", "--json", *where).stdout)["consumers"] == {}
    missing = tmp_path / "missing"
    for command in ("status", "replay"):
        assert str(missing) in ipc(command, "--spool", str(missing), code=2).stderr
    assert not missing.exists()


@pytest.mark.parametrize(("lang", "told"), [("en", "face recognised"), ("zh", "识别到人脸")])
def test_a_line_says_whose_face_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, told: str
) -> None:
    """By the names that 'ipc face add' keeps on this computer, read again when they change."""
    monkeypatch.setenv("SUNMI_IPC_LANG", lang)
    with Spool(tmp_path) as spool:
        for faceid in ("f1", "f2"):
            fields = {
                "event_type": FACE,
                "sn": "FS1",
                "event_id": faceid,
                "faceid": faceid,
                "arrive_count": 3,
            }
            spool.append(of(fields), fields)
    where = ["--spool", str(tmp_path)]
    before = ipc("replay", *where).stdout
    assert f"{told} ({FACE})" in before  # a pipe: found by its type, too
    with monkeypatch.context() as terminal:
        terminal.setattr("sys.stdout", types.SimpleNamespace(isatty=lambda: True))
        assert shown_lines._kind(FACE) == told
    book = FaceNames(config_dir() / FILE_NAME, "FS1")
    book.keep("f1", "王小明")
    book.save()
    first, second = ipc("replay", *where).stdout.splitlines()
    assert "王小明" in first
    assert "王小明" not in second
    assert '"f1"' in ipc("replay", "--jsonl", *where).stdout
    (config_dir() / FILE_NAME).write_text("{")  # whatever is wrong with it: the lines come
    assert len(ipc("replay", *where).stdout.splitlines()) == 2
