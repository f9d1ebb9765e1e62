"""What a camera's video service may do to who reads it: every wait ends, nothing leads elsewhere."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from sunmi_ipc.errors import StreamError, StreamRefusedError, StreamShortError
from sunmi_ipc.i18n import speaking
from sunmi_ipc.video import rtsp, stream
from sunmi_ipc.video.address import RtspAddress
from sunmi_ipc.video.describe import describe
from sunmi_ipc.video.rtsp import Malformed, Message, Parser

from .rtsp_server import Server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with contextlib.ExitStack() as stack:

        def make(**options: Any) -> Server:
            made = Server(**options)
            stack.callback(made.close)
            return made

        yield make


def _address(server: Server) -> RtspAddress:
    return RtspAddress(server.url, "admin", "Shops-own-Pa55")


def _raw(answer: Callable[[socket.socket], None]) -> str:
    """A server of one answer."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with contextlib.suppress(OSError), listener:
            while True:
                sock, _ = listener.accept()
                with contextlib.suppress(OSError), sock:
                    sock.recv(4096)
                    answer(sock)

    threading.Thread(target=run, daemon=True).start()
    return f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live.sdp"


def test_one_connection_serves_a_reading(serve: Callable[..., Server]) -> None:
    server = serve()
    frames = stream.frames(_address(server))
    assert next(frames).shape == (96, 160, 3)
    frames.close()
    assert server.connections == 1
    assert server.methods().count("DESCRIBE") == 1


@pytest.mark.parametrize("status", [301, 302, 303, 305, 307])
@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_no_redirection_is_followed(serve: Callable[..., Server], status: int, method: str) -> None:
    elsewhere = serve()
    moved = f"RTSP/1.0 {status} Moved\r\nCSeq: {{CSEQ}}\r\nLocation: {elsewhere.url}\r\n\r\n".encode()
    server = serve(answer=lambda asked, _: moved if asked == method else None)
    with pytest.raises(StreamRefusedError, match="elsewhere") as caught:
        stream.still(_address(server))
    assert str(status) in str(caught.value)
    assert elsewhere.connections == 0


@pytest.mark.parametrize("length", ["-1", "+5", "1e3", "٣", "0x10", "99999999", "4 4"])
@pytest.mark.parametrize("read", [describe, stream.still])
def test_a_length_that_is_none(length: str, read: Callable[..., Any]) -> None:
    def answer(sock: socket.socket) -> None:
        sock.sendall(f"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: {length}\r\n\r\n".encode())
        for _ in range(200):
            sock.sendall(b"a" * 100_000)

    with pytest.raises(StreamError, match="RTSP"):
        read(RtspAddress(_raw(answer)), timeout=5)


@pytest.mark.parametrize(
    "read", [describe, stream.still, lambda a, timeout: next(stream.frames(a, timeout=timeout))]
)
def test_a_byte_now_and_then_has_one_deadline(read: Callable[..., Any]) -> None:
    def drip(sock: socket.socket) -> None:
        sock.sendall(b"RTSP/1.0 200 OK\r\nX-Filler: ")
        while True:
            sock.sendall(b"a")
            time.sleep(0.1)

    began = time.monotonic()
    with pytest.raises(StreamError, match="in time"):
        read(RtspAddress(_raw(drip)), timeout=1)
    assert time.monotonic() - began < 10


def test_a_head_without_an_end_is_bounded() -> None:
    def flood(sock: socket.socket) -> None:
        while True:
            sock.sendall(b"X-A: b\r\n" * 1000)

    with pytest.raises(StreamError, match="RTSP"):
        describe(RtspAddress(_raw(flood)))


