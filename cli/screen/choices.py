"""A word of several: taken as people write it, refused with what they may have meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.protocol.values import EventType

T = TypeVar("T")
#: Other spellings of the words that commands take.
_ALSO = {
    "automatic": "auto",
    "自动": "auto",
    "开": "on",
    "开启": "on",
    "打开": "on",
    "关": "off",
    "关闭": "off",
    "周一": "mon",
    "周二": "tue",
    "周三": "wed",
    "周四": "thu",
    "周五": "fri",
    "周六": "sat",
    "周日": "sun",
    "monday": "mon",
    "tuesday": "tue",
    "wednesday": "wed",
    "thursday": "thu",
    "friday": "fri",
    "saturday": "sat",
    "sunday": "sun",
    "everyday": "everyday",
    "every-day": "everyday",
    "每天": "everyday",
    "全天": "always",
    "男": "male",
    "m": "male",
    "man": "male",
    "女": "female",
    "f": "female",
    "woman": "female",
    "未知": "unknown",
    "低": "low",
    "中": "medium",
    "高": "high",
    "高清": "hd",
    "超清": "fhd",
    "抓拍": "snapshot",
    "正常": "normal",
    "生客": "stranger",
    "熟客": "regular",
    "员工": "staff",
    "自定义": "custom",
    "face_recog_event": "face",
    "人脸": "face",
    "人脸识别": "face",
    "faces": "face",
    "dynamic_detect_event": "motion",
    "sound": "motion",
    "动态侦测": "motion",
    "有动静": "motion",
}
#: What cameras push, in the words that commands take; the wire's own names are taken, too.
EVENTS: dict[str, EventType] = {
    "face": EventType.FACE_RECOGNITION,
    "motion": EventType.MOTION,
}


def choice(text: str, allowed: Mapping[str, T], name: str) -> T:
    """What *text* stands for.

    Args:
        text: What was typed; case does not matter, and Chinese words are taken.
        allowed: The words that the command takes, in the order shown.
        name: The option or argument, for the error.

    Raises:
        ParameterError: It is none of them; the hint says which is near.

    """
    word = text.strip().lower()
    for written in (word, _ALSO.get(word, "")):
        if written in allowed:
            return allowed[written]
    near = get_close_matches(word, [*allowed, *_ALSO], n=1)
    meant = [_ALSO.get(one, one) for one in near if _ALSO.get(one, one) in allowed]
    bounds = ", ".join([word for word in allowed if not word.isdecimal()] or allowed)
    if meant:
        raise ParameterError(
            "{name}: unknown",
            name=name,
            given=text,
            hint="Did you mean {near}? Allowed: {bounds}.",
            near=meant[0],
            bounds=bounds,
        )
    raise ParameterError("{name}: unknown", name=name, given=text, hint="Allowed: {bounds}.", bounds=bounds)


def event_type(text: str) -> str:
    """The wire's name of the event that *text* stands for; what is no word of ours as it is."""
    word = text.strip().lower()
    known = EVENTS.get(_ALSO.get(word, word))
    return text.strip() if known is None else known.value


def events(texts: Sequence[str], name: str) -> list[EventType]:
    """The events that *texts* stand for, each once: in a command's words, or as the wire has them."""
    return list(dict.fromkeys(choice(text, EVENTS, name) for text in texts))
