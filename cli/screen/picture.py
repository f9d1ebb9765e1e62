"""A picture on the terminal: kitty's and iTerm2's protocols, sixel, and half blocks everywhere else."""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from PIL.Image import Image

Protocol = Literal["kitty", "iterm2", "sixel", "blocks"]
PROTOCOLS: tuple[str, ...] = get_args(Protocol)
_ESC = "\x1b"
#: Pixels that a picture is brought down to: more is slow over a line and shows no better.
_WIDEST = 1280
_SIXEL_COLOURS = 255
_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
_ANSWER_S = 0.5


def best_protocol() -> Protocol:
    """What this terminal can show, by what it says of itself."""
    env = os.environ
    inside = bool(env.get("TMUX")) or env.get("TERM", "").startswith(("screen", "tmux"))
    if not inside:
        if env.get("KITTY_WINDOW_ID") or "kitty" in env.get("TERM", "") or "ghostty" in env.get("TERM", ""):
            return "kitty"
        if env.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm") or env.get("LC_TERMINAL") == "iTerm2":
            return "iterm2"
    return "sixel" if _says_sixel() else "blocks"


def _says_sixel() -> bool:
    """Ask the terminal for its attributes (DA1): 4 among them is sixel."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        import select
        import termios
        import tty
    except ImportError:  # Windows
        return False
    handle = sys.stdin.fileno()
    if select.select([handle], [], [], 0)[0]:
        return False  # somebody types ahead: the answer would be mixed up with that
    before = termios.tcgetattr(handle)
    answer = b""
    try:
        tty.setcbreak(handle, termios.TCSANOW)
        sys.stdout.write(f"{_ESC}[c")
        sys.stdout.flush()
        while not (said := _ATTRIBUTES.search(answer)) and select.select([handle], [], [], _ANSWER_S)[0]:
            answer += os.read(handle, 100)
    finally:
        termios.tcsetattr(handle, termios.TCSANOW, before)
    return said is not None and b"4" in said[1].split(b";")[1:]


def show_picture(image: Image, protocol: str = "") -> None:
    """Draw *image* on the terminal, as *protocol* says or as the terminal says of itself."""
    for piece in draw(image, protocol or best_protocol()):  # type: ignore[arg-type]
        sys.stdout.write(piece)
    sys.stdout.flush()


def draw(image: Image, protocol: Protocol, *, columns: int = 0) -> Iterator[str]:
    """The picture as text for the terminal, a piece at a time.

    Args:
        image: RGB.
        protocol: What the terminal can show.
        columns: Width; default: the terminal's.

    """
    wide, high = shutil.get_terminal_size((80, 24))
    columns = columns or wide
    if protocol == "blocks":
        rows = max(2, high - 2)
        width = min(columns, round(rows * 2 * image.width / image.height))
        yield from _blocks(image.resize((width, max(2, round(width * image.height / image.width / 2) * 2))))
        return
    if image.width > _WIDEST:
        image = image.resize((_WIDEST, round(image.height * _WIDEST / image.width)))
    if protocol == "sixel":
        yield from _sixel(image)
        return
    data = io.BytesIO()
    image.save(data, "PNG")
    text = base64.standard_b64encode(data.getvalue()).decode()
    if protocol == "kitty":
        for at in range(0, len(text), 4096):
            first = f"a=T,f=100,c={columns}," if at == 0 else ""
            more = int(at + 4096 < len(text))
            yield f"{_ESC}_G{first}q=2,m={more};{text[at : at + 4096]}{_ESC}\\"
        yield "\n"
    else:
        size = len(data.getvalue())
        yield f"{_ESC}]1337;File=inline=1;size={size};width={columns};preserveAspectRatio=1:{text}\a\n"


def _blocks(image: Image) -> Iterator[str]:
    """Two pixels a cell: the upper as the foreground of ``▀``, the lower as the background."""
    pixels = image.tobytes()
    stride = image.width * 3
    for y in range(0, image.height, 2):
        line = ""
        for x in range(0, stride, 3):
            top = pixels[y * stride + x : y * stride + x + 3]
            low = pixels[(y + 1) * stride + x : (y + 1) * stride + x + 3]
            line += f"{_ESC}[38;2;{top[0]};{top[1]};{top[2]};48;2;{low[0]};{low[1]};{low[2]}m▀"
        yield f"{line}{_ESC}[0m\n"


def _sixel(image: Image) -> Iterator[str]:
    """Six rows a band; in each, every colour that occurs has a pass, its columns run-length encoded."""
    reduced = image.quantize(_SIXEL_COLOURS)
    palette = reduced.getpalette() or []
    yield f'{_ESC}P0;1q"1;1;{image.width};{image.height}'
    for colour in range(len(palette) // 3):
        r, g, b = (round(value * 100 / 255) for value in palette[colour * 3 : colour * 3 + 3])
        yield f"#{colour};2;{r};{g};{b}"
    pixels, width = reduced.tobytes(), image.width
    for top in range(0, image.height, 6):
        rows = [pixels[y * width : (y + 1) * width] for y in range(top, min(top + 6, image.height))]
        passes = []
        for colour in sorted(set().union(*rows)):
            masks = bytearray(width)
            for bit, row in enumerate(rows):
                at = row.find(colour)
                while at >= 0:
                    masks[at] |= 1 << bit
                    at = row.find(colour, at + 1)
            passes.append(f"#{colour}{_runs(masks)}")
        yield "$".join(passes) + "-"
    yield f"{_ESC}\\\n"


def _runs(masks: bytearray) -> str:
    text, at = "", 0
    while at < len(masks):
        end = at
        while end < len(masks) and masks[end] == masks[at]:
            end += 1
        cell = chr(63 + masks[at])
        text += f"!{end - at}{cell}" if end - at > 3 else cell * (end - at)
        at = end
    return text
