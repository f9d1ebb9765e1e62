"""The live hub before cameras whose stream is odd: it is said what is wrong, and nothing is waited for in vain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import av
import pytest

from sunmi_ipc.errors import StreamError
from sunmi_ipc.station.live import LiveHub, Message, Packager, UnsupportedStream, Viewer
from sunmi_ipc.station.live import hub as module
from sunmi_ipc.video.address import RtspAddress

from ..video.rtsp_server import Server, pictures


@pytest.fixture
def watched() -> Iterator[Callable[[Server], tuple[LiveHub, Callable[[], Viewer]]]]:
    made: list[Any] = []

    def start(server: Server) -> tuple[LiveHub, Callable[[], Viewer]]:
        hub = LiveHub(linger=0.2)
        made.extend((hub, server))
        return hub, lambda: hub.watch("a", lambda: RtspAddress(server.url))

    yield start
    for one in made:
        one.close()


def until(viewer: Viewer, state: str) -> Message:
    """The first message of this state, or kind."""
    for _ in range(600):
        message = viewer.get(10)
        assert message is not None, state
        if state in (message.kind, message.kind == "state" and message.state):
            return message
    raise AssertionError(state)


def test_a_stream_without_a_key_frame_is_told_of_and_played_when_one_comes(
    watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LATE_S", 0.2)
    server = Server(rate=30)
    units = list(server._units)
    server._units = units[1:]
    hub, watch = watched(server)
    with watch() as viewer:
        late = until(viewer, "late")
        assert late.error is not None
        assert "key frame" in str(late.error)
        assert hub.latest("a", timeout=30) is None  # whoever wants a picture does not wait for it
        server._units[:] = units
        assert until(viewer, "init").codecs.startswith("avc1.")
        assert server.connections == 1


def test_one_who_comes_when_no_key_frame_is_kept_gets_the_stream_anew(
    watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_GROUP_BYTES", 1)
    monkeypatch.setattr(module, "KEY_FRAME_S", 0.2)
    monkeypatch.setattr(module, "_PAUSES_S", (0.0,))
    server = Server(rate=30, keys=20)  # one at the beginning
    _, watch = watched(server)
    with watch() as first:
        until(first, "fragment")
        until(first, "fragment")
        with watch() as second:
            # What comes between two key frames is nothing to begin with.
            assert until(second, "lost").error is not None
            assert until(second, "fragment").key
    assert server.connections == 2


def test_a_picture_of_another_size_is_said_and_shown_from_its_beginning(
    watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSES_S", (0.0,))
    server = Server(rate=30)
    before, after = server._units[:4], pictures(4, 30, (320, 192))
    server._units = before + after
    _, watch = watched(server)
    with watch() as viewer:
        first = until(viewer, "init")
        lost = until(viewer, "lost")
        assert isinstance(lost.error, StreamError)
        assert "another size" in str(lost.error)
        assert until(viewer, "init").data == first.data  # it begins as it began
    assert server.connections == 2


class _Stream:
    index = 0
    codec_context: Any = None


def test_what_no_browser_plays_is_called_by_its_name() -> None:
    with pytest.raises(UnsupportedStream) as unknown:
        Packager(_Stream())  # FFmpeg does not know it
    assert "(?)" in str(unknown.value.why)
    stream = _Stream()
    stream.codec_context = av.CodecContext.create("hevc", "r")
    with pytest.raises(UnsupportedStream) as other:
        Packager(stream)
    assert "(H.265)" in str(other.value.why)


@pytest.mark.slow
def test_sound_alone_is_told_of(watched: Any) -> None:
    sound = Server(sound=True, picture=False)
    whole = sound._describe
    sound._describe = lambda: b"\r\n".join(  # type: ignore[method-assign]
        line
        for line in whole().split(b"\r\n")
        if not line.startswith((b"m=video", b"a=rtpmap:96", b"a=fmtp"))
    ).replace(b"a=control:track1\r\n", b"")
    _, watch = watched(sound)
    with watch() as viewer:
        error = until(viewer, "unsupported").error
    assert error is not None
    assert error.template == "the stream has no picture"
