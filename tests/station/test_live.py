"""The live hub, before real RTSP: virtual cameras, and what a browser would do with what comes."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from importlib import import_module
from typing import Any

import av
import numpy as np
import pytest

from sunmi_ipc import Camera
from sunmi_ipc.errors import ReplyError, StreamRefusedError
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings
from sunmi_ipc.station.live import LiveHub, Message, Packager, Stills, UnsupportedStream, Viewer, codecs_of
from sunmi_ipc.station.live.packager import parameter_sets
from sunmi_ipc.station.live.stills import decode

SMALL = PictureFormat(320, 180, 20)


@pytest.fixture
def film(virtual: Callable[..., VirtualCamera]) -> Callable[..., VirtualCamera]:
    def start(**settings: Any) -> VirtualCamera:
        chosen = {"hd": SMALL, "fhd": SMALL, "zone": UTC} | settings
        return virtual(video=VideoSettings(**chosen))

    return start


@pytest.fixture
def hub() -> Iterator[LiveHub]:
    with LiveHub(linger=0.5) as made:
        yield made


def source(camera: Camera) -> Callable[[], Any]:
    return lambda: camera.video.live().best("hd")


def collect(viewer: Viewer, fragments: int, seconds: float = 20) -> list[Message]:
    """Messages until so many fragments have come."""
    found: list[Message] = []
    end = time.monotonic() + seconds
    while sum(m.kind == "fragment" for m in found) < fragments:
        assert time.monotonic() < end, [m.state or m.kind for m in found]
        if (message := viewer.get(0.5)) is not None:
            found.append(message)
    return found


def play(messages: list[Message]) -> list[Any]:
    """What a browser does: begin with the last init, append the fragments, decode."""
    start = max(i for i, m in enumerate(messages) if m.kind == "init")
    data = b"".join(m.data for m in messages[start:] if m.kind != "state")
    with av.open(io.BytesIO(data), format="mp4") as container:
        return list(container.decode(video=0))


def test_what_comes_is_played_by_another_player(film: Callable[..., VirtualCamera], hub: LiveHub) -> None:
    camera = connect(film())
    with hub.watch("a", source(camera)) as viewer:
        found = collect(viewer, 10)
    kinds = [m.state if m.kind == "state" else m.kind for m in found]
    assert kinds[:4] == ["connecting", "playing", "init", "fragment"]
    frames = play(found)
    assert len(frames) == 10
    assert (frames[0].width, frames[0].height) == (320, 180)
    assert frames[0].to_ndarray(format="rgb24").std() > 20  # a picture, and no grey
    times = [f.pts for f in frames]
    assert times == sorted(set(times))


def test_the_codec_is_read_from_the_stream(film: Callable[..., VirtualCamera], hub: LiveHub) -> None:
    virtual = film()
    with hub.watch("a", source(connect(virtual))) as viewer:
        init = next(m for m in collect(viewer, 1) if m.kind == "init")
    with av.open(io.BytesIO(init.data), format="mp4") as container:
        extra = container.streams.video[0].codec_context.extradata
    assert extra is not None
    assert init.codecs == "avc1." + extra[1:4].hex().upper()


@pytest.mark.parametrize(
    ("profile", "level", "wanted"), [("baseline", "3.0", "42C01E"), ("high", "4.0", "640028")]
)
def test_codecs_of_other_profiles(profile: str, level: str, wanted: str) -> None:
    packets, stream, _ = encoded(options={"profile": profile, "level": level})
    packager = Packager(stream)
    for packet in packets:
        packager.add(packet)
    assert packager.codecs == f"avc1.{wanted}"
    assert codecs_of(packager.init[:40]) == ""


def test_twenty_viewers_are_one_session(film: Callable[..., VirtualCamera], hub: LiveHub) -> None:
    virtual = film()
    camera = connect(virtual)
    viewers = [hub.watch("a", source(camera)) for _ in range(20)]
    for viewer in viewers:
        assert len(play(collect(viewer, 3))) == 3
    assert hub.status() == {"a": (20, 1)}
    assert virtual.state.counts["media/getLiveStream"] == 1
    for viewer in viewers:
        viewer.close()
    assert gone(lambda: not hub.status(), 5), "the session outlives its viewers"


def gone(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_newcomer_gets_the_last_key_frame_at_once(film: Callable[..., VirtualCamera], hub: LiveHub) -> None:
    camera = connect(film())
    with hub.watch("a", source(camera)) as first:
        collect(first, 8)
        with hub.watch("a", source(camera)) as second:
            waiting = second.take()  # nothing was waited for
    assert [m.kind for m in waiting[:3]] == ["state", "init", "fragment"]
    assert waiting[2].key
    assert len(play(waiting)) >= 1


class Nobody:
    """A channel that a viewer may leave."""

    def leave(self, viewer: Viewer) -> None:
        pass


def test_what_has_waited_too_long_is_left_out_and_a_narrow_way_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("sunmi_ipc.station.live.hub.time.monotonic", lambda: now[0])
    viewer = Viewer(Nobody(), None, 1_000_000)  # type: ignore[arg-type]
    key, other = Message("fragment", b"k" * 1000, key=True), Message("fragment", b"o" * 100)
    viewer.put(Message("init", b"i", codecs="avc1"))
    viewer.put(key)
    for _ in range(5):
        now[0] += 0.2
        viewer.put(other)
    assert viewer.skipped == 0
    # So many bytes at a time, one message at least; the rest in their order.
    assert [m.kind for m in viewer.take(1)] == ["init"]
    assert [len(m.data) for m in viewer.take(1050)] == [1000, 100]
    assert [len(m.data) for m in viewer.take()] == [100, 100, 100, 100]
    assert viewer.take() == []
    # A picture of two seconds ago is nobody's; what comes begins with a key frame.
    viewer.put(key)
    now[0] += 2.0
    viewer.put(other)
    viewer.put(other)
    assert viewer.take() == []
    viewer.put(key)
    assert [m.key for m in viewer.take()] == [True]
    assert viewer.skipped == 3
    assert not viewer.slow  # once is nothing
    for _ in range(3):
        viewer.put(key)
        now[0] += 2.0
        viewer.put(key)
        viewer.take()
    assert viewer.slow
    now[0] += 60.0
    assert not viewer.slow


@pytest.mark.slow
def test_a_slow_viewer_skips_to_a_key_frame_and_holds_up_nobody(
    film: Callable[..., VirtualCamera],
) -> None:
    camera = connect(film())
    with LiveHub(backlog=30_000) as hub:
        slow, quick = hub.watch("a", source(camera)), hub.watch("a", source(camera))
        seen = collect(quick, 90)  # a key frame every 40
        assert quick.skipped == 0
        assert slow.skipped > 0
        waiting = slow.take()
        assert sum(len(m.data) for m in waiting) <= 30_000 + max(len(m.data) for m in seen)
        fragments = [m for m in waiting if m.kind == "fragment"]
        assert not fragments or fragments[0].key
        # What comes after is whole again.
        later = collect(slow, 45)
        first = next(i for i, m in enumerate(later) if m.kind == "fragment" and m.key)
        init = next(m for m in seen if m.kind == "init")
        assert len(play([init, *later[first:]])) == sum(m.kind == "fragment" for m in later[first:])


def test_after_a_restart_of_the_camera_the_picture_comes_back(
    film: Callable[..., VirtualCamera], hub: LiveHub
) -> None:
    virtual = film()
    camera = connect(virtual)
    with hub.watch("a", source(camera)) as viewer:
        collect(viewer, 5)
        virtual.restart(1.0)
        found: list[Message] = []
        end = time.monotonic() + 30
        while not any(m.kind == "init" for m in found):
            assert time.monotonic() < end
            if (message := viewer.get(0.5)) is not None:
                found.append(message)
        assert "lost" in [m.state for m in found if m.kind == "state"]
        assert len(play([*found, *collect(viewer, 5)])) >= 5


def test_a_wrong_password_is_told_in_words(film: Callable[..., VirtualCamera], hub: LiveHub) -> None:
    camera = connect(film(password="other"))
    with hub.watch("a", source(camera)) as viewer:
        message = viewer.get(10)
        while message is not None and message.state != "lost":
            message = viewer.get(10)
    assert message is not None
    assert isinstance(message.error, StreamRefusedError)
    assert "admin:admin" not in repr(message)


def test_another_codec_falls_back_to_pictures(film: Callable[..., VirtualCamera], hub: LiveHub) -> None:
    camera = connect(film(codec="mjpeg"))
    with hub.watch("a", source(camera)) as viewer:
        states = [viewer.get(10), viewer.get(10)]
    assert [m.state for m in states if m is not None] == ["connecting", "unsupported"]


def test_a_camera_that_was_set_to_another_codec_meanwhile_plays(
    film: Callable[..., VirtualCamera], hub: LiveHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sunmi_ipc.station.live.hub.UNSUPPORTED_S", 0.1)
    one = film(codec="mjpeg")
    with hub.watch("a", source(connect(one))) as viewer:
        while (message := viewer.get(10)) is not None and message.state != "unsupported":
            pass
        one.state.video = VideoSettings(hd=SMALL, fhd=SMALL, zone=UTC)
        one.restart(0.1)
        while (message := viewer.get(10)) is not None and message.kind != "init":
            pass
    assert message is not None


def test_nothing_stays_behind_when_viewers_come_and_go(
    film: Callable[..., VirtualCamera], hub: LiveHub
) -> None:
    camera = connect(film())
    before = threading.active_count()
    for _ in range(30):
        with hub.watch("a", source(camera)) as viewer:
            viewer.get(0.01)
    assert gone(lambda: not hub.status(), 8)
    assert gone(lambda: not any(t.name == "live" for t in threading.enumerate()), 8)
    assert gone(lambda: threading.active_count() <= before + 3, 8)


def test_a_key_frame_is_decoded_for_those_without_video(
    film: Callable[..., VirtualCamera], hub: LiveHub
) -> None:
    camera = connect(film())
    with hub.watch("a", source(camera)) as viewer:
        collect(viewer, 3)
        latest = hub.latest("a")
    assert latest is not None
    assert decode(*latest).startswith(b"\xff\xd8\xff")
    assert hub.latest("b") is None


# -- the packager, with streams that cameras may have ------------------------------------------------


def encoded(
    options: dict[str, str] | None = None, *, sound: bool = False, count: int = 6
) -> tuple[list[Any], Any, Any]:
    """Packets of a small stream, and its streams."""
    made = io.BytesIO()
    with av.open(made, "w", format="matroska") as container:
        video: Any = container.add_stream(
            "libx264", rate=10, options={"tune": "zerolatency"} | (options or {})
        )
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        audio: Any = container.add_stream("aac", rate=8000) if sound else None
        if sound:
            audio.layout = "stereo"
        for i in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), i * 20, np.uint8), format="rgb24")
            frame.pts = i
            container.mux(video.encode(frame))
            if sound:
                tone = av.AudioFrame.from_ndarray(
                    np.zeros((2, 800), np.float32), format="fltp", layout="stereo"
                )
                tone.sample_rate, tone.pts = 8000, i * 800
                container.mux(audio.encode(tone))
        container.mux(video.encode(None))
        if sound:
            container.mux(audio.encode(None))
    made.seek(0)
    source = av.open(made)
    return (
        [p for p in source.demux() if p.size],
        source.streams.video[0],
        source.streams.audio[0] if sound else None,
    )


def packaged(packets: list[Any], packager: Packager) -> bytes:
    parts = [f.data for p in packets if (f := packager.add(p)) is not None]
    return packager.init + b"".join(parts)


def frames_in(data: bytes) -> list[Any]:
    with av.open(io.BytesIO(data), format="mp4") as container:
        return list(container.decode(video=0))


def test_packets_without_a_time_and_a_clock_that_goes_back() -> None:
    packets, stream, _ = encoded()
    packets[0].dts = packets[0].pts = None  # as from every RTSP server, before its first report
    packets[4].dts = packets[4].pts = packets[2].dts  # a clock set back
    frames = frames_in(packaged(packets, Packager(stream)))
    times = [f.pts for f in frames]
    assert len(frames) == 5  # the last one waits for the next
    assert times == sorted(set(times))


def test_it_begins_with_a_key_frame() -> None:
    packets, stream, _ = encoded({"g": "3", "sc_threshold": "0"}, count=8)
    packager = Packager(stream)
    assert [packager.add(p) for p in packets[1:3]] == [None, None]
    assert packager.init == b""
    assert len(frames_in(packaged(packets[3:], packager))) == 4


def test_sound_is_packaged_where_it_is_aac() -> None:
    packets, video, audio = encoded(sound=True)
    packager = Packager(video, audio)
    data = packaged(packets, packager)
    assert packager.codecs.startswith("avc1.")
    assert packager.codecs.endswith(",mp4a.40.2")
    with av.open(io.BytesIO(data), format="mp4") as container:
        assert sum(f.samples for f in container.decode(audio=0)) >= 2400
    assert "mp4a" not in silent(packets, video)


def silent(packets: list[Any], video: Any) -> str:
    packager = Packager(video)
    packaged([p for p in packets if p.stream.type == "video"], packager)
    return packager.codecs


def test_parameter_sets_are_found_among_the_units() -> None:
    sps, pps, slice_ = b"\x67\x42\xc0\x1e", b"\x68\xce\x3c\x80", b"\x65\x88\x84"
    picture = b"\0\0\0\1" + sps + b"\0\0\1" + pps + b"\0\0\1" + slice_
    assert parameter_sets(picture) == b"\0\0\0\1" + sps + b"\0\0\0\1" + pps[:-1] + b"\x80"
    assert parameter_sets(b"\0\0\1" + slice_) == b""


def test_another_codec_is_refused() -> None:
    class Other:
        class codec_context:
            name = "hevc"

    with pytest.raises(UnsupportedStream):
        Packager(Other())


def movie(width: int, height: int) -> bytes:
    made = io.BytesIO()
    with av.open(made, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov"}) as container:
        stream = container.add_stream("libx264", rate=5, options={"preset": "ultrafast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in (av.VideoFrame(width, height, "yuv420p"), None):
            container.mux(stream.encode(frame))
    return made.getvalue()


def test_a_key_frame_that_claims_gigabytes_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = movie(320, 160)
    assert decode(whole, b"").startswith(b"\xff\xd8\xff")
    # What the picture itself says counts, in the opener and in the decoder; not what is written around it.
    size = whole.index(b"avc1", whole.index(b"stsd")) + 28
    assert decode(whole[:size] + b"\x40\x00\x20\x00" + whole[size + 4 :], b"")
    for place in ("station.live.stills", "video.giants"):
        monkeypatch.setattr(import_module(f"sunmi_ipc.{place}"), "NO_GIANTS", {"max_pixels": "40000"})
    with pytest.raises(ReplyError):
        decode(whole, b"")
    monkeypatch.undo()
    monkeypatch.setattr(import_module("sunmi_ipc.video.giants"), "MAX_PIXELS", 40_000)
    with pytest.raises(ReplyError, match="pixels"):
        decode(whole, b"")
    for nothing in (b"", b"ftyp" * 100, whole[: len(whole) // 2]):
        with pytest.raises(ReplyError):
            decode(nothing, b"")


# -- stills -------------------------------------------------------------------------------------------


def test_stills_are_taken_once_for_all_who_ask_and_rest_after_a_failure(ready: VirtualCamera) -> None:
    camera, stills, asked = connect(ready), Stills(rest=60), []

    def take() -> bytes:
        asked.append(1)
        return camera.video.snapshot().data

    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(stills.get("a", take, width=320))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1
    assert {len(still.data) for still in found} == {len(found[0].data)}
    with av.open(io.BytesIO(found[0].data)) as picture:
        assert picture.streams.video[0].codec_context.width == 320

    def fail() -> bytes:
        asked.append(1)
        raise OSError

    assert stills.get("b", fail) is None
    assert stills.get("b", fail) is None
    assert len(asked) == 2
