"""RTSP of the virtual camera, judged by ffprobe, by PyAV, and by a client that speaks it by hand."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import av
import pytest

from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.video import PictureFormat
from sunmi_ipc.simulator.video.encoder import Encoder
from sunmi_ipc.simulator.video.scene import Scene
from sunmi_ipc.simulator.video.source import Timeline
from sunmi_ipc.simulator.video.stream import Stream
from sunmi_ipc.simulator.video.viewpoint import Look
from tests.patience import eventually

from .conftest import FHD, HD

Film = Callable[..., VirtualCamera]
needs_ffprobe = pytest.mark.skipif(
    shutil.which("ffprobe") is None, reason="ffprobe is not installed (Debian: apt-get install ffmpeg)"
)


def signed(url: str, user: str = "admin", password: str = "admin") -> str:
    return url.replace("rtsp://", f"rtsp://{user}:{password}@")


def probe(url: str, transport: str, pictures: int) -> subprocess.CompletedProcess[str]:
    """What ffprobe says of so many pictures."""
    command = ["ffprobe", "-v", "warning", "-rtsp_transport", transport, "-of", "compact"]
    command += ["-show_entries", "stream=codec_name,width,height:frame=pict_type"]
    command += ["-read_intervals", f"%+#{pictures}", signed(url)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def until(condition: Callable[[], bool]) -> None:
    assert eventually(condition), "waited in vain"


def encoders() -> int:
    return sum(t.name == "virtual-camera-video" for t in threading.enumerate())


class Client:
    """RTSP by hand: sends requests, reads answers and interleaved packets."""

    def __init__(self, camera: VirtualCamera, name: str = "live_hd.sdp", password: str = "admin") -> None:
        self.url = camera.live_url("hd").replace("live_hd.sdp", name)
        self.sock = socket.create_connection((camera.ip, int(self.url.split(":")[2].split("/")[0])), 20)
        self.stream = self.sock.makefile("rb")
        self.password, self.nonce, self.session, self.count = password, "", "", 0
        self.packets: list[tuple[int, bytes]] = []

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.sock.close()

    def ask(
        self, method: str, track: str = "", uri: str = "", **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Send a request, with digest authentication once there is a nonce; the answer."""
        self.count += 1
        url = self.url + track
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self.count}"]
        if self.nonce:
            one = hashlib.md5(f"admin:sunmi:{self.password}".encode()).hexdigest()
            uri = uri or url
            two = hashlib.md5(f"{method}:{uri}".encode()).hexdigest()
            answer = hashlib.md5(f"{one}:{self.nonce}:{two}".encode()).hexdigest()
            lines.append(
                f'Authorization: Digest username="admin", realm="sunmi", nonce="{self.nonce}", '
                f'uri="{uri}", response="{answer}"'
            )
        if self.session and "Session" not in headers:
            lines.append(f"Session: {self.session}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return self.answer()

    def answer(self) -> tuple[int, dict[str, str], str]:
        while (first := self.stream.read(1)) == b"$":
            self.packet(first)
        status = int((first + self.stream.readline()).split()[1])
        headers: dict[str, str] = {}
        while line := self.stream.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers.setdefault(name, value)
        if found := re.search(r'nonce="(\w+)"', headers.get("WWW-Authenticate", "")):
            self.nonce = found[1]
        if "Session" in headers:
            self.session = headers["Session"].partition(";")[0]
        return status, headers, self.stream.read(int(headers.get("Content-Length", "0"))).decode()

    def packet(self, first: bytes = b"") -> tuple[int, bytes]:
        """The next interleaved packet: channel and content."""
        head = first or self.stream.read(1)
        assert head == b"$"
        channel, size = struct.unpack(">BH", self.stream.read(3))
        self.packets.append((channel, self.stream.read(size)))
        return self.packets[-1]

    def packets_for_ever(self) -> None:
        while True:
            self.packet()

    def play(self, **headers: str) -> None:
        """From nothing to the first packet."""
        self.ask("DESCRIBE")
        assert self.ask("SETUP", "/trackID=1", Transport="RTP/AVP/TCP;unicast;interleaved=4-5")[0] == 200
        assert self.ask("PLAY", **headers)[0] == 200


@pytest.fixture
def client(film: Film) -> Iterator[Client]:
    with Client(film()) as made:
        yield made


@needs_ffprobe
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_ffprobe_gets_50_pictures(film: Film, transport: str) -> None:
    ran = probe(film().live_url(), transport, 50)
    # ffprobe says so where another program holds the port it tried first, and takes the next.
    said = [line for line in ran.stderr.splitlines() if "bind failed: Address already in use" not in line]
    assert (ran.returncode, said) == (0, [])
    assert ran.stdout.count("frame|") == 50
    assert f"stream|codec_name=h264|width={FHD.width}|height={FHD.height}" in ran.stdout


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_pyav_gets_50_pictures(film: Film, transport: str) -> None:
    with av.open(
        signed(film().live_url("hd")), options={"rtsp_transport": transport}, timeout=20
    ) as container:
        frames = [frame for frame, _ in zip(container.decode(video=0), range(50), strict=False)]
    assert len(frames) == 50
    assert {(f.width, f.height) for f in frames} == {(HD.width, HD.height)}
    assert all(not f.is_corrupt for f in frames)
    stamps = [f.pts for f in frames if f.pts is not None]  # FFmpeg gives the very first none
    assert len(stamps) >= 49
    assert stamps == sorted(set(stamps))


@needs_ffprobe
def test_mjpeg_where_there_is_no_h264(film: Film) -> None:
    size = PictureFormat(320, 176, 50)  # RTP counts JPEGs in eights
    ran = probe(film(codec="mjpeg", hd=size).live_url("hd"), "tcp", 10)
    assert ran.stdout.count("frame|") == 10
    assert "codec_name=mjpeg|width=320|height=176" in ran.stdout


def test_720p_and_1080p_unless_told_otherwise(virtual: Callable[..., VirtualCamera]) -> None:
    camera = virtual()
    for size, shape in (("hd", (1280, 720)), ("fhd", (1920, 1080))):
        # Do not wait to find out the frame rate.
        options = {"rtsp_transport": "tcp", "fpsprobesize": "0", "analyzeduration": "1"}
        with av.open(signed(camera.live_url(size)), options=options, timeout=20) as container:
            frame = next(container.decode(video=0))
        assert (frame.width, frame.height) == shape


def test_wrong_credentials_get_401(film: Film) -> None:
    camera = film(user="shop", password="a:b@c")
    with pytest.raises(av.error.HTTPUnauthorizedError):
        av.open(signed(camera.live_url()), timeout=20)
    with av.open(signed(camera.live_url(), "shop", "a%3Ab%40c"), timeout=20) as container:
        assert container.streams.video


def test_digest_and_basic(film: Film) -> None:
    camera = film()

    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    with Client(camera, password="wrong") as client:
        status, headers, _ = client.ask("DESCRIBE")
        assert status == 401
        assert headers["WWW-Authenticate"].startswith("Digest realm=")
        assert client.ask("DESCRIBE")[0] == 401
        assert client.ask("SETUP", "/trackID=1", Transport="RTP/AVP/TCP;unicast")[0] == 401
        client.password = "admin"
        status, _, text = client.ask("DESCRIBE")
        assert status == 200
        assert "sprop-parameter-sets=" in text
        assert client.ask("DESCRIBE", uri="rtsp://elsewhere/live_hd.sdp")[0] == 401
        assert client.ask("SETUP", "/trackID=1", client.url, Transport="RTP/AVP/TCP;unicast")[0] == 200
    with Client(camera) as client:
        for word in (basic("admin:no"), basic("admin"), "Basic *", "Bearer x", 'Digest username="admin"'):
            assert client.ask("OPTIONS", Authorization=word)[0] == 200
            client.nonce = ""
            assert client.ask("DESCRIBE", Authorization=word)[0] == 401
        client.nonce = ""
        assert client.ask("DESCRIBE", Authorization=basic("admin:admin"))[0] == 200


def test_play_pause_teardown(client: Client) -> None:
    client.play()
    number, source = None, set()
    for _ in range(60):
        channel, packet = client.packet()
        if channel == 4:
            sequence, _, ssrc = struct.unpack(">HII", packet[2:12])
            assert number is None or sequence == (number + 1) & 0xFFFF
            number = sequence
            source.add(ssrc)
        else:
            assert (channel, packet[1]) == (5, 200)  # a sender report
    assert len(source) == 1
    assert encoders() >= 1
    assert client.ask("PAUSE")[0] == 200
    client.packets.clear()
    assert client.ask("GET_PARAMETER")[0] == 200
    assert client.packets == []  # none after the answer to PAUSE
    assert client.ask("PLAY")[0] == 200
    client.packet()
    assert client.ask("PLAY")[0] == 200
    assert client.ask("TEARDOWN")[0] == 200
    assert client.ask("PLAY")[0] == 454


def test_what_is_refused(client: Client) -> None:
    client.ask("DESCRIBE")
    assert client.ask("PLAY")[0] == 454
    assert client.ask("RECORD")[0] == 501
    assert client.ask("SETUP", Transport="RTP/AVP;multicast")[0] == 461
    assert client.ask("SETUP", Transport="RTP/AVP;unicast;client_port=99999")[0] == 461
    assert client.ask("SETUP", Transport="RAW/RAW")[0] == 461
    assert client.ask("PLAY", Session="other")[0] == 454
    url, client.url = client.url, client.url.replace("live_hd", "live_uhd")
    assert client.ask("DESCRIBE")[0] == 404
    client.url = re.sub(r"/[0-9a-f]{32}/", "/" + "0" * 32 + "/", url)
    assert client.ask("DESCRIBE")[0] == 404
    client.sock.sendall(b"DESCRIBE rtsp://x/ RTSP/2.0\r\nCSeq: 9\r\n\r\n")
    assert client.answer()[0] == 505
    client.sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert client.answer()[0] == 400
    assert client.stream.read() == b""


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        b"DESCRIBE\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nno colon\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: -5\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\n" + b"X: y\r\n" * 100,
        b"A" * 9000,
        b"$\x00\xff\xffshort",
        b"OPTIONS * RTSP/1.0\r\nX",
    ],
)
def test_junk_ends_the_connection_and_nothing_else(film: Film, junk: bytes) -> None:
    camera = film()
    with Client(camera) as client:
        client.sock.sendall(junk)
        with contextlib.suppress(OSError):  # the camera may have ended it first
            client.sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            assert client.stream.read() in (b"", b"RTSP/1.0 400 Bad Request\r\n\r\n")
    with Client(camera) as client:
        assert client.ask("OPTIONS")[0] == 200


