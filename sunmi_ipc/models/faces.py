"""Results of the ``faces`` group."""

from __future__ import annotations

from typing import Annotated

from ..protocol.values import AgeRange, Gender
from .base import Int, Listed, Reply, Settings, UnixTime


class GroupInfo(Reply):
    """A face group; ``period`` (days) and ``times`` are the move rule of ``stranger`` alone."""

    name: str
    capacity: Int | None = None
    count: Int | None = None
    description: str = ""
    period: Int | None = None
    times: Int | None = None


class GroupCollection(Reply):
    """The face groups."""

    num: Int = 0
    face_group: Annotated[tuple[GroupInfo, ...], Listed] = ()


class FaceAttributeCollection(Reply):
    """The attributes of a group."""

    num: Int = 0
    name_list: Annotated[tuple[str, ...], Listed] = ()


class AddedFace(Reply):
    """The id that the camera gave."""

    faceid: str


class DeleteFaceDetails(Reply):
    """What became of each face."""

    success_list: Annotated[tuple[str, ...], Listed] = ()
    failed_list: Annotated[tuple[str, ...], Listed] = ()
    not_exist_list: Annotated[tuple[str, ...], Listed] = ()


class FaceRecord(Reply):
    """A face. ``age`` is None where it was never set; ``pic_url`` points at the camera."""

    faceid: str
    group_name: str = ""
    age: Int | None = None
    age_range: AgeRange | None = None
    gender: Gender = Gender.UNKNOWN
    arrive_count: Int = 0
    arrive_time: UnixTime | None = None
    pic_url: str = ""


class VisitorCollection(Reply):
    """One page of faces."""

    total_num: Int = 0
    return_num: Int = 0
    face_list: Annotated[tuple[FaceRecord, ...], Listed] = ()


class FaceIds(Reply):
    """One page of face ids; the field's name is our guess."""

    total_num: Int = 0
    return_num: Int = 0
    faceid_list: Annotated[tuple[str, ...], Listed] = ()


class AiFaceConfig(Settings):
    """Face capture: the best frame within ``optimize_seconds``, faces with an edge over ``snap_size_thr``. None: not told.

    The unit of ``snap_size_thr`` is not given; pixels of a 1920 x 1080 frame are likely (I).
    """

    optimize_seconds: Int | None = None
    snap_size_thr: Int | None = None
