"""Results, one module a group."""

from .detection import MotionDetectConfig
from .device import DeviceInfo
from .events import IpcEventCollection, Subscription
from .faces import (
    AddedFace,
    AiFaceConfig,
    DeleteFaceDetails,
    FaceAttributeCollection,
    FaceIds,
    FaceRecord,
    GroupCollection,
    GroupInfo,
    VisitorCollection,
)
from .image import IpcName, IrConfiguration, LedConfiguration, Rotation, SupportRotations
from .lens import LensConfiguration
from .network import IpConfiguration
from .people_flow import (
    DoorLineConfig,
    PeopleFlowStatConfig,
    PeopleStatCollection,
    PeopleStatUnit,
    VisitDetails,
)
from .sdcard import ExternalStorage
from .video import (
    LiveAddress,
    PlaybackUrl,
    PresentVideoClip,
    SnapshotUrl,
    VideoRecord,
    VideoRecordCollection,
)
from .wifi import AccessPoint, AccessPoints, WifiConfiguration

__all__ = [
    "AccessPoint",
    "AccessPoints",
    "AddedFace",
    "AiFaceConfig",
    "DeleteFaceDetails",
    "DeviceInfo",
    "DoorLineConfig",
    "ExternalStorage",
    "FaceAttributeCollection",
    "FaceIds",
    "FaceRecord",
    "GroupCollection",
    "GroupInfo",
    "IpConfiguration",
    "IpcEventCollection",
    "IpcName",
    "IrConfiguration",
    "LedConfiguration",
    "LensConfiguration",
    "LiveAddress",
    "MotionDetectConfig",
    "PeopleFlowStatConfig",
    "PeopleStatCollection",
    "PeopleStatUnit",
    "PlaybackUrl",
    "PresentVideoClip",
    "Rotation",
    "SnapshotUrl",
    "Subscription",
    "SupportRotations",
    "VideoRecord",
    "VideoRecordCollection",
    "VisitDetails",
    "VisitorCollection",
    "WifiConfiguration",
]
