"""The text of a CSV file, as spreadsheets of the world write them: read where it is certain, else refused.

UTF-8 and UTF-16 tell what they are. GB18030, what Excel writes in China, takes nearly every other encoding for
Chinese: "Tür" becomes "T黵". A network's name read like that is a network that no camera finds. So it must
look like Chinese that people write.
"""

from __future__ import annotations

import codecs

__all__ = ["Uncertain", "decode"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Uncertain(ValueError):
    """The encoding cannot be told; ``line`` is the first that shows it, from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def decode(raw: bytes) -> str:
    """*raw* as text.

    Raises:
        Uncertain: It is in none of the encodings that can be told for sure.

    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _strictly(raw, encoding)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        start = error.start
    line = raw[:start].count(b"\n") + 1
    # UTF-16 without its mark: every other byte of ASCII is nothing.
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(raw) >= 8 and raw[offset:64:2].count(0) > len(raw[offset:64:2]) // 2:
            return _strictly(raw, encoding)
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        raise Uncertain(line) from None
    if not _is_chinese(text):
        raise Uncertain(line)
    return text


def _strictly(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise Uncertain(raw[: error.start].count(b"\n") + 1) from None


def _is_chinese(text: str) -> bool:
    """Whether *text*, read as GB18030, is what somebody in China has written.

    Chinese that people write is made of GB 2312's characters nearly alone, and of its common ones in good part
    (first plane: lead bytes B0 to D7). Letters with accents before ASCII, Big5 and Shift-JIS give rare
    characters, drawing lines and private ones; Cyrillic gives bytes from C0 on alone.
    """
    common = rare = other = high = 0
    for character in text:
        if character < "\x80":
            continue
        if "\ue000" <= character <= "\uf8ff":
            return False
        code = character.encode("gb18030")
        lead, trail = code[0], code[-1]
        high += lead >= 0xC0 and trail >= 0xC0
        written = (
            0xB0 <= lead <= 0xF7 or 0xA1 <= lead <= 0xA3 or (lead == 0xA8 and trail <= 0xC0)
        )  # é of pinyin
        if len(code) != 2 or trail < 0xA1 or not written:
            other += 1
        elif lead >= 0xD8:
            rare += 1
        else:
            common += 1
    count = common + rare + other
    if high == count and (rare * 2 >= count or count > 3):
        return False
    return common * 4 >= count and other * 4 <= count
