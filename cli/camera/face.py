"""``ipc face`` (FM020)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.i18n import language, tr

from ..screen.output import confirm, print_error, print_json, say, show
from ..state import Exit, State, exit_code
from ..target import open_camera
from . import face_table as people

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("Faces and face groups (FM020)."),
)
group = typer.Typer(
    rich_markup_mode=None, add_completion=False, no_args_is_help=True, help=tr("Face groups.")
)
attribute = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help=tr("Attributes of a group's faces.")
)
app.add_typer(group, name="group")
app.add_typer(attribute, name="attribute")

Group = Annotated[str, typer.Option("--group", "-g", help=tr("The group's name."))]
GroupName = Annotated[
    str, typer.Argument(help=tr("The group's name, at most 96 bytes (32 Chinese characters)."))
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))]
Capacity = Annotated[int, typer.Option(min=1, max=30_000, help=tr("Faces that the group may hold."))]
Description = Annotated[str, typer.Option(help=tr("What the group is for, at most 150 bytes."))]
FaceId = Annotated[str, typer.Argument(help=tr("The face's id."))]
Age = Annotated[int | None, typer.Option(min=0, max=150, help=tr("Age in years."))]
Gender = Annotated[int | None, typer.Option(min=0, max=2, help=tr("0 unknown, 1 male, 2 female."))]


def _given(**values: Any) -> dict[str, Any]:
    from sunmi_ipc.protocol.values import Gender as Sex

    made = {k: v for k, v in values.items() if v is not None}
    return made | ({"gender": Sex(made["gender"])} if "gender" in made else {})


@group.command("list")
def group_list(ctx: typer.Context) -> None:
    """List the groups."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.faces.groups(), rows="face_group")


@group.command("create")
def group_create(
    ctx: typer.Context, name: GroupName, capacity: Capacity = 1000, description: Description = ""
) -> None:
    """Create a group; at most 10, whose capacities add up to at most 30,000."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.faces.create_group(name, capacity, description))


@group.command("update")
def group_update(
    ctx: typer.Context,
    name: GroupName,
    rename: Annotated[str, typer.Option(help=tr("The new name."))] = "",
    capacity: Annotated[
        int | None, typer.Option(min=1, max=30_000, help=tr("Faces that the group may hold."))
    ] = None,
    description: Annotated[
        str | None, typer.Option(help=tr("What the group is for, at most 150 bytes."))
    ] = None,
) -> None:
    """Change what is given, keep the rest."""
    from sunmi_ipc.errors import DeviceError, ParameterError

    state = State.of(ctx)
    with open_camera(state) as camera:
        now = next((g for g in camera.faces.groups().face_group if g.name == name), None)
        if now is None:
            raise DeviceError.of(204, endpoint="face/getGroupList", camera=camera.address)
        text = now.description if description is None else description
        room = capacity or now.capacity
        if room is None:
            raise ParameterError(
                "{name}: the camera does not tell it",
                name="--capacity",
                hint="Give it: the whole set is written.",
            )
        show(state, camera.faces.update_group(name, rename or name, room, text))


@group.command("delete")
def group_delete(ctx: typer.Context, name: GroupName) -> None:
    """Delete a group that holds no face."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.faces.delete_group(name))


@group.command("clear")
def group_clear(ctx: typer.Context, name: GroupName, yes: Yes = False) -> None:
    """Delete every face of a group."""
    state = State.of(ctx)
    confirm(tr("This deletes every face of the group {group}.", group=name), yes)
    with open_camera(state) as camera:
        show(state, camera.faces.clear_group(name))


@group.command("move-rule")
def group_move_rule(
    ctx: typer.Context,
    times: Annotated[int, typer.Option(min=1, help=tr("A stranger seen so many times becomes a regular."))],
    days: Annotated[int, typer.Option(min=1, help=tr("Within so many days."))],
) -> None:
    """Set when a stranger becomes a regular."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.faces.set_move_rule(days, times))


@attribute.command("list")
def attribute_list(ctx: typer.Context, group: Group) -> None:
    """List a group's attributes."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.faces.attributes(group))


