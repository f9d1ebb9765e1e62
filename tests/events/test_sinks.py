"""Onward delivery: at least once, each sink at its own place."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.events import Spool, StoredEvent
from sunmi_ipc.events.delivery import Again, Delivery, Rejected, resend
from sunmi_ipc.events.model import of
from sunmi_ipc.events.sinks import ExecSink, JsonlSink, LineSink, WebhookSink

QUICK = {"backoff": (0.005, 0.02)}


def put(spool: Spool, *numbers: int) -> None:
    for number in numbers:
        spool.append(of({"event_type": "x", "sn": "FS1", "event_id": str(number)}))


def lines(stream: io.StringIO) -> list[str]:
    return [json.loads(line)["event_id"] for line in stream.getvalue().splitlines()]


class Recorder:
    """A sink that fails as it is told."""

    name = "recorder"

    def __init__(self, batch: int = 1, parallel: int = 1) -> None:
        self.batch, self.parallel = batch, parallel
        self.sent: list[str] = []
        self.fail: Callable[[str], Exception | None] = lambda event_id: None
        self.running = self.most = 0
        self.lock = threading.Lock()
        self.go = threading.Event()
        self.go.set()

    def send(self, events: Sequence[StoredEvent]) -> None:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            self.go.wait(10)
            for stored in events:
                if error := self.fail(stored.event.event_id):
                    raise error
                self.sent.append(stored.event.event_id)
        finally:
            with self.lock:
                self.running -= 1

    def close(self) -> None:
        self.go.set()


def test_jsonl(spool: Spool) -> None:
    stream = io.StringIO()
    put(spool, 1, 2)
    with Delivery(spool, JsonlSink(stream)) as delivery:
        put(spool, 3)
        assert delivery.drain(10)
        assert delivery.counts == {"delivered": 3, "retried": 0, "given_up": 0}
    assert lines(stream) == ["1", "2", "3"]
    record = json.loads(stream.getvalue().splitlines()[0])
    assert {"seq", "received", "source", "verified", "sn", "event_type", "event_id"} <= set(record)


def test_a_broken_pipe_ends_the_delivery_and_keeps_the_place(spool: Spool) -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    put(spool, 1)
    with Delivery(spool, JsonlSink(Gone())) as delivery:
        assert delivery.ended.wait(10)
        assert not delivery.drain(1)
        assert delivery.problem == "the reader has gone"
    stream = io.StringIO()
    with Delivery(spool, JsonlSink(stream)) as delivery:
        assert delivery.drain(10)
    assert lines(stream) == ["1"]


@pytest.mark.slow
def test_a_reader_that_stopped_reading_keeps_nothing_from_ending(spool: Spool) -> None:
    put(spool, *range(2000))
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream, os.fdopen(read, "rb") as reader:
        delivery = Delivery(spool, JsonlSink(stream))
        first = reader.read1(10)
        assert not delivery.drain(0.3)  # the pipe is full
        began = time.monotonic()
        delivery.close(grace=0.1)
        assert time.monotonic() - began < 5
        with Delivery(spool, JsonlSink(stream)) as again:
            threading.Thread(target=lambda: again.drain(20) and stream.close(), daemon=True).start()
            got = first + reader.read()
    ids = [line.rpartition(b'"event_id":"')[2].partition(b'"')[0] for line in got.splitlines() if line]
    assert {str(n).encode() for n in range(2000)} <= set(ids)


def test_a_line_that_was_cut_short_spoils_no_other(spool: Spool, tmp_path: Path) -> None:
    put(spool, 1)
    file = tmp_path / "out.jsonl"
    file.write_text('{"cut')
    for _ in range(2):  # the second time there is nothing to mend
        with file.open("a") as stream, Delivery(spool, JsonlSink(stream)) as delivery:
            assert delivery.drain(10)
    assert file.read_text().splitlines()[0] == '{"cut'
    assert [json.loads(line)["event_id"] for line in file.read_text().splitlines()[1:]] == ["1"]


def test_sending_once_more(spool: Spool) -> None:
    put(spool, *range(5))
    sent: list[str] = []
    trouble = iter([Again("not now", after=0.0), Rejected("no"), Rejected("no"), Rejected("never")])

    class Picky:
        name, batch, parallel = "picky", 1, 1

        def send(self, events: Sequence[StoredEvent]) -> None:
            if events[0].event.event_id == "2" and (error := next(trouble, None)):
                raise error
            sent.append(events[0].event.event_id)

        def close(self) -> None:
            pass

    events = spool.replay(datetime(2000, 1, 1, tzinfo=UTC))
    assert resend(Picky(), events, attempts=3, pause=0.001) == {"delivered": 4, "given_up": 1}
    assert sent == ["0", "1", "3", "4"]
    assert spool.counts()["consumers"] == {}


def test_again_is_tried_for_ever_and_rejected_is_recorded(spool: Spool) -> None:
    sink, times = Recorder(), {"1": 0, "2": 0}

    def fail(event_id: str) -> Exception | None:
        times[event_id] = times.get(event_id, 0) + 1
        if event_id == "1" and times["1"] < 12:
            return Again("busy", after=0.001)
        return Rejected("no") if event_id == "2" else ValueError("a bug") if event_id == "3" else None

    sink.fail = fail
    put(spool, 1, 2, 3, 4)
    with Delivery(spool, sink, attempts=3, **QUICK) as delivery:
        assert delivery.drain(10)
        assert delivery.counts == {"delivered": 2, "retried": 11 + 2 + 2, "given_up": 2}
    assert (sink.sent, times["2"], times["3"]) == (["1", "4"], 3, 3)
    assert spool.counts()["consumers"]["recorder"]["given_up"] == 2


def test_each_sink_has_its_own_place_and_a_slow_one_holds_up_nobody(spool: Spool) -> None:
    slow, quick = Recorder(), Recorder(batch=50)
    slow.go.clear()
    put(spool, *range(300))
    with Delivery(spool, slow, name="slow") as held, Delivery(spool, quick, name="quick") as free:
        assert free.drain(10)
        assert len(quick.sent) == 300
        assert slow.sent == []
        slow.go.set()
        assert held.drain(20)
    assert slow.sent == quick.sent == [str(n) for n in range(300)]


def test_bounded_parallelism(spool: Spool) -> None:
    sink = Recorder(parallel=3)
    sink.go.clear()
    put(spool, *range(20))
    with Delivery(spool, sink) as delivery:
        deadline = time.monotonic() + 10
        while sink.running < 3 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        sink.go.set()
        assert delivery.drain(10)
    assert sink.most == 3
    assert sorted(map(int, sink.sent)) == list(range(20))


def test_what_was_under_way_comes_again(tmp_path: Path) -> None:
    sink = Recorder(parallel=4)
    sink.fail = lambda event_id: Again("down") if event_id in ("2", "5") else None
    with Spool(tmp_path) as spool:
        put(spool, *range(8))
        with Delivery(spool, sink, **QUICK) as delivery:
            deadline = time.monotonic() + 10
            while delivery.counts["delivered"] < 4 and time.monotonic() < deadline:
                threading.Event().wait(0.01)
            delivery.close(grace=0.01)
    again = Recorder()
    with Spool(tmp_path) as spool, Delivery(spool, again) as delivery:
        assert delivery.drain(10)
    assert again.sent[0] == "2"
    assert set(sink.sent) | set(again.sent) == {str(n) for n in range(8)}


def script(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "run.py"
    path.write_text(f"import json, sys, time\n{text}\n")
    return [sys.executable, "-S", "-E", str(path), str(tmp_path)]


def test_exec_gets_json_and_is_tried_again(spool: Spool, tmp_path: Path) -> None:
    command = script(
        tmp_path,
        """
