"""How much of a window a camera surely counted: the watch's record first, then the camera's own recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import ConnectionFailed, SunmiIpcError
from .spans import ABLE, CARD, Span, merged, total, without

if TYPE_CHECKING:
    from ..camera import Camera

_PAGE = 50
#: Shorter pieces that nobody looked at are between two looks or at a window's edge, and prove nothing.
_SHORT_S = 2.0


@dataclass(frozen=True, slots=True)
class Weighing:
    """A window as the watch has seen it.

    Attributes:
        covered: Seconds in which the camera surely counted.
        unknown: Pieces of which nothing is known.
        seen: Whether anything at all is known.

    """

    covered: float
    unknown: tuple[Span, ...]
    seen: bool

    def with_recordings(self, clips: Sequence[Span] | None, people: int) -> float:
        """Seconds covered, where the camera says what it has recorded (None: it cannot say).

        A piece in which something was recorded was counted. Where it cannot say, or has forgotten, people
        prove that it counted.
        """
        covered = self.covered
        for first, last in self.unknown:
            if clips:
                proved = any(start < last and first < end for start, end in clips)
            else:
                proved = people > 0 and not self.seen
            covered += last - first if proved else 0.0
        return covered


def weighed(period: Span, known: Mapping[str, Sequence[Span]]) -> Weighing:
    """What the watch's record says of a window."""
    blind = merged(known.get(CARD, ()))
    able = [piece for span in merged(known.get(ABLE, ())) for piece in without(span, blind)]
    unknown = [piece for piece in without(period, [*able, *blind]) if piece[1] - piece[0] > _SHORT_S]
    lost = total(unknown) + total(blind)
    return Weighing(max(0.0, period[1] - period[0] - lost), tuple(unknown), bool(able or blind))


def recorded_in(camera: Camera, start: int, end: int, shift: int) -> list[Span] | None:
    """What a camera has recorded of a period, Unix seconds by our clock; None where it cannot say.

    Raises:
        ConnectionFailed: It does not answer.

    """
    first, last = (datetime.fromtimestamp(t + shift, UTC) for t in (start, end))
    clips: list[Span] = []
    try:
        for number in range(1, 3):
            page = camera.video.records_page(first, last, page_num=number, page_size=_PAGE)
            clips += [
                (c.start_time.timestamp() - shift, c.end_time.timestamp() - shift) for c in page.record_list
            ]
            if len(page.record_list) < _PAGE:
                break
    except ConnectionFailed:
        raise
    except SunmiIpcError:
        return clips or None
    return clips
