"""Recording the live picture, and saving its frames."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sunmi_ipc.errors import StreamError, StreamShortError
from sunmi_ipc.i18n import tr

from ..screen.lines import amount
from ..screen.output import note, print_json, say, waiting
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.video.address import RtspAddress


def record_stream(state: State, address: RtspAddress, path: Path, seconds: float) -> None:
    """Record a stream into a file, and say what is in it."""
    from sunmi_ipc.video.stream import record

    left_out: list[str] = []
    with _ends_in_order(), waiting(state, "Recording {seconds:g} s …", seconds=seconds) as text:
        length = record(
            address,
            path,
            seconds,
            on_progress=lambda done: text(
                tr("Recording: {done:.0f} of {seconds:g} s", done=done, seconds=seconds)
            ),
            on_left_out=left_out.append,
        )
    for codec in left_out:
        note(
            state,
            "The stream's sound ({codec}) does not fit into an MP4 file and is left out; name the file .mkv to keep it.",
            codec=codec,
        )
    size = path.stat().st_size
    if state.json:
        print_json(
            {
                "file": str(path),
                "seconds": round(length, 3),
                "bytes": size,
                "sound_left_out": left_out[0] if left_out else None,
            }
        )
    else:
        say(state, "{path}: {seconds:.1f} s, {size}", path=str(path), seconds=length, size=amount(size))


def save_frames(state: State, address: RtspAddress, output: Path, count: int, pause: float) -> None:
    """Save frames of a stream: JPEG files in a folder, or raw RGB bytes on stdout for ``-``."""
    from contextlib import closing

    from sunmi_ipc.video.libraries import library
    from sunmi_ipc.video.snapshot import save_image
    from sunmi_ipc.video.stream import frames

    raw = str(output) == "-"
    pictures = None if raw else library("PIL.Image")
    if not raw:
        _folder(output)
    files: list[str] = []
    got, failure = 0, None
    broken: list[StreamError] = []
    with (
        waiting(state, "Waiting for the picture …") as text,
        closing(frames(address, every=pause)) as stream,
    ):
        for number, frame in enumerate(_until_it_breaks(stream, broken), 1):
            if raw:
                if number == 1:
                    note(state, "{width}x{height}, rgb24", width=frame.shape[1], height=frame.shape[0])
                sys.stdout.buffer.write(frame.tobytes())
            else:
                path = output / f"frame-{number:05}.jpg"
                save_image(pictures.fromarray(frame), path)  # type: ignore[union-attr]
                files.append(str(path))
            got = number
            text(tr("{done} of {count} frames", done=number, count=count))
            if number == count:
                break
    if got < count:
        failure = broken[0] if broken else StreamError("the stream ended")
        if not got:
            raise failure
    if state.json and not raw:
        print_json({"files": files})
    elif not raw:
        say(state, "{count} frames in {folder}", count=len(files), folder=str(output))
    if failure is not None:
        short = StreamShortError(
            "the stream ended after {got} of {wanted} frames: {reason}",
            hint="What came is saved.",
            camera=failure.camera,
            got=got,
            wanted=count,
            reason=failure,
        )
        short.got, short.wanted = got, count
        raise short


def _until_it_breaks(stream: Iterable[Any], broken: list[StreamError]) -> Iterator[Any]:
    """The frames; why they end too early goes into *broken*."""
    try:
        yield from stream
    except StreamError as error:
        broken.append(error)


@contextlib.contextmanager
def _ends_in_order() -> Iterator[None]:
    """Let SIGTERM end it as Ctrl-C does: the file is finished first."""

    def end(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    try:
        before = signal.signal(signal.SIGTERM, end)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _folder(path: Path) -> None:
    from sunmi_ipc.video.partial import cannot_write

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None