from pathlib import Path
event = json.load(sys.stdin)
mark = Path(sys.argv[1]) / f"tried-{event['event_id']}"
if not mark.exists():
    mark.touch()
    sys.exit(1)
(Path(sys.argv[1]) / f"done-{event['event_id']}").write_text(event["sn"])
""",
    )
    put(spool, 1, 2, 3)
    with Delivery(spool, ExecSink(command, parallel=2), **QUICK) as delivery:
        assert delivery.drain(30)
        assert delivery.counts == {"delivered": 3, "retried": 3, "given_up": 0}
    assert sorted(p.name for p in tmp_path.glob("done-*")) == ["done-1", "done-2", "done-3"]
    assert (tmp_path / "done-1").read_text() == "FS1"


def test_exec_that_hangs_is_killed(spool: Spool, tmp_path: Path) -> None:
    put(spool, 1)
    sink = ExecSink(script(tmp_path, "time.sleep(60)"), timeout=0.3)
    with Delivery(spool, sink, attempts=1) as delivery:
        assert delivery.drain(20)
        assert delivery.counts["given_up"] == 1
    put(spool, 2)
    sink = ExecSink(script(tmp_path, "open(sys.argv[1] + '/up', 'w').close(); time.sleep(60)"))
    began = time.monotonic()
    with Delivery(spool, sink) as delivery:
        while not (tmp_path / "up").exists() and time.monotonic() < began + 20:
            threading.Event().wait(0.01)
        delivery.close(grace=0.01)
    assert time.monotonic() - began < 20
    assert spool.counts()["consumers"]["exec"] | {"cursor": 0} == {
        "cursor": 0,
        "lost": 0,
        "backlog": 1,
        "given_up": 1,
    }


def test_exec_of_nothing() -> None:
    for command in ("no-such-command-here", "", "'unclosed", []):
        with pytest.raises(ConfigError) as caught:
            ExecSink(command)
        assert caught.value.localized("zh")[0] != caught.value.message


class Hook(ThreadingHTTPServer):
    """A web server that answers with the statuses in ``plan``, then 200, and keeps what came."""

    daemon_threads = True

    def __init__(self) -> None:
        self.plan: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), HookHandler)


class HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.plan.pop(0) if self.server.plan else 204
        self.server.got.append((dict(self.headers.items()), body))
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_webhook_is_signed_and_tried_again(spool: Spool, hook: Hook) -> None:
    hook.plan = [500, 429, 404, 302, 200]
    put(spool, 1)
    sink = WebhookSink(f"http://127.0.0.1:{hook.server_port}/in?token=t", secret="s3cret")
    with Delivery(spool, sink, **QUICK) as delivery:
        assert delivery.drain(10)
        assert delivery.counts == {"delivered": 1, "retried": 4, "given_up": 0}
    headers, body = hook.got[-1]
    assert json.loads(body)["event_id"] == "1"
    text = headers["X-Sunmi-Ipc-Timestamp"].encode() + b"." + body
    expected = hmac.new(b"s3cret", text, hashlib.sha256).hexdigest()
    assert headers["X-Sunmi-Ipc-Signature"] == f"sha256={expected}"
    assert headers["Idempotency-Key"] == json.loads(body)["idempotency_key"]
    assert headers["Idempotency-Key"].startswith("FS1/x/1/")
    assert len({h["Idempotency-Key"] for h, _ in hook.got}) == 1
    assert abs(int(headers["X-Sunmi-Ipc-Timestamp"]) - time.time()) < 60


@pytest.mark.parametrize("head", ["Content-Length: many", "Content-Length: 9"])
def test_webhook_that_answers_2xx_and_nonsense_has_it_once(spool: Spool, head: str) -> None:
    put(spool, 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = WebhookSink(f"http://127.0.0.1:{server.getsockname()[1]}/")
        with Delivery(spool, sink, **QUICK) as delivery:
            connection, _ = server.accept()
            with connection:
                received = b""
                while not received.endswith(b"}"):
                    received += connection.recv(65536)
                connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\nConnection: close\r\n\r\ncut".encode())
            assert delivery.drain(10)
            assert delivery.counts == {"delivered": 1, "retried": 0, "given_up": 0}


def test_webhook_refused_for_good_is_recorded_and_passed_over(spool: Spool, hook: Hook) -> None:
    hook.plan = [400, 400]
    put(spool, 1, 2)
    sink = WebhookSink(f"http://127.0.0.1:{hook.server_port}/", parallel=1)
    with Delivery(spool, sink, attempts=2, **QUICK) as delivery:
        assert delivery.drain(10)
        assert delivery.counts == {"delivered": 1, "retried": 1, "given_up": 1}
    assert [json.loads(body)["event_id"] for _, body in hook.got] == ["1", "1", "2"]
    assert "X-Sunmi-Ipc-Signature" not in hook.got[0][0]


def test_webhook_that_is_down_waits(spool: Spool) -> None:
    server = Hook()
    port = server.server_port
    server.server_close()
    put(spool, 1)
    sink = WebhookSink(f"http://127.0.0.1:{port}/?token=hidden")
    with Delivery(spool, sink, attempts=1, **QUICK) as delivery:
        deadline = time.monotonic() + 10
        while delivery.counts["retried"] < 5 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        assert delivery.counts == {"delivered": 0, "retried": delivery.counts["retried"], "given_up": 0}
        assert delivery.problem == "no connection: Connection refused"
    assert spool.consumer("webhook").backlog() == 1
    with pytest.raises(ConfigError) as caught:
        WebhookSink("ftp://x")
    assert caught.value.localized("zh")[0] != caught.value.message


def test_a_program_that_forgets_to_close_ends(tmp_path: Path) -> None:
    code = """