@attribute.command("add")
def attribute_add(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help=tr("The attribute's name."))], group: Group
) -> None:
    """Define an attribute."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.faces.add_attribute(group, name))


@attribute.command("delete")
def attribute_delete(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help=tr("The attribute's name."))], group: Group
) -> None:
    """Delete an attribute."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.faces.delete_attribute(group, name))


@app.command()
def add(
    ctx: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(help=tr("JPEG or PNG files, at most 1 MB each, or folders of them."))
    ],
    group: Group,
    age: Age = None,
    gender: Gender = None,
) -> None:
    """Add faces by their pictures; goes on after a refusal, and reports each."""
    state = State.of(ctx)
    rows: list[dict[str, Any]] = []
    failed: list[SunmiIpcError] = []
    with open_camera(state) as camera:
        for result in camera.faces.add(group, *files, **_given(age=age, gender=gender)):
            rows.append({"file": str(result.path), "faceid": result.faceid, "error": ""})
            if result.error is not None:
                failed.append(result.error)
                rows[-1]["error"] = result.error.localized(language())[0]
                print_error(State(quiet=state.quiet), result.error, about=str(result.path))
            elif not state.json:
                say(state, "{path}: {value}", path=str(result.path), value=result.faceid)
    if state.json:
        print_json({"faces": rows})
    else:
        say(state, "{count} of {total} added", count=len(rows) - len(failed), total=len(rows))
    if failed:
        # A file that cannot be read is not the camera's refusal.
        raise typer.Exit(Exit.SOME_FAILED if len(failed) < len(rows) else exit_code(failed[0]))


@app.command("list")
def list_(
    ctx: typer.Context,
    group: Group,
    ids: Annotated[bool, typer.Option("--ids", help=tr("Only the ids."))] = False,
) -> None:
    """List a group's faces."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        if ids:
            show(
                state,
                {"faceid_list": [{"faceid": faceid} for faceid in camera.faces.ids(group)]},
                rows="faceid_list",
            )
            return
        found = list(camera.faces.list(group))
    if state.json:
        print_json({"face_list": [face.as_dict() for face in found]})
    else:
        people.faces(state, found)


@app.command("show")
def show_(ctx: typer.Context, faceid: FaceId) -> None:
    """Show a face."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.faces.show(faceid))


@app.command()
def update(
    ctx: typer.Context,
    faceid: FaceId,
    group: Annotated[str | None, typer.Option("--group", "-g", help=tr("Move it to this group."))] = None,
    age: Age = None,
    gender: Gender = None,
) -> None:
    """Change a face's group, age or gender."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        show(state, camera.faces.update(faceid, **_given(group_name=group, age=age, gender=gender)))


@app.command()
def delete(
    ctx: typer.Context,
    faceids: Annotated[list[str], typer.Argument(help=tr("Ids of the faces."))],
    group: Group,
    yes: Yes = False,
) -> None:
    """Delete faces."""
    state = State.of(ctx)
    confirm(tr("This deletes {count} faces from the group {group}.", count=len(faceids), group=group), yes)
    with open_camera(state) as camera:
        show(state, camera.faces.delete(group, faceids))


@app.command()
def oldest(
    ctx: typer.Context,
    group: Group,
    count: Annotated[int, typer.Option(min=1, help=tr("How many."))] = 10,
) -> None:
    """List the faces that have not come for longest."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        found = camera.faces.oldest(group, count)
    if state.json:
        show(state, found)
    else:
        people.faces(state, found.face_list)


@app.command()
def find(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(help=tr("A JPEG or PNG of the face."))]
) -> None:
    """Find a face by a picture."""
    from sunmi_ipc.api.faces import read_picture

    state = State.of(ctx)
    picture = read_picture(file)
    with open_camera(state) as camera:
        show(state, camera.faces.find(picture))


@app.command()
def settings(
    ctx: typer.Context,
    seconds: Annotated[
        int | None, typer.Option(min=0, help=tr("Choose the best frame within so many seconds."))
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=0, help=tr("Smallest face edge that is captured, pixels."))
    ] = None,
) -> None:
    """Show or change how faces are captured."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        if seconds is None and size is None:
            show(state, camera.faces.settings())
            return
        camera.faces.update_settings(optimize_seconds=seconds, snap_size_thr=size)
    say(state, "done")
    if state.json:
        print_json({})
