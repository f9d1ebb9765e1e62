"""Steps carried out under asyncio; see :mod:`sunmi_ipc.protocol.steps`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..protocol.steps import Ask, Each, Give, Know, Pause, Series, Steps, Work
from .threads import in_thread

if TYPE_CHECKING:
    from ..protocol.spec import AsyncCaller

R = TypeVar("R")
T = TypeVar("T")
_END = object()


async def follow(caller: AsyncCaller, steps: Steps[R]) -> R:
    """Carry out *steps* while others go on."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = steps.throw(error) if error is not None else steps.send(answer)
        except StopIteration as end:
            return cast(R, end.value)
        answer = error = None
        try:
            answer = await carry_out(caller, step)
        except BaseException as raised:
            error = raised


async def iterate(caller: AsyncCaller, series: Series[T]) -> AsyncGenerator[T, None]:
    """The items of *series*, as they are asked for."""
    answer: Any = None
    error: BaseException | None = None
    try:
        while True:
            try:
                step = series.throw(error) if error is not None else series.send(answer)
            except StopIteration:
                return
            answer = error = None
            if isinstance(step, Give):
                yield step.item
                continue
            if isinstance(step, Each):
                items = each(step.make)
                try:
                    async for item in items:
                        yield item
                except Exception as raised:
                    error = raised
                finally:
                    await items.aclose()
                continue
            try:
                answer = await carry_out(caller, step)
            except BaseException as raised:
                error = raised
    finally:
        series.close()


async def carry_out(caller: AsyncCaller, step: Ask | Know | Pause | Work) -> Any:
    """Carry out one step while others go on."""
    if isinstance(step, Ask):
        return await caller.call(step.endpoint, step.values)
    if isinstance(step, Know):
        return await caller.known_model()
    if isinstance(step, Work):
        return await in_thread(step.function)
    await asyncio.sleep(step.seconds)
    return None


async def each(make: Callable[[], Iterator[T]]) -> AsyncGenerator[T, None]:
    """The items of an iterator that blocks, read in a thread of its own.

    Who leaves early does not wait for an item that is under way; the iterator is closed behind it, in its thread.
    """
    loop = asyncio.get_running_loop()
    worker = ThreadPoolExecutor(1, thread_name_prefix="sunmi-ipc-aio")
    made: list[Iterator[T]] = []

    def following() -> Any:
        if not made:
            made.append(make())
        return next(made[0], _END)

    def close() -> None:
        for iterator in made:
            end = getattr(iterator, "close", None)
            if end is not None:
                end()

    try:
        while (item := await loop.run_in_executor(worker, following)) is not _END:
            yield item
    finally:
        worker.submit(close)
        worker.shutdown(wait=False)


__all__ = ["each", "follow", "iterate"]