def test_many_watch_and_one_encodes(film: Film) -> None:
    camera = film()
    before = encoders()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(camera)) for _ in range(4)]
        for client in clients:
            client.play()
        for client in clients:
            while client.packet()[0] != 4:
                pass
        assert encoders() == before + 1
    until(lambda: encoders() == before)
    with Client(camera) as late:
        late.play()
        late.packet()


def test_who_does_not_read_holds_up_nobody(film: Film) -> None:
    camera = film(hd=PictureFormat(640, 360, 50))
    with Client(camera) as slow, Client(camera) as quick:
        slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.play()
        quick.play()
        stamps = set()
        while len(stamps) < 60:
            channel, packet = quick.packet()
            if channel == 4:
                stamps.add(packet[4:8])


def test_who_comes_as_the_last_one_leaves_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    form = PictureFormat(160, 90, 50)
    stream = Stream(Scene("FS101D8BS00106", 160, 90), form, lambda elapsed: 1.7e9 + elapsed, Look)
    leaving, go_on = threading.Event(), threading.Event()
    close = Encoder.close

    def slowly(encoder: Encoder) -> None:
        leaving.set()
        go_on.wait(20)
        close(encoder)

    monkeypatch.setattr(Encoder, "close", slowly)
    first: list[int] = []
    second: list[int] = []

    def one(packets: list[bytes], key: bool) -> None:
        first.append(len(packets))

    def two(packets: list[bytes], key: bool) -> None:
        second.append(len(packets))

    stream.join(one)
    until(lambda: len(first) > 2)
    (old,) = [t for t in threading.enumerate() if t.name == "virtual-camera-video"]
    stream.leave(one)
    assert leaving.wait(20)
    stream.join(two)
    until(lambda: len(second) > 2)
    go_on.set()
    old.join(20)
    stream.close()
    assert 0 not in second  # no end


