"""``ipc face`` (FM020)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import DeviceError, ParameterError, SunmiIpcError
from sunmi_ipc.i18n import language, tr

from ..naming import default_name
from ..screen.choices import choice
from ..screen.lengths import length, whole_days, whole_seconds
from ..screen.lines import amount
from ..screen.options import Gender
from ..screen.output import note, print_error, print_json, say, show, waiting
from ..screen.values import remember_groups
from ..state import Exit, State, exit_code
from ..target import destroying, open_camera
from . import face_table as people

if TYPE_CHECKING:
    from sunmi_ipc.api.faces import PictureResult
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.face_names import FaceNames

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
Attributes = Annotated[
    list[str] | None,
    typer.Option("--attribute", metavar="KEY=VALUE", help=tr("An attribute of the group; may be repeated.")),
]
NamesFile = Annotated[
    Path | None,
    typer.Option(
        "--names", metavar="FILE", help=tr("Where the faces' names are kept; default: in the config folder.")
    ),
]
#: What --create makes: as 'ipc face group create' does.
_NEW_CAPACITY = 1000
_GENDERS = {"unknown": 0, "male": 1, "female": 2, "0": 0, "1": 1, "2": 2}


def _given(**values: Any) -> dict[str, Any]:
    from sunmi_ipc.protocol.values import Gender as Sex

    made = {k: v for k, v in values.items() if v not in (None, "")}
    if "gender" in made:
        made["gender"] = Sex(choice(made["gender"], _GENDERS, "--gender"))
    return made


@group.command("list")
def group_list(ctx: typer.Context) -> None:
    """List the groups."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        groups = camera.faces.groups()
        remember_groups([str(group.name) for group in groups.face_group if group.name])
        show(state, groups, rows="face_group", nothing="The camera has no face group.")


def _group(name: str, capacity: int, description: str) -> dict[str, Any]:
    """A group as it is from now on."""
    return {"group_name": name, "capacity": capacity} | ({"description": description} if description else {})


@group.command("create")
def group_create(
    ctx: typer.Context, name: GroupName, capacity: Capacity = 1000, description: Description = ""
) -> None:
    """Create a group; at most 10, whose capacities add up to at most 30,000."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        made = camera.faces.create_group(name, capacity, description)
        show(state, made, now=_group(name, capacity, description))


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
        made = camera.faces.update_group(name, rename or name, room, text)
        show(state, made, now=_group(rename or name, room, text or ""))


@group.command("delete")
def group_delete(ctx: typer.Context, name: GroupName) -> None:
    """Delete a group that holds no face."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        made = camera.faces.delete_group(name)
        show(state, made, done="The face group {group} is deleted.", about={"group": name})


@group.command("clear")
def group_clear(ctx: typer.Context, name: GroupName, yes: Yes = False) -> None:
    """Delete every face of a group."""
    state = State.of(ctx)

    def question(camera: str) -> str:
        return tr("This deletes every face of the group {group} on {camera}.", group=name, camera=camera)

    with destroying(state, question, yes) as camera:
        camera.faces.clear_group(name)
        book = people.names(camera, None)
        if book:
            book.forget_group(name)
            book.save()
        show(state, None, done="The face group {group} is empty now.", about={"group": name})


@group.command("move-rule")
def group_move_rule(
    ctx: typer.Context,
    times: Annotated[int, typer.Option(min=1, help=tr("A stranger seen so many times becomes a regular."))],
    within: Annotated[float, length("--within", tr("Within so long, in days."), least=86_400)],
) -> None:
    """Set when a stranger becomes a regular."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        period = whole_days(within, "--within")
        made = camera.faces.set_move_rule(period, times)
        show(state, made, now={"period": period, "times": times})


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
        show(state, camera.faces.add_attribute(group, name), now={"name_list": [name]})


@attribute.command("delete")
def attribute_delete(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help=tr("The attribute's name."))], group: Group
) -> None:
    """Delete an attribute."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        made = camera.faces.delete_attribute(group, name)
        about = {"group": group, "name": name}
        show(state, made, done="Faces of the group {group} have no attribute {name} any more.", about=about)


