"""What takes several calls, written once for both colours: blocking code and asyncio.

A method that asks a camera more than once is a generator of steps. Who carries them out decides whether the
caller waits or awaits::

    @steps
    def zoom(self, value: int | str) -> Steps[int]:
        lens = yield from Lens.show.ask()
        target = position(value, lens.zoom, lens.max_zoom, "zoom")
        yield from Lens.set_zoom.ask(target)
        return target

``camera.lens.zoom("+5")`` is an ``int`` on a ``Camera``, and on an ``AsyncCamera`` a coroutine of one.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypeAlias,
    cast,
    overload,
)


class Sync:
    """Marks what belongs to a blocking camera; there is no object of it."""


class Async:
    """Marks what belongs to an asyncio camera; there is no object of it."""


if TYPE_CHECKING:
    from typing_extensions import TypeVar

    #: Which colour something has; what is not told is blocking.
    C = TypeVar("C", bound=Sync | Async, default=Sync)
else:
    from typing import TypeVar

    C = TypeVar("C", bound=Sync | Async)

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
S = TypeVar("S")
A = TypeVar("A")


class Coloured(Generic[C]):
    """What is called on a camera of either colour."""

    #: A Caller or an AsyncCaller, as the colour is.
    _caller: Any


@dataclass(frozen=True, slots=True)
class Ask:
    """Call an endpoint (``spec.Endpoint``); the answer is its result."""

    endpoint: Any
    values: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Know:
    """Find out the camera's model; the answer is the camera's word for it, empty where it says none."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Do what blocks (files, video, name servers); the answer is what it returns. Asyncio does it in a thread."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Each(Generic[T]):
    """Give every item of an iterator that blocks. Asyncio reads it in a thread of its own."""

    make: Callable[[], Iterator[T]]


@dataclass(frozen=True, slots=True)
class Give(Generic[T]):
    """Hand an item to who iterates."""

    item: T


#: Steps to one result.
Steps: TypeAlias = Generator[Ask | Know | Pause | Work, object, R]
#: Steps to many items, one after another.
Series: TypeAlias = Generator[Ask | Know | Pause | Work | Each[T] | Give[T], object, None]


def pause(seconds: float) -> Steps[None]:
    """Wait."""
    yield Pause(seconds)


def known_model() -> Steps[str]:
    """Find out the camera's model."""
    return cast(str, (yield Know()))


