"""People are told: gathered, repeated, well again; over real servers."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.errors import ConfigError, ConnectionFailed
from sunmi_ipc.redact import Secret
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station import Station, load
from sunmi_ipc.station.channels import Message, failed, open_channel
from sunmi_ipc.station.outbox import Outbox
from sunmi_ipc.station.verdict import Level
from sunmi_ipc.values import CardStatus

Start = Callable[..., Station]
Virtual = Callable[..., VirtualCamera]


class Hook:
    """A web server that keeps what is posted to it."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], dict[str, Any], bytes]] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = hook.status  # once: a test changes it meanwhile
                if status == 200:
                    hook.got.append((dict(self.headers), json.loads(body), body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?token=a-token-in-the-url"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [data for _, data, _ in self.got if data["kind"] == kind]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


@pytest.fixture
def notified(station: Start, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Station]:
    def start(
        cameras: list[VirtualCamera], *, repeat: str = '["1h"]', group: float = 0.5, **options: Any
    ) -> Station:
        monkeypatch.setenv("ALERT_URL", hook.url)
        monkeypatch.setenv("HOOK_SECRET", "a-secret-of-the-hook")
        watch = f'notify = ["env:ALERT_URL"]\ngroup = {group}\nrepeat = {repeat}'
        return station(cameras, watch=watch, **options)

    return start


@pytest.mark.slow
def test_new_then_well_again_in_one_message_each(
    notified: Start, hook: Hook, virtual: Virtual, kit: Any
) -> None:
    cameras = [virtual(), virtual()]
    running = notified(cameras, group=1.5)
    assert kit.wait_for(lambda: running.status().verdict == "ok")
    for camera in cameras:
        camera.insert_card(CardStatus.NONE)
    assert kit.wait_for(lambda: hook.told("new"))
    time.sleep(1.0)
    (new,) = hook.told("new")
    assert {r["sn"] for r in new["reasons"]} == {c.sn for c in cameras}
    assert {r["code"] for r in new["reasons"]} == {"card-none"}
    assert new["text"].count("no SD card") == 2
    for camera in cameras:
        camera.insert_card(CardStatus.NORMAL)
    assert kit.wait_for(lambda: hook.told("well"))
    (well,) = hook.told("well")[-1:]
    assert well["all_well"]
    assert "All is well again." in well["text"]
    assert running.alerts is not None
    assert running.alerts.counts["failed"] == 0


@pytest.mark.slow
def test_what_came_and_went_is_told_of_by_nobody(
    notified: Start, hook: Hook, virtual: Virtual, kit: Any
) -> None:
    camera = virtual()
    running = notified([camera], group=4)
    assert kit.wait_for(lambda: running.status().verdict == "ok")
    camera.insert_card(CardStatus.NONE)
    assert kit.wait_for(lambda: kit.codes(running, camera.sn))
    camera.insert_card(CardStatus.NORMAL)
    assert kit.wait_for(lambda: not kit.codes(running, camera.sn), 3)
    time.sleep(3.5)
    assert hook.got == []


@pytest.mark.slow
def test_repeated_with_growing_pauses(notified: Start, hook: Hook, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    camera.insert_card(CardStatus.NONE)
    notified([camera], group=0.2, repeat="[1, 2, 30]")
    assert kit.wait_for(lambda: len(hook.told("still")) == 2)
    times = [data["at"] for data in (*hook.told("new"), *hook.told("still"))]
    assert times[1] - times[0] >= 0.9
    assert times[2] - times[1] >= 1.9
    time.sleep(1.5)
    assert len(hook.told("still")) == 2


class Trap:
    """Takes connections and is no help: says nothing (``silent``), or a byte now and then for ever (``drips``)."""

    def __init__(self, kind: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.taken: list[socket.socket] = []
        self._kind = kind
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            self.taken.append(taken)
            if self._kind == "drips":
                threading.Thread(target=self._drip, args=(taken,), daemon=True).start()

    def _drip(self, taken: socket.socket) -> None:
        try:
            taken.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                taken.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            pass

    def close(self) -> None:
        self._listener.close()
        for taken in self.taken:
            taken.close()


@pytest.mark.parametrize("kind", ["silent", "drips", "dead"])
def test_a_receiver_that_hangs_holds_up_nobody(
    station: Start, hook: Hook, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("sunmi_ipc.station.outbox.LONGEST_S", 0.5)
    monkeypatch.setattr("sunmi_ipc.station.outbox.RETRY_S", (0.2,))
    trap = Trap(kind)
    if kind == "dead":
        trap.close()
    monkeypatch.setenv("TRAP_URL", trap.url)
    monkeypatch.setenv("ALERT_URL", hook.url)
    camera = virtual()
    camera.insert_card(CardStatus.NONE)
    running = station([camera], watch='notify = ["env:TRAP_URL", "env:ALERT_URL"]\ngroup = 0.2', interval=0.2)
    try:
        assert kit.wait_for(lambda: hook.told("new"))
        assert running.alerts is not None
        assert kit.wait_for(lambda: running.alerts.counts["failed"] >= 4)
        assert running.alerts.counts["sent"] == 1
        stuck = [t for t in threading.enumerate() if t.name == "alert webhook"]
        assert len(stuck) <= 4  # however often it is tried
        # Cameras are looked at meanwhile.
        seen = running.watch.last(running.roster.members()[0])
        assert seen is not None
        assert time.time() - seen.at < 3
    finally:
        trap.close()


def test_nothing_is_lost_while_a_receiver_is_away(
    notified: Start, hook: Hook, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sunmi_ipc.station.outbox.RETRY_S", (0.3,))
    first, second = virtual(), virtual()
    hook.status = 503
    running = notified([first, second], group=0.2)
    first.insert_card(CardStatus.NONE)
    assert kit.wait_for(lambda: running.alerts is not None and running.alerts.counts["failed"])
    second.insert_card(CardStatus.NONE)
    assert kit.wait_for(lambda: kit.codes(running, second.sn))
    time.sleep(0.5)
    hook.status = 200
    assert kit.wait_for(lambda: len(hook.told("new")) == 2)
    # The one that was just refused, or the next, comes first: a receiver may be back between the two.
    assert sorted(r["sn"] for data in hook.told("new") for r in data["reasons"]) == sorted(
        [first.sn, second.sn]
    )


class Picky:
    """Takes every message but one; while it is away, none."""

    name = "picky"

    def __init__(self, never: str, away: int = 0) -> None:
        self._never, self.away = never, away
        self.tried: list[str] = []
        self.got: list[str] = []

    def send(self, message: Message) -> None:
        self.tried.append(message.title)
        if message.title == self._never or len(self.tried) <= self.away:
            raise failed(self.name, "HTTP 400")
        self.got.append(message.title)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("never", "away"), [("A", 0), ("B", 0), ("", 3), ("", 5)])
def test_a_message_that_is_never_taken_is_given_up_alone(
    kit: Any, monkeypatch: pytest.MonkeyPatch, never: str, away: int, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sunmi_ipc.station.outbox.RETRY_S", (0.01,))
    channel = Picky(never, away)
    box = Outbox(channel, lambda result: None)
    for title in "ABCD":
        box.put(Message("new", title, title, Level.BAD, {}))
    wanted = {*"ABCD"} - {never}
    assert kit.wait_for(lambda: not box.waiting)
    box.close()
    assert {*channel.got} == wanted
    assert len(channel.got) == len(wanted)  # each once
    assert ("given up" in caplog.text) == bool(never)


def test_a_test_message_to_one_who_hangs_says_so(
    write: Any, virtual: Virtual, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sunmi_ipc.station.outbox.LONGEST_S", 0.5)
    monkeypatch.setattr("sunmi_ipc.station.outbox.send_within.__defaults__", (0.5,))
    trap = Trap("drips")
    monkeypatch.setenv("TRAP_URL", trap.url)
    monkeypatch.setenv("ALERT_URL", hook.url)
    path = write([virtual()], watch='notify = ["env:TRAP_URL", "env:ALERT_URL"]')
    done = CliRunner().invoke(app, ["--json", "serve", "test-alert", str(path)])
    trap.close()
    assert done.exit_code == 7
    told = json.loads(done.stdout)["sent"]
    assert [bool(entry["problem"]) for entry in told] == [True, False]


def test_of_muted_cameras_nobody_is_told(notified: Start, hook: Hook, virtual: Virtual, kit: Any) -> None:
    muted, other = virtual(), virtual()
    running = notified([muted, other])
    running.mute(muted.sn, time.time() + 600)
    for camera in (muted, other):
        camera.insert_card(CardStatus.NONE)
    assert kit.wait_for(lambda: hook.told("new"))
    time.sleep(1)
    assert {r["sn"] for data in hook.told("new") for r in data["reasons"]} == {other.sn}


def test_a_channel_that_fails_is_tried_again(
    notified: Start,
    hook: Hook,
    virtual: Virtual,
    kit: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("sunmi_ipc.station.outbox.RETRY_S", (0.3,))
    camera = virtual()
    camera.insert_card(CardStatus.NONE)
    hook.status = 503
    running = notified([camera])
    assert running.alerts is not None
    assert kit.wait_for(lambda: running.alerts.counts["failed"] >= 2)
    hook.status = 200
    assert kit.wait_for(lambda: hook.told("new"))
    assert "a-token-in-the-url" not in caplog.text


@pytest.mark.slow
def test_a_restart_neither_repeats_nor_forgets(
    write: Any, settings: Any, hook: Hook, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_URL", hook.url)
    camera = virtual()
    camera.insert_card(CardStatus.NONE)
    path = write([camera], watch='notify = ["env:ALERT_URL"]\ngroup = 0.3\nrepeat = ["1h"]')
    with Station(load(path), settings):
        assert kit.wait_for(lambda: hook.told("new"))
    with Station(load(path), settings) as again:
        assert kit.wait_for(lambda: again.watch.last(again.roster.members()[0]))
        time.sleep(1.2)
        assert len(hook.got) == 1
        camera.insert_card(CardStatus.NORMAL)
        assert kit.wait_for(lambda: hook.told("well"))


def test_the_webhook_is_signed(
    hook: Hook, write: Any, settings: Any, virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_URL", hook.url)
    monkeypatch.setenv("HOOK_SECRET", "a-secret-of-the-hook")
    path = write(
        [virtual()],
        watch='notify = ["env:ALERT_URL"]',
        more='[events]\nenabled = false\nwebhook_secret = "env:HOOK_SECRET"',
    )
    done = CliRunner().invoke(app, ["--json", "serve", "test-alert", str(path)])
    assert (done.exit_code, json.loads(done.stdout)) == (
        0,
        {"sent": [{"channel": "1 webhook", "problem": None}]},
    )
    ((headers, data, body),) = hook.got
    stamp = headers["X-Sunmi-Ipc-Timestamp"]
    digest = hmac.new(b"a-secret-of-the-hook", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Sunmi-Ipc-Signature"] == f"sha256={digest}"
    assert (data["kind"], data["site"]) == ("test", "shop-0017")


class Mail(socketserver.StreamRequestHandler):
    """As much of an SMTP server as a mail needs."""

    def handle(self) -> None:
        say = lambda text: self.wfile.write(text.encode() + b"\r\n")  # noqa: E731
        say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "DATA":
                say("354 go on")
                mail = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    mail += part
                self.server.mails.append(mail)  # type: ignore[attr-defined]
                say("250 kept")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 fine")


def test_mail_through_apprise(write: Any, virtual: Virtual, monkeypatch: pytest.MonkeyPatch) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
        server.mails = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        port = server.server_address[1]
        url = f"mailto://127.0.0.1:{port}?from=station@example.org&to=kim@example.org&mode=insecure&smtp=127.0.0.1"
        monkeypatch.setenv("ALERT_URL", url)
        path = write([virtual()], watch='notify = ["env:ALERT_URL"]')
        done = CliRunner().invoke(app, ["serve", "test-alert", str(path)])
        server.shutdown()
    assert done.exit_code == 0, done.output
    (mail,) = server.mails  # type: ignore[attr-defined]
    assert b"To: kim@example.org" in mail
    assert b"Nanjing Road" in mail


@pytest.mark.parametrize("length", ["Content-Length: 10000000000", "Transfer-Encoding: chunked", "X: y"])
def test_an_endless_answer_to_apprise_is_given_up(length: str) -> None:
    """Its plugins read what is answered to the end; none may fill the memory, or take the token elsewhere."""
    sent: list[int] = []

    class Endless(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
            with contextlib.suppress(OSError):
                while True:
                    self.request.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                    sent.append(65_536)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Endless) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        channel = open_channel(Secret(f"json://127.0.0.1:{server.server_address[1]}/a-token"), site="s")
        with pytest.raises(ConnectionFailed) as caught:
            channel.send(Message("new", "t", "x", Level.BAD, {}))
        server.shutdown()
    assert "a-token" not in str(caught.value)
    assert sum(sent) < 32 << 20  # beside what is read, the sockets' buffers hold some


def test_apprise_follows_no_redirection() -> None:
    asked: list[bytes] = []

    class Elsewhere(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(65_536))
            where = "HTTP/1.1 307 Temporary\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            self.request.sendall(where.encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Elsewhere) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        channel = open_channel(Secret(f"json://127.0.0.1:{server.server_address[1]}/a-token"), site="s")
        with pytest.raises(ConnectionFailed):
            channel.send(Message("new", "t", "x", Level.BAD, {}))
        server.shutdown()
    assert len(asked) == 1


def test_a_command_is_told(
    tmp_path: Path, write: Any, virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, out = tmp_path / "tell.py", tmp_path / "out.json"
    script.write_text(
        "import json, os, sys\n"
        f"json.dump([json.load(sys.stdin)['kind'], os.environ['IPC_ALERT_TITLE']], open({str(out)!r}, 'w'))\n"
    )
    monkeypatch.setenv("ALERT_URL", f"exec:{sys.executable} {script}")
    path = write([virtual()], watch='notify = ["env:ALERT_URL"]')
    assert CliRunner().invoke(app, ["serve", "test-alert", str(path)]).exit_code == 0
    assert json.loads(out.read_text()) == ["test", "Nanjing Road: test"]


@pytest.mark.broker
@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="no mosquitto")
def test_a_broker_is_told(
    write: Any, virtual: Virtual, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        got: list[tuple[str, bytes]] = []
        ready = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.on_message = lambda c, u, m: got.append((m.topic, m.payload))
        client.on_connect = lambda c, *_: c.subscribe("shops/#", 1)
        client.on_subscribe = lambda *_: ready.set()
        for _ in range(100):
            try:
                client.connect("127.0.0.1", port)
                break
            except OSError:
                time.sleep(0.05)
        client.loop_start()
        assert ready.wait(10)
        monkeypatch.setenv("ALERT_URL", f"mqtt://127.0.0.1:{port}/shops/17")
        path = write([virtual()], watch='notify = ["env:ALERT_URL"]')
        assert CliRunner().invoke(app, ["serve", "test-alert", str(path)]).exit_code == 0
        for _ in range(100):
            if got:
                break
            time.sleep(0.05)
        client.disconnect()
        client.loop_stop()
    finally:
        broker.terminate()
        broker.wait(10)
    assert [(topic, json.loads(body)["kind"]) for topic, body in got] == [("shops/17/alert", "test")]


@pytest.mark.parametrize("url", ["nonsense://x", "exec:/no/such/command", "exec:'", "just text"])
def test_no_way_to_anybody(url: str) -> None:
    with pytest.raises(ConfigError):
        open_channel(Secret(url), site="s")


def test_a_failed_test_says_so(
    write: Any, virtual: Virtual, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.status = 500
    monkeypatch.setenv("ALERT_URL", hook.url)
    path = write([virtual()], watch='notify = ["env:ALERT_URL"]')
    done = CliRunner().invoke(app, ["serve", "test-alert", str(path)])
    assert done.exit_code == 7
    assert "HTTP 500" in done.output
    assert "a-token-in-the-url" not in done.output
    assert os.environ["ALERT_URL"] not in done.output


CONNACK, REFUSED = b"\x20\x02\x00\x00", b"\x20\x02\x00\x05"
#: What a broker answers at first, again and again, and what is told.
BROKERS = {
    "silent": (b"", b"", "no answer within"),
    "never acknowledges": (CONNACK, b"", "no answer within"),
    "refuses": (REFUSED, b"", "uthori"),
    "no MQTT": (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", ""),
    "closes": (CONNACK, None, "broke"),
    "floods": (CONNACK, b"\x30\x05\x00\x01axx" * 4000, ""),
    "endless packet": (CONNACK, b"\x30\xff\xff\xff\x7f" + b"x" * 60_000, ""),
}


@pytest.mark.parametrize("kind", BROKERS)
def test_a_broker_that_does_not_do_its_part_is_given_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sunmi_ipc.errors import ConnectionFailed
    from sunmi_ipc.station import channels
    from sunmi_ipc.station.verdict import Level

    pytest.importorskip("paho.mqtt.client")
    monkeypatch.setattr(channels, "_TIMEOUT_S", 0.4)
    first, more, wanted = BROKERS[kind]
    met: list[int] = []

    class Play(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            met.append(1)
            with contextlib.suppress(OSError):
                self.request.settimeout(3)
                self.request.recv(1000)
                self.request.sendall(first)
                while more:
                    self.request.sendall(more)
                while more is not None and self.request.recv(1000):
                    pass

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Play)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = Secret(f"mqtt://shop:hunter2@127.0.0.1:{server.server_address[1]}/shops/17")
    began = time.monotonic()
    try:
        with pytest.raises(ConnectionFailed) as caught:
            open_channel(url, site="s").send(channels.Message("test", "t", "x", Level.OK, {"kind": "test"}))
    finally:
        server.shutdown()
        server.server_close()
    assert time.monotonic() - began < 5
    assert wanted in str(caught.value)
    assert "hunter2" not in str(caught.value)
    # Once: it is the outbox that tries again.
    assert met == [1]
