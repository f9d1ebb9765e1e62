"""Results: tolerant of what cameras send, never wrong in silence.

Optional fields that are missing, ``null``, empty or unusable get their default (the last with one
warning that names the field, never the value); an unusable required field is a ReplyError. Unknown
keys are ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic_core import PydanticUseDefault

from ..errors import ReplyError
from ..protocol.values import Weekdays

_log = logging.getLogger("sunmi_ipc")


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a boolean where a number belongs")
    return value


def _listed(value: Any) -> Any:
    """Cameras send ``null`` for no items and a lone object for one."""
    if value in (None, ""):
        return []
    return value if isinstance(value, list) else [value]


def _unix(value: Any) -> Any:
    if isinstance(value, str):
        value = int(value)
    if isinstance(value, datetime):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("not Unix seconds")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("not Unix seconds") from error


def _minutes(value: Any) -> Any:
    """Minutes of the day as a time; 1440 is 24:00, which ``time`` has only as its last moment."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, time):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1440:
        raise ValueError("not a minute of the day")
    return time.max if value == 1440 else time(value // 60, value % 60)


def _mask(value: Any) -> Any:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    return _no_bool(value)


Int = Annotated[int, BeforeValidator(_no_bool)]
UnixTime = Annotated[
    datetime,
    BeforeValidator(_unix),
    # JSON keeps the wire's number: scripts compute with it.
    PlainSerializer(lambda t: int(t.timestamp()), return_type=int, when_used="json"),
]
DayTime = Annotated[
    time,
    BeforeValidator(_minutes),
    PlainSerializer(lambda t: 1440 if t == time.max else t.hour * 60 + t.minute, return_type=int),
]
Mask = Annotated[Weekdays, BeforeValidator(_mask)]
Listed: BeforeValidator = BeforeValidator(_listed)


class Reply(BaseModel):
    """Base of every result."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="ignore",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    @field_validator("*", mode="wrap")
    @classmethod
    def _tolerant(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        optional = not field.is_required()
        if optional and value is None:
            raise PydanticUseDefault
        try:
            return handler(value)
        except ValidationError:
            if not optional:
                raise
            if value != "":
                cls.say_left_out(info.field_name or "")
            raise PydanticUseDefault from None

    @classmethod
    def say_left_out(cls, field: str) -> None:
        """Say that an optional field was not usable."""
        _log.warning("%s.%s is not usable and was left out", cls.__name__, field)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The result in *data*; raises ReplyError that names the field."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            field = ".".join([cls.__name__, *(str(part) for part in first["loc"])])
            raise ReplyError(
                "the answer's {field} is missing or not usable",
                hint="The firmware may answer in another shape: '-vv' shows what came.",
                field=field,
            ) from None
        except RecursionError:
            raise ReplyError("the answer is nested too deeply") from None

    def as_dict(self, *, reveal: bool = False) -> dict[str, Any]:
        """The result under the wire's field names, ready for JSON; secrets masked unless *reveal*."""
        from .. import redact

        data = self.model_dump(mode="json", by_alias=True)
        return data if reveal else redact.redact(data)
