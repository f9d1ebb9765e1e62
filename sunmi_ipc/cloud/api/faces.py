"""``cloud.faces``: face groups and faces; the cloud hands them on to the shop's cameras."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from ...api.paging import pages
from ...errors import CloudNotFoundError, ConnectionFailed, ParameterError
from ...protocol.spec import Group
from ..fields import (
    Ages,
    Capacity,
    Description,
    FaceId,
    FaceIds,
    FaceName,
    Gender,
    GroupId,
    GroupKind,
    GroupName,
    Key,
    PageNumber,
    PageSize,
    Picture,
    RulePeriod,
    Threshold,
    Value,
)
from ..periods import none_beyond, once
from ..spec import COMMON, endpoint
from ..values import GroupType

if TYPE_CHECKING:
    from ..models import AddedFace, CloudFace, FaceGroup, FaceGroupList, FacePage

_NO_GROUP = {5506: ("that face group does not exist", "'ipc cloud face group list' shows the groups.")}
_NO_FACE = {5506: ("that face does not exist", "'ipc cloud face list' shows a group's faces.")}
_NOT_EMPTY = ("the face group still holds faces", "Delete or move its faces first.")
_KINDS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class FaceDetails(TypedDict, total=False):
    """What is said of a face beside its name; as for :meth:`Faces.add`."""

    gender: Gender | None
    age_range: Ages | None
    customer_value1: Value | None
    customer_value2: Value | None
    customer_value3: Value | None
    customer_value4: Value | None
    customer_value5: Value | None


class Faces(Group, name="faces", api="cloud"):
    """Face groups and faces."""

    @endpoint("face/group/getList")
    def groups(self) -> FaceGroupList:
        """List the face groups."""

    @endpoint("face/group/getInfo")
    def group(self, group_id: GroupId) -> FaceGroup:
        """Read one face group."""

    @endpoint("face/group/create", codes=COMMON | {5518, 5520, 5523})
    def create_group(
        self,
        name: GroupName,
        type: GroupKind = GroupType.CUSTOM,
        capacity: Capacity = 1000,
        description: Description | None = None,
        customer_key1: Key | None = None,
        customer_key2: Key | None = None,
        customer_key3: Key | None = None,
        customer_key4: Key | None = None,
        customer_key5: Key | None = None,
    ) -> None:
        """Make a face group; the keys name fields of your own that its faces have."""

    @endpoint("face/group/update", codes=COMMON | {5506, 5520, 5525}, meanings=_NO_GROUP)
    def update_group(
        self,
        group_id: GroupId,
        name: GroupName | None = None,
        capacity: Capacity | None = None,
        description: Description | None = None,
        customer_key1: Key | None = None,
        customer_key2: Key | None = None,
        customer_key3: Key | None = None,
        customer_key4: Key | None = None,
        customer_key5: Key | None = None,
    ) -> None:
        """Change a face group; what is left out stays (inferred)."""

    @endpoint(
        "face/group/delete",
        codes=COMMON | {5506, 5509, 5524},
        meanings=_NO_GROUP | {5509: _NOT_EMPTY},
        destroys="the face group",
    )
    def delete_group(self, group_id: GroupId) -> None:
        """Delete an empty face group."""

    @endpoint("face/group/getFaceList", codes=COMMON | {5506}, meanings=_NO_GROUP)
    def list_page(self, group_id: GroupId, page_num: PageNumber = 1, page_size: PageSize = 10) -> FacePage:
        """Read one page of a group's faces; ``list`` reads them all."""

    @endpoint("face/group/move", codes=COMMON | {5520, 5521, 5522})
    def move(self, source_group_id: GroupId, target_group_id: GroupId, face_id_list: FaceIds) -> None:
        """Move faces from one group to another."""

    @endpoint("face/group/updateMoveStrategy", codes=COMMON | {5506, 5520, 5525}, meanings=_NO_GROUP)
    def set_move_rule(self, target_group_id: GroupId, threshold: Threshold, period: RulePeriod) -> None:
        """Set after how many visits a stranger moves to another group."""

    @endpoint("face/getInfo", codes=COMMON | {5506}, meanings=_NO_FACE)
    def show(self, face_id: FaceId) -> CloudFace:
        """Read one face."""

    @endpoint("face/add", codes=COMMON | {5520}, timeout_s=30)
    def add(
        self,
        group_id: GroupId,
        name: FaceName,
        pic: Picture,
        gender: Gender | None = None,
        age_range: Ages | None = None,
        customer_value1: Value | None = None,
        customer_value2: Value | None = None,
        customer_value3: Value | None = None,
        customer_value4: Value | None = None,
        customer_value5: Value | None = None,
    ) -> AddedFace:
        """Add a face by a picture; the cloud works on it later, see ``wait``."""

    @endpoint("face/update", codes=COMMON | {5520, 5521})
    def update(
        self,
        group_id: GroupId,
        face_id: FaceId,
        name: FaceName | None = None,
        gender: Gender | None = None,
        age_range: Ages | None = None,
        customer_value1: Value | None = None,
        customer_value2: Value | None = None,
        customer_value3: Value | None = None,
        customer_value4: Value | None = None,
        customer_value5: Value | None = None,
    ) -> None:
        """Change what is known of a face; what is left out stays (inferred)."""

    @endpoint("face/delete", destroys="the faces")
    def delete(self, group_id: GroupId, face_id_list: FaceIds) -> None:
        """Delete faces from a group."""

    def list(self, group_id: str) -> Iterator[CloudFace]:
        """Every face of a group, fetched page by page as they are used."""

        def fetch(number: int, size: int) -> FacePage:
            return self.list_page(group_id, page_num=number, page_size=size)

        found: Iterator[CloudFace] = pages(
            none_beyond(fetch, "face_list"), "face_list", 100, key=lambda face: face.face_id
        )
        return once(found, lambda face: face.face_id)

    def add_file(
        self, group_id: str, path: str | Path, *, name: str = "", **details: Unpack[FaceDetails]
    ) -> AddedFace:
        """Add the face in a picture file; its name is the person's where none is given.

        Raises:
            ParameterError: The file cannot be read, is 1 MB or more, or is neither JPEG nor PNG.

        """
        path = Path(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ParameterError(
                "{path} cannot be read: {reason}", name="pic", path=str(path), reason=error.strerror or ""
            ) from None
        if not data.startswith(_KINDS):
            raise ParameterError(
                "{name}: {path} is neither a JPEG nor a PNG", name="pic", path=str(path), hint="Convert it."
            )
        return self.add(group_id, name or path.stem, data, **details)

    def wait(self, face_id: str, *, timeout: float = 60.0, every: float = 1.0) -> CloudFace:
        """Wait until an added face can be read (inferred: the result is documented as a message).

        Raises:
            ConnectionFailed: It is not there after *timeout* seconds.

        """
        end = time.monotonic() + timeout
        while True:
            try:
                return self.show(face_id)
            except CloudNotFoundError:
                left = end - time.monotonic()
                if left <= 0:
                    raise ConnectionFailed(
                        "the cloud has not taken the face in after {seconds:.3g} s",
                        hint="The picture may not be good enough: use a sharp frontal one of one face.",
                        seconds=timeout,
                    ) from None
                time.sleep(min(every, left))