def test_datagrams_come_from_the_announced_ports(client: Client) -> None:
    client.ask("DESCRIBE")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(20)
        port = sink.getsockname()[1]
        asked = f"RTP/AVP;multicast,RTP/AVP/UDP;unicast;client_port={port}-{port}"
        _, headers, _ = client.ask("SETUP", "/trackID=1", Transport=asked)
        announced = re.search(r"server_port=(\d+)-(\d+)", headers["Transport"])
        assert announced is not None
        assert client.ask("PLAY")[0] == 200
        senders = {sink.recvfrom(2048)[1][1] for _ in range(20)}
        assert senders <= {int(announced[1]), int(announced[2])}


def test_a_turned_camera_goes_on(film: Film) -> None:
    camera = film("FM010")
    with av.open(signed(camera.live_url("hd")), options={"rtsp_transport": "tcp"}, timeout=20) as container:
        sizes = []
        for frame in container.decode(video=0):
            sizes.append((frame.width, frame.height))
            if len(sizes) == 5:
                with connect(camera) as client:
                    client.image.set_rotation(90)
            if sizes[-1] == (HD.height, HD.width):
                break
            assert len(sizes) < 500
    assert sizes[0] == (HD.width, HD.height)


def recorded(camera: VirtualCamera, seconds: float) -> str:
    """A playback address of so many seconds of the last whole hour."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    with connect(camera) as client:
        return client.video.playback_url(hour, hour + timedelta(seconds=seconds)).playback_url


def test_playback_plays_and_ends(film: Film) -> None:
    camera = film()
    with av.open(signed(recorded(camera, 2)), options={"rtsp_transport": "tcp"}, timeout=20) as container:
        assert container.duration == 2_000_000
        # FFmpeg gives the very first none.
        times = [frame.time for frame in container.decode(video=0) if frame.time is not None]
    # A busy machine leaves pictures out rather than falling behind: what there is covers the two seconds.
    assert len(times) <= 2 * HD.fps
    assert times == sorted(times)
    assert 1.5 < times[-1] - times[0] <= 2.0


def test_playback_seeks_and_goes_on_where_it_paused(film: Film) -> None:
    camera = film()
    name = recorded(camera, 600).rpartition("/")[2]
    with Client(camera, name) as client:
        client.ask("DESCRIBE")
        client.ask("SETUP", "/trackID=1", Transport="RTP/AVP/TCP;unicast")
        assert client.ask("PLAY", Range="npt=600-")[0] == 457
        _, headers, _ = client.ask("PLAY", Range="npt=597.5-")
        assert headers["Range"] == "npt=597.500-600.000"
        for _ in range(30):
            client.packet()
        assert client.ask("PAUSE")[0] == 200
        _, headers, _ = client.ask("PLAY")
        position = float(headers["Range"].removeprefix("npt=").partition("-")[0])
        assert 597.5 < position < 600
        while (packet := client.packet())[0] == 0:
            pass
        while packet[1][28:30] != b"\x81\xcb":  # a sender report, and BYE
            packet = client.packet()


def test_playback_leaves_gaps_out() -> None:
    line = Timeline([(100, 160), (300, 360)])
    assert line.seconds == 120
    assert [line.moment(at) for at in (0, 59.5, 60, 119, 120)] == [100, 159.5, 300, 359, None]
    line.seek(70)
    assert line.moment(5) == 315


def test_no_card_no_playback(film: Film) -> None:
    camera = film()
    name = recorded(camera, 2).rpartition("/")[2]
    camera.insert_card(CardStatus.NONE)
    with Client(camera, name) as client:
        client.ask("DESCRIBE")
        assert client.ask("DESCRIBE")[0] == 404


def test_restart_and_close_cut_the_picture(film: Film) -> None:
    camera = film()
    with Client(camera) as client:
        client.play()
        client.packet()
        camera.restart(0.05)
        with pytest.raises((AssertionError, ConnectionError)):
            client.packets_for_ever()
    until(lambda: not camera.away)
    with Client(camera) as client:
        client.play()
        client.packet()
        camera.close()
        names = {t.name for t in threading.enumerate()}
        assert not names & {"virtual-camera-video", "virtual-camera-player", "virtual-camera-rtsp"}


def test_faults_of_its_own(film: Film) -> None:
    camera = film()
    camera.fail("drop", path="rtsp")
    with pytest.raises(av.error.FFmpegError):
        av.open(signed(camera.live_url()), timeout=20)
    with av.open(signed(camera.live_url()), timeout=20) as container:
        assert container.streams.video
