"""What the cloud answers, typed; field names are the wire's.

Tolerant as the camera's results are (``sunmi_ipc.models.base``): numbers may come as text, ids as
numbers, and where the vendor's page shows two names for one field, both are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BeforeValidator, Field, PlainSerializer

from ..models.base import Int, Listed, Reply, UnixTime
from ..protocol.values import AgeRange, DetectType, Gender
from .values import GroupType, Online


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


def _hour(value: Any) -> Any:
    """``2020-02-11 00:00`` and ``2019-12-01 0:00`` alike."""
    return datetime.strptime(value.strip(), "%Y-%m-%d %H:%M") if isinstance(value, str) else value


def _month(value: Any) -> Any:
    return datetime.strptime(value.strip(), "%Y-%m").date() if isinstance(value, str) else value


def _maybe_time(value: Any) -> Any:
    """0 is how the cloud says never."""
    return None if value in (0, "0") else value


_Number = BeforeValidator(_number)
#: The shop's wall clock, without a zone: the vendor's page names none.
ShopHour = Annotated[datetime, BeforeValidator(_hour), PlainSerializer(lambda t: f"{t:%Y-%m-%d %H:%M}")]
Month = Annotated[date, BeforeValidator(_month), PlainSerializer(lambda t: f"{t:%Y-%m}")]
_Time = Annotated[UnixTime | None, BeforeValidator(_maybe_time)]


def _sums(rows: Iterable[Reply], names: Iterable[str]) -> dict[str, int]:
    rows = list(rows)
    return {name: sum(getattr(row, name) or 0 for row in rows) for name in names}


def _counts(kind: type[Reply]) -> list[str]:
    """The fields that can be added up: those of people told apart (``uniq_…``) cannot."""
    return [n for n in kind.model_fields if n.endswith("_count") and not n.startswith("uniq_")]


# -- devices -------------------------------------------------------------------------------------


class CameraInfo(Reply):
    """A camera as the cloud knows it."""

    ipc_id: str
    ipc_sn: str
    ipc_name: str = ""
    model_name: str = ""
    software_version: str = ""
    check_version_time: _Time = None
    connect_time: _Time = None
    active_status: Annotated[Online, _Number] | None = None
    screenshot_url: str = ""

    @property
    def online(self) -> bool:
        """Whether it is online."""
        return self.active_status is Online.ONLINE


class CameraList(Reply):
    """Cameras of a shop or a company."""

    total_count: Int = Field(0, validation_alias=AliasChoices("total_count", "total_num"))
    ipc_list: Annotated[tuple[CameraInfo, ...], Listed] = ()


# -- media ---------------------------------------------------------------------------------------


class LiveUrls(Reply):
    """Where the live picture is: FLV and HLS. Whoever has the URLs can watch."""

    url: str
    hls_url: str = ""


class PlaybackUrls(LiveUrls):
    """Where the playback is; ``client_id`` ends it."""

    client_id: str


class Recording(Reply):
    """One recording in the cloud."""

    ipc_id: str = ""
    url: str
    start_time: UnixTime
    end_time: UnixTime


class RecordingList(Reply):
    """The recordings of a period."""

    total_count: Int = Field(0, validation_alias=AliasChoices("total_count", "total_num"))
    video_list: Annotated[tuple[Recording, ...], Listed] = ()


class Motion(Reply):
    """A recording that motion or sound set off."""

    source: Annotated[DetectType, _Number] | None = None
    detect_time: UnixTime
    url: str = ""


class MotionPage(Reply):
    """One page of them."""

    total_num: Int = Field(0, validation_alias=AliasChoices("total_num", "total_count"))
    video_list: Annotated[tuple[Motion, ...], Listed] = ()


class Snapshot(Reply):
    """Where the picture is."""

    snapshot_url: str


# -- people flow -----------------------------------------------------------------------------------


class TodayTotals(Reply):
    """People: ``total_count`` with a face, ``unexposed_count`` without; ``pass_count`` passed by.

    The latter two are None where the service does not say them.
    """

    total_count: Int = Field(validation_alias=AliasChoices("total_count", "count"))
    unexposed_count: Int | None = None
    pass_count: Int | None = None


class _Points(Reply):
    """A list of counts by time or age range."""

    count_list: Annotated[tuple[Any, ...], Listed] = ()

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Parts of one period as one: each time once, in order."""
        points: dict[Any, Any] = {}
        for point in (p for part in parts for p in part.count_list):
            points.setdefault(point.time, point)
        return cls.model_construct(count_list=tuple(points[key] for key in sorted(points)))


class TodayHour(TodayTotals):
    """One hour of today."""

    time: ShopHour


class TodayHours(_Points):
    """Today by hour."""

    count_list: Annotated[tuple[TodayHour, ...], Listed] = ()


class TagAge(Reply):
    """One age range of strangers, regulars and members."""

    age_range: Annotated[AgeRange, _Number]
    stranger_count: Int = 0
    regular_count: Int = 0
    member_count: Int = 0


class TagAges(Reply):
    """Strangers, regulars and members by age range."""

    count_list: Annotated[tuple[TagAge, ...], Listed] = ()