def work(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Steps[R]:
    """Call *function*, which blocks."""
    return cast(R, (yield Work(lambda: function(*args, **kwargs))))


class Blocking(Protocol):
    """Who carries out calls while the caller waits: a ``Caller``."""

    def call(self, endpoint: Any, values: Mapping[str, Any]) -> Any:
        """Check, send, and open the answer."""

    def known_model(self) -> str:
        """The camera's model, read once; empty where the camera does not say it."""


def follow(caller: Blocking, steps: Steps[R]) -> R:
    """Carry out *steps* while the caller waits."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = steps.throw(error) if error is not None else steps.send(answer)
        except StopIteration as end:
            return cast(R, end.value)
        answer = error = None
        try:
            answer = carry_out(caller, step)
        except BaseException as raised:
            error = raised


def iterate(caller: Blocking | None, series: Series[T]) -> Generator[T, None, None]:
    """The items of *series*, as they are asked for."""
    with closing(series):
        answer: Any = None
        error: BaseException | None = None
        while True:
            try:
                step = series.throw(error) if error is not None else series.send(answer)
            except StopIteration:
                return
            answer = error = None
            if isinstance(step, Give):
                yield step.item
                continue
            try:
                if isinstance(step, Each):
                    yield from step.make()
                else:
                    answer = carry_out(caller, step)
            except GeneratorExit:
                raise
            except BaseException as raised:
                error = raised


def carry_out(caller: Blocking | None, step: Ask | Know | Pause | Work) -> Any:
    """Carry out one step while the caller waits."""
    if isinstance(step, Work):
        return step.function()
    if isinstance(step, Ask):
        assert caller is not None
        return caller.call(step.endpoint, step.values)
    if isinstance(step, Know):
        assert caller is not None
        return caller.known_model()
    time.sleep(step.seconds)
    return None


class _Method(Generic[P, T]):
    """A method of a group that both colours have."""

    function: Callable[..., Any]

    def __init__(self, function: Callable[Concatenate[Any, P], Any]) -> None:
        update_wrapper(cast("Callable[..., Any]", self), function)
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> T:
        """Refuse: a method is called on a camera's group."""
        raise TypeError(f"{self.function.__qualname__} is called on a camera")


class StepMethod(_Method[P, T]):
    """A method made of steps: on a blocking camera it returns its result, on an asyncio one a coroutine of it."""

    def steps(self, group: Coloured[Any], *args: P.args, **kwargs: P.kwargs) -> Steps[T]:
        """Its steps, for another method made of steps."""
        return cast("Steps[T]", self.function(group, *args, **kwargs))

    @overload
    def __get__(self, instance: None, owner: type) -> StepMethod[P, T]: ...
    @overload
    def __get__(self, instance: Coloured[Async], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, instance: Coloured[Sync], owner: type) -> Callable[P, T]: ...
    def __get__(self, instance: Coloured[Any] | None, owner: type) -> Any:
        if instance is None:
            return self

        def call(*args: Any, **kwargs: Any) -> Any:
            made = self.function(instance, *args, **kwargs)
            args, kwargs = (), {}  # a traceback with locals shows this frame
            caller: Any = instance._caller
            return caller.follow(made) if hasattr(caller, "follow") else follow(caller, made)

        return update_wrapper(call, self.function)


class SeriesMethod(_Method[P, T]):
    """A method that gives items one after another: a generator on a blocking camera, else an asynchronous one."""

    def steps(self, group: Coloured[Any], *args: P.args, **kwargs: P.kwargs) -> Series[T]:
        """Its steps, for another method made of steps."""
        return cast("Series[T]", self.function(group, *args, **kwargs))

    @overload
    def __get__(self, instance: None, owner: type) -> SeriesMethod[P, T]: ...
    @overload
    def __get__(self, instance: Coloured[Async], owner: type) -> Callable[P, AsyncGenerator[T, None]]: ...
    @overload
    def __get__(self, instance: Coloured[Sync], owner: type) -> Callable[P, Generator[T, None, None]]: ...
    def __get__(self, instance: Coloured[Any] | None, owner: type) -> Any:
        if instance is None:
            return self

        def call(*args: Any, **kwargs: Any) -> Any:
            made = self.function(instance, *args, **kwargs)
            args, kwargs = (), {}
            caller: Any = instance._caller
            return caller.iterate(made) if hasattr(caller, "iterate") else iterate(caller, made)

        return update_wrapper(call, self.function)


@dataclass(frozen=True, slots=True)
class Pair(Generic[S, A]):
    """What a method makes: one thing for a blocking camera, its twin for an asyncio one."""

    blocking: Callable[[], S]
    asynchronous: Callable[[], A]


class PairMethod(_Method[P, Pair[S, A]], Generic[P, S, A]):
    """A method that makes another object in each colour."""

    @overload
    def __get__(self, instance: None, owner: type) -> PairMethod[P, S, A]: ...
    @overload
    def __get__(self, instance: Coloured[Async], owner: type) -> Callable[P, A]: ...
    @overload
    def __get__(self, instance: Coloured[Sync], owner: type) -> Callable[P, S]: ...
    def __get__(self, instance: Coloured[Any] | None, owner: type) -> Any:
        if instance is None:
            return self

        def call(*args: Any, **kwargs: Any) -> Any:
            made: Pair[S, A] = self.function(instance, *args, **kwargs)
            return made.asynchronous() if hasattr(instance._caller, "follow") else made.blocking()

        return update_wrapper(call, self.function)


def steps(function: Callable[Concatenate[Any, P], Steps[T]]) -> StepMethod[P, T]:
    """Make a method of steps."""
    return StepMethod(function)


def series(function: Callable[Concatenate[Any, P], Series[T]]) -> SeriesMethod[P, T]:
    """Make a method that gives items one after another."""
    return SeriesMethod(function)


def pair(function: Callable[Concatenate[Any, P], Pair[S, A]]) -> PairMethod[P, S, A]:
    """Make a method that makes another object in each colour."""
    return PairMethod(function)
