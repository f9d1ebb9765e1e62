"""Named parameter types of the cloud: bounds, wire name and help at one place.

The names on the wire are the Python names. Nothing here imports pydantic (see ``sunmi_ipc.protocol.fields``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, get_args

from annotated_types import Ge, Le, MaxLen, MinLen

from ..protocol.fields import Help
from ..protocol.values import AgeRange
from .values import FaceGender, GroupType, LiveResolution

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

#: The page's 1 M, read as the smaller of its two readings (inferred): a body and a picture.
MAX_BODY = 1_000_000


@dataclass(frozen=True, slots=True)
class Matches:
    """The text must match *pattern* as a whole, once *dropped* characters are taken out and it is *upper*.

    ``words`` say so to people.
    """

    pattern: str
    words: str = ""
    dropped: str = ""
    upper: bool = False

    def clean(self, value: str) -> str:
        """The text as it is sent."""
        value = value.strip().translate(dict.fromkeys(map(ord, self.dropped)))
        return value.upper() if self.upper else value

    @classmethod
    def of(cls, annotation: Any) -> Matches | None:
        """The rule in a parameter's annotation, if it has one."""
        for part in (annotation, *get_args(annotation)):
            if isinstance(part, cls):
                return part
            if part is not annotation and (found := cls.of(part)) is not None:
                return found
        return None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import PydanticCustomError, core_schema

        def check(value: str) -> str:
            made = self.clean(value)
            if not re.fullmatch(self.pattern, made):
                raise PydanticCustomError("pattern", "does not match")
            return made

        return core_schema.no_info_after_validator_function(check, handler(source))


@dataclass(frozen=True, slots=True)
class Aware:
    """The time must have a zone, and lie where ten digits of Unix seconds reach."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import PydanticCustomError, core_schema

        def check(value: datetime) -> datetime:
            if value.tzinfo is None or not 0 <= value.timestamp() < 10**10:
                raise PydanticCustomError("aware", "has no time zone")
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))


# How ids and serial numbers are written is inferred from the page's examples. Names and texts have no bound
# of ours: the page gives none.
SHOP_NO = re.compile(r"[0-9]{1,20}")
_DIGITS = Matches(r"[0-9]{1,20}", "It is made of digits.")
_ID = Matches(r"[\x21-\x7e]{1,64}", "It is made of letters and digits.")

CompanyNo = Annotated[str, _DIGITS, Help("the company's number in the digital store, digits")]
IpcId = Annotated[str, _DIGITS, Help("the camera's id in the cloud, digits; or give ipc_sn")]
IpcSn = Annotated[
    str,
    Matches(r"[0-9A-Za-z_-]{1,64}", "It stands on the camera's label."),
    Help("the camera's serial number; or give ipc_id"),
]
Mac = Annotated[
    str,
    Matches(r"[0-9A-F]{12}", "Copy the 12 hex digits from the camera's label.", dropped=":-. ", upper=True),
    Help("the camera's MAC address; sent as 12 hex digits without colons"),
]
CameraName = Annotated[str, MinLen(1), Help("the camera's name")]
Resolution = Annotated[LiveResolution, Help("0 super, 1 high")]
FromTime = Annotated[datetime, Aware(), Help("start of the period", "Unix seconds")]
ToTime = Annotated[datetime, Aware(), Help("end of the period", "Unix seconds")]
AtTime = Annotated[datetime, Aware(), Help("the moment", "Unix seconds")]
FromDay = Annotated[date, Help("first day", "YYYY-MM-DD")]
ToDay = Annotated[date, Help("last day, itself included", "YYYY-MM-DD")]
PageNumber = Annotated[int, Ge(1), Help("page, from 1")]
PageSize = Annotated[int, Ge(1), Le(100), Help("entries a page")]
ClientId = Annotated[str, _ID, Help("the client_id that the start of the playback answered")]
GroupId = Annotated[str, _ID, Help("the face group's id")]
FaceId = Annotated[str, _ID, Help("the face's id")]
FaceIds = Annotated[list[str], MinLen(1), Help("ids of the faces")]
GroupName = Annotated[str, MinLen(1), Help("the group's name")]
GroupKind = Annotated[GroupType, Help("1 stranger, 2 regular, 3 staff, 4 blacklist (built in), 5 custom")]
Capacity = Annotated[int, Ge(1), Help("faces that the group may hold")]
Description = Annotated[str, Help("what the group is for")]
Key = Annotated[str, Help("name of a field of your own")]
Value = Annotated[str, Help("content of the field of your own")]
FaceName = Annotated[str, MinLen(1), Help("the person's name")]
Picture = Annotated[bytes, MinLen(1), MaxLen(MAX_BODY - 1), Help("a JPEG or PNG of one face, below 1 MB")]
Gender = Annotated[FaceGender, Help("1 male, 2 female")]
Ages = Annotated[AgeRange, Help("age range, 1 (1-6 years) to 8 (56 and over)")]
Threshold = Annotated[int, Ge(1), Help("visits after which a stranger moves")]
RulePeriod = Annotated[int, Ge(1), Help("period in which the visits are counted", "seconds")]
Callback = Annotated[
    str,
    Matches(r"https?://[^\s/@?#]+(?:[/?#]\S*)?", "For example https://shop.example/messages."),
    Help("URL that the cloud posts messages to"),
]
Events = Annotated[list[int], MinLen(1), Help("numbers of the messages; 2001: a person seen")]
