"""What only asyncio has: cancellation at any moment, many tasks on one camera, one loop after another."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import KnownCameras, errors
from sunmi_ipc.aio import AsyncCamera
from sunmi_ipc.simulator import VirtualCamera, connect_async, credentials
from sunmi_ipc.simulator.faces import populate


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def counted(camera: VirtualCamera) -> list[int]:
    """Notes every connection that the virtual camera takes."""
    accepted: list[int] = []
    serve = camera._serve
    camera._serve = lambda *args: (accepted.append(1), serve(*args))[1]  # type: ignore[method-assign]
    return accepted


async def rough(virtual: VirtualCamera, count: int, seed: int) -> None:
    """Cancel calls at random moments; then the camera works, and nothing is left."""
    die = random.Random(seed)
    async with connect_async(virtual) as camera:
        await camera.device.info()
        before = descriptors()
        for number in range(count):
            kinds: list[Callable[[], Any]] = [
                camera.device.info,
                camera.wifi.networks,
                camera.lens.show,
                lambda: camera.lens.wait_until_rest(interval=0.001),
                lambda: camera.move(virtual.address),
                camera.close,
                lambda: anext(aiter(camera.faces.list("regular")), None),
            ]
            tasks = [asyncio.ensure_future(die.choice(kinds)()) for _ in range(die.choice((1, 1, 1, 3)))]
            # From before the first step to beyond a whole handshake.
            for _ in range(die.randrange(4)):
                await asyncio.sleep(0)
            await asyncio.sleep(die.choice((0, die.uniform(0, 0.002), die.uniform(0, 0.03))))
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            if number % 50 == 49:
                assert (await camera.device.info()).sn == virtual.sn
        assert (await camera.device.info()).sn == virtual.sn
        assert not camera._lock.locked()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await asyncio.sleep(0.05)
        # One connection of ours; the virtual camera in this process may still hold the ends of a few.
        gc.collect()
        assert descriptors() <= before + 8


class Cut:
    """Runs a coroutine, and has its task cancelled as soon as it waits for the *at*-th time."""

    def __init__(self, work: Coroutine[Any, Any, Any], at: int) -> None:
        self._work, self._at, self.waits = work, at, 0

    def __await__(self) -> Generator[Any, None, Any]:
        steps = self._work.__await__()
        error: BaseException | None = None
        while True:
            try:
                waited = steps.throw(error) if error is not None else next(steps)
            except StopIteration as done:
                return done.value
            self.waits, error = self.waits + 1, None
            if self.waits == self._at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield waited
            except BaseException as raised:  # and CancelledError
                error = raised


@pytest.mark.parametrize("from_nothing", [True, False], ids=["with a handshake", "on a kept connection"])
def test_a_call_that_is_cancelled_at_each_of_its_waits_leaves_nothing_behind(
    ready: VirtualCamera, from_nothing: bool
) -> None:
    async def call() -> dict[str, int]:
        cut: dict[str, int] = {}
        async with connect_async(ready) as camera:
            kinds: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
                "read": camera.device.info,
                "change": lambda: camera.image.set_led(True),
                "several": lambda: camera.lens.wait_until_rest(interval=0.001),
                "move": lambda: camera.move(ready.address),
                "close": camera.close,
            }
            for name, kind in kinds.items():
                for at in range(1, 200):
                    if from_nothing:
                        await camera.close()
                    else:
                        await camera.device.info()
                    step = Cut(kind(), at)

                    async def run(step: Cut = step) -> Any:
                        return await step

                    task = asyncio.ensure_future(run())
                    with suppress(asyncio.CancelledError):
                        await task
                    assert not camera._lock.locked()
                    assert asyncio.all_tasks() == {asyncio.current_task()}
                    assert (await camera.device.info()).sn == ready.sn
                    if step.waits < at:  # it has ended before
                        break
                    cut[name] = at
        return cut

    cut = asyncio.run(call())
    assert set(cut) >= {"read", "change", "several"}, cut
    assert cut["read"] >= (3 if from_nothing else 1), cut


def test_cancelled_calls_leave_nothing_behind(ready: VirtualCamera) -> None:
    threads = threading.active_count()
    asyncio.run(rough(ready, 200, random.randrange(1 << 30)))
    assert threading.active_count() <= threads + 1


@pytest.mark.slow
def test_ten_thousand_cancelled_calls_leave_nothing_behind(ready: VirtualCamera) -> None:
    threads = threading.active_count()
    asyncio.run(rough(ready, 10_000, random.randrange(1 << 30)))
    assert threading.active_count() <= threads + 1


def test_a_cancelled_call_closes_the_connection_and_its_answer_reaches_nobody(ready: VirtualCamera) -> None:
    accepted = counted(ready)

    async def call() -> None:
        async with connect_async(ready) as camera:
            assert (await camera.device.info()).sn == ready.sn
            ready.fail("delay", 0.2, path="device/getInfo", times=1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await camera.device.info()
            assert (await camera.wifi.show()).ssid is not None
        assert len(accepted) == 2

    asyncio.run(call())


def test_many_tasks_share_one_connection(ready: VirtualCamera) -> None:
    accepted = counted(ready)

    async def call() -> None:
        async with connect_async(ready) as camera, asyncio.TaskGroup() as group:
            tasks = [group.create_task(camera.device.info()) for _ in range(20)]
        assert {task.result().sn for task in tasks} == {ready.sn}

    asyncio.run(call())
    assert len(accepted) == 1


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_camera_is_used_in_one_loop_after_another(ready: VirtualCamera) -> None:
    camera = connect_async(ready)

    async def leave_it_open() -> str:
        return (await camera.device.info()).sn

    async def close_it() -> str:
        async with camera:
            return (await camera.device.info()).sn

    assert asyncio.run(leave_it_open()) == asyncio.run(close_it()) == asyncio.run(close_it()) == ready.sn
    gc.collect()  # what the first loop had was left open


def test_the_whole_call_has_one_deadline(ready: VirtualCamera) -> None:
    async def call() -> None:
        ready.fail("drip", 0.05, times=None)
        async with connect_async(ready, timeout=0.3) as camera:
            started = time.monotonic()
            with pytest.raises(errors.ConnectionFailed, match="no complete answer"):
                await camera.device.info()
            assert time.monotonic() - started < 2

    asyncio.run(call())


def test_a_certificate_is_pinned_and_another_refused_before_anything_is_sent(
    virtual: Callable[..., VirtualCamera], tmp_path: Path
) -> None:
    one, other = virtual(), virtual()
    pins = KnownCameras(tmp_path / "known.json")

    async def call() -> None:
        async with connect_async(one, ca=None, known_cameras=pins, sn=one.sn) as camera:
            shown = await camera.greet()
            assert pins.known(one.sn).fingerprint == shown  # type: ignore[union-attr]
            assert await camera.greet() == ""
        async with connect_async(other, ca=None, known_cameras=pins, sn=one.sn) as camera:
            with pytest.raises(errors.TlsError, match="has changed"):
                await camera.device.info()
        assert "device/getInfo" not in other.state.counts

    asyncio.run(call())


def test_no_client_certificate_and_nobody_there(ready: VirtualCamera) -> None:
    async def call() -> None:
        with pytest.raises(errors.CertificateMissingError):
            await connect_async(ready, p12=None).device.info()
        with pytest.raises(errors.ConnectionFailed, match="refused"):
            await AsyncCamera("127.0.0.1:1", **credentials(ready)).device.info()

    asyncio.run(call())


def test_leaving_a_list_early(ready: VirtualCamera) -> None:
    populate(ready.state, 70)

    async def call() -> None:
        async with connect_async(ready) as camera:
            async with aclosing(camera.faces.list("regular")) as faces:
                async for face in faces:
                    assert face.faceid
                    break
            assert (await camera.device.info()).sn == ready.sn
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(call())


def test_development_mode_is_silent(ready: VirtualCamera) -> None:
    """No socket, transport, task or coroutine is left to the garbage collector."""
    program = textwrap.dedent("""
        import asyncio, json, sys
        from sunmi_ipc.aio import AsyncCamera

        async def main():
            # How long a step takes says something of this machine's load.
            asyncio.get_running_loop().slow_callback_duration = 30
            options = json.loads(sys.stdin.read())
            async with AsyncCamera(**options) as camera:
                print((await camera.device.info()).sn)
                task = asyncio.ensure_future(camera.device.info())
                await asyncio.sleep(0.001)
                task.cancel()
                await asyncio.wait([task])
                print([face.faceid async for face in camera.faces.list("regular")])
                for wait in (0, 0.001, 0.004, 0.016):
                    await camera.close()
                    task = asyncio.ensure_future(camera.device.info())
                    await asyncio.sleep(wait)
                    task.cancel()
                    await asyncio.wait([task])
            camera = AsyncCamera(**options)
            await camera.device.info()
            await camera.close()

        asyncio.run(main())
    """)
    options = {"address": ready.address} | {
        name: "".join(value) if isinstance(value, str) else str(value)
        for name, value in credentials(ready).items()
    }
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        input=json.dumps(options), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(ready.sn)
    assert done.stderr == ""


def test_the_command_lines_help_imports_no_asyncio() -> None:
    program = (
        "import sys; sys.argv = ['ipc', '--help']\n"
        "from sunmi_ipc_cli.main import main\n"
        "try:\n main()\nexcept SystemExit: pass\n"
        "assert not {'asyncio', 'sunmi_ipc.aio', 'httptools'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