import sys
from sunmi_ipc.events import Spool
from sunmi_ipc.events.delivery import Delivery
from sunmi_ipc.events.model import of
from sunmi_ipc.events.sinks import WebhookSink
spool = Spool(sys.argv[1])
spool.append(of({"event_type": "x", "sn": "FS1", "event_id": "1"}))
delivery = Delivery(spool, WebhookSink("http://127.0.0.1:1/"))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], timeout=60, cwd=Path.cwd(), capture_output=True
    )
    assert done.returncode == 0, done.stderr


# -- one that cannot be taken ----------------------------------------------------------------------------


def test_of_a_batch_only_what_cannot_be_taken_is_given_up(spool: Spool) -> None:
    sink = Recorder(batch=100)
    bad = {"0", "41", "42", "99"}
    sink.fail = lambda event_id: ValueError("a bug") if event_id in bad else None
    put(spool, *range(100))
    with Delivery(spool, sink, attempts=2, **QUICK) as delivery:
        assert delivery.drain(20)
        assert delivery.counts["given_up"] == 4
    assert set(sink.sent) == {str(n) for n in range(100)} - bad
    assert [
        letter.stored(spool.dialect.event).event.event_id for letter in spool.letters.read("recorder")
    ] == sorted(bad, key=int)
    assert {letter.reason for letter in spool.letters.read()} == {"it failed (ValueError)"}


