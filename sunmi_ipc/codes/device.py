"""The camera's return codes (SDK), each with what it means and what to do next.

The Chinese stands in ``sunmi_ipc.zh.codes``.
"""

from __future__ import annotations

from enum import IntEnum

from .texts import said

_SIGNING = "Check the app_id and the secret key: 'ipc configure' asks for them again."
_CARD = "Look at the card with 'ipc sdcard status'."
_LATER = "The camera may still be starting: try again in a minute."
_RECORDER = (
    "The camera may still be starting: try again in a minute. If it stays: video for recorders (NVR) is a switch in "
    "the vendor's app, from firmware 1.2.2 (FM020) and 1.3.0 (FM010) on."
)
_LENS = "'ipc lens show' prints the camera's limits."
_GROUPS = "'ipc face group list' shows the groups."
_ATTRIBUTES = "'ipc face attribute list' shows the attributes."
_DOOR = "'ipc doorline set --help' shows the limits of the picture."
_PERIOD = "Give both times, the earlier first, neither in the future."


class DeviceCode(IntEnum):
    """A known return code; ``meaning`` and ``hint`` are English templates."""

    meaning: str
    hint: str

    def __new__(cls, value: int) -> DeviceCode:
        """Give the number its texts."""
        member = int.__new__(cls, value)
        member._value_ = int(value)
        member.meaning, member.hint = getattr(value, "meaning", ""), getattr(value, "hint", "")
        return member

    SUCCESS = said(0, "success")
    APPID_INVALID = said(1, "app_id is not valid", _SIGNING)
    PARAMS_INVALID = said(2, "an input parameter is not valid", "Check the values, and the camera's clock.")
    UNKNOWN = said(3, "unknown error in the camera", "Try again; if it stays, restart the camera.")
    DEVICE_NOT_ONLINE = said(
        4,
        "the camera has no internet connection",
        "Activation needs the internet: check the cable or 'ipc wifi show', wait for a steady blue LED.",
    )
    SECRET_KEY_INVALID = said(
        5,
        "app_id or secret key is wrong",
        "Check the credentials ('ipc configure'; to activate, the activation code) and the camera's clock.",
    )
    URL_NOT_FOUND = said(
        6,
        "the camera does not know this URL",
        "Its firmware may be older or the path may be inferred: 'ipc protocol list' shows which are, 'ipc protocol probe' what this camera has.",
    )
    DEVICE_NOT_ACTIVATED = said(7, "the camera is not activated", "Activate it: 'ipc activate {sn}'.")
    DEVICE_ACTIVATE_FAILED = said(
        8, "activation failed", "Check the camera's internet and the activation code."
    )
    DEVICE_ACTIVATED = said(9, "the camera is already activated", "There is nothing left to do.")
    DEVICE_BINDED = said(
        10,
        "the camera is bound, activation failed",
        "To what is not documented; likely to the vendor's digital store: unbind it in the vendor's app first.",
    )
    SN_DISMATCH = said(
        11,
        "the serial number does not match, activation failed",
        "Compare it with the label; 'ipc scan' shows which camera is at which address.",
    )
    OP_NOT_ALLOWED = said(
        12,
        "the camera does not allow this operation",
        "Calls without sign-in end with the activation: use your app's credentials ('ipc configure').",
    )
    OP_NOT_SUPPORT = said(
        13, "the camera does not support this operation", "'ipc info' tells the camera's model."
    )
    WIRELESS_SSID_INVALID = said(100, "the Wi-Fi name (SSID) is not acceptable", "Use 1 to 32 bytes.")
    WIRELESS_PASSWORD_INVALID = said(
        101,
        "the Wi-Fi password is not acceptable",
        "Use 8 to 63 characters or 64 hex digits, or none for an open network; WEP is not supported.",
    )
    LENS_ZOOM_PARAM_INVALID = said(110, "zoom is out of range", _LENS)
    LENS_FOCUS_PARAM_INVALID = said(111, "focus is out of range", _LENS)
    LENS_AUTOFOCUS_PARAM_INVALID = said(
        112, "the autofocus point is wrong", "Give two percentages, 0 to 100."
    )
    LENS_IRMODE_PARAM_INVALID = said(113, "the night mode is not valid", "Use off, on or auto.")
    DETECT_MOTION_LEVEL_INVALID = said(114, "the motion sensitivity is not valid", "Use 0 (off) to 3.")
    DETECT_AUDIO_LEVEL_INVALID = said(115, "the sound sensitivity is not valid", "Use 0 (off) to 3.")
    DETECT_WEEKDAY_INVALID = said(116, "the detection days are not valid", "Name days, or 'always'.")
    DETECT_TIME_PERIOD_INVALID = said(
        117, "the detection times are not valid", "Use times from 00:00 to 24:00."
    )
    CAM_INFO_NAME_INVALID = said(118, "the camera's name is too long or empty", "Choose a shorter name.")
    CAM_INFO_LED_INVALID = said(119, "the LED switch is not valid", "Use on or off.")
    CAM_INFO_ROTATION_INVALID = said(
        120,
        "the rotation is not valid",
        "'ipc image rotation' lists the angles that this camera supports.",
    )
    CAM_INFO_VIDEO_NOT_EXIST = said(
        121, "there is no video in that period", "'ipc video records' shows what is."
    )
    CAM_PAGE_NOT_EXIST = said(122, "that page does not exist", "Ask for a lower page number.")
    GROUP_NAME_EXISTED = said(
        200, "a face group of that name exists", "Choose another name, or update the group."
    )
    GROUP_NAME_INVALID = said(
        201,
        "the face group's name is not valid",
        "Use at most 96 bytes (32 Chinese characters), not starting with a blank.",
    )
    GROUP_CAPACITY_INVALID = said(
        202,
        "the face group's capacity is out of range",
        "The capacities of all groups add up to at most 30,000.",
    )
    GROUP_ID_INVALID = said(203, "that face group id does not exist", _GROUPS)
    GROUP_NOT_EXIST = said(204, "that face group does not exist", _GROUPS)
    GROUP_NOT_EMPTY = said(205, "the face group still holds faces", "Clear it first: 'ipc face group clear'.")
    FACE_ID_EXISTED = said(
        206,
        "a face of that id exists",
        "The camera has this face already: 'ipc face list' shows it, 'ipc face update' changes it.",
    )
    FACE_ID_NOT_EXIST = said(207, "that face does not exist", "'ipc face list' shows the faces.")
    GROUP_OVERFLOW = said(208, "the face group is full", "Raise its capacity or delete faces.")
    FACE_ID_OP_NOT_ALLOWED = said(209, "that is not allowed on this face", "'ipc face show' tells its group.")
    FACE_ID_PIC_NOT_QUALIFIED = said(
        210,
        "the face picture is not good enough",
        "Use a sharp frontal picture of one face, well lit.",
    )
    FACE_SERVICE_NOT_RUNNING = said(211, "the face service is not running", _LATER)
    GROUP_DESCRIPTION_INVALID = said(
        212,
        "the face group's description is not valid",
        "Use at most 150 bytes (50 Chinese characters).",
    )
    SDCARD_NOT_PLUGGED = said(
        220, "there is no SD card in the camera", "Insert one, then 'ipc sdcard status'."
    )
    SDCARD_FORMAT_FAILED = said(
        221, "formatting the SD card failed", "Take it out, put it back, or replace it."
    )
    PALYBACK_TIME_INVALID = said(230, "the playback times are wrong", _PERIOD)
    RECORD_TIME_INVALID = said(231, "the times of the recording query are wrong", _PERIOD)
    RTSP_NOT_RUNNING = said(232, "the camera's video service is not running", _RECORDER)
    SNAPSHOT_FAILED = said(233, "the camera could not take a picture", "Try again.")
    RECORD_PAGE_INVALID = said(234, "the page of the recording query is wrong", "Ask for a page from 1 on.")
    RECORD_NOT_EXIST = said(235, "there is no recording", "'ipc video records' shows what there is. " + _CARD)
    CLIP_FRAGMENT_NOT_READY = said(236, "the clip is not ready yet", "Try again in a few seconds.")
    CLIP_SERVICE_NOT_RUNNING = said(237, "the clip service is not running", _LATER)
    ATTRIBUTE_NAME_INVALID = said(240, "the face attribute's name is not valid", _ATTRIBUTES)
    ATTRIBUTE_NAME_EXISTED = said(241, "a face attribute of that name exists", _ATTRIBUTES)
    ATTRIBUTE_NUM_EXCEED = said(242, "there are too many face attributes", "Delete one first. " + _ATTRIBUTES)
    ATTRIBUTE_NAME_NOT_EXISTED = said(243, "that face attribute does not exist", _ATTRIBUTES)
    PARAMS_START_X_INVALID = said(260, "door line: the left end's x is out of range", _DOOR)
    PARAMS_START_Y_INVALID = said(261, "door line: the left end's y is out of range", _DOOR)
    PARAMS_END_X_INVALID = said(262, "door line: the right end's x is out of range", _DOOR)
    PARAMS_END_Y_INVALID = said(263, "door line: the right end's y is out of range", _DOOR)
    PARAMS_RESOLUTION_INVALID = said(264, "door line: that resolution is not supported", "Use 1080p.")
    PARAMS_PERIOD_INVALID = said(265, "the granularity of the statistics is not valid", "Try another period.")
    PARAMS_START_TIME_INVALID = said(266, "the start time is wrong", _PERIOD)
    PARAMS_END_TIME_INVALID = said(267, "the end time is wrong", _PERIOD)
    PARAMS_ORDER_INVALID = said(268, "the order is not valid", "Leave the order out.")
    PARAMS_GROUP_NAME_INVALID = said(269, "the group name is not valid", _GROUPS)
    PARAMS_GENDER_INVALID = said(270, "the gender is not valid", "Use 0 unknown, 1 male or 2 female.")
    PARAMS_AGE_INVALID = said(271, "the age is not valid", "Use years, as a whole number.")
    PARAMS_AGE_RANGE_INVALID = said(272, "the age range is not valid", "Use 1 to 8.")
    PARAMS_PAGE_NUM_INVALID = said(273, "the page number is wrong", "Ask for a page from 1 on.")
    PARAMS_PAGE_SIZE_INVALID = said(274, "the page size is wrong", "Ask for fewer a page.")
    PARAMS_FACE_ID_INVALID = said(275, "the face id is not valid", "'ipc face list' shows the faces.")
    PARAMS_X_DISTANCE_INVALID = said(
        276,
        "the door line is too short",
        "Its right end must be at least 100 pixels right of its left end.",
    )
    PARAMS_JSON_TABLE_INVALID = said(277, "the parameters are not a proper JSON table", "Check the values.")
    SET_CONFIG_FAIL = said(278, "saving the configuration failed", "Try again. " + _CARD)
    GET_CONFIG_FAIL = said(279, "reading the configuration failed", _LATER)
    FACE_ID_INFO_NO_FOUND = said(
        280,
        "the camera knows nothing about that face",
        "'ipc face list' shows the faces.",
    )
    TIMEZONE_INVALID = said(281, "the time zone is not valid", "Check the value.")
    INVALID_HUMAN_DETECTION_PARAM = said(
        282, "the human detection parameter is not valid", "Check the value."
    )
    FACE_ID_PIC_NO_FEATURE = said(
        283,
        "no face could be recognised in the picture",
        "Use a sharp frontal picture of one face, well lit.",
    )
    USER_DEFINED_ATTRIBUTE_NOT_EXIST = said(
        284, "a face attribute is wrong: it was never defined", _ATTRIBUTES
    )
    INVALID_USER_DEFINED_ATTRIBUTE_TYPE = said(
        285, "the value of a face attribute has the wrong type", _ATTRIBUTES
    )
    SUBSCRIBE_EVENT_NOT_EXIST = said(
        310,
        "there is no such event to subscribe to",
        "'ipc events subscribe --help' lists the events.",
    )
    INVALID_HTTP_CALLBACK_URL = said(
        311,
        "the callback URL is not valid",
        "Use http://ADDRESS:PORT/PATH with an address that the camera can reach.",
    )
