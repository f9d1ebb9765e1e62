"""Pictures: from the camera alone, bounded, tried again, never at the event's cost."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.events import Spool
from sunmi_ipc.events.album import Album, Allowance
from sunmi_ipc.events.fetch import Refused, camera_address
from sunmi_ipc.events.model import of
from sunmi_ipc.events.pictures import Pictures

JPEG = b"\xff\xd8\xff\xe0" + b"j" * 5000 + b"\xff\xd9"
MP4 = b"\0\0\0\x18ftypmp42" + b"v" * 9000


class Files(ThreadingHTTPServer):
    """A camera's files: each path has a list of answers, the last of which stays."""

    daemon_threads = True

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.answers: dict[str, list[Callable[[Handler], None]]] = {}
        self.asked: list[str] = []
        super().__init__((address, 0), Handler)

    def url(self, path: str) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Files

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        plan = self.server.answers.get(self.path) or [status(404)]
        with suppress(OSError):
            (plan.pop(0) if len(plan) > 1 else plan[0])(self)

    def log_message(self, *_: Any) -> None:
        pass


def status(code: int) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send_response(code)
        handler.send_header("Location", "http://127.0.0.1:1/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def body(data: bytes, *, length: int | None = None) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data) if length is None else length))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"\xff")
        threading.Event().wait(0.05)


@pytest.fixture
def files() -> Iterator[Files]:
    with Files() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def put(spool: Spool, number: int = 1, source: str = "127.0.0.1", **links: str) -> None:
    fields = {
        "event_type": "face_recog_event",
        "sn": "FS1",
        "event_id": f"../{number}",
        "faceid": "1",
    } | links
    spool.append(of(fields), fields, source=source)


def fetched(spool: Spool, directory: Path, **options: Any) -> dict[str, int]:
    with Pictures(spool, directory, **{"backoff": 0.01, "attempts": 3} | options) as pictures:
        assert pictures.drain(20)
        return pictures.counts


def test_saved_beside_the_event(spool: Spool, files: Files, tmp_path: Path) -> None:
    files.answers = {"/a b.jpg?x=1&y=%20": [body(JPEG)], "/a%20b.jpg?x=1&y=%20": [body(JPEG)]}
    put(spool, pic_url=files.url("/a b.jpg?x=1&y=%20"))
    assert fetched(spool, tmp_path / "save") == {"saved": 1, "refused": 0, "lost": 0}
    record = spool.pictures(1)["pic_url"]
    path = tmp_path / "save" / record["path"]
    assert (record["status"], path.read_bytes(), path.suffix) == ("saved", JPEG, ".jpg")
    assert '"event_id":"../1"' in path.with_suffix(".json").read_text()
    assert path.parent.parent == tmp_path / "save" / "FS1"
    assert path.stat().st_mode & 0o077 == 0
    assert len(list(path.parent.iterdir())) == 2


def test_clip_and_picture_of_one_event(spool: Spool, files: Files, tmp_path: Path) -> None:
    files.answers = {"/p": [body(b"\x89PNG\r\n\x1a\n" + b"0" * 50)], "/v": [body(MP4)]}
    fields = {"event_type": "both", "sn": "FS1", "pic_url": files.url("/p"), "video_url": files.url("/v")}
    spool.append(of(fields), fields, source="127.0.0.1")
    assert fetched(spool, tmp_path)["saved"] == 2
    assert sorted(Path(p["path"]).suffix for p in spool.pictures(1).values()) == [".mp4", ".png"]
    assert (tmp_path / spool.pictures(1)["video_url"]["path"]).read_bytes() == MP4


def test_tried_again_then_lost_and_the_event_stays(spool: Spool, files: Files, tmp_path: Path) -> None:
    files.answers = {
        "/late": [status(404), body(JPEG, length=9999), body(JPEG)],
        "/never": [status(500)],
        "/empty": [body(b"")],
    }
    for number, path in enumerate(files.answers):
        put(spool, number, pic_url=files.url(path))
    assert fetched(spool, tmp_path) == {"saved": 1, "refused": 0, "lost": 2}
    assert files.asked.count("/never") == 3
    assert spool.pictures(2)["pic_url"] == {"status": "lost", "path": "", "reason": "HTTP 500"}
    assert spool.counts()["kept"] == 3
    assert not list(tmp_path.rglob("*.part"))
    assert len(list(tmp_path.rglob("*.json"))) == 3


def test_too_large_redirected_and_dripped(spool: Spool, files: Files, tmp_path: Path) -> None:
    def unannounced(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(JPEG * 3)

    files.answers = {
        "/big": [body(JPEG * 2)],
        "/bigger": [unannounced],
        "/moved": [status(302)],
        "/drip": [drip],
    }
    for number, path in enumerate(files.answers):
        put(spool, number, pic_url=files.url(path))
    began = time.monotonic()
    counts = fetched(spool, tmp_path, max_bytes=6000, timeout=0.3, attempts=1)
    assert counts == {"saved": 0, "refused": 3, "lost": 1}
    assert time.monotonic() - began < 10
    assert [spool.pictures(n)["pic_url"]["reason"] for n in (1, 2, 3)] == [
        "too large",
        "too large",
        "redirected",
    ]
    assert not list(tmp_path.rglob("*.part"))


def test_from_the_camera_alone(spool: Spool, files: Files, tmp_path: Path) -> None:
    files.answers = {"/p": [body(JPEG)]}
    put(spool, 1, source="127.0.0.9", pic_url=files.url("/p"))
    put(spool, 2, source="127.0.0.9", pic_url="file:///etc/passwd")
    assert fetched(spool, tmp_path) == {"saved": 0, "refused": 2, "lost": 0}
    assert files.asked == []
    put(spool, 3, source="127.0.0.9", pic_url=files.url("/p"))
    assert fetched(spool, tmp_path, allowed=lambda sn: {"127.0.0.1"} if sn == "FS1" else set()) == {
        "saved": 1,
        "refused": 0,
        "lost": 0,
    }


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://10.0.0.10/p", "to another host, 10.0.0.10"),
        ("http://camera.local/p", "to another host, camera.local"),
        ("http://10.0.0.9@10.0.0.10/", "a user name in it"),
        ("http://user:secret@10.0.0.9/", "a user name in it"),
        ("http://10.0.0.9:99999/", "no URL"),
        ("http://[::1/", "no URL"),
        ("http://0x0a000009/", "to another host"),
        ("http://10.0.0.09/", "to another host"),
        ("ftp://10.0.0.9/", "of the kind 'ftp'"),
        ("//10.0.0.9/", "of the kind ''"),
        ("https://10.0.0.9/", "https, and no TLS settings were given"),
        ("http://not an address/", "no URL"),
        ("", "of the kind ''"),
    ],
)
def test_links_that_are_not_followed(url: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        camera_address(url, {"10.0.0.9", "not an address", ""}, https=False)


def test_links_that_are_followed() -> None:
    assert camera_address("http://10.0.0.9:8080/x", {"::ffff:10.0.0.9"}, https=False) == "10.0.0.9"
    assert camera_address("https://[fe80::1]/", {"fe80::1%eth0"}, https=True) == "fe80::1"


def test_a_dead_camera_does_not_hold_up_another(spool: Spool, files: Files, tmp_path: Path) -> None:
    files.answers = {"/p": [body(JPEG)]}
    with Files("127.0.0.3") as dead:
        gone = dead.url("/x")
    for number in range(60):
        put(spool, number, source="127.0.0.3", pic_url=gone)
    put(spool, 99, pic_url=files.url("/p"))
    counts = fetched(spool, tmp_path, workers=2, backoff=0.05, away_s=0.5)
    assert counts == {"saved": 1, "refused": 0, "lost": 60}


def test_two_fetches_at_once_from_one_camera(spool: Spool, files: Files, tmp_path: Path) -> None:
    both, lock, inside, most = threading.Barrier(2), threading.Lock(), 0, 0

    def slow(handler: Handler) -> None:
        nonlocal inside, most
        with lock:
            inside, most = inside + 1, max(most, inside + 1)
        both.wait(60)
        threading.Event().wait(0.02)  # for a third, if it were let
        with lock:
            inside -= 1  # before the answer, after which the next is let
        body(JPEG)(handler)

    files.answers = {"/p": [slow]}
    for number in range(12):
        put(spool, number, pic_url=files.url("/p"))
    assert fetched(spool, tmp_path, workers=6)["saved"] == 12
    assert most == 2


def test_unfinished_pictures_are_fetched_after_a_restart(tmp_path: Path, files: Files) -> None:
    files.answers = {"/p": [status(503)]}
    with Spool(tmp_path / "spool") as spool:
        put(spool, pic_url=files.url("/p"))
        with Pictures(spool, tmp_path, attempts=1000, backoff=0.01):
            deadline = time.monotonic() + 10
            while not files.asked and time.monotonic() < deadline:
                threading.Event().wait(0.01)
    files.answers = {"/p": [body(JPEG)]}
    with Spool(tmp_path / "spool") as spool:
        assert fetched(spool, tmp_path)["saved"] == 1


def test_a_folder_that_cannot_be_written_loses_the_picture_only(
    spool: Spool, files: Files, tmp_path: Path
) -> None:
    files.answers = {"/p": [body(JPEG)]}
    (tmp_path / "file").write_text("")
    put(spool, pic_url=files.url("/p"))
    assert fetched(spool, tmp_path / "file", attempts=1) == {"saved": 0, "refused": 0, "lost": 1}
    assert spool.counts()["kept"] == 1


def test_events_without_pictures_and_odd_names(spool: Spool, tmp_path: Path) -> None:
    spool.append(of({"event_type": "a.b", "sn": "NUL", "event_id": "1"}))
    assert fetched(spool, tmp_path) == {"saved": 0, "refused": 0, "lost": 0}
    (path,) = tmp_path.rglob("*.json")
    assert path.relative_to(tmp_path).parts[0] == "_NUL"
    assert "-a_b-" in path.name


def test_https_with_a_pinned_camera(spool: Spool, tmp_path: Path, ready: Any) -> None:
    from sunmi_ipc.errors import TlsError
    from sunmi_ipc.link.tls import client_context

    approved: list[bytes] = []
    put(spool, 1, source=ready.ip, pic_url=f"https://{ready.address}/none.jpg")

    def refuse(der: bytes) -> None:
        approved.append(der)
        raise TlsError("the camera showed no certificate")

    counts = fetched(spool, tmp_path, tls=lambda sn: (client_context(None, None), refuse))
    assert counts == {"saved": 0, "refused": 1, "lost": 0}
    assert approved[0].startswith(b"\x30")


def test_a_cameras_absence_is_waited_for(spool: Spool, tmp_path: Path) -> None:
    with Files() as gone:
        port = gone.server_port
    for number in range(50):
        put(spool, number, pic_url=f"http://127.0.0.1:{port}/{number}.jpg")
    with Pictures(spool, tmp_path, attempts=2, backoff=0.02) as pictures:
        assert not pictures.drain(1.0)
        assert pictures.counts["lost"] == 0

        class Back(Files):
            def __init__(self) -> None:
                self.answers, self.asked = {}, []
                ThreadingHTTPServer.__init__(self, ("127.0.0.1", port), Handler)

        with Back() as back:
            back.answers = {f"/{n}.jpg": [body(JPEG)] for n in range(50)}
            thread = threading.Thread(target=back.serve_forever, args=(0.02,))
            thread.start()
            try:
                assert pictures.drain(60)
            finally:
                back.shutdown()
                thread.join()
        assert pictures.counts == {"saved": 50, "refused": 0, "lost": 0}


def test_what_is_half_written_is_cleaned_at_the_start(spool: Spool, tmp_path: Path) -> None:
    day = tmp_path / "FS1" / "2026-01-02"
    day.mkdir(parents=True)
    (day / ".abcd.part").write_bytes(b"half")
    (day / "my own.part").write_bytes(b"theirs")
    (tmp_path / ".mine.part").write_bytes(b"theirs")
    with Pictures(spool, tmp_path):
        deadline = time.monotonic() + 10
        while (day / ".abcd.part").exists() and time.monotonic() < deadline:
            threading.Event().wait(0.01)
    assert sorted(p.name for p in tmp_path.rglob("*.part")) == [".mine.part", "my own.part"]


def named(folder: Path, when: datetime, size: int, sn: str = "FS1", more: str = "0") -> Path:
    path = folder / sn / f"{when:%Y-%m-%d}" / f"{when:%H%M%S}_000-face_recog_event-{more * 10}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_pictures_go_by_age_and_nothing_else_does(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    old, new = named(tmp_path, now - timedelta(days=8), 10), named(tmp_path, now - timedelta(days=6), 10)
    kept = [old.with_name("holiday.jpg"), tmp_path / "FS1" / "notes.txt", tmp_path / "2020-01-01.jpg"]
    for path in kept:
        path.write_bytes(b"theirs")
    empty = named(tmp_path, now - timedelta(days=30), 10)
    with closing(Album(tmp_path, Allowance())) as album:
        album.tidy()
    assert [p.exists() for p in (old, new, empty, *kept)] == [False, True, False, True, True, True]
    assert not empty.parent.exists()


def test_each_camera_has_its_share(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    other = named(tmp_path, now - timedelta(hours=9), 900, sn="OTHER")
    with closing(Album(tmp_path, Allowance(budget=4000))) as album:
        album.tidy()
        for number in range(20):
            when = now - timedelta(hours=8) + timedelta(minutes=number)
            path = named(tmp_path, when, 100, more=f"{number % 10}")
            album.add(path)
            assert path.exists()
    left = sorted(p.name for p in (tmp_path / "FS1").rglob("*.jpg"))
    assert 8 <= len(left) <= 10
    assert path.name in left  # the newest
    assert other.exists()


def test_a_nearly_full_disk_gets_no_pictures_and_events_go_on(
    spool: Spool, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [10 << 30]
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(total=100 << 30, free=free[0]))

    def filling(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(8):
            handler.wfile.write(JPEG[:4] + b"x" * (1 << 20))
        free[0] = 0
        for _ in range(8):
            handler.wfile.write(b"x" * (1 << 20))

    files.answers = {"/filling": [filling], "/p": [body(JPEG)]}
    put(spool, 1, pic_url=files.url("/filling"))
    counts = fetched(spool, tmp_path / "save")
    assert counts == {"saved": 0, "refused": 1, "lost": 0}
    put(spool, 2, pic_url=files.url("/p"))
    assert fetched(spool, tmp_path / "save") == {"saved": 0, "refused": 1, "lost": 0}
    assert spool.pictures(2)["pic_url"]["reason"] == "the disk is nearly full"
    assert "/p" not in files.asked
    free[0] = 10 << 30
    put(spool, 3, pic_url=files.url("/p"))
    assert fetched(spool, tmp_path / "save")["saved"] == 1


def test_an_event_that_cannot_be_written_stops_no_picture(spool: Spool, files: Files, tmp_path: Path) -> None:
    files.answers = {"/p": [body(JPEG)]}
    fields = {"event_type": "other", "sn": "FS1", "event_id": "1", "pic_url": files.url("/p")}
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    spool.append(of(fields), fields | {"deep": deep}, source="127.0.0.1")
    put(spool, 2, pic_url=files.url("/p"))
    assert fetched(spool, tmp_path)["saved"] == 2


def test_a_link_never_makes_a_camera_known(spool: Spool, tmp_path: Path, ready: Any) -> None:
    """Whoever posts an event writes its link; only our own calls pin."""
    from sunmi_ipc import Camera
    from sunmi_ipc.link.trust import KnownCameras

    known = KnownCameras(tmp_path / "known.json")
    vendor = ready.vendor

    def camera(address: str, sn: str) -> Camera:
        return Camera(
            address, sn=sn, app_id=vendor.app_id, secret_key=vendor.secret_key.reveal(), p12=vendor.p12,
            p12_password=vendor.p12_password, known_cameras=known,
        )  # fmt: skip

    put(spool, 1, source=ready.ip, pic_url=f"https://{ready.address}/none.jpg")
    with camera("camera.invalid", "FS1") as stranger:
        counts = fetched(spool, tmp_path / "a", tls=lambda sn: stranger.tls_of_links)
        assert counts == {"saved": 0, "refused": 1, "lost": 0}
    assert known.items() == []
    with camera(ready.address, ready.sn) as true:
        true.device.info()
        put(spool, 2, source=ready.ip, pic_url=f"https://{ready.address}/none.jpg")
        # Known now: refused no more, though there is no such file.
        assert fetched(spool, tmp_path / "b", tls=lambda sn: true.tls_of_links)["lost"] == 1
    assert [name for name, _ in known.items()] == [ready.sn]
