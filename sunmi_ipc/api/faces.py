"""``camera.faces``: groups, attributes, faces, the move rule, algorithm settings (FS)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, TypedDict, Unpack

from annotated_types import Ge, MinLen

from .. import photos
from ..errors import SunmiIpcError
from ..link.caller import direct
from ..protocol.fields import (
    Age,
    AttributeName,
    Capacity,
    Description,
    FaceId,
    GroupName,
    Help,
    PageNumber,
    PageSize,
    Picture,
    Refused,
    Sex,
)
from ..protocol.spec import DOC, FS, INFERRED, C, Group, endpoint
from ..protocol.steps import Give, Series, Steps, series, steps, work
from ..protocol.values import Gender
from .paging import paged

if TYPE_CHECKING:
    from ..models import (
        AddedFace,
        AiFaceConfig,
        DeleteFaceDetails,
        FaceAttributeCollection,
        FaceIds,
        FaceRecord,
        GroupCollection,
        VisitorCollection,
    )
    from ..video.snapshot import Snapshot

_GROUP_CODES = frozenset({200, 201, 202, 211, 212, 220})
_EXISTING = Annotated[GroupName, Refused(204)]
_FACES = Annotated[list[str], MinLen(1), Refused(275), Help("ids of the faces")]
_ATTRIBUTES = Annotated[dict[str, str], Refused(284), Help("attributes by name")]


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What became of one photo: its face id, or the error; ``repeated``: it was there already, nothing was sent."""

    path: Path
    faceid: str = ""
    error: SunmiIpcError | None = None
    sha256: str = ""
    repeated: bool = False


class Details(TypedDict, total=False):
    """What may be said of a face that is added."""

    faceid: str | None
    age: int | None
    gender: Gender | None
    attributes: dict[str, str] | None