@pytest.mark.slow
def test_sound_alone_ends(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve(sound=True, picture=False)
    for read in (
        lambda: stream.still(_address(server), timeout=1),
        lambda: list(stream.frames(_address(server), timeout=1)),
        lambda: stream.record(_address(server), tmp_path / "a.mp4", 2, timeout=1),
    ):
        began = time.monotonic()
        with pytest.raises(StreamError, match="no picture"):
            read()
        assert time.monotonic() - began < 15
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_reader_who_takes_his_time_is_no_broken_stream(serve: Callable[..., Server]) -> None:
    frames = stream.frames(_address(serve()), timeout=1)
    with contextlib.closing(frames):
        next(frames)
        time.sleep(2.5)
        next(frames)


def test_udp_where_tcp_is_refused(serve: Callable[..., Server]) -> None:
    server = serve(udp=True)
    assert stream.still(_address(server)).startswith(b"\xff\xd8")
    assert "client_port" in " ".join(server.heard)


def test_sound_alone_over_udp_ends(serve: Callable[..., Server]) -> None:
    with pytest.raises(StreamError):
        stream.still(_address(serve(udp=True, sound=True, picture=False)), timeout=1)


def test_a_second_try_where_it_is_busy(serve: Callable[..., Server]) -> None:
    refusals = [b"RTSP/1.0 503 Service Unavailable\r\nCSeq: {CSEQ}\r\n\r\n"]
    server = serve(answer=lambda method, _: refusals.pop() if method == "DESCRIBE" and refusals else None)
    assert stream.still(_address(server)).startswith(b"\xff\xd8")
    busy = serve(
        answer=lambda method, _: b"RTSP/1.0 503 No\r\nCSeq: {CSEQ}\r\n\r\n" if method == "DESCRIBE" else None
    )
    with pytest.raises(StreamRefusedError, match="now") as caught:
        stream.still(_address(busy))
    assert "viewers" in caught.value.hint
    assert busy.connections == 2


_DIGEST = 'WWW-Authenticate: Digest realm="r", nonce="{nonce}"\r\n'
_BASIC = 'WWW-Authenticate: Basic realm="r"\r\n'


def _asks(*challenges: str) -> Callable[[str, str], bytes | None]:
    def answer(method: str, text: str) -> bytes | None:
        if "Authorization" in text:
            return None
        heads = "".join(challenges).replace("{nonce}", "n1")
        return f"RTSP/1.0 401 No\r\nCSeq: {{CSEQ}}\r\n{heads}\r\n".encode()

    return answer


@pytest.mark.parametrize("order", [(_DIGEST, _BASIC), (_BASIC, _DIGEST)])
def test_digest_is_preferred(serve: Callable[..., Server], order: tuple[str, str]) -> None:
    server = serve(answer=_asks(*order))
    stream.still(_address(server))
    said = re.findall(r"Authorization: (\w+)", "\n".join(server.heard))
    assert set(said) == {"Digest"}
    assert "Shops-own-Pa55" not in "\n".join(server.heard)


def test_basic_goes_to_the_camera_and_is_said_once(
    serve: Callable[..., Server], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rtsp, "_SAID", set())
    server = serve(answer=_asks(_BASIC))
    stream.still(_address(server))
    stream.still(_address(server))
    assert "Authorization: Basic" in "\n".join(server.heard)
    assert len([r for r in caplog.records if "in clear" in r.getMessage()]) == 1
    assert "Pa55" not in caplog.text


@pytest.mark.parametrize(
    "challenge", ["x=", "", "Digest", "Digest =,=,", "Bearer x", 'Digest realm="' + "a" * 9000, "Negotiate"]
)
def test_challenges_of_odd_form(serve: Callable[..., Server], challenge: str) -> None:
    server = serve(answer=_asks(f"WWW-Authenticate: {challenge}\r\n"))
    with pytest.raises((StreamError, StreamRefusedError)):
        stream.still(RtspAddress(server.url, "", ""), timeout=5)
    with contextlib.suppress(StreamError, StreamRefusedError):
        stream.still(_address(server), timeout=5)


def test_an_answer_names_no_other_address_for_datagrams(serve: Callable[..., Server]) -> None:
    """FFmpeg sends packets to ``source`` of the answer to SETUP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.3", 0))
        other.setblocking(False)
        port = other.getsockname()[1]

        def answer(method: str, text: str) -> bytes | None:
            ports = re.search(r"client_port=(\d+)", text)
            if method != "SETUP" or ports is None:
                return None
            ours = f"{ports[1]}-{int(ports[1]) + 1}"
            return (
                f"RTSP/1.0 200 OK\r\nCSeq: {{CSEQ}}\r\nSession: 1\r\nTransport: RTP/AVP;unicast;source=127.0.0.3;"
                f"destination=127.0.0.3;client_port={ours};server_port={port}-{port}\r\n\r\n"
            ).encode()

        with contextlib.suppress(StreamError):
            stream.still(_address(serve(udp=True, answer=answer)), timeout=2)
        with pytest.raises(BlockingIOError):
            other.recv(10)


def test_others_on_this_computer_do_not_get_in(serve: Callable[..., Server]) -> None:
    from sunmi_ipc.video.relay import Relay

    server = serve()
    with Relay(_address(server), timeout=5) as relay:
        port = int(re.search(r":(\d+)/", relay.url)[1])  # type: ignore[index]
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(b"OPTIONS rtsp://127.0.0.1/live.sdp RTSP/1.0\r\nCSeq: 1\r\n\r\n")
            stranger.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                assert stranger.recv(100) == b""
        with av.open(relay.url, options={"rtsp_transport": "tcp"}) as container:
            assert container.streams.video
    assert all("Authorization" not in text for text in server.heard)


def test_a_recording_begins_at_the_first_key_frame(serve: Callable[..., Server], tmp_path: Path) -> None:
    began = time.monotonic()
    length = stream.record(_address(serve(keys=30)), tmp_path / "r.mp4", 2)
    assert 2 <= length < 3
    assert time.monotonic() - began < 15
    with av.open(str(tmp_path / "r.mp4")) as file:
        frames = list(file.decode(video=0))
    assert frames[0].key_frame
    assert len(frames) >= 23


@pytest.mark.slow
def test_a_recording_that_got_less_says_how_much(serve: Callable[..., Server], tmp_path: Path) -> None:
    with pytest.raises(StreamShortError, match=r"of 60 s") as caught:
        stream.record(_address(serve(stop_after=36)), tmp_path / "r.mp4", 60)
    assert 2 < caught.value.got < 4
    assert caught.value.wanted == 60
    with speaking("zh"):
        assert "结束" in caught.value.localized("zh")[0]
        assert not re.search("ended|broke", caught.value.localized("zh")[0])
    with av.open(str(tmp_path / "r.mp4")) as file:
        assert sum(1 for _ in file.decode(video=0)) > 20


def test_sound_that_mp4_cannot_hold_is_told_and_mkv_holds_it(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    server, told = serve(sound=True), []
    stream.record(_address(server), tmp_path / "r.mp4", 1, on_left_out=told.append)
    assert told == ["pcm_alaw"]
    stream.record(_address(server), tmp_path / "r.mkv", 1, on_left_out=told.append)
    assert told == ["pcm_alaw"]
    with av.open(str(tmp_path / "r.mp4")) as file:
        assert not file.streams.audio
    with av.open(str(tmp_path / "r.mkv")) as file:
        assert file.format.name.startswith("matroska")
        assert [s.codec_context.name for s in file.streams.audio] == ["pcm_s16le"]
        sound = sum(f.samples for f in file.decode(audio=0))
    assert 4_000 < sound < 20_000  # of 8,000 a second


def test_a_link_in_a_recordings_place_is_not_written_through(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("my own")
    (tmp_path / "r.mp4.part").symlink_to(mine)
    stream.record(_address(serve()), tmp_path / "r.mp4", 1)
    assert mine.read_text() == "my own"
    assert not (tmp_path / "r.mp4").is_symlink()


# -- messages -----------------------------------------------------------------------------------


def _parsed(data: bytes, step: int) -> list[Message | bytes]:
    parser, found = Parser(), []
    for i in range(0, len(data), step):
        parser.feed(data[i : i + step])
        while (item := parser.next()) is not None:
            found.append(item)
    return found


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_messages_and_packets_in_pieces(step: int) -> None:
    data = (
        b"\r\nRTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 4\r\n\r\nbody$\x00\x00\x03abc"
        b"RTSP/1.0 404 No\nCSeq: 2\n\n"
    )
    first, packet, last = _parsed(data, step)
    assert isinstance(first, Message)
    assert isinstance(last, Message)
    assert (first.status, first.body, first.get("cseq")) == (200, b"body", "1")
    assert packet == b"$\x00\x00\x03abc"
    assert (last.status, last.get("CSEQ")) == (404, "2")


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK\r\n\r\n", b"\x00" * 70_000, b"RTSP/1.0 200\r\n" + b"a" * 70_000 + b"\r\n\r\n"]
)
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(Malformed):
        _parsed(data, 4096)
