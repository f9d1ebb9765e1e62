"""A camera's serial number, in its one spelling.

It is the key to nearly everything: pins, journal, spool, topics, site files. Large and small letters,
blanks around it and full-width characters of a Chinese keyboard are the same serial number, so it is
brought into one form where it enters, and compared as it is from then on.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ParameterError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

#: Longest serial number; those seen have 12 to 14 characters.
MAX_SERIAL_NUMBER = 64
# Every one seen is made of letters and digits and ends in five digits (protocol.md, section 1). A little
# more is taken, but nothing that an address, a path, a topic or a URL gives a meaning to.
_FORM = re.compile(r"(?!LOCALHOST$)[0-9A-Z][0-9A-Z_-]{0,63}", re.ASCII)


def _folded(text: str) -> str:
    """*text* in its one spelling, whatever it is; "" where it is too long to be looked at."""
    if len(text) > 4 * MAX_SERIAL_NUMBER:
        return ""
    return unicodedata.normalize("NFKC", text).strip().upper()


class SerialNumber(str):
    """A serial number: upper-case letters, digits, ``-`` and ``_``, at most 64 characters.

    It is a ``str``, and may be used wherever one is wanted: as a key, in a file, in a topic.

    Raises:
        ParameterError: *text* is no serial number: an address, a sentence, nothing at all.

    """

    __slots__ = ()

    def __new__(cls, text: str) -> SerialNumber:
        """Bring *text* into the one spelling."""
        if isinstance(text, SerialNumber):
            return text
        folded = _folded(text)
        if not _FORM.fullmatch(folded):
            raise ParameterError(
                "{name}: not a serial number",
                name="sn",
                hint="It stands on the camera's label, such as FS101D8BS00106; 'ipc scan' lists them.",
            )
        return super().__new__(cls, folded)

    @classmethod
    def read(cls, text: object) -> SerialNumber | None:
        """The serial number that *text* is, or None: for what cameras and strangers say.

        A camera that says an odd one must stay visible: show its text (printable, bounded) and flag it, but
        use nothing as a key that is None here.
        """
        folded = _folded(text) if isinstance(text, str) else ""
        return super().__new__(cls, folded) if _FORM.fullmatch(folded) else None

    def __reduce__(self) -> tuple[Any, ...]:
        return (SerialNumber, (str(self),))

    def __str__(self) -> str:
        return "".join(self)


@dataclass(frozen=True, slots=True)
class OneSpelling:
    """Annotation of a parameter that is a serial number: checked, and brought into its one spelling."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import PydanticCustomError, core_schema

        def check(value: str) -> SerialNumber:
            found = SerialNumber.read(value)
            if found is None:
                raise PydanticCustomError("serial_number", "not a serial number")
            return found

        return core_schema.no_info_after_validator_function(check, handler(source))


def same_serial_number(one: str, other: str) -> bool:
    """Whether two texts are the same serial number; two texts that are none never are."""
    found = SerialNumber.read(one)
    return found is not None and found == SerialNumber.read(other)


__all__ = ["MAX_SERIAL_NUMBER", "OneSpelling", "SerialNumber", "same_serial_number"]


def spelt(text: str) -> str:
    """*text* in the one spelling of serial numbers where it is one, else as it is: for filters and look-ups.

    What is looked up may also be a name or nothing at all; whoever needs a serial number takes :class:`SerialNumber`.
    """
    return str(SerialNumber.read(text) or text)
