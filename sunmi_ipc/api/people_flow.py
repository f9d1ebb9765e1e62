"""``camera.people_flow``: door line, statistics, visitors (FS)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypedDict, Unpack

from annotated_types import Ge, Le

from ..link.caller import direct
from ..protocol.fields import (
    Age,
    Ages,
    EndTime,
    FaceId,
    GroupName,
    Help,
    Order,
    PageNumber,
    PageSize,
    Period,
    Refused,
    Sex,
    StartTime,
)
from ..protocol.spec import DOC, FS, INFERRED, C, Group, endpoint
from ..protocol.steps import Series, Steps, series, steps, work
from ..protocol.values import AgeRange, CustomerJudgeMode, DoorLine, Gender, Resolution
from .paging import paged
from .video import snapshot

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..models import (
        DoorLineConfig,
        FaceRecord,
        PeopleFlowStatConfig,
        PeopleStatCollection,
        VisitDetails,
        VisitorCollection,
    )

_GROUP = Annotated[GroupName, Refused(269)]
_ATTRIBUTES = Annotated[dict[str, str], Refused(284), Help("attributes by name (a guess)")]


class Filters(TypedDict, total=False):
    """Which visitors are listed; each may be left out."""

    group_name: str | None
    gender: Gender | None
    age: int | None
    age_range: AgeRange | None
    order: int | None
    attributes: dict[str, str] | None


class PeopleFlow(Group[C], name="people_flow", title="people counting"):
    """Door line, statistics, visitors."""

    @endpoint("peopleFlow/setDoorLine", evidence=DOC, models=FS,
              documented={0, 1, 2, 3, 5, 7, 277, 278}, codes={260, 261, 262, 263, 264, 276}, document="door_line")  # fmt: skip
    def set_door_line(
        self,
        start_x: Annotated[int, Ge(0), Le(1920), Refused(260), Help("left end, from the left", "pixels")],
        start_y: Annotated[int, Ge(0), Le(1080), Refused(261), Help("left end, from the top", "pixels")],
        end_x: Annotated[int, Ge(0), Le(1920), Refused(262), Help("right end, from the left", "pixels")],
        end_y: Annotated[int, Ge(0), Le(1080), Refused(263), Help("right end, from the top", "pixels")],
        resolution: Annotated[
            Resolution, Refused(264), Help("0 1080p, 1 720p; only 1080p is supported at present")
        ] = Resolution.P1080,
    ) -> None:
        """Set the line that people cross when they enter; see ``draw`` for one checked whole."""

    @endpoint("peopleFlow/getDoorLine", evidence=DOC, models=FS,
              documented={0, 1, 2, 3, 5, 7, 260, 261, 262, 263, 264, 276, 277, 279}, document="door_line")  # fmt: skip
    def door_line(self) -> DoorLineConfig:
        """Read the door line."""

    @endpoint("peopleFlow/getArrivalStat", evidence=INFERRED, models=FS, codes={265, 266, 267})
    def arrivals(
        self, start_time: StartTime, end_time: EndTime, period: Period | None = None
    ) -> PeopleStatCollection:
        """Count the people who came in, by age range and gender."""

    @endpoint("peopleFlow/getPassingStat", evidence=INFERRED, models=FS, codes={265, 266, 267})
    def passing(
        self, start_time: StartTime, end_time: EndTime, period: Period | None = None
    ) -> PeopleStatCollection:
        """Count the people who passed by, by age range and gender."""

    @endpoint("peopleFlow/getLeavingStat", evidence=INFERRED, models=FS, codes={265, 266, 267})
    def leaving(
        self, start_time: StartTime, end_time: EndTime, period: Period | None = None
    ) -> PeopleStatCollection:
        """Count the people who left, by age range and gender."""

    @endpoint("peopleFlow/getVisitorList", evidence=INFERRED, models=FS,
              codes={266, 267, 268, 269, 270, 271, 272, 273, 274, 284, 285})  # fmt: skip
    def visitors_page(
        self,
        start_time: StartTime,
        end_time: EndTime,
        group_name: _GROUP | None = None,
        gender: Sex | None = None,
        age: Age | None = None,
        age_range: Ages | None = None,
        order: Order | None = None,
        attributes: _ATTRIBUTES | None = None,
        page_num: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> VisitorCollection:
        """Read one page of the visitors of a period; ``visitors`` reads them all.

        That a list can be filtered by attributes is inferred from the codes 284 and 285; the form is our guess.
        """

    @endpoint("peopleFlow/getVisitRecord", evidence=INFERRED, models=FS, codes={266, 267, 275, 280})
    def visits(self, faceid: FaceId, start_time: StartTime, end_time: EndTime) -> VisitDetails:
        """Read when a known face came in."""

    @endpoint("config/getPeopleFlowConf", evidence=INFERRED, models=FS, document="people_flow")
    def settings(self) -> PeopleFlowStatConfig:
        """Read how people are counted."""

    @endpoint("config/setPeopleFlowConf", evidence=INFERRED, models=FS, document="people_flow", keeps=True)
    def set_settings(
        self,
        facerecog_interval: Annotated[int, Ge(0), Help("the same face counts once within", "seconds")]
        | None = None,
        customer_judgemode: Annotated[CustomerJudgeMode, Help("0 snapshot (no direction), 1 normal")]
        | None = None,
    ) -> None:
        """Set how people are counted. ``update_settings`` sends the whole set."""

    @steps
    def update_settings(
        self, *, facerecog_interval: int | None = None, customer_judgemode: CustomerJudgeMode | None = None
    ) -> Steps[PeopleFlowStatConfig]:
        """Read, change what is given, and send back everything that came. Returns: what was set."""
        changed, values = (yield from PeopleFlow.settings.ask()).changed(
            facerecog_interval=facerecog_interval, customer_judgemode=customer_judgemode
        )
        yield from PeopleFlow.set_settings.ask_with(values)
        return changed

    @steps
    def draw(self, line: DoorLine) -> Steps[None]:
        """Set the door line; a line out of the picture or too short cannot be made in the first place."""
        yield from PeopleFlow.set_door_line.ask(
            line.start_x, line.start_y, line.end_x, line.end_y, line.resolution
        )

    @steps
    def preview(self, line: DoorLine | None = None) -> Steps[Image]:
        """A picture of now with the door line and the way in over it, as a Pillow image (extra ``video``).

        Args:
            line: A proposed line; default: the camera's.

        Raises:
            ExtraMissingError: Pillow is not installed.
            ParameterError: The camera has no line yet, and none is proposed.

        """
        from ..video.doorline import current, draw

        line = line or current((yield from PeopleFlow.door_line.ask()))
        taken = yield from snapshot(direct(self._caller))
        return (yield from work(lambda: draw(taken.image(), line)))

    @series
    def visitors(
        self, start_time: datetime, end_time: datetime, **filters: Unpack[Filters]
    ) -> Series[FaceRecord]:
        """Every visitor of a period, fetched page by page as they are used."""
        return paged(lambda number, size: PeopleFlow.visitors_page.ask(
            start_time, end_time, page_num=number, page_size=size, **filters), "face_list",
            key=lambda face: (face.faceid, face.arrive_time))  # fmt: skip
