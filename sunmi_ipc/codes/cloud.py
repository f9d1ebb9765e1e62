"""The cloud's return codes, each with what it means and what to do next.

One number can mean different things by endpoint: an endpoint's own ``meanings`` come first. Where
the vendor's page does not say, the note is the page on authentication (both documented). The Chinese
stands in ``sunmi_ipc.zh.cloud``.
"""

from __future__ import annotations

from enum import IntEnum

from .texts import said

_LATER = "That is trouble of the service: try again in a minute."
_CAMERAS = "'ipc cloud devices' lists the shop's cameras."
_ONLINE = "Is the camera on and online? " + _CAMERAS
_GROUPS = "'ipc cloud face group list' shows the groups."
_SIGNING = "Check the app_id and the secret key: 'ipc configure' asks for them again."


class CloudCode(IntEnum):
    """A known return code; ``meaning`` and ``hint`` are English templates."""

    meaning: str
    hint: str

    def __new__(cls, value: int) -> CloudCode:
        """Give the number its texts."""
        member = int.__new__(cls, value)
        member._value_ = int(value)
        member.meaning, member.hint = getattr(value, "meaning", ""), getattr(value, "hint", "")
        return member

    SUCCESS = said(0, "success")
    DATABASE = said(5000, "the service's database failed", _LATER)
    CAMERA_UNREACHABLE = said(5011, "the service cannot reach the camera", _ONLINE)
    NO_DATA = said(
        5013,
        "there is no such data, or the app or the shop is not valid",
        "Check the shop number (SUNMI_IPC_SHOP_NO) and the period.",
    )
    PARAMETER = said(5020, "a parameter is not valid", "Check the values.")
    PERIOD = said(5021, "the period is longer than allowed", "Ask for a shorter period.")
    PARAMETER_VALUE = said(5022, "a parameter is not valid", "Check the values.")
    TIME = said(5025, "the times are wrong", "Give whole days before today, the earlier first.")
    SHOP = said(
        5041,
        "the shop is missing, or is not bound to this app",
        "Check the shop number (SUNMI_IPC_SHOP_NO); the shop must be bound to your app.",
    )
    MAC = said(5079, "the MAC address is not valid", "Copy the 12 hex digits from the camera's label.")
    NO_MATCH = said(5087, "nothing matches", "Ask for another period.")
    DATABASE_TOO = said(5088, "the service's database failed", _LATER)
    SIGN = said(5090, "the signature is not valid", _SIGNING)
    TIMESTAMP = said(
        5091, "the request has expired: its timestamp is not valid", "Set this computer's clock."
    )
    RANDOM = said(5092, "the random text is not valid", "Please report it with what '-vv' prints.")
    CAMERA_UNKNOWN = said(5501, "there is no such camera", "Compare it with the label. " + _CAMERAS)
    NOT_FOUND = said(5506, "it was not found", "Check the id.")
    CAMERA_BOUND = said(
        5509, "the camera is bound to a shop already", "Unbind it there first: 'ipc cloud unbind'."
    )
    CAMERA_NOT_BOUND = said(5510, "the camera is not bound to this shop", "Bind it first: 'ipc cloud bind'.")
    CAMERA_OFFLINE = said(5511, "the camera is offline (not documented)", _ONLINE)
    BOUND_HERE = said(
        5512, "the camera is bound to this shop already (not documented)", "There is nothing to do."
    )
    BOUND_ELSEWHERE = said(
        5514,
        "the camera is bound to another shop of this company (not documented)",
        "Unbind it there first: 'ipc cloud unbind'.",
    )
    SNAPSHOT_SLOW = said(5515, "the camera took too long over the picture", "Try again. " + _ONLINE)
    GROUP_FAILED = said(5518, "the face group could not be made", _LATER)
    GROUP_FULL = said(
        5520,
        "the most face groups or faces are reached",
        "Raise the group's capacity, or delete faces or groups. " + _GROUPS,
    )
    FACE_NOT_IN_GROUP = said(
        5521,
        "that face is not in that group",
        "'ipc cloud face list' shows a group's faces.",
    )
    GROUP_UNKNOWN = said(5522, "that face group does not exist", _GROUPS)
    GROUP_EXISTS = said(5523, "a face group of that name exists", "Choose another name, or update the group.")
    GROUP_KEPT = said(5524, "a default face group cannot be deleted", "Only groups that you made can be.")
    GROUP_FIXED = said(5525, "a default face group cannot be changed", "Only groups that you made can be.")
    PICTURE_REFUSED = said(
        5526,
        "the picture of the face was refused (not documented)",
        "Take one with one face, from the front, well lit, JPEG or PNG below 1 MB.",
    )


#: HTTP's own, where the service refuses the signature (documented).
UNAUTHORIZED = 401