class Faces(Group[C], name="faces", title="face recognition"):
    """Face groups, attributes and faces."""

    @endpoint(
        "face/createGroup",
        evidence=DOC,
        models=FS,
        documented={0, 1, 2, 3, 5, 7, *_GROUP_CODES},
        fill={"description": "name"},
    )
    def create_group(self, name: GroupName, capacity: Capacity, description: Description = "") -> None:
        """Create a face group; at most 10 groups, whose capacities add up to at most 30,000.

        The camera wants a description (D): where none is given, it is the name.
        """

    @endpoint("face/updateGroup", evidence=DOC, params=INFERRED, models=FS, codes=_GROUP_CODES | {204},
              fill={"description": "name"})  # fmt: skip
    def update_group(
        self, old_name: _EXISTING, name: GroupName, capacity: Capacity, description: Description = ""
    ) -> None:
        """Change a group's name, capacity and description; new values may equal the old."""

    @endpoint("face/deleteGroup", evidence=INFERRED, models=FS, codes={204, 205, 211, 220})
    def delete_group(self, name: _EXISTING) -> None:
        """Delete a group that holds no face."""

    @endpoint("face/clearGroup", evidence=INFERRED, models=FS, codes={204, 211, 220},
              destroys="every face of the group")  # fmt: skip
    def clear_group(self, name: _EXISTING) -> None:
        """Delete every face of a group."""

    @endpoint("face/getGroupList", evidence=INFERRED, models=FS, codes={211, 220})
    def groups(self) -> GroupCollection:
        """List the groups."""

    @endpoint("face/setMoveCondition", evidence=INFERRED, models=FS, codes={211, 220})
    def set_move_rule(
        self,
        period: Annotated[int, Ge(1), Help("within so many", "days")],
        times: Annotated[int, Ge(1), Help("a stranger seen so many times becomes a regular")],
    ) -> None:
        """Set when a stranger moves to ``regular``."""

    @endpoint("face/addAttribute", evidence=INFERRED, models=FS, codes={204, 240, 241, 242})
    def add_attribute(self, group_name: _EXISTING, name: AttributeName) -> None:
        """Define an attribute for the faces of a group."""

    @endpoint("face/deleteAttribute", evidence=INFERRED, models=FS, codes={204, 240, 243})
    def delete_attribute(self, group_name: _EXISTING, name: AttributeName) -> None:
        """Delete an attribute of a group."""

    @endpoint("face/getAttributeList", evidence=INFERRED, models=FS, codes={204})
    def attributes(self, group_name: _EXISTING) -> FaceAttributeCollection:
        """List a group's attributes."""

    @endpoint("face/addFace", evidence=INFERRED, models=FS,
              codes={204, 206, 208, 210, 211, 220, 283, 284, 285})  # fmt: skip
    def add_face(
        self,
        group_name: _EXISTING,
        pic: Picture,
        faceid: FaceId | None = None,
        age: Age | None = None,
        gender: Sex | None = None,
        attributes: _ATTRIBUTES | None = None,
    ) -> AddedFace:
        """Add a face by its picture; it travels as a multipart file, or as an override says."""

    @endpoint("face/deleteFaces", evidence=INFERRED, models=FS, codes={204, 207, 209},
              destroys="the faces named")  # fmt: skip
    def delete(self, group_name: _EXISTING, faceid_list: _FACES) -> DeleteFaceDetails:
        """Delete faces from a group."""

    @endpoint("face/updateFace", evidence=INFERRED, models=FS, codes={204, 207, 208, 209, 284, 285})
    def update(
        self,
        faceid: FaceId,
        group_name: _EXISTING | None = None,
        age: Age | None = None,
        gender: Sex | None = None,
        attributes: _ATTRIBUTES | None = None,
    ) -> None:
        """Change a face's group, age, gender or attributes."""

    @endpoint("face/getFace", evidence=INFERRED, models=FS, codes={207, 280})
    def show(self, faceid: FaceId) -> FaceRecord:
        """Read one face."""

    @steps
    def picture(self, faceid: str) -> Steps[Snapshot]:
        """Fetch the picture that the camera keeps of a face, from where ``pic_url`` says. It is personal data.

        Args:
            faceid: The face's id.

        Raises:
            DeviceError: 207: the camera does not know the face.
            FileMissingError: The camera has no picture of it.
            ReplyError: It is no picture, or not the camera's.

        """
        from ..video.fetch import read
        from ..video.snapshot import MAX_BYTES, of_face

        face = yield from Faces.show.ask(faceid)
        link = direct(self._caller)

        def fetch(url: str) -> bytes:
            return read(link, url, limit=MAX_BYTES)[0]

        return (yield from work(of_face, link.address, face.pic_url, fetch))

    @endpoint("face/getFaceList", evidence=INFERRED, models=FS, codes={204, 273, 274, 284, 285})
    def list_page(
        self, group_name: _EXISTING, page_num: PageNumber = 1, page_size: PageSize = 50
    ) -> VisitorCollection:
        """Read one page of a group's faces; ``list`` reads them all."""

    @endpoint("face/getFaceIdList", evidence=INFERRED, models=FS, codes={204, 273, 274})
    def ids_page(self, group_name: _EXISTING, page_num: PageNumber = 1, page_size: PageSize = 50) -> FaceIds:
        """Read one page of the ids of a group's faces."""

    @endpoint("face/getOldestFaces", evidence=INFERRED, models=FS, codes={204})
    def oldest(
        self, group_name: _EXISTING, num: Annotated[int, Ge(1), Help("how many")] = 10
    ) -> VisitorCollection:
        """List the faces that have not come for longest."""

    @endpoint("face/findFace", evidence=INFERRED, models=FS, codes={207, 210, 283})
    def find(self, pic: Picture) -> FaceRecord:
        """Find a face by a picture: a double guess.

        The call stands in the newest list of the SDK alone ("get face picture through picture"); neither its
        path nor what it answers (a face, an id, a picture) is known.
        """

    @endpoint("config/getAiFaceConf", evidence=INFERRED, models=FS, document="ai_face")
    def settings(self) -> AiFaceConfig:
        """Read the settings of face capture."""

    @endpoint("config/setAiFaceConf", evidence=INFERRED, models=FS, document="ai_face", keeps=True)
    def set_settings(
        self,
        optimize_seconds: Annotated[int, Ge(0), Help("the best frame is chosen within", "seconds")]
        | None = None,
        snap_size_thr: Annotated[
            int, Ge(0), Help("a face is captured whose edge is longer; likely", "pixels")
        ]
        | None = None,
    ) -> None:
        """Set how faces are captured. ``update_settings`` sends the whole set."""

    @steps
    def update_settings(
        self, *, optimize_seconds: int | None = None, snap_size_thr: int | None = None
    ) -> Steps[AiFaceConfig]:
        """Read, change what is given, and send back everything that came. Returns: what was set."""
        changed, values = (yield from Faces.settings.ask()).changed(
            optimize_seconds=optimize_seconds, snap_size_thr=snap_size_thr
        )
        yield from Faces.set_settings.ask_with(values)
        return changed

    @series
    def list(self, group_name: str) -> Series[FaceRecord]:
        """Every face of a group, fetched page by page as they are used."""
        return paged(
            lambda number, size: Faces.list_page.ask(group_name, number, size),
            "face_list",
            key=lambda face: face.faceid,
        )

    @series
    def ids(self, group_name: str) -> Series[str]:
        """The id of every face of a group, fetched page by page as they are used."""
        return paged(lambda number, size: Faces.ids_page.ask(group_name, number, size), "faceid_list")

    @series
    def add(
        self,
        group_name: str,
        *paths: str | Path,
        known: Mapping[str, str] = MappingProxyType({}),
        **details: Unpack[Details],
    ) -> Series[PictureResult]:
        """Add photos, or folders of them; yields what became of each, and goes on after a refusal.

        What a camera would not take is made smaller or converted (extra ``video``); a photo whose content was
        there already is not sent again.

        Args:
            group_name: The group.
            paths: Files, or folders with all photos below them.
            known: Ids of faces that are there by their photo's SHA-256, as ``PictureResult.sha256`` told it.
            details: ``age``, ``gender``, ``attributes``, for all.

        Raises:
            ParameterError: There is no picture in a folder.

        """
        there = dict(known)
        for path in (yield from work(lambda: [*photos.walk(paths)])):
            try:
                data = yield from work(photos.read, path)
                sha256 = photos.digest(data)
                if sha256 in there:
                    yield Give(PictureResult(path, faceid=there[sha256], sha256=sha256, repeated=True))
                    continue
                fitted = yield from work(photos.fitted, data, str(path))
                added = yield from Faces.add_face.ask(group_name, fitted, **details)
            except SunmiIpcError as error:
                yield Give(PictureResult(path, error=error))
            else:
                there[sha256] = added.faceid
                yield Give(PictureResult(path, faceid=added.faceid, sha256=sha256))


def read_picture(path: Path) -> bytes:
    """A picture as a camera takes it, made smaller or converted where need be.

    Raises:
        ParameterError: It cannot be read, is no picture, or Pillow is needed and not installed.

    """
    return photos.fitted(photos.read(path), str(path))
