"""Small JPEGs from nothing but the standard library: baseline, one colour to a block of 8 x 8 pixels."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

Colour = tuple[int, int, int]

# ITU-T T.81, K.3.1: how many DC codes of each length, for the sizes 0 to 11 in their order.
_DC_LENGTHS = (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)
_QUANTUM = 8  # of the DC coefficient, which is eight times the block's mean: so it is coded as it stands


def _codes() -> list[tuple[int, int]]:
    """Code and length, by size."""
    made, code = [], 0
    for length, count in enumerate(_DC_LENGTHS, 1):
        for _ in range(count):
            made.append((code, length))
            code += 1
        code <<= 1
    return made


_CODES = _codes()


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _ycc(colour: Colour) -> Colour:
    r, g, b = colour
    return (
        round(0.299 * r + 0.587 * g + 0.114 * b),
        round(128 - 0.1687 * r - 0.3313 * g + 0.5 * b),
        round(128 + 0.5 * r - 0.4187 * g - 0.0813 * b),
    )


def encode(rows: Sequence[Sequence[Colour]]) -> bytes:
    """A JPEG of *rows* of blocks; each becomes 8 x 8 pixels of its colour (red, green, blue)."""
    bits: list[str] = []
    before = [0, 0, 0]
    for row in rows:
        for colour in row:
            for component, value in enumerate(_ycc(colour)):
                level = value - 128
                difference, before[component] = level - before[component], level
                size = abs(difference).bit_length()
                code, length = _CODES[size]
                bits.append(f"{code:0{length}b}")
                if size:
                    raw = difference if difference > 0 else difference + (1 << size) - 1
                    bits.append(f"{raw:0{size}b}")
                bits.append("0")  # no more coefficients in this block: the only AC code
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    scan = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
    height, width = 8 * len(rows), 8 * len(rows[0])
    frame = struct.pack(">BHHB", 8, height, width, 3) + b"".join(bytes((i, 0x11, 0)) for i in (1, 2, 3))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            _segment(0xDB, bytes((0, *[_QUANTUM] * 64))),
            _segment(0xC0, frame),
            _segment(0xC4, bytes((0x00, *_DC_LENGTHS, *range(12)))),
            _segment(0xC4, bytes((0x10, 1, *[0] * 15, 0x00))),
            _segment(0xDA, bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0))),
            scan,
            b"\xff\xd9",
        )
    )


def face(seed: str, blocks: int = 16) -> bytes:
    """A made-up face, always the same for the same *seed*; 8 x *blocks* pixels each way."""
    die = hashlib.sha256(seed.encode()).digest()
    background = (40 + die[0] // 4, 60 + die[1] // 4, 80 + die[2] // 4)
    skin = (150 + die[3] % 90, 105 + die[4] % 80, 75 + die[5] % 70)
    hair = (20 + die[6] % 120, 15 + die[7] % 80, 10 + die[8] % 60)
    shirt = (die[9], die[10], die[11])
    fringe, brow = 0.24 + die[12] / 2500, 0.40 + die[13] / 3000

    def colour(column: int, row: int) -> Colour:
        x, y = (column + 0.5) / blocks, (row + 0.5) / blocks
        side = abs(x - 0.5)
        if (side / 0.30) ** 2 + ((y - 0.48) / 0.38) ** 2 < 1:
            if y < fringe:
                return hair
            if abs(y - brow) < 0.04 and 0.08 < side < 0.19:
                return (25, 25, 35)  # eyes
            return (150, 50, 60) if abs(y - 0.68) < 0.04 and side < 0.10 else skin
        if (side / 0.35) ** 2 + ((y - 0.42) / 0.42) ** 2 < 1 and y < 0.62:
            return hair
        return shirt if y > 0.80 and side < 0.42 else background

    return encode([[colour(column, row) for column in range(blocks)] for row in range(blocks)])
