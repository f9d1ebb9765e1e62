"""What people read: the name of every field and the word for every value, declared once.

Wire names belong into JSON and into the code. Screens, charts, pages and reports take their words from
here, and their Chinese from ``sunmi_ipc.zh.words``. Everything is English text; ``tr`` of it is shown.
Importing this costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from .cloud.values import FaceGender, GroupType, LiveResolution, Online
from .protocol.values import (
    CardStatus,
    CustomerJudgeMode,
    DetectType,
    EventType,
    Flag01,
    Gender,
    IrMode,
    Resolution,
    Weekdays,
)

#: Fields by the wire's name, or by a command's own; ``Model.field`` where one name means several things.
LABELS: Final[Mapping[str, str]] = {
    # -- devices
    "sn": "serial number",
    "ipc_sn": "serial number",
    "ipc_id": "camera id",
    "name": "name",
    "ipc_name": "name",
    "model": "model",
    "model_name": "model",
    "software_version": "firmware",
    "hardware_version": "hardware",
    "firmware": "firmware",
    "ip": "IP address",
    "mac": "MAC address",
    "active_status": "connected",
    "online": "connected",
    "connect_time": "connected since",
    "check_version_time": "version checked",
    "screenshot_url": "picture",
    "ipc_list": "camera list",
    # -- network
    "ssid": "network name",
    "password": "password",
    "key_mgmt": "security",
    "dhcp": "address by DHCP",
    "netmask": "netmask",
    "gateway": "gateway",
    "dns": "DNS server",
    "ap_list": "networks",
    # -- picture and lens
    "irmode": "night mode",
    "led_switch": "status light",
    "rotation": "rotation",
    "angles": "possible rotations",
    "zoom": "zoom",
    "max_zoom": "largest zoom",
    "focus": "focus",
    "max_focus": "largest focus",
    "focused_x": "focus point, from the left",
    "focused_y": "focus point, from the top",
    # -- detection
    "motion_level": "motion detection",
    "audio_level": "sound detection",
    "weekday": "days",
    "MotionDetectConfig.start_time": "from",
    "MotionDetectConfig.stop_time": "until",
    # -- SD card
    "ExternalStorage.status": "SD card",
    # -- door line and people
    "resolution": "picture size",
    "start_x": "left end, from the left",
    "start_y": "left end, from the top",
    "end_x": "right end, from the left",
    "end_y": "right end, from the top",
    "start_time": "start",
    "end_time": "end",
    "start": "start",
    "end": "end",
    "total": "people",
    "stat_list": "periods",
    "male_num_stat": "men by age",
    "female_num_stat": "women by age",
    "facerecog_interval": "a face counts again after",
    "customer_judgemode": "way of counting",
    "came_in_time": "visits",
    # -- faces
    "faceid": "face id",
    "face_id": "face id",
    "face_list": "faces",
    "faceid_list": "face ids",
    "face_group": "face groups",
    "group_list": "face groups",
    "group_id": "group id",
    "group_name": "group",
    "capacity": "capacity",
    "count": "faces held",
    "description": "description",
    "period": "within days",
    "times": "visits needed",
    "name_list": "attributes",
    "attributes": "attributes",
    "age": "age",
    "age_range": "age range",
    "gender": "gender",
    "arrive_count": "visits",
    "arrival_count": "visits",
    "arrive_time": "last visit",
    "last_arrival_time": "last visit",
    "create_time": "created",
    "last_modified_time": "last changed",
    "pic_url": "picture",
    "success_list": "deleted",
    "failed_list": "not deleted",
    "not_exist_list": "not there",
    "optimize_seconds": "best picture chosen within",
    "snap_size_thr": "smallest face captured",
    "FaceGroup.type": "kind",
    **{f"customer_key{n}": f"own field {n}" for n in range(1, 6)},
    **{f"customer_value{n}": f"own field {n}" for n in range(1, 6)},
    # -- video
    "hd_live_url": "live picture, high (hd)",
    "fhd_live_url": "live picture, super (fhd)",
    "playback_url": "playback",
    "snapshot_url": "picture",
    "record_list": "recordings",
    "video_list": "recordings",
    "url": "link",
    "hls_url": "link (HLS)",
    "client_id": "playback id",
    "source": "set off by",
    "detect_time": "time",
    # -- events
    "event": "event",
    "http_callback": "pushed to",
    "sub_event": "subscriptions",
    "event_id": "event id",
    "event_type": "event",
    "report_time": "time",
    "cloud_faceid": "face id in the cloud",
    "detect_type": "set off by",
    "video_url": "recording",
    "RawEvent.fields": "fields",
    # -- lists
    "num": "number",
    "total_num": "number in all",
    "return_num": "number on this page",
    "total_count": "people",
    "CameraList.total_count": "number",
    "RecordingList.total_count": "number",
    # -- people in the cloud
    "count_list": "counts",
    "frequency_list": "visits by frequency",
    "frequency": "visits a person",
    "time": "time",
    "unexposed_count": "came in, face not seen",
    "pass_count": "passed by",
    "stranger_count": "strangers",
    "regular_count": "regulars",
    "member_count": "members",
    "male_count": "men",
    "male_regular_count": "men, regulars",
    "male_member_count": "men, members",
    "female_count": "women",
    "female_regular_count": "women, regulars",
    "female_member_count": "women, members",
    "uniq_total_count": "different people",
    "uniq_stranger_count": "different strangers",
    "uniq_regular_count": "different regulars",
    "uniq_member_count": "different members",
    "uniq_male_count": "different men",
    "uniq_male_regular_count": "different men, regulars",
    "uniq_male_member_count": "different men, members",
    "uniq_female_count": "different women",
    "uniq_female_regular_count": "different women, regulars",
    "uniq_female_member_count": "different women, members",
    "stranger_uniq_count": "different strangers",
    "regular_uniq_count": "different regulars",
    "member_uniq_count": "different members",
    # -- this computer's lists
    "fingerprint": "certificate's fingerprint",
    "first_seen": "first seen",
    "last_seen": "last seen",
    "profile": "profile",
    "path": "path",
    "app_id": "app id",
    "secret_key": "secret key",
    "activation_code": "activation code",
    "p12": "client certificate",
    "p12_password": "its password",
    "ca": "camera's CA",
    "spool": "kept in",
    "on_disk": "on the disk",
    "kept": "events kept",
    "dropped_by_age": "dropped by age",
    "dropped_faces_by_age": "dropped by age, about faces",
    "dropped_by_size": "dropped by size",
    "dropped_by_hard_limit": "dropped unread, as there was no room",
    "backlog": "waiting",
    "given_up": "given up",
    "lost": "lost",
    "ended": "subscriptions ended",
    "what": "what it does",
    "evidence": "evidence",
    "models": "models",
    "codes_evidence": "codes known from",
    "signed_with": "signed with",
    "result": "result",
    "codes": "codes",
    "corrected": "corrected",
    "corrected_to": "corrected to",
    "parameter": "parameter",
    "wire": "wire name",
    "allowed": "allowed",
    "help": "what it is",
}

#: Labels in a table's heading where the full one is long.
HEADINGS: Final[Mapping[str, str]] = {
    "sn": "SN",
    "ipc_sn": "SN",
    "ip": "IP",
    "mac": "MAC",
}

#: The word for each value of an enumeration. ``Gender`` and others share words, not entries.
WORDS: Final[Mapping[type[Enum], Mapping[int | str, str]]] = {
    CardStatus: {
        0: "no card",
        1: "not formatted",
        2: "ready",
        3: "not recognised",
        4: "removed by software",
    },
    Flag01: {0: "off", 1: "on"},
    IrMode: {0: "off", 1: "on", 2: "automatic"},
    Gender: {0: "unknown", 1: "male", 2: "female"},
    FaceGender: {1: "male", 2: "female"},
    Resolution: {0: "1080p", 1: "720p"},
    LiveResolution: {0: "super", 1: "high"},
    CustomerJudgeMode: {0: "by picture, no direction", 1: "over the door line"},
    DetectType: {1: "motion", 2: "sound", 3: "motion and sound"},
    EventType: {"face_recog_event": "face recognised", "dynamic_detect_event": "motion or sound"},
    GroupType: {1: "strangers", 2: "regulars", 3: "staff", 4: "members", 5: "custom"},
    Online: {0: "offline", 1: "connected"},
}

#: Sensitivities: a higher number is more sensitive (the vendor's SDK).
LEVELS: Final = ("off", "low (1)", "medium (2)", "high (3)")

#: The two groups that every camera has, by their names on the wire.
GROUPS: Final[Mapping[str, str]] = {"stranger": "strangers", "regular": "regulars"}

#: Days of the week by their bit.
DAYS: Final[Mapping[Weekdays, str]] = {
    Weekdays.MONDAY: "Monday",
    Weekdays.TUESDAY: "Tuesday",
    Weekdays.WEDNESDAY: "Wednesday",
    Weekdays.THURSDAY: "Thursday",
    Weekdays.FRIDAY: "Friday",
    Weekdays.SATURDAY: "Saturday",
    Weekdays.SUNDAY: "Sunday",
}

#: Values with a unit, by field.
UNITS: Final[Mapping[str, str]] = {
    "rotation": "{value}°",
    "angles": "{value}°",
    "focused_x": "{value} %",
    "focused_y": "{value} %",
    "facerecog_interval": "{value} s",
    "optimize_seconds": "{value} s",
    "snap_size_thr": "{value} pixels",
    "start_x": "{value} pixels",
    "start_y": "{value} pixels",
    "end_x": "{value} pixels",
    "end_y": "{value} pixels",
}

NOT_TOLD: Final = "not told"
NONE: Final = "none"
NEVER: Final = "never"
ALL_DAY: Final = "every day, all day"
EVERY_DAY: Final = "every day"


def label(field: str, model: str = "") -> str:
    """The English name of a field; an unknown one's own name, with blanks.

    Args:
        field: Its name on the wire.
        model: The result's class, where the name alone could mean several things.

    """
    return LABELS.get(f"{model}.{field}") or LABELS.get(field) or field.replace("_", " ")


def heading(field: str) -> str:
    """The English name of a table's column."""
    return HEADINGS.get(field) or label(field)


def word(value: Enum) -> str:
    """The English word for a member of an enumeration; an unknown number as it is."""
    return WORDS.get(type(value), {}).get(value.value, str(value.value))


def days(mask: Weekdays) -> list[str]:
    """The English words for days of detection, in the order of the week."""
    if mask & Weekdays.ALWAYS:
        return [ALL_DAY]
    if mask == Weekdays.EVERY_DAY:
        return [EVERY_DAY]
    return [name for day, name in DAYS.items() if mask & day] or [NONE]
