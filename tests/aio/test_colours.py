"""Both colours have the same: every method of every group, by its declaration, and what cameras answer."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import Camera, errors
from sunmi_ipc.aio import AsyncCamera
from sunmi_ipc.api import GROUPS
from sunmi_ipc.protocol.spec import ALL_MODELS, Endpoint, Group, Model, registry
from sunmi_ipc.protocol.steps import PairMethod, SeriesMethod, StepMethod
from sunmi_ipc.protocol.wire import Incoming, Outgoing
from sunmi_ipc.simulator import VirtualCamera, connect, connect_async
from sunmi_ipc.simulator.faces import visit
from sunmi_ipc.video.snapshot import Snapshot

SAMPLES = {
    sample["endpoint"]: sample
    for path in (Path(__file__).parents[1] / "wire").glob("*.json")
    for sample in [json.loads(path.read_text("utf-8"))]
}


def public(kind: type) -> list[str]:
    return [name for name in dir(kind) if not name.startswith("_")]


def methods() -> list[tuple[str, str, Any]]:
    found = []
    for group, kind in GROUPS.items():
        made: type[Group[Any]] = getattr(import_module(f"sunmi_ipc.api.{group}"), kind)
        found += [(group, name, inspect.getattr_static(made, name)) for name in public(made)]
    return [entry for entry in found if entry[1] not in ("name", "title", "api")]


def test_each_method_is_on_both_sides() -> None:
    cameras = [kind("127.0.0.1", app_id="a", secret_key="b") for kind in (Camera, AsyncCamera)]
    for group, name, method in methods():
        if isinstance(method, property):
            assert method.__doc__
            continue
        # One declaration, which each colour carries out in its way: no second list could differ from it.
        assert isinstance(method, Endpoint | StepMethod | SeriesMethod | PairMethod), f"{group}.{name}"
        one, other = (getattr(getattr(camera, group), name) for camera in cameras)
        assert inspect.signature(one) == inspect.signature(other)
        assert one.__doc__ == other.__doc__
        assert one.__doc__


def test_cameras_have_the_same_names_arguments_and_words() -> None:
    assert inspect.signature(Camera) == inspect.signature(AsyncCamera)
    only = {"follow", "iterate", "in_threads"}
    assert set(public(AsyncCamera)) - only == set(public(Camera))
    for name in public(Camera):
        one, other = inspect.getattr_static(Camera, name), inspect.getattr_static(AsyncCamera, name)
        assert one.__doc__ == other.__doc__, name
        if inspect.isfunction(one):
            assert [*inspect.signature(one).parameters.values()] == [
                *inspect.signature(other).parameters.values()
            ]


class Recorded:
    """A transport that answers with a sample."""

    def __init__(self, reply: str) -> None:
        self.reply, self.sent = reply.encode(), list[Outgoing]()

    async def send(self, outgoing: Outgoing, *, timeout: float) -> Incoming:
        self.sent.append(outgoing)
        return Incoming(200, {}, self.reply)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("path", SAMPLES)
def test_samples_through_an_asyncio_camera(
    path: str, revive: Callable[[str, dict[str, Any]], dict[str, Any]]
) -> None:
    endpoint, sample = registry()[path], SAMPLES[path]

    async def call() -> tuple[Any, Recorded]:
        transport = Recorded(sample["reply"])
        camera = AsyncCamera(
            "127.0.0.1", app_id="a", secret_key="b", activation_code="c",
            model=str(sorted(endpoint.models)[-1]), transport=transport,
        )  # fmt: skip
        group = getattr(camera, endpoint.group)
        return await getattr(group, endpoint.name)(**revive(path, sample["values"])), transport

    result, transport = asyncio.run(call())
    (sent,) = transport.sent
    assert sent.path == path
    wanted = {p.wire for p in endpoint.parameters if p.name in sample["values"]}
    assert wanted <= {name for name, _ in (*sent.fields, *sent.files)}
    assert (result is None) == (endpoint.result is None)
    if result is not None:
        assert type(result) is endpoint.result


def plain(endpoint: Endpoint[..., Any], revive: Any) -> dict[str, Any]:
    return revive(endpoint.path, SAMPLES[endpoint.path]["values"])  # type: ignore[no-any-return]


def test_every_code_of_every_endpoint_arrives_as_its_error(
    virtual: Callable[..., VirtualCamera], revive: Any
) -> None:
    """One connection to one camera for all of them: an error that was told does not close it."""
    camera = virtual()

    async def call() -> int:
        told = 0
        async with connect_async(camera, model="FM020") as client:
            for endpoint in registry().values():
                for code in sorted(endpoint.codes - {0}):
                    camera.fail("code", code, path=endpoint.path, times=1)
                    with pytest.raises(errors.DeviceError) as caught:
                        await client.call(endpoint, plain(endpoint, revive))
                    assert caught.value.code == code
                    assert caught.value.endpoint == endpoint.path
                    assert type(caught.value) is type(errors.DeviceError.of(code))
                    told += 1
        return told

    assert asyncio.run(call()) > 300


def test_other_models_are_refused_before_anything_is_sent(
    virtual: Callable[..., VirtualCamera], revive: Any
) -> None:
    async def call() -> None:
        for model in Model:
            camera = virtual(model=str(model))
            async with connect_async(camera) as client:
                for endpoint in registry().values():
                    if endpoint.models != ALL_MODELS and model not in endpoint.models:
                        with pytest.raises(errors.UnsupportedError, match=str(model)):
                            await client.call(endpoint, plain(endpoint, revive))
                        assert endpoint.path not in camera.state.counts

    asyncio.run(call())


def test_bounds_hold_before_anything_is_sent() -> None:
    async def call() -> None:
        transport = Recorded("{}")
        camera = AsyncCamera("127.0.0.1", app_id="a", secret_key="b", model="FM020", transport=transport)
        with pytest.raises(errors.ParameterError):
            await camera.wifi.set("x" * 33)
        with pytest.raises(errors.ParameterError):
            await camera.lens.set_zoom(-1)
        with pytest.raises(TypeError):
            camera.wifi.set()  # type: ignore[call-arg]
        assert transport.sent == []

    asyncio.run(call())


def test_the_picture_of_a_face_comes_from_the_camera_in_both_colours(ready: VirtualCamera) -> None:
    faceid = visit(ready.state, 1, time.time())["faceid"]
    with connect(ready) as plain:
        expected = plain.faces.picture(faceid)

    async def fetched() -> Snapshot:
        async with connect_async(ready) as camera:
            with pytest.raises(errors.DeviceError, match="207"):
                await camera.faces.picture("nobody")
            return await camera.faces.picture(faceid)

    taken = asyncio.run(fetched())
    assert taken.data.startswith(b"\xff\xd8\xff")
    assert (taken.data, taken.kind) == (expected.data, "jpeg")
