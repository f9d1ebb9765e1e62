"""What the cloud's commands share: whose cloud, which camera, tables and CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol.spec import registry

from ..screen.csvfile import Csv as Csv
from ..screen.csvfile import write_csv as write_csv
from ..screen.output import brackets, labelled, note, print_json, progress_wanted, say, table
from ..state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sunmi_ipc.cloud.client import Cloud
    from sunmi_ipc.models.base import Reply

_OWN = frozenset({"--shop", "--shop-id", "--url"})
_SN = re.compile(r"[A-Z]{1,3}[0-9]{3}[0-9A-Z]{4,}")


def take_options(args: list[str]) -> list[str]:
    """The group's own options moved to the front."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for arg in waiting:
        if arg == "--":
            rest += [arg, *waiting]
        elif arg.partition("=")[0] in _OWN:
            front.append(arg)
            if "=" not in arg and (value := next(waiting, None)) is not None:
                front.append(value)
        else:
            rest.append(arg)
    return front + rest


def epilog(*keys: str) -> str:
    """One line for a command's help: the paths, with a mark on those in development."""
    by_key = {endpoint.key: endpoint for endpoint in registry("cloud").values()}
    parts = []
    for key in keys:
        endpoint = by_key[key]
        mark = brackets(tr("in development")) if getattr(endpoint, "in_development", False) else ""
        parts.append(endpoint.path + mark)
    return labelled(tr("Endpoints used:"), tr(", ").join(parts))


def open_cloud(ctx: typer.Context) -> Cloud:
    """The cloud that options, environment and profile name."""
    from sunmi_ipc.cloud.client import Cloud

    state = State.of(ctx)
    settings = state.settings
    given: dict[str, str] = ctx.find_root().meta.get("sunmi_ipc.cloud", {})
    return Cloud(
        app_id=settings.app_id,
        secret_key=settings.secret_key,
        shop_no=given.get("shop_no") or ("" if given.get("shop_id") else settings.shop_no),
        shop_id=given.get("shop_id", ""),
        url=given.get("url") or settings.cloud_url or "production",
        ca=settings.cloud_ca or None,
        timeout=max(settings.timeout, 10.0),
    )


@contextmanager
def parts(ctx: typer.Context, cloud: Cloud, template: str) -> Iterator[None]:
    """A bar on a terminal while a long period of a shop is fetched in parts."""
    cloud.require_shop()  # before anything is drawn
    if not progress_wanted(State.of(ctx)):
        yield
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

    from ..screen.progress import progress

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with progress(*columns) as bar:
        task = bar.add_task(tr(template), total=None)
        cloud.on_part = lambda done, every: bar.update(task, completed=done, total=every)
        try:
            yield
        finally:
            cloud.on_part = None


def camera(ctx: typer.Context, cloud: Cloud, name: str) -> dict[str, str]:
    """``ipc_id`` or ``ipc_sn`` of the camera that is meant: digits are an id, else a serial number or name.

    Without *name*: ``-c``, else the shop's only camera.

    Raises:
        ParameterError: No camera of the shop has that name, several could be meant, or there is none.

    """
    from ..target import is_address

    # A camera on the LAN may be set for other commands; its address says nothing to the cloud.
    if not name and not is_address(State.of(ctx).camera):
        name = State.of(ctx).camera
    if name.isascii() and name.isdecimal():
        return {"ipc_id": name}
    if _SN.fullmatch(name):
        return {"ipc_sn": name}
    every = cloud.devices.list().ipc_list
    found = [c for c in every if name in (c.ipc_sn, c.ipc_name)] if name else list(every)
    if len(found) == 1:
        if not name:
            note(State.of(ctx), "camera: {sn} ({name})", sn=found[0].ipc_sn, name=found[0].ipc_name)
        return {"ipc_sn": found[0].ipc_sn}
    listed = tr(", ").join(f"{c.ipc_sn}{brackets(c.ipc_name)}" for c in every) or "-"
    raise ParameterError(
        "{name}: no camera of the shop is called so, or several are: {cameras}"
        if name
        else "{name}: the shop has not exactly one camera: {cameras}",
        name=name or "--camera",
        cameras=listed,
        hint="Name one by its serial number: -c {sn}."
        if every
        else "Bind one to the shop first: 'ipc cloud bind'.",
        sn=every[0].ipc_sn if every else "",
    )


def listing(
    ctx: typer.Context,
    document: Reply | Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    path: Path | None,
    nothing: str,
) -> None:
    """A list as a table, CSV or JSON (*document*); *nothing*: what is said of an empty one, a template."""
    state = State.of(ctx)
    if path is not None:
        write_csv(path, rows, names)
    if state.json:
        print_json(dict(document) if isinstance(document, Mapping) else document.as_dict())
    elif path is None or str(path) != "-":
        if rows:
            table(rows, names, least=[name for name in reversed(names[2:]) if name != "url"])
        else:
            say(state, nothing)
