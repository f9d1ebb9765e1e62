"""``ipc cloud face``: face groups and faces in the cloud."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr

from ..screen import words
from ..screen.choices import choice
from ..screen.csvfile import Csv
from ..screen.lengths import Length, NoWait, length
from ..screen.options import Gender
from ..screen.output import confirm, print_json, say, show, waiting
from ..state import State
from .common import epilog, listing, open_cloud

if TYPE_CHECKING:
    from sunmi_ipc.cloud.client import Cloud

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help=tr("Faces and face groups in the cloud."))
group_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help=tr("Face groups."))
app.add_typer(group_app, name="group")

Group = Annotated[str, typer.Argument(metavar="GROUP", help=tr("The group's id or name."))]
InGroup = Annotated[str, typer.Option("-g", "--group", metavar="GROUP", help=tr("The group's id or name."))]
FaceIds = Annotated[list[str], typer.Argument(metavar="FACE_ID...", help=tr("The faces' ids."))]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))]
Capacity = Annotated[int | None, typer.Option(min=1, help=tr("Faces that it may hold."))]
Description = Annotated[str | None, typer.Option(help=tr("What it is for."))]
Keys = Annotated[
    list[str] | None, typer.Option("--field", metavar="NAME", help=tr("A field of your own; up to five."))
]
Name = Annotated[str | None, typer.Option(help=tr("The person's name."))]
Age = Annotated[
    str,
    typer.Option(
        "--age-range", metavar="YEARS", help=tr("1-6, 7-12, 13-18, 19-28, 29-35, 36-45, 46-55 or 56+.")
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option("--value", metavar="TEXT", help=tr("Content of a field of your own, in order.")),
]


#: The numbers are the cloud's own; 4 is on none of the vendor's pages.
_TYPES = {"stranger": 1, "regular": 2, "staff": 3, "custom": 5, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
_GENDERS = {"male": 1, "female": 2, "1": 1, "2": 2}


def _ages() -> dict[str, int]:
    """Age ranges by their years, and by the cloud's numbers."""
    from sunmi_ipc.protocol.values import AgeRange

    return {one.label: int(one) for one in AgeRange} | {str(int(one)): int(one) for one in AgeRange}


def _numbered(prefix: str, values: list[str] | None) -> dict[str, str]:
    if len(values or ()) > 5:
        raise ParameterError("{name}: at most five", name="--field" if prefix == "key" else f"--{prefix}")
    return {f"customer_{prefix}{n}": value for n, value in enumerate(values or (), 1)}


def _given(**values: Any) -> dict[str, Any]:
    return {k: v for k, v in values.items() if v is not None}


def _group_id(cloud: Cloud, name: str) -> str:
    """A group's id by its name; an id is taken as it is."""
    if name.isascii() and name.isdecimal() and len(name) > 8:
        return name
    found = [g for g in cloud.faces.groups().group_list if name in (g.group_id, g.group_name)]
    if len(found) != 1:
        raise ParameterError(
            "{name}: there is no face group of that name",
            name=name,
            hint="'ipc cloud face group list' shows the groups.",
        )
    return found[0].group_id


@group_app.command("list", epilog=epilog("faces.groups"))
def groups(ctx: typer.Context, csv: Csv = None) -> None:
    """List the face groups."""
    with open_cloud(ctx) as cloud:
        found = cloud.faces.groups()
    rows = [words.cells(group) for group in found.group_list]
    names = ["group_id", "group_name", "type", "count", "capacity", "description"]
    listing(ctx, found, rows, names, csv, "The shop has no face group.")


@group_app.command("show", epilog=epilog("faces.group"))
def show_group(ctx: typer.Context, group: Group) -> None:
    """Show one face group."""
    with open_cloud(ctx) as cloud:
        show(State.of(ctx), cloud.faces.group(_group_id(cloud, group)))


@group_app.command("create", epilog=epilog("faces.create_group"))
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=tr("The group's name."))],
    kind: Annotated[
        str,
        typer.Option(
            "--type", metavar="stranger|regular|staff|custom", help=tr("stranger, regular, staff or custom.")
        ),
    ] = "custom",
    capacity: Capacity = None,
    description: Description = None,
    field: Keys = None,
) -> None:
    """Make a face group."""
    from sunmi_ipc.cloud.values import GroupType

    details = _given(capacity=capacity, description=description) | _numbered("key", field)
    with open_cloud(ctx) as cloud:
        show(
            State.of(ctx),
            cloud.faces.create_group(name, GroupType(choice(kind, _TYPES, "--type")), **details),
            now={"group_name": name} | details,
        )


@group_app.command("update", epilog=epilog("faces.update_group"))
def update_group(
    ctx: typer.Context,
    group: Group,
    rename: Annotated[str | None, typer.Option(metavar="NAME", help=tr("The new name."))] = None,
    capacity: Capacity = None,
    description: Description = None,
    field: Keys = None,
) -> None:
    """Change a face group; what is not given stays."""
    details = _given(name=rename, capacity=capacity, description=description) | _numbered("key", field)
    if not details:
        raise ParameterError("{name}: nothing to change", name="update", hint="See --help.")
    with open_cloud(ctx) as cloud:
        made = cloud.faces.update_group(_group_id(cloud, group), **details)
        now = {"group_name": rename or group} | {k: v for k, v in details.items() if k != "name"}
        show(State.of(ctx), made, now=now)