def test_what_cannot_be_recorded_is_not_passed_over(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    sink, full = Recorder(), [True]
    sink.fail = lambda event_id: Rejected("no") if event_id == "1" else None
    add = spool.letters.add

    def maybe(letter: Any) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        add(letter)

    monkeypatch.setattr(spool.letters, "add", maybe)
    put(spool, 1, 2)
    with Delivery(spool, sink, attempts=1, **QUICK) as delivery:
        assert not delivery.drain(0.5)
        assert sink.sent == []
        full[0] = False
        assert delivery.drain(10)
    assert sink.sent == ["2"]
    assert spool.letters.counts() == {"recorder": 1}


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 405, 410, 418, 451])
def test_a_deployment_is_waited_for(spool: Spool, hook: Hook, status: int) -> None:
    hook.plan = [status] * 12
    put(spool, 1)
    with Delivery(
        spool, WebhookSink(f"http://127.0.0.1:{hook.server_port}/"), attempts=2, **QUICK
    ) as delivery:
        assert delivery.drain(10)
        assert delivery.counts == {"delivered": 1, "retried": 12, "given_up": 0}


def test_waiting_for_a_deployment_has_an_end(spool: Spool) -> None:
    sink = Recorder()
    sink.fail = lambda event_id: Again("HTTP 404", patience=0.2)
    put(spool, *range(20))
    with Delivery(spool, sink, attempts=2, **QUICK) as delivery:
        assert delivery.drain(20)  # the next do not each wait as long
        assert delivery.counts["given_up"] == 20


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1/?token=hidden", "Connection refused"),
        ("http://no-such-host.invalid/?token=hidden", "name is not known"),
        ("https://{hook}/?token=hidden", "TLS"),
        ("http://{mute}/?token=hidden", "in time"),
    ],
)
def test_what_is_wrong_with_a_webhook_is_said_in_words(hook: Hook, spool: Spool, url: str, said: str) -> None:
    put(spool, 1)
    (stored,) = spool.consumer("c").read()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        places = {"hook": f"127.0.0.1:{hook.server_port}", "mute": f"127.0.0.1:{mute.getsockname()[1]}"}
        sink = WebhookSink(url.format(**places), timeout=0.5)
        with pytest.raises(Again) as caught:
            sink.send([stored])
        sink.close()
    assert said in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "Error" not in str(caught.value)