@app.command()
def add(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help=tr("Photos of one face each, or folders of them.")),
    ],
    group: Group,
    age: Age = None,
    gender: Gender = "",
    attributes: Attributes = None,
    create: Annotated[
        bool, typer.Option("--create", help=tr("Create the group where it does not exist yet."))
    ] = False,
    names: NamesFile = None,
) -> None:
    """Add faces by their photos; large ones are made smaller, repeats are left out, each is reported.

    A photo's file name is kept as the person's name, on this computer alone.
    """
    state = State.of(ctx)
    details = _given(age=age, gender=gender, attributes=_attributes(attributes))
    rows: list[dict[str, Any]] = []
    failed: list[SunmiIpcError] = []
    with open_camera(state) as camera:
        _require_group(state, camera, group, create)
        book = people.names(camera, names)
        known = _still_there(camera, group, book.added(group))
        try:
            with waiting(state, "Adding faces …") as progress:
                for result in camera.faces.add(group, *files, known=known, **details):
                    rows.append(_added_row(state, result, group, book))
                    if result.error is not None:
                        failed.append(result.error)
                    progress(tr("Adding faces: {count} done", count=len(rows)))
        finally:
            if book:
                book.save()
    repeated = sum(row["repeated"] for row in rows)
    if state.json:
        print_json({"faces": rows})
    else:
        done = len(rows) - len(failed) - repeated
        say(state, "{count} of {total} added", count=done, total=len(rows))
        if repeated:
            say(state, "{count} were there already", count=repeated)
    if failed:
        # A file that cannot be read is not the camera's refusal.
        raise typer.Exit(Exit.SOME_FAILED if len(failed) < len(rows) else exit_code(failed[0]))


def _still_there(camera: Camera, group: str, added: dict[str, str]) -> dict[str, str]:
    """Those of the photos added from here whose faces the camera still has; none where it does not say."""
    if not added:
        return {}
    try:
        there = set(camera.faces.ids(group))
    except DeviceError:  # the list of ids is inferred; a photo too many is refused by the camera
        return {}
    return {sha: faceid for sha, faceid in added.items() if faceid in there}


def _added_row(state: State, result: PictureResult, group: str, book: FaceNames) -> dict[str, Any]:
    """Report one photo, and keep its name."""
    path, name = str(result.path), result.path.stem
    row = {"file": path, "faceid": result.faceid, "name": name, "repeated": result.repeated, "error": ""}
    if result.error is not None:
        row["error"] = result.error.localized(language())[0]
        print_error(State(quiet=state.quiet), result.error, about=path)
        return row
    if not result.repeated:
        book.keep(result.faceid, name, group=group, sha256=result.sha256)
    if not state.json:
        template = "{path}: there already, {value}" if result.repeated else "{path}: {value}"
        say(state, template, path=path, value=result.faceid)
    return row


def _require_group(state: State, camera: Camera, name: str, create: bool) -> None:
    """See that the group is there, before a photo is read.

    Raises:
        DeviceError: It is not, and nobody asked to create it.

    """
    if any(group.name == name for group in camera.faces.groups().face_group):
        return
    if not create:
        raise DeviceError.of(
            204,
            endpoint="face/getGroupList",
            camera=camera.address,
            hint="'ipc face group list' shows the groups; --create makes a new one.",
        )
    camera.faces.create_group(name, _NEW_CAPACITY, name)
    note(state, "The group {group} was created, for {count} faces.", group=name, count=_NEW_CAPACITY)


def _attributes(given: list[str] | None) -> dict[str, str] | None:
    """``KEY=VALUE`` pairs as a mapping; raises ParameterError."""
    made: dict[str, str] = {}
    for pair in given or ():
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ParameterError(
                "{name}: not KEY=VALUE", name="--attribute", hint="For example --attribute card=gold."
            )
        made[key.strip()] = value
    return made or None


@app.command("list")
def list_(
    ctx: typer.Context,
    group: Group,
    ids: Annotated[bool, typer.Option("--ids", help=tr("Only the ids."))] = False,
    names: NamesFile = None,
) -> None:
    """List a group's faces."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        if ids:
            show(
                state,
                {"faceid_list": [{"faceid": faceid} for faceid in camera.faces.ids(group)]},
                rows="faceid_list",
                nothing="There are no faces.",
            )
            return
        found = list(camera.faces.list(group))
        book = people.names(camera, names)
    if state.json:
        print_json({"face_list": [people.document(face, book) for face in found]})
    else:
        people.faces(state, found, book=book)


@app.command("show")
def show_(ctx: typer.Context, faceid: FaceId, names: NamesFile = None) -> None:
    """Show a face."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        face = camera.faces.show(faceid)
        name = people.names(camera, names).name(faceid)
        if state.json:
            print_json(face.as_dict() | ({"name": name} if name else {}))
            return
        if name:
            show(state, {"name": name})
        show(state, face)


