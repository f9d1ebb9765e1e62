"""Results: tolerant of what cameras send, never wrong in silence.

Optional fields that are missing, ``null``, empty or unusable get their default (the last with one
warning that names the field, never the value); an unusable required field is a ReplyError. Unknown
keys are ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_core import PydanticUseDefault

from ..errors import ReplyError
from ..protocol.spec import REST
from ..protocol.values import Weekdays

T = TypeVar("T")
_log = logging.getLogger("sunmi_ipc")
#: As much as any system keeps in a number; what is larger would break arithmetic and databases.
_MAX_INT = 2**63 - 1
#: Unix times beyond this (the year 5138) are in milliseconds, as some firmware counts.
_MILLISECONDS = 100_000_000_000


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a boolean where a number belongs")
    if isinstance(value, int) and abs(value) > _MAX_INT:
        raise ValueError("a number that no camera can mean")
    return value


class Rows(tuple[T, ...]):
    """The entries of a list that could be read; ``left_out`` is how many could not."""

    left_out: int = 0


def _listed(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Entry by entry: one bad one does not cost the list.

    Cameras send ``null`` for no items and a lone object for one.
    """
    if value in (None, ""):
        return Rows()
    entries = value if isinstance(value, list | tuple) else [value]
    try:
        return Rows(handler(entries))
    except ValidationError:
        good: list[Any] = []
        for entry in entries:
            try:
                good += handler([entry])
            except ValidationError:
                continue
    made = Rows(good)
    made.left_out = len(entries) - len(good)
    _log.warning(
        "%s: %d of %d entries are not usable and were left out", info.field_name, made.left_out, len(entries)
    )
    return made


def _unix(value: Any) -> Any:
    if isinstance(value, str):
        value = int(value)
    if isinstance(value, datetime):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("not Unix seconds")
    if abs(value) >= _MILLISECONDS:
        value //= 1000
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
Listed: WrapValidator = WrapValidator(_listed)


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
        field = cls.__pydantic_fields__[info.field_name or ""]
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
            made = cls.model_validate(data)
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
        for name in cls.model_fields:
            rows = getattr(made, name)
            if isinstance(rows, Rows) and rows.left_out and not rows:
                raise ReplyError(
                    "none of the answer's {count} entries of {field} is usable",
                    hint="The firmware may answer in another shape: '-vv' shows what came.",
                    count=rows.left_out,
                    field=f"{cls.__name__}.{name}",
                )
        return made

    @property
    def left_out(self) -> int:
        """How many entries of its lists could not be read."""
        return sum(
            rows.left_out for name in type(self).model_fields if isinstance(rows := getattr(self, name), Rows)
        )

    def as_dict(self, *, reveal: bool = False) -> dict[str, Any]:
        """The result under the wire's field names, ready for JSON; secrets masked unless *reveal*."""
        from .. import redact

        data = self.model_dump(mode="json", by_alias=True)
        return data if reveal else redact.redact(data)


class Settings(Reply):
    """A set of settings that is read, changed and written back whole.

    A field that the camera did not tell is None, and is not written. What came besides our fields, or in a
    form that we cannot use, is kept and sent back as it came.
    """

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """As :meth:`Reply.read`."""
        made = super().read(data)
        # Beside the fields: neither compared nor dumped, but copied by model_copy.
        made.__dict__["_came"] = dict(data)
        return made

    @property
    def came(self) -> dict[str, Any]:
        """The answer as it came."""
        return dict(self.__dict__.get("_came", {}))

    def changed(self, **wanted: Any) -> tuple[Self, dict[str, Any]]:
        """With what is *wanted* (None: as it is): the new settings, and the values of the call that writes them."""
        made = self.model_copy(update={name: value for name, value in wanted.items() if value is not None})
        told = {name: value for name in type(self).model_fields if (value := getattr(made, name)) is not None}
        sent = {type(self).model_fields[name].alias or name for name in told}
        rest = {name: value for name, value in self.came.items() if name not in sent}
        return made, {**told, REST: rest} if rest else told
