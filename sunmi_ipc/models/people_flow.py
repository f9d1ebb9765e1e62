"""Results of the ``people_flow`` group."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from ..protocol.values import AgeRange, CustomerJudgeMode, DoorLine, Resolution
from .base import Int, Listed, Reply, Settings, UnixTime


class DoorLineConfig(Reply):
    """The door line, as the camera keeps it; ends in pixels."""

    resolution: Resolution = Resolution.P1080
    start_x: Int
    start_y: Int
    end_x: Int
    end_y: Int

    @classmethod
    def of(cls, line: DoorLine) -> DoorLineConfig:
        """A line as the camera keeps it."""
        return cls.model_construct(
            resolution=line.resolution,
            start_x=line.start_x, start_y=line.start_y, end_x=line.end_x, end_y=line.end_y,
        )  # fmt: skip

    @property
    def line(self) -> DoorLine:
        """As a checked value; raises ParameterError where the camera keeps a line that none could set."""
        return DoorLine(self.start_x, self.start_y, self.end_x, self.end_y, self.resolution)


class PeopleStatUnit(Reply):
    """People within one period: eight numbers each for men and women, one an age range."""

    start_time: UnixTime
    end_time: UnixTime
    total: Int = 0
    male_num_stat: Annotated[tuple[Int, ...], Listed] = ()
    female_num_stat: Annotated[tuple[Int, ...], Listed] = ()

    def by_age(self) -> dict[str, int]:
        """People by age range, men and women together."""
        pairs = zip(AgeRange, self.male_num_stat, self.female_num_stat, strict=False)
        return {age.label: men + women for age, men, women in pairs}


class PeopleStatCollection(Reply):
    """People by period."""

    total: Int = 0
    stat_list: Annotated[tuple[PeopleStatUnit, ...], Listed] = ()

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a period, gender and age range, ready for CSV."""
        for unit in self.stat_list:
            for gender, numbers in (("male", unit.male_num_stat), ("female", unit.female_num_stat)):
                for age, count in zip(AgeRange, numbers, strict=False):
                    yield {
                        "start": unit.start_time.isoformat(),
                        "end": unit.end_time.isoformat(),
                        "gender": gender,
                        "age": age.label,
                        "count": count,
                    }


class VisitDetails(Reply):
    """When a face came in."""

    arrive_count: Int = 0
    came_in_time: Annotated[tuple[UnixTime, ...], Listed] = ()

    @property
    def last(self) -> datetime | None:
        """The latest visit."""
        return max(self.came_in_time, default=None)


class PeopleFlowStatConfig(Settings):
    """How people are counted: seconds in which the same face counts once, and the mode. None: not told."""

    facerecog_interval: Int | None = None
    customer_judgemode: CustomerJudgeMode | None = None
