"""``ipc events listen``: receive, keep and forward events."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.i18n import tr

from ..forward.options import (
    ExecOption,
    JsonlOption,
    MqttCaOption,
    MqttOption,
    MqttPrefixOption,
    ParallelOption,
    SpoolOption,
    WebhookOption,
    make_sinks,
    spool_folder,
)
from ..forward.run import DurationOption, deliver, held, sum_up, until_signal, wait
from ..screen.output import error_document, note
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.events.delivery import Delivery
    from sunmi_ipc.events.fetch import Trust
    from sunmi_ipc.events.pictures import Pictures
    from sunmi_ipc.events.receiver import Receiver

_PATIENCE_S = 5.0


def listen(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help=tr("Port to listen on; 0 takes a free one."))
    ] = 8480,
    host: Annotated[
        str, typer.Option(help=tr("Address to listen on; default: every one of this computer."))
    ] = "",
    subscribe: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EVENT",
            help=tr("Also subscribe to this event, renew it, and unsubscribe at the end; may be repeated."),
        ),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CAMERA|all",
            help=tr("Subscribe at this camera; may be repeated, or 'all'; default: the one of -c."),
        ),
    ] = None,
    callback: Annotated[
        str,
        typer.Option(
            help=tr("URL that reaches this computer; default: worked out from the route to the camera.")
        ),
    ] = "",
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help=tr("Save pictures and clips in this folder."))
    ] = None,
    jsonl: JsonlOption = False,
    exec_: ExecOption = "",
    exec_parallel: ParallelOption = 4,
    webhook: WebhookOption = "",
    mqtt: MqttOption = "",
    mqtt_ca: MqttCaOption = None,
    mqtt_prefix: MqttPrefixOption = "sunmi-ipc",
    mqtt_discovery: Annotated[
        str, typer.Option(help=tr("Home Assistant's discovery prefix; empty publishes no discovery."))
    ] = "homeassistant",
    allow_unsigned: Annotated[
        bool,
        typer.Option(
            "--allow-unsigned", help=tr("Take events without a signature: anybody can then invent them.")
        ),
    ] = False,
    spool: SpoolOption = None,
    keep_days: Annotated[float, typer.Option(min=0.01, help=tr("Days that events are kept."))] = 30.0,
    keep_mb: Annotated[
        int, typer.Option(min=1, help=tr("Megabytes above which the oldest events go once delivered."))
    ] = 1024,
    count: Annotated[int, typer.Option(min=0, help=tr("Stop after so many new events; 0: never."))] = 0,
    duration: DurationOption = 0.0,
) -> None:
    """Receive events, keep them on the disk, show and forward them, until Ctrl-C.

    The webhook's secret is read from SUNMI_IPC_WEBHOOK_SECRET, the broker's password from
    SUNMI_IPC_MQTT_PASSWORD.
    """
    from sunmi_ipc.errors import ParameterError
    from sunmi_ipc.events import Receiver, Retention, Spool
    from sunmi_ipc.protocol.values import EventType

    state = State.of(ctx)
    if jsonl and state.json:
        raise ParameterError("{name}: not together with {other}", name="--jsonl", other="--json")
    if on and not subscribe:
        raise ParameterError("{name}: needs {other}", name="--on", other="--subscribe")
    for event in subscribe or ():
        if event not in list(EventType):
            raise ParameterError(
                "{name}: unknown", name="--subscribe", hint="Allowed: {bounds}.", bounds=", ".join(EventType)
            )
    megabyte = 1 << 20
    keep = Retention(
        max_age_s=keep_days * 86400,
        max_bytes=keep_mb * megabyte,
        hard_bytes=max(8 << 10, 2 * keep_mb) * megabyte,
    )
    sinks = make_sinks(
        state, jsonl=jsonl, command=exec_, parallel=exec_parallel, webhook=webhook,
        mqtt=mqtt, mqtt_ca=mqtt_ca, mqtt_prefix=mqtt_prefix, mqtt_discovery=mqtt_discovery,
    )  # fmt: skip
    settings = state.settings
    secrets = {settings.app_id: settings.secret_key} if settings.app_id and settings.secret_key else None
    with contextlib.ExitStack() as stack:
        undelivered = stack.enter_context(held(sinks))
        cameras = [stack.enter_context(camera) for camera in _cameras(state, on or [])] if subscribe else []
        kept = stack.enter_context(Spool(spool_folder(spool), retention=keep))
        receiver = stack.enter_context(
            Receiver(
                kept,
                host=host or _host(cameras),
                port=port,
                secrets=secrets,
                allow_unsigned=allow_unsigned,
                path="",  # whatever path a camera was once subscribed with
            )
        )
        stop = stack.enter_context(until_signal())
        deliveries = deliver(stack, kept, sinks)
        undelivered.pop_all()  # closed by their deliveries
        _counters(stack, cameras, deliveries)
        pictures = [] if save is None else [_pictures(stack, state, kept, save, cameras)]
        with contextlib.ExitStack() as subscribed:
            callbacks = _subscribe(subscribed, state, cameras, subscribe or [], receiver, callback)
            note(
                state,
                "Listening at {where}; events are kept in {folder}. Ctrl-C ends it.",
                where=", ".join(callbacks or _addresses(receiver)),
                folder=str(kept.directory),
            )
            if state.camera and not subscribe:
                note(state, "It only listens: --subscribe EVENT subscribes at {camera}.", camera=state.camera)
            wait(stop, receiver, deliveries, count, duration)
        # Nobody posts any more; what has come is brought to its end, for a moment.
        end = time.monotonic() + _PATIENCE_S
        under_way: list[Delivery | Pictures] = [*deliveries, *pictures]
        for work in under_way:
            work.drain(max(0.0, end - time.monotonic()))
        left = {d.name: backlog for d in deliveries if (backlog := d.backlog())}
    sum_up(state, receiver, deliveries, left)


def _cameras(state: State, wanted: list[str]) -> list[Camera]:
    """The cameras to subscribe at."""
    from sunmi_ipc import discovery
    from sunmi_ipc.errors import CameraNotFound

    from ..screen.output import waiting

    if wanted != ["all"]:
        return [_camera(state, name) for name in wanted or [""]]
    with waiting(state, "Looking for cameras …"):
        found = list(discovery.discover(interfaces=state.settings.interfaces()))
    if not found:
        raise CameraNotFound(
            "no camera was found", hint="Name its address with -c; 'ipc doctor' looks for reasons."
        )
    return [
        state.settings.connect(c.ip if c.port == 443 else f"{c.ip}:{c.port}", sn=c.sn, model=c.model)
        for c in found
    ]


def _camera(state: State, name: str) -> Camera:
    """One by name; one that is off but was seen in the last scan may come later."""
    from sunmi_ipc.discovery import memory
    from sunmi_ipc.errors import CameraNotFound
    from sunmi_ipc.settings import config_dir

    from ..target import open_camera

    try:
        return open_camera(state, name)
    except CameraNotFound:
        known = memory.recall(name or state.camera, config_dir())
        if known is None:
            raise
        address = known.ip if known.port == 443 else f"{known.ip}:{known.port}"
        return state.settings.connect(address, sn=known.sn, model=known.model)


def _host(cameras: list[Camera]) -> str:
    from sunmi_ipc.errors import ConnectionFailed
    from sunmi_ipc.events.stream import listening_host

    hosts = set()
    for camera in cameras:
        with contextlib.suppress(ConnectionFailed):  # the network is not up yet
            hosts.add(listening_host(camera.host))
    return hosts.pop() if len(hosts) == 1 else "0.0.0.0"  # noqa: S104 - events are signed


def _addresses(receiver: Receiver) -> list[str]:
    """The URLs that cameras may reach us under."""
    from sunmi_ipc.discovery.interfaces import interfaces
    from sunmi_ipc.events.subscription import PATH

    if receiver.host != "0.0.0.0":  # noqa: S104
        return [receiver.url + PATH]
    found = [i.ip for i in interfaces() if not i.is_loopback] or ["127.0.0.1"]
    return [f"http://{ip}:{receiver.port}{PATH}" for ip in found]


def _counters(stack: contextlib.ExitStack, cameras: list[Camera], deliveries: list[Delivery]) -> None:
    sink: Any = next((d.sink for d in deliveries if d.name == "mqtt"), None)
    if sink is not None and cameras:
        from sunmi_ipc.events.people import PeopleCounters

        stack.enter_context(PeopleCounters(cameras, sink.people))


def _pictures(
    stack: contextlib.ExitStack, state: State, spool: Any, folder: Path, cameras: list[Camera]
) -> Pictures:
    from sunmi_ipc.events.pictures import Pictures

    known: dict[str, Camera] = {camera.sn: camera for camera in cameras if camera.sn}

    def trust(sn: str) -> Trust:
        if sn not in known:  # its certificate is judged by the CA, or by the pin under its serial number
            known[sn] = state.settings.connect("camera.invalid", sn=sn)
        return known[sn].tls_of_links

    return stack.enter_context(
        Pictures(spool, folder, allowed=lambda sn: [known[sn].host] if sn in known else [], tls=trust)
    )


def _subscribe(
    stack: contextlib.ExitStack,
    state: State,
    cameras: list[Camera],
    events: list[str],
    receiver: Receiver,
    callback: str,
) -> list[str]:
    """Subscribe at all, at once; one that refuses does not keep the others. The callbacks."""
    from sunmi_ipc.errors import SunmiIpcError
    from sunmi_ipc.events.subscription import Subscription

    if not cameras:
        return []
    pool = stack.enter_context(ThreadPoolExecutor(min(16, len(cameras))))
    tries = [
        pool.submit(
            Subscription,
            camera,
            events,
            port=receiver.port,
            callback=callback,
            interfaces=state.settings.interfaces(),
            patient=True,
        )
        for camera in cameras
    ]
    made = [one.result() for one in tries if one.exception() is None]
    stack.callback(lambda: list(pool.map(Subscription.close, made)))
    for camera, one in zip(cameras, tries, strict=True):
        error = one.exception()
        if error is None:
            continue
        if not made or not isinstance(error, SunmiIpcError):
            raise error
        reason = error_document(error)["error"]["message"]
        note(state, "not subscribed: {camera}: {reason}", camera=camera.sn or camera.address, reason=reason)
    return sorted({s.callback for s in made if s.callback})


__all__ = ["listen"]
