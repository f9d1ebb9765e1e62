"""One declaration per endpoint, read by client, checks, virtual camera, commands and reference.

An endpoint is a method whose signature is the specification::

    class Wifi(Group, name="wifi"):
        @endpoint("config/setWifiConf", evidence=DOC)
        def set(self, ssid: Ssid, password: WifiPassword = "") -> None:
            \"\"\"Set the Wi-Fi network that the camera joins.\"\"\"

On the class, ``Wifi.set`` is the :class:`Endpoint` (data); on an instance it is the typed call.
Importing declarations costs little: pydantic is loaded when the first call is checked.
"""

from __future__ import annotations

import enum
import inspect
import re
import types
import typing
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import cached_property, update_wrapper
from importlib import import_module
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypeVar,
    cast,
    overload,
)

from annotated_types import Ge, Le, MaxLen, MinLen

from ..errors import ParameterError
from ..redact import Secret
from .fields import Help, Hidden, MaxBytes, NoBlankFirst, Refused, Wire
from .kinds import wanted
from .steps import Ask, Async, Coloured, Series, Steps, Sync
from .steps import C as C

if TYPE_CHECKING:
    from pydantic import BaseModel

P = ParamSpec("P")
R = TypeVar("R")


class Evidence(enum.StrEnum):
    """How sure a fact is; the tags of the protocol sheet."""

    DOC = "documented"
    SDK = "sdk"
    APP = "app"
    INFERRED = "inferred"


_WORDS = re.compile("[0-9A-Z]+")


class Sign(enum.StrEnum):
    """What signs a call."""

    SECRET = "secret key"  # noqa: S105
    ACTIVATION = "activation code"
    NONE = "none"


class Model(enum.StrEnum):
    """Camera models."""

    FM010 = "FM010"
    FM020 = "FM020"

    @classmethod
    def read(cls, text: str) -> Model | None:
        """The model that a camera's word for it means; ``SS1`` and ``FS1`` are older names (A). None: unknown."""
        word = text.upper()
        words = _WORDS.findall(word)
        older = {"SS1": cls.FM010, "FS1": cls.FM020}
        return next((m for m in cls if m in word), None) or next(
            (older[w] for w in words if w in older), None
        )

    @classmethod
    def may_be(cls, text: str, model: Model) -> bool:
        """Whether *text* means *model*, or is a word that we do not know: such a camera may have everything."""
        return cls.read(text) in (None, model)


DOC, SDK, APP, INFERRED = Evidence
ALL_MODELS = frozenset(Model)
FS = frozenset({Model.FM020})
#: Every signed call may answer these: common "by habit, not by rule" (I); see ``Endpoint.codes``.
COMMON_CODES = frozenset({0, 1, 2, 3, 5, 7})
#: Among a call's values: what a camera gave under names that we do not know, to be sent back as it came.
REST = "*"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One private parameter of an endpoint."""

    name: str
    wire: str
    annotation: Any
    base: type
    required: bool
    default: Any
    help: str = ""
    unit: str = ""
    ge: int | None = None
    le: int | None = None
    min_len: int | None = None
    max_len: int | None = None
    max_bytes: int | None = None
    secret: bool = False
    refused: int = 2
    item: type | None = None
    no_blank_first: bool = False

    @property
    def kind(self) -> str:
        """How the value travels: ``int``, ``text``, ``json`` or ``file``."""
        if self.base in (bytes, bytearray):
            return "file"
        if self.base in (list, tuple, dict):
            return "json"
        if issubclass(self.base, int | datetime | time):
            return "int"
        return "text"

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values an enumeration allows, as they travel; empty otherwise."""
        kind = self.item or self.base
        if issubclass(kind, enum.Flag) or not issubclass(kind, enum.Enum):
            return ()
        return tuple(m.value for m in kind if m.name != "UNKNOWN" or m.value != -1)

    @property
    def bounds(self) -> str:
        """The bounds in words, for help and reference; empty where there are none."""
        if self.choices:
            return ", ".join(str(c) for c in self.choices)
        if self.ge is not None and self.le is not None:
            return f"{self.ge}-{self.le}" + (f" {self.unit}" if self.unit else "")
        if self.ge is not None:
            return f"from {self.ge}" + (f" {self.unit}" if self.unit else "")
        if self.max_bytes is not None:
            return f"at most {self.max_bytes} bytes"
        if self.max_len is not None:
            return f"{self.min_len or 0}-{self.max_len} characters"
        return self.unit


class Caller(Protocol):
    """What an endpoint is called on: a camera."""

    def known_model(self) -> str:
        """The camera's model, read once; empty where the camera does not say it."""

    def call(self, endpoint: Endpoint[..., Any], values: Mapping[str, Any]) -> Any:
        """Check, send, and open the answer."""