class Narrow(io.StringIO):
    encoding = "cp1252"

    def write(self, text: str) -> int:
        text.encode(self.encoding)
        return super().write(text)


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii", "latin-1"])
def test_what_the_stream_cannot_write_is_escaped(spool: Spool, encoding: str) -> None:
    fields = {"event_type": "x", "sn": "FS1", "event_id": "1", "group_name": "Zoë 会员 😀 €"}
    spool.append(of(fields), fields)
    (stored,) = spool.consumer("c").read()
    stream = Narrow()
    stream.encoding = encoding
    JsonlSink(stream).send([stored])
    assert json.loads(stream.getvalue())["group_name"] == fields["group_name"]
    plain = Narrow()
    plain.encoding = encoding
    LineSink(plain, lambda s: str(s.fields["group_name"])).send([stored])
    assert plain.getvalue().startswith("Zo")


def test_a_full_disk_breaks_no_line(spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(spool, *range(30))
    file, room, write = tmp_path / "out.jsonl", [1000], os.write

    def little(descriptor: int, data: Any) -> int:
        if room[0] <= 0:
            raise OSError(28, "No space left on device")
        number = write(descriptor, bytes(data[: room[0]]))
        room[0] -= number
        return number

    with file.open("a") as stream:
        monkeypatch.setattr("sunmi_ipc.events.sinks.os.write", little)
        with Delivery(spool, JsonlSink(stream), **QUICK) as delivery:
            assert not delivery.drain(0.3)
            assert not file.read_bytes().endswith(b"\n")
            room[0] = 1 << 30
            assert delivery.drain(10)
    assert [json.loads(line)["event_id"] for line in file.read_text().splitlines()] == [
        str(n) for n in range(30)
    ]


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        (r"C:\tools\greet.bat", [r"C:\tools\greet.bat"]),
        (
            r'"C:\Program Files\greet.exe" --to "a b" C:\x',
            [r"C:\Program Files\greet.exe", "--to", "a b", r"C:\x"],
        ),
    ],
)
def test_windows_paths_stay_whole(monkeypatch: pytest.MonkeyPatch, command: str, wanted: list[str]) -> None:
    from sunmi_ipc.events import sinks

    with monkeypatch.context() as windows:
        windows.setattr(sinks.os, "name", "nt")
        assert sinks._split(command) == wanted
    assert sinks._split("a 'b c'") == ["a", "b c"]