@app.command()
def picture(
    ctx: typer.Context,
    faceid: FaceId,
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="FILE|-", help=tr("Where to save to, .jpg or .png; '-' for stdout.")
        ),
    ] = "",
) -> None:
    """Save the picture that the camera keeps of a face. Faces are personal data."""
    state = State.of(ctx)
    with open_camera(state) as camera, waiting(state, "Fetching the picture …"):
        taken = camera.faces.picture(faceid)
        path = Path(output) if output else default_name(camera, ".jpg" if taken.kind == "jpeg" else ".png")
    if output == "-":
        sys.stdout.buffer.write(taken.data)
        sys.stdout.buffer.flush()
        return
    taken.save(path)
    size = path.stat().st_size
    if state.json:
        print_json(
            {"faceid": faceid, "pic_url": taken.url, "kind": taken.kind, "file": str(path), "bytes": size}
        )
    else:
        say(state, "{path}: {size}", path=str(path), size=amount(size))


@app.command()
def update(
    ctx: typer.Context,
    faceid: FaceId,
    to_group: Annotated[
        str | None, typer.Option("--to-group", metavar="GROUP", help=tr("Move to this group."))
    ] = None,
    age: Age = None,
    gender: Gender = "",
    attributes: Attributes = None,
    name: Annotated[str, typer.Option("--name", help=tr("The person's name, kept on this computer."))] = "",
    names: NamesFile = None,
) -> None:
    """Change a face's group, age, gender, attributes or name."""
    state = State.of(ctx)
    details = _given(group_name=to_group, age=age, gender=gender, attributes=_attributes(attributes))
    with open_camera(state) as camera:
        book = people.names(camera, names)
        if details or not name:
            camera.faces.update(faceid, **details)
        if name:
            book.keep(faceid, name, group=to_group or "")
        elif to_group:
            book.move(faceid, to_group)
        if book:
            book.save()
        now = _given(name=name) | details
        if attributes:
            now["attributes"] = [f"{key}={value}" for key, value in details["attributes"].items()]
        show(state, None, now=now)


@app.command()
def delete(
    ctx: typer.Context,
    faceids: Annotated[list[str], typer.Argument(metavar="FACEID...", help=tr("Ids of the faces."))],
    group: Group,
    yes: Yes = False,
    names: NamesFile = None,
) -> None:
    """Delete faces."""
    state = State.of(ctx)

    def question(camera: str) -> str:
        return tr(
            "This deletes {count} faces from the group {group} on {camera}.",
            count=len(faceids),
            group=group,
            camera=camera,
        )

    with destroying(state, question, yes) as camera:
        done = camera.faces.delete(group, faceids)
        book = people.names(camera, names)
        if book:
            book.forget([*done.success_list, *done.not_exist_list])
            book.save()
        show(state, done)


@app.command()
def oldest(
    ctx: typer.Context,
    group: Group,
    count: Annotated[int, typer.Option(min=1, help=tr("How many."))] = 10,
    names: NamesFile = None,
) -> None:
    """List the faces that have not come for longest."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        found = camera.faces.oldest(group, count)
        book = people.names(camera, names)
    if state.json:
        print_json(found.as_dict() | {"face_list": [people.document(face, book) for face in found.face_list]})
    else:
        people.faces(state, found.face_list, book=book)


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
    within: Annotated[float | None, length("--within", tr("Choose the best frame within so long."))] = None,
    size: Annotated[
        int | None, typer.Option(min=0, help=tr("Smallest face edge that is captured, pixels."))
    ] = None,
) -> None:
    """Show or change how faces are captured."""
    state = State.of(ctx)
    with open_camera(state) as camera:
        if within is None and size is None:
            show(state, camera.faces.settings())
            return
        seconds = None if within is None else whole_seconds(within, "--within")
        show(state, None, now=camera.faces.update_settings(optimize_seconds=seconds, snap_size_thr=size))