@group_app.command("delete", epilog=epilog("faces.delete_group"))
def delete_group(ctx: typer.Context, group: Group, yes: Yes = False) -> None:
    """Delete an empty face group; asks first."""
    with open_cloud(ctx) as cloud:
        group_id = _group_id(cloud, group)
        confirm(tr("The face group {group} will be gone.", group=group), yes)
        made = cloud.faces.delete_group(group_id)
        show(State.of(ctx), made, done="The face group {group} is deleted.", about={"group": group})


@group_app.command("move-rule", epilog=epilog("faces.set_move_rule"))
def move_rule(
    ctx: typer.Context,
    group: Group,
    visits: Annotated[int, typer.Argument(min=1, help=tr("Visits after which a stranger moves there."))],
    within: Annotated[float, length("--within", tr("Within so long, in days."), least=86_400)] = Length("7d"),
) -> None:
    """Set after how many visits a stranger moves to a group."""
    with open_cloud(ctx) as cloud:
        made = cloud.faces.set_move_rule(_group_id(cloud, group), visits, int(within))
        now = {"group_name": group, "times": visits, "period": int(within) // 86_400}
        show(State.of(ctx), made, now=now)


@app.command("list", epilog=epilog("faces.list_page"))
def list_(ctx: typer.Context, group: InGroup, csv: Csv = None) -> None:
    """List the faces of a group."""
    with open_cloud(ctx) as cloud:
        group_id = _group_id(cloud, group)
        with waiting(State.of(ctx), "Faces …"):
            found = list(cloud.faces.list(group_id))
    names = ["face_id", "name", "gender", "age_range", "arrival_count", "create_time", "last_arrival_time"]
    document = {"total_num": len(found), "face_list": [face.as_dict() for face in found]}
    listing(ctx, document, [words.cells(face) for face in found], names, csv, "The group has no face.")


@app.command("show", epilog=epilog("faces.show"))
def show_face(ctx: typer.Context, face_id: Annotated[str, typer.Argument(help=tr("The face's id."))]) -> None:
    """Show one face."""
    with open_cloud(ctx) as cloud:
        show(State.of(ctx), cloud.faces.show(face_id))


@app.command(epilog=epilog("faces.add", "faces.show"))
def add(
    ctx: typer.Context,
    picture: Annotated[Path, typer.Argument(help=tr("A JPEG or PNG of one face, below 1 MB."))],
    group: InGroup,
    name: Name = None,
    gender: Gender = "",
    age_range: Age = "",
    value: Values = None,
    no_wait: NoWait = False,
) -> None:
    """Add a face by a picture; the cloud works on it afterwards."""
    from sunmi_ipc.cloud.values import FaceGender
    from sunmi_ipc.protocol.values import AgeRange

    state = State.of(ctx)
    details = _given(
        gender=FaceGender(choice(gender, _GENDERS, "--gender")) if gender else None,
        age_range=AgeRange(choice(age_range, _ages(), "--age-range")) if age_range else None,
    ) | _numbered("value", value)
    with open_cloud(ctx) as cloud:
        added = cloud.faces.add_file(_group_id(cloud, group), picture, name=name or "", **details)
        if no_wait:
            show(state, added)
            say(
                state,
                "The cloud works on the picture; 'ipc cloud face show {face}' tells when it is done.",
                face=added.face_id,
            )
            return
        with waiting(state, "The cloud works on the picture …"):
            show(state, cloud.faces.wait(added.face_id))


@app.command(epilog=epilog("faces.update"))
def update(
    ctx: typer.Context,
    face_id: Annotated[str, typer.Argument(help=tr("The face's id."))],
    group: InGroup,
    name: Name = None,
    gender: Gender = "",
    age_range: Age = "",
    value: Values = None,
) -> None:
    """Change what is known of a face; what is not given stays."""
    from sunmi_ipc.cloud.values import FaceGender
    from sunmi_ipc.protocol.values import AgeRange

    details = _given(
        name=name,
        gender=FaceGender(choice(gender, _GENDERS, "--gender")) if gender else None,
        age_range=AgeRange(choice(age_range, _ages(), "--age-range")) if age_range else None,
    ) | _numbered("value", value)
    if not details:
        raise ParameterError("{name}: nothing to change", name="update", hint="See --help.")
    with open_cloud(ctx) as cloud:
        show(State.of(ctx), cloud.faces.update(_group_id(cloud, group), face_id, **details), now=details)


@app.command(epilog=epilog("faces.delete"))
def delete(ctx: typer.Context, face_ids: FaceIds, group: InGroup, yes: Yes = False) -> None:
    """Delete faces from a group; asks first."""
    with open_cloud(ctx) as cloud:
        group_id = _group_id(cloud, group)
        confirm(tr("{count} faces will be gone.", count=len(face_ids)), yes)
        made = cloud.faces.delete(group_id, face_ids)
        show(State.of(ctx), made, done="{count} faces deleted", about={"count": len(face_ids)})


@app.command(epilog=epilog("faces.move"))
def move(
    ctx: typer.Context,
    face_ids: FaceIds,
    group: InGroup,
    to_group: Annotated[str, typer.Option("--to-group", metavar="GROUP", help=tr("Move to this group."))],
) -> None:
    """Move faces from one group to another."""
    state = State.of(ctx)
    with open_cloud(ctx) as cloud:
        cloud.faces.move(_group_id(cloud, group), _group_id(cloud, to_group), face_ids)
    if state.json:
        print_json({"moved": face_ids})
    say(state, "{count} faces moved", count=len(face_ids))
