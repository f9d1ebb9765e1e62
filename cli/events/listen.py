"""``ipc events listen``: receive, keep and forward events."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.i18n import tr
from sunmi_ipc.redact import Secret

from ..forward.options import (
    FromOption,
    SinkOptions,
    SpoolOption,
    Start,
    make_sinks,
    spool_folder,
    takes_sinks,
)
from ..forward.run import DurationOption, deliver, held, sum_up, until_signal, wait
from ..forward.salvaged import say_salvaged
from ..screen.choices import events as named
from ..screen.findings import detail_word
from ..screen.lengths import Length, length
from ..screen.output import note
from ..screen.times import ShopTz, zone
from ..state import State
from .shop import Shop

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.events.album import Allowance
    from sunmi_ipc.events.delivery import Delivery
    from sunmi_ipc.events.fetch import Trust
    from sunmi_ipc.events.pictures import Pictures
    from sunmi_ipc.events.receiver import Receiver
    from sunmi_ipc.survey.events import Learner

_PATIENCE_S = 5.0


@takes_sinks()
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
    callback: Annotated[
        str,
        typer.Option(
            help=tr("URL that reaches this computer; default: worked out from the route to the camera.")
        ),
    ] = "",
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help=tr("Save pictures and clips in this folder."))
    ] = None,
    *,
    sinks: SinkOptions,
    from_: FromOption = Start.NOW,
    tz: ShopTz = "",
    allow_unsigned: Annotated[
        bool,
        typer.Option(
            "--allow-unsigned", help=tr("Take events without a signature: anybody can then invent them.")
        ),
    ] = False,
    spool: SpoolOption = None,
    keep: Annotated[float, length("--keep", tr("How long events are kept."), least=60)] = Length("30d"),
    keep_mb: Annotated[
        int, typer.Option(min=1, help=tr("Megabytes above which the oldest events go once delivered."))
    ] = 1024,
    keep_faces: Annotated[
        float,
        length("--keep-faces", tr("How long events about faces are kept: personal data."), least=60),
    ] = Length("7d"),
    keep_pictures: Annotated[
        float, length("--keep-pictures", tr("How long saved pictures and clips are kept."), least=60)
    ] = Length("7d"),
    keep_pictures_mb: Annotated[
        int, typer.Option(min=4, help=tr("Megabytes for saved pictures; each camera has its share."))
    ] = 4096,
    count: Annotated[int, typer.Option(min=0, help=tr("Stop after so many new events; 0: never."))] = 0,
    duration: DurationOption = 0.0,
    learn: Annotated[
        bool,
        typer.Option(
            "--learn",
            help=tr("Show the first event of each type as it came, redacted, and how it was read."),
        ),
    ] = False,
    learn_into: Annotated[
        Path | None,
        typer.Option("--learn-into", metavar="DUMP", help=tr("Put that into a file of 'ipc dump', too.")),
    ] = None,
) -> None:
    """Receive events, keep them on the disk, show and forward them, until Ctrl-C.

    The webhook's secret is read from SUNMI_IPC_WEBHOOK_SECRET, the broker's password from
    SUNMI_IPC_MQTT_PASSWORD.
    """
    from sunmi_ipc.events import Receiver, Retention
    from sunmi_ipc.events.album import Allowance
    from sunmi_ipc.events.salvage import open_or_salvage

    state = State.of(ctx)
    wanted = named(subscribe or (), "--subscribe")
    megabyte = 1 << 20
    retention = Retention(
        max_age_s=keep,
        faces_age_s=keep_faces,
        max_bytes=keep_mb * megabyte,
        hard_bytes=max(8 << 10, 2 * keep_mb) * megabyte,
    )
    allowance = Allowance(budget=keep_pictures_mb * megabyte, age_s=keep_pictures)
    learner = _learner(state, learn_into) if learn or learn_into else None
    zone(tz)
    made = make_sinks(state, sinks)
    settings = state.settings
    secrets = {settings.app_id: settings.secret_key} if settings.app_id and settings.secret_key else None
    with contextlib.ExitStack() as stack:
        undelivered = stack.enter_context(held(made))
        shop = Shop(state, list(state.cameras)) if wanted else None
        if shop is not None:
            stack.callback(shop.close)
        kept = stack.enter_context(
            open_or_salvage(spool_folder(spool), retention=retention, told=partial(say_salvaged, state))
        )
        # Before anything can come: what a new sink begins with is the first event from now on.
        deliveries = deliver(stack, kept, made, from_)
        undelivered.pop_all()  # closed by their deliveries
        receiver = stack.enter_context(
            Receiver(
                kept,
                host=host or _host(shop.cameras if shop is not None else []),
                port=port,
                secrets=secrets,
                allow_unsigned=allow_unsigned,
                path="",  # whatever path a camera was once subscribed with
                cameras=shop.hosts if shop is not None else None,
                heard=learner.take if learner is not None else None,
            )
        )
        stop = stack.enter_context(until_signal())
        _reports(stack, shop, deliveries, tz)
        pictures = [] if save is None else [_pictures(stack, state, kept, save, shop, allowance)]
        with contextlib.ExitStack() as subscribed:
            callbacks = []
            if shop is not None:
                subscribed.callback(shop.unsubscribe)
                callbacks = shop.subscribe(wanted, port=receiver.port, callback=callback)
            note(
                state,
                "Listening at {where}; events are kept in {folder}. Ctrl-C ends it.",
                where=", ".join(callbacks or _addresses(receiver)),
                folder=str(kept.directory),
            )
            if state.camera and not wanted:
                note(state, "It only listens: --subscribe EVENT subscribes at {camera}.", camera=state.camera)
            wait(stop, receiver, deliveries, count, duration)
        # Nobody posts any more; what has come is brought to its end, for a moment.
        end = time.monotonic() + _PATIENCE_S
        under_way: list[Delivery | Pictures] = [*deliveries, *pictures]
        for work in under_way:
            work.drain(max(0.0, end - time.monotonic()))
        left = {d.name: backlog for d in deliveries if (backlog := d.backlog())}
    if learner is not None and learn_into is not None and learner.learnt:
        from sunmi_ipc.survey.events import add_to_dump

        add_to_dump(learn_into, learner.learnt)
        note(state, "{path} is written. Look through it before you send it to anybody.", path=str(learn_into))
    sum_up(state, receiver, deliveries, left)


def _learner(state: State, path: Path | None) -> Learner:
    from sunmi_ipc.survey.events import Learner
    from sunmi_ipc.survey.model import read

    if path is not None:
        read(path)  # said now, not after a day of listening
    settings = state.settings
    known = {settings.app_id: settings.secret_key} if settings.app_id and settings.secret_key else {}
    return Learner(
        {"".join(app): "".join(Secret(key).reveal()) for app, key in known.items()},
        partial(_say_learnt, state),
    )


def _say_learnt(state: State, learnt: Mapping[str, Any]) -> None:
    note(
        state,
        "First event of type {type} (answered {status}), as it came, redacted:",
        type=learnt["event_type"] or "-",
        status=learnt["status"],
    )
    note(state, "  Content-Type: {value}", value=learnt["content_type"] or "-")
    note(state, "  {body}", body=learnt["body"])
    note(state, "  read as: {form}; fields {place}; signature: {signature}", form=tr(learnt["form"]),
         place=tr(learnt["place"] or "-"), signature=tr(learnt["signature"] or "-"))  # fmt: skip
    if learnt["fields"]:
        note(state, "  {fields}", fields=detail_word(learnt["fields"]))


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


def _reports(stack: contextlib.ExitStack, shop: Shop | None, deliveries: list[Delivery], tz: str) -> None:
    sink: Any = next((d.sink for d in deliveries if d.name == "mqtt"), None)
    if sink is not None and shop is not None:
        from sunmi_ipc.events.reports import Reports

        stack.enter_context(Reports(lambda: list(shop.cameras), sink, zone=zone(tz)))


def _pictures(
    stack: contextlib.ExitStack,
    state: State,
    spool: Any,
    folder: Path,
    shop: Shop | None,
    allowance: Allowance,
) -> Pictures:
    from sunmi_ipc.events.pictures import Pictures

    strangers: dict[str, Camera] = {}

    def camera_of(sn: str) -> Camera | None:
        return shop.of(sn) if shop is not None else None

    def trust(sn: str) -> Trust:
        camera = camera_of(sn)
        if camera is None:  # its certificate is judged by the CA, or by the pin under its serial number
            if len(strangers) > 1000:
                strangers.clear()
            camera = strangers.setdefault(sn, state.settings.connect("camera.invalid", sn=sn))
        return camera.tls_of_links

    def allowed(sn: str) -> list[str]:
        camera = camera_of(sn)
        return [camera.host] if camera is not None else []

    return stack.enter_context(Pictures(spool, folder, allowed=allowed, tls=trust, allowance=allowance))


__all__ = ["listen"]