class AsyncCaller(Protocol):
    """What an endpoint is called on with ``await``: an asyncio camera."""

    async def known_model(self) -> str:
        """The camera's model, read once; empty where the camera does not say it."""

    async def call(self, endpoint: Endpoint[..., Any], values: Mapping[str, Any]) -> Any:
        """Check, send, and open the answer."""

    async def follow(self, steps: Steps[R]) -> R:
        """Carry out steps to one result."""

    def iterate(self, series: Series[R]) -> AsyncGenerator[R, None]:
        """Carry out steps to many items."""

    def in_threads(self) -> Caller:
        """The same camera for code that blocks, to be used in other threads than the loop's."""


class Group(Coloured[C]):
    """Endpoints that belong together; ``name`` is the word in library and command, ``title`` the one for people.

    ``Wifi[Sync]``, or plain ``Wifi``, belongs to a ``Camera``; ``Wifi[Async]`` to an ``AsyncCamera``.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    api: ClassVar[str] = "device"

    @overload
    def __init__(self: Group[Sync], caller: Caller) -> None: ...
    @overload
    def __init__(self: Group[Async], caller: AsyncCaller) -> None: ...
    def __init__(self, caller: Caller | AsyncCaller) -> None:
        self._caller = caller

    def __init_subclass__(
        cls, *, name: str = "", title: str = "", api: str = "device", **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.name, cls.title, cls.api = name, title, api
        for value in list(vars(cls).values()):
            if isinstance(value, Endpoint):
                value.group, value.title, value.api = name, title, api
                _register(api, value)


_REGISTRY: dict[str, dict[str, Endpoint[..., Any]]] = {}
_ORDERED: set[str] = set()
#: Where each registry's declarations stand.
_MODULES = {"device": "sunmi_ipc.api", "cloud": "sunmi_ipc.cloud.api"}


def _register(api: str, endpoint: Endpoint[..., Any]) -> None:
    table = _REGISTRY.setdefault(api, {})
    if endpoint.path in table:
        raise ValueError(f"{endpoint.path} is declared twice")
    table[endpoint.path] = endpoint


def registry(api: str = "device") -> dict[str, Endpoint[..., Any]]:
    """Every endpoint of *api* by path, in the order of declaration."""
    module = import_module(_MODULES[api])
    if api not in _ORDERED:
        module.load()
        order = list(module.GROUPS)
        # Whoever imported a group first must not decide the order.
        table = sorted(_REGISTRY[api].items(), key=lambda pair: order.index(pair[1].group))
        _REGISTRY[api] = dict(table)
        _ORDERED.add(api)
    return _REGISTRY[api]


class Endpoint(Generic[P, R]):
    """What is known of one endpoint. Attributes are facts; nothing here does I/O."""

    fill: Mapping[str, str]
    keeps: bool

    path: str
    evidence: Evidence
    params_evidence: Evidence
    sign: Sign
    models: frozenset[Model]
    codes: frozenset[int]
    document: str
    safe: bool
    destroys: str
    timeout_s: float | None

    group: str = ""
    title: str = ""
    name: str = ""
    api: str = "device"

    def __init__(
        self,
        function: Callable[..., R],
        path: str,
        *,
        evidence: Evidence,
        params: Evidence | None,
        sign: Sign,
        models: frozenset[Model],
        codes: frozenset[int],
        codes_evidence: Evidence,
        document: str,
        safe: bool,
        destroys: str,
        timeout_s: float | None,
        fill: Mapping[str, str],
        keeps: bool,
    ) -> None:
        update_wrapper(cast(Callable[..., Any], self), function)
        self.function = function
        self.path, self.evidence, self.params_evidence = path, evidence, params or evidence
        self.sign, self.models, self.codes = sign, models, codes
        self.document, self.safe, self.destroys, self.timeout_s = document, safe, destroys, timeout_s
        self.fill, self.keeps = fill, keeps
        self.codes_evidence = codes_evidence

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Endpoint[P, R]: ...
    @overload
    def __get__(self, instance: Group[Async], owner: type) -> Callable[P, Coroutine[Any, Any, R]]: ...
    @overload
    def __get__(self, instance: Group[Sync], owner: type) -> Callable[P, R]: ...
    def __get__(self, instance: Group[Any] | None, owner: type) -> Any:
        if instance is None:
            return self

        def call(*args: Any, **kwargs: Any) -> Any:
            values = self.bind(*args, **kwargs)
            args, kwargs = (), {}  # a traceback with locals shows this frame
            # The result, or a coroutine of it: as the caller is.
            return instance._caller.call(self, values)

        return update_wrapper(call, self.function)

    def ask(self, *args: P.args, **kwargs: P.kwargs) -> Steps[R]:
        """The call as a step, for a method made of steps."""
        return self.ask_with(self.bind(*args, **kwargs))

    def ask_with(self, values: Mapping[str, Any]) -> Steps[R]:
        """As :meth:`ask`, with the values as a mapping by parameter name."""
        return cast(R, (yield Ask(self, values)))

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        """Refuse: an endpoint is called on a camera."""
        raise TypeError(f"{self.key} is called on a camera: camera.{self.key}(...)")

    def __repr__(self) -> str:
        return f"<Endpoint {self.key} {self.path}>"

    @property
    def key(self) -> str:
        """Group and name, e.g. ``wifi.set``: the word in the library."""
        return f"{self.group}.{self.name}"

    @property
    def summary(self) -> str:
        """The docstring's first line."""
        return (self.function.__doc__ or "").strip().split("\n")[0]

    @property
    def inferred(self) -> bool:
        """Whether the path or the parameters are not documented by the vendor."""
        return INFERRED in (self.evidence, self.params_evidence) or APP in (
            self.evidence,
            self.params_evidence,
        )

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @cached_property
    def _hints(self) -> dict[str, Any]:
        names = import_module(_MODULES[self.api]).results()
        return typing.get_type_hints(self.function, localns=names, include_extras=True)

    def bind(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Arguments as a mapping by parameter name; those left out are left out, secrets are sealed."""
        bound = self._signature.bind(None, *args, **kwargs)
        return self.seal({k: v for k, v in list(bound.arguments.items())[1:]})

    def seal(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """*values* with secrets as :class:`Secret`, so that no frame of ours shows them."""
        hidden = {p.name for p in self.parameters if p.secret}
        return {k: Secret(v) if k in hidden and isinstance(v, str) else v for k, v in values.items()}

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The private parameters, in the order of declaration."""
        # Parameters only: the result's annotation may need pydantic.
        namespace = import_module(self.function.__module__).__dict__
        params = list(self._signature.parameters.values())[1:]
        return tuple(
            _parameter(p, _evaluate(p.annotation, namespace), filled=p.name in self.fill) for p in params
        )

    @cached_property
    def result(self) -> type | None:
        """The result's model, or None where success is all there is."""
        hint = self._hints["return"]
        return None if hint is type(None) else hint

    @cached_property
    def request(self) -> type[BaseModel]:
        """The pydantic model that checks a call before it is sent."""
        from pydantic import ConfigDict, Field, create_model

        fields: dict[str, Any] = {}
        for p in self.parameters:
            # An enumeration may be given by its value; everything else must have its type.
            lax = issubclass(p.item or p.base, enum.Enum)
            default = ... if p.required else p.default
            fields[p.name] = (p.annotation, Field(default, strict=False) if lax else default)
        config = ConfigDict(
            extra="forbid", strict=True, hide_input_in_errors=True, arbitrary_types_allowed=True
        )
        return create_model(self.key, __config__=config, **fields)

    def check(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Check *values* against the declaration; raises ParameterError, sends nothing.

        Returns: the values by parameter name, defaults filled in, None left out.
        """
        from pydantic import ValidationError

        rest = values.get(REST) or {}
        if rest and not self.keeps:
            raise ParameterError("{name}: there is no such parameter", name=next(iter(rest)))
        values = {name: value for name, value in values.items() if name != REST}
        for name, other in self.fill.items():
            if values.get(name) in (None, ""):
                values[name] = values.get(other)
        values = {
            **values,
            **{p.name: _items(p, values[p.name]) for p in self.parameters if p.name in values},
        }
        try:
            checked = self.request(**values)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            parameter = next((p for p in self.parameters if p.name == first["loc"][0]), None)
            raise ParameterError(
                _rule(first["type"]),
                name=name,
                wanted=wanted(parameter.base.__name__ if parameter else ""),
                hint=_hint(first["type"], parameter),
                bounds=parameter.bounds if parameter else "",
            ) from None
        made = self.seal({k: v for k, v in checked if v is not None})
        for parameter in self.parameters:
            _check_choice(parameter, made.get(parameter.name))
        return {**made, REST: dict(rest)} if rest else made


def _items(parameter: Parameter, value: Any) -> Any:
    """A list's entries as members of its enumeration, where they are given by value."""
    kind = parameter.item
    if not isinstance(value, list) or kind is None or not issubclass(kind, enum.Enum):
        return value
    return [kind(v) if v in parameter.choices else v for v in value]


def _check_choice(parameter: Parameter, value: Any) -> None:
    """Refuse the numbers that our tolerant enumerations take from a camera."""
    if value is None or not parameter.choices:
        return
    for item in value if isinstance(value, list) else [value]:
        if getattr(item, "value", item) not in parameter.choices:
            raise ParameterError(
                "{name}: unknown", name=parameter.name, hint="Allowed: {bounds}.", bounds=parameter.bounds
            )


def _hint(kind: str, parameter: Parameter | None) -> str:
    if kind == "passphrase":
        from .wifi import WPA_HINT

        return WPA_HINT
    return "Allowed: {bounds}." if parameter and parameter.bounds else ""


def _rule(kind: str) -> str:
    """What pydantic calls *kind*, in words of ours: they have a Chinese, and never the value."""
    if kind == "missing":
        return "{name}: missing"
    if kind == "extra_forbidden":
        return "{name}: there is no such parameter"
    if kind == "passphrase":
        from .wifi import WPA_RULE

        return WPA_RULE
    if kind == "serial_number":
        return "{name}: not a serial number"
    if kind.endswith(("_type", "_instance_of", "_unicode", "_parsing")):
        return "{name}: wrong type, {wanted} is needed"
    return "{name}: out of bounds"


def _evaluate(annotation: Any, namespace: Mapping[str, Any]) -> Any:
    return eval(annotation, dict(namespace)) if isinstance(annotation, str) else annotation  # noqa: S307


def _parameter(p: inspect.Parameter, annotation: Any, *, filled: bool = False) -> Parameter:
    bare, metadata = annotation, list[Any]()
    required = filled or p.default is inspect.Parameter.empty
    while True:
        if typing.get_origin(bare) is Annotated:
            bare, *more = typing.get_args(bare)
            metadata += reversed(more)  # what stands farther out says more of this parameter
        elif typing.get_origin(bare) in (typing.Union, types.UnionType):
            bare = next(a for a in typing.get_args(bare) if a is not type(None))
        else:
            break
    origin = typing.get_origin(bare) or bare
    items = typing.get_args(bare)
    item = items[0] if items else None
    if typing.get_origin(item) is Annotated:
        item = typing.get_args(item)[0]

    def of(kind: type, attribute: str) -> Any:
        return next((getattr(m, attribute) for m in metadata if isinstance(m, kind)), None)

    return Parameter(
        name=p.name,
        wire=of(Wire, "name") or p.name,
        annotation=annotation,
        base=origin,
        item=item if isinstance(item, type) else None,
        required=required,
        default=None if required else p.default,
        help=of(Help, "text") or "",
        unit=of(Help, "unit") or "",
        ge=of(Ge, "ge"),
        le=of(Le, "le"),
        min_len=of(MinLen, "min_length"),
        max_len=of(MaxLen, "max_length"),
        max_bytes=of(MaxBytes, "count"),
        refused=of(Refused, "code") or 2,
        no_blank_first=any(isinstance(m, NoBlankFirst) for m in metadata),
        secret=any(isinstance(m, Hidden) for m in metadata),
    )


def endpoint(
    path: str,
    *,
    evidence: Evidence,
    params: Evidence | None = None,
    sign: Sign = Sign.SECRET,
    models: Iterable[Model] = ALL_MODELS,
    codes: Iterable[int] = (),
    document: str = "",
    safe: bool | None = None,
    destroys: str = "",
    timeout_s: float | None = None,
    fill: Mapping[str, str] | None = None,
    keeps: bool = False,
    documented: Iterable[int] | None = None,
) -> Callable[[Callable[Concatenate[Any, P], R]], Endpoint[P, R]]:
    """Declare an endpoint.

    Args:
        path: ``apiType/action``.
        evidence: How sure the path is.
        params: How sure the parameters are, where that differs.
        sign: What signs the call.
        models: Which camera models have it.
        codes: Return codes beside the common ones; which those are is a habit, and inferred.
        documented: The vendor's own list of return codes, where there is one: it has what is common, and no more.
        document: The virtual camera's document that a ``get`` returns and a ``set`` changes.
        safe: Whether it may be repeated after a broken connection; default: it only reads (``get…``).
        destroys: What is lost by calling it, in words; such a call is confirmed on the command line.
        timeout_s: How long the camera may take, where that is longer than usual.
        fill: Parameters that the camera wants and the caller may leave out, by the one whose value is sent then.
        keeps: Whether it writes a whole set: values under :data:`REST` are sent along as they came.

    """
    common = COMMON_CODES if sign is Sign.SECRET else frozenset({0})
    reads = path.split("/")[1].startswith(("get", "find"))

    def declare(function: Callable[Concatenate[Any, P], R]) -> Endpoint[P, R]:
        return Endpoint(
            function,
            path,
            evidence=evidence,
            params=params,
            sign=sign,
            models=frozenset(models),
            codes=(common if documented is None else frozenset(documented)) | frozenset(codes),
            codes_evidence=Evidence.INFERRED if documented is None else Evidence.DOC,
            document=document,
            safe=reads if safe is None else safe,
            destroys=destroys,
            timeout_s=timeout_s,
            fill=fill or {},
            keeps=keeps,
        )

    return declare


def endpoints(api: str = "device") -> Iterator[Endpoint[..., Any]]:
    """Every endpoint of *api*."""
    return iter(registry(api).values())
