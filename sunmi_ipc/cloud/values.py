"""Enumerations of the cloud's numbers. Importing them costs nothing."""

from __future__ import annotations

from ..protocol.values import WireEnum


class LiveResolution(WireEnum):
    """The live picture's quality."""

    SUPER = 0
    HIGH = 1


class GroupType(WireEnum):
    """What a face group is for; 4 is not on the vendor's page (A W)."""

    STRANGER = 1
    REGULAR = 2
    STAFF = 3
    BLACKLIST = 4
    CUSTOM = 5


class FaceGender(WireEnum):
    """A face's gender, where it is given."""

    MALE = 1
    FEMALE = 2


class Online(WireEnum):
    """Whether a camera is online."""

    OFFLINE = 0
    ONLINE = 1


#: Messages that are known: a person seen.
PERSON_SEEN = 2001