class GenderAge(Reply):
    """One age range of men and women; ``uniq_…`` counts people once, None where it is not known."""

    age_range: Annotated[AgeRange, _Number]
    male_count: Int = 0
    male_regular_count: Int = 0
    male_member_count: Int = 0
    female_count: Int = 0
    female_regular_count: Int = 0
    female_member_count: Int = 0
    uniq_male_count: Int | None = None
    uniq_male_regular_count: Int | None = None
    uniq_male_member_count: Int | None = None
    uniq_female_count: Int | None = None
    uniq_female_regular_count: Int | None = None
    uniq_female_member_count: Int | None = None


class GenderAges(Reply):
    """Men and women by age range."""

    count_list: Annotated[tuple[GenderAge, ...], Listed] = ()

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Parts of one period as one. Whoever came in two parts is one person: no ``uniq_…``."""
        if len(parts) == 1:
            return parts[0]
        ages: dict[AgeRange, list[GenderAge]] = {}
        for row in (r for part in parts for r in part.count_list):
            ages.setdefault(row.age_range, []).append(row)
        names = _counts(GenderAge)
        return cls.model_construct(
            count_list=tuple(GenderAge(age_range=age, **_sums(ages[age], names)) for age in sorted(ages))
        )


class Totals(Reply):
    """Visits by kind of visitor; ``member`` counts the faces of your own groups."""

    total_count: Int
    regular_count: Int = 0
    stranger_count: Int = 0
    member_count: Int = 0


class UniqueTotals(Totals):
    """With people who passed by, whose faces were not seen, and counted once (``uniq_…``).

    All are None where the service does not say them, or they cannot be known.
    """

    pass_count: Int | None = None
    unexposed_count: Int | None = None
    uniq_total_count: Int | None = None
    uniq_regular_count: Int | None = None
    uniq_stranger_count: Int | None = None
    uniq_member_count: Int | None = None


class TagTotals(UniqueTotals):
    """Strangers, regulars and members of a period."""

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Parts of one period as one. Whoever came in two parts is one person: no ``uniq_…``."""
        return parts[0] if len(parts) == 1 else cls(**_sums(parts, _counts(cls)))


class HourPoint(UniqueTotals):
    """One hour."""

    time: ShopHour


class HourTrend(_Points):
    """People by hour."""

    count_list: Annotated[tuple[HourPoint, ...], Listed] = ()


class DayPoint(UniqueTotals):
    """One day."""

    time: date


class DayTrend(_Points):
    """People by day."""

    count_list: Annotated[tuple[DayPoint, ...], Listed] = ()


class WeekPoint(Totals):
    """One week, by its first day."""

    time: date


class _Parts(_Points):
    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Parts of one period as one. A week or month that was cut comes in both parts: they are added."""
        points: dict[Any, list[Any]] = {}
        for point in (p for part in parts for p in part.count_list):
            points.setdefault(point.time, []).append(point)
        return cls.model_construct(
            count_list=tuple(
                type(same[0])(time=key, **_sums(same, _counts(type(same[0]))))
                for key, same in sorted(points.items())
            )
        )


class WeekTrend(_Parts):
    """People by week."""

    count_list: Annotated[tuple[WeekPoint, ...], Listed] = ()


class MonthPoint(Totals):
    """One month, by its first day."""

    time: Month


class MonthTrend(_Parts):
    """People by month."""

    count_list: Annotated[tuple[MonthPoint, ...], Listed] = ()


class Frequency(Reply):
    """How many people came so many times."""

    frequency: Int
    stranger_uniq_count: Int = 0
    regular_uniq_count: Int = 0
    member_uniq_count: Int = 0


class Frequencies(Reply):
    """People by how often they came."""

    frequency_list: Annotated[tuple[Frequency, ...], Listed] = ()


# -- faces ---------------------------------------------------------------------------------------


class FaceGroup(Reply):
    """A face group; ``customer_key1…5`` name fields of your own."""

    group_id: str
    group_name: str = Field("", validation_alias=AliasChoices("group_name", "name"))
    type: Annotated[GroupType, _Number] | None = None
    count: Int = 0
    capacity: Int = 0
    last_modified_time: _Time = None
    description: str = ""
    customer_key1: str = ""
    customer_key2: str = ""
    customer_key3: str = ""
    customer_key4: str = ""
    customer_key5: str = ""


class FaceGroupList(Reply):
    """The face groups of a shop."""

    group_list: Annotated[tuple[FaceGroup, ...], Listed] = ()


def _value(number: int) -> Any:
    # The page's answers print the values under the names of the keys.
    return Field("", validation_alias=AliasChoices(f"customer_value{number}", f"customer_key{number}"))


class CloudFace(Reply):
    """A face; ``last_arrival_time`` is None where it never came."""

    face_id: str
    group_id: str = ""
    group_name: str = ""
    name: str = ""
    gender: Annotated[Gender, _Number] = Gender.UNKNOWN
    age_range: Annotated[AgeRange, _Number] | None = None
    arrival_count: Int = 0
    create_time: _Time = None
    last_arrival_time: _Time = None
    customer_value1: str = _value(1)
    customer_value2: str = _value(2)
    customer_value3: str = _value(3)
    customer_value4: str = _value(4)
    customer_value5: str = _value(5)


class FacePage(Reply):
    """One page of a group's faces."""

    total_num: Int = Field(0, validation_alias=AliasChoices("total_num", "total_count"))
    face_list: Annotated[tuple[CloudFace, ...], Listed] = ()


class AddedFace(Reply):
    """The id of a face that the cloud will work on."""

    face_id: str
