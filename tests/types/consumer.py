"""What an integrator writes, for checkers to judge; nobody runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sunmi_ipc import (
    Camera,
    Cloud,
    DeviceCode,
    DiscoveredCamera,
    Fleet,
    KnownCameras,
    Settings,
    discover,
    find,
)
from sunmi_ipc.aio import AsyncCamera, AsyncFleet
from sunmi_ipc.aio import discover as async_discover
from sunmi_ipc.api.device import Device
from sunmi_ipc.errors import ConnectionFailed, DeviceError, SunmiIpcError
from sunmi_ipc.events import Event, FaceRecognitionEvent, Receiver, Spool, StoredEvent
from sunmi_ipc.models import DeviceInfo, FaceRecord, VideoRecord
from sunmi_ipc.values import DoorLine, IrMode, Weekdays


def wrong_password(error: DeviceError) -> bool:
    return error.code is DeviceCode.WIRELESS_PASSWORD_INVALID


def names() -> list[str]:
    found: list[DiscoveredCamera] = list(discover())
    one: DiscoveredCamera = find("FS101D8BS00106")
    return [camera.sn for camera in (*found, one)]


def set_up(camera: Camera) -> str:
    info: DeviceInfo = camera.device.info()
    camera.wifi.set("Shop", password="welcome-2020")
    camera.people_flow.draw(DoorLine(400, 800, 1500, 800))
    camera.image.set_ir(IrMode.AUTO)
    if not camera.sdcard.status().ready:
        camera.sdcard.format_and_wait()
    try:
        camera.lens.set_zoom(10)
    except DeviceError as error:
        return f"{error.code_name} {int(error.code)} {error.hint}"
    except (ConnectionFailed, SunmiIpcError) as error:
        return str(error)
    return info.model


def faces(camera: Camera) -> Iterator[tuple[str, str]]:
    face: FaceRecord
    for face in camera.faces.list("VIP"):
        yield face.faceid, face.group_name


def footage(camera: Camera, start: datetime, end: datetime, folder: Path) -> int:
    sizes = [clip.size for clip in camera.video.download(start, end, folder)]
    records: Iterator[VideoRecord] = camera.video.records(start, end)
    return sum(sizes) + sum(1 for record in records if record.url)


def received(folder: Path, secret: str) -> Iterator[str]:
    with Spool(folder) as spool, Receiver(spool, host="127.0.0.1", secrets={"app": secret}):
        stored: StoredEvent
        for stored in spool.consumer("door").read():
            event: Event = stored.event
            if isinstance(event, FaceRecognitionEvent):
                yield event.faceid or ""


async def awaited(camera: AsyncCamera, settings: Settings) -> list[str]:
    info: DeviceInfo = await camera.device.info()
    joined: bool = await camera.wifi.join("Shop", "welcome-2020", as_is=False)
    raw: dict[str, object] = await camera.call("device/getInfo", sign=False)
    typed: DeviceInfo = await camera.call(Device.info)
    setting: Coroutine[Any, Any, None] = camera.wifi.set("Shop")
    await setting
    face: FaceRecord
    faces: AsyncIterator[FaceRecord] = camera.faces.list("VIP")
    async for face in faces:
        info.sn.join(face.faceid)
    async with camera.events.stream("face_recog_event") as stream:
        event: Event
        async for event in stream:
            return [str(event.sn), info.sn, typed.sn, str(joined), *raw]
    found: DiscoveredCamera
    async for found in async_discover(expect=1):
        async with AsyncFleet.of([found], settings) as fleet:
            return [result.get().sn async for result in fleet.call(Device.info)]
    return []


def many(settings: Settings, cloud: Cloud, known: KnownCameras) -> list[str]:
    cameras = [settings.connect("127.0.0.2"), Camera("127.0.0.3", known_cameras=known)]
    told: list[str] = []
    for result in Fleet(cameras).call(Device.info):
        told.append(str(result.error) if result.value is None else result.value.sn)
    return [*told, str(len(cloud.devices.list().ipc_list)), str(Weekdays.ALWAYS)]
