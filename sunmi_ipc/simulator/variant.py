"""A camera with other undocumented names than we guess: drawn from a seed, the exercise for probe and overrides.

Documented paths and parameters stay. A seed draws a firmware's manners (verbs, endings, spelling of names, where
the fields stand, who checks first, how an unknown URL is answered), and then which endpoints follow them; some
have names that nobody would guess. Nothing here knows how the probe guesses.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..protocol.spec import DOC, Endpoint, registry
from ..protocol.wire import Override

_READ = ("get", "get", "query", "read")
_WRITE = ("set", "set", "update", "modify", "save")
_MAKE = {"create": ("create", "add", "new"), "add": ("add", "create", "insert"), "delete": ("delete", "del", "remove"),
         "clear": ("clear", "empty", "reset"), "update": ("update", "modify", "set"), "reset": ("reset", "init"),
         "format": ("format", "init"), "find": ("find", "search", "query"), "manual": ("manual", "set"),
         "auto": ("auto", "set")}  # fmt: skip
_NOUNS = {
    "MemoryCardStatus": ("MemoryCardStatus", "SdCardStatus", "ExternalStorage", "SdcardStatus"),
    "MemoryCard": ("MemoryCard", "SdCard", "ExternalStorage", "Sdcard"),
    "IrMode": ("IrMode", "IrConf", "Ir", "IrConfiguration"),
    "Led": ("Led", "LedConf", "LedSwitch", "LedConfiguration"),
    "MotionDetect": ("MotionDetect", "MotionDetectConfig", "MotionDetectConf", "DetectConf"),
    "LensConf": ("LensConf", "LensConfiguration", "LensConfig", "Lens"),
    "ApList": ("ApList", "ScanResult", "WifiList", "ScanResultCollection"),
    "WifiConf": ("WifiConf", "WifiConfiguration", "WifiConfig", "Wifi"),
    "IpcName": ("IpcName", "Name", "DeviceName", "CameraName"),
    "VideoRecordList": ("VideoRecordList", "RecordList", "VideoRecord", "VideoRecords"),
    "VideoClip": ("VideoClip", "PresentVideoClip", "Clip", "VideoFragment"),
    "Snapshot": ("Snapshot", "SnapshotUrl", "SnapShot", "Capture"),
    "GroupList": ("GroupList", "Groups", "FaceGroupList", "GroupCollection"),
    "FaceList": ("FaceList", "Faces", "FaceRecordList", "FaceCollection"),
    "SupportRotations": ("SupportRotations", "SupportRotation", "Rotations", "SupportedRotations"),
    "VisitorList": ("VisitorList", "Visitors", "VisitorCollection", "VisitList"),
    "VisitRecord": ("VisitRecord", "VisitDetails", "VisitDetail", "VisitRecords"),
}
#: Names that no grammar spells; a probe must leave them open.
_ODD = ("xyzzy", "q17", "doIt", "cmd3120")
_SYNONYMS = {
    "page_num": ("page_num", "page_no", "page"), "page_size": ("page_size", "limit", "size"),
    "start_time": ("start_time", "begin_time", "start"), "end_time": ("end_time", "stop_time", "end"),
    "faceid": ("faceid", "face_id", "id"), "group_name": ("group_name", "group", "groupName"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variant:
    """What a seed draws.

    Args:
        overrides: Paths and parameter names, by our path.
        fields: Names of fields in answers, by ours.
        flat: Whether the fields stand beside ``code``.
        url_first: Whether the URL is looked at before the signature.
        status_404: Whether an unknown URL is answered with HTTP 404 instead of code 6.

    """

    overrides: dict[str, Override] = field(default_factory=dict)
    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    flat: bool = False
    url_first: bool = True
    status_404: bool = False

    def renamed(self, endpoint: Endpoint[..., Any], data: Any) -> Any:
        """An answer's *data* with this camera's names for its fields."""
        names = self.fields.get(endpoint.path)
        return _rename(data, names) if names else data


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(k, k): _rename(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_rename(inner, names) for inner in value]
    return value


def draw(seed: int) -> Variant:
    """The variant of *seed*; the same seed, the same camera."""
    die = random.Random(f"wire/{seed}")  # noqa: S311 - made-up names
    verbs = {"get": die.choice(_READ), "set": die.choice(_WRITE)}
    spelling = die.choice((str, str, _camel))
    synonym = {name: die.choice(words) if die.random() < 0.3 else name for name, words in _SYNONYMS.items()}
    overrides: dict[str, Override] = {}
    fields: dict[str, dict[str, str]] = {}
    taken = {e.path for e in registry().values() if e.evidence is DOC}
    nouns: dict[str, str] = {}
    for path, endpoint in registry().items():
        if endpoint.evidence is DOC:
            continue
        new = _path(die, path, verbs, nouns)
        if new in taken:
            new = path
        taken.add(new)
        names: dict[str, str] = {}
        for parameter in endpoint.parameters:
            name = spelling(synonym.get(parameter.wire, parameter.wire))
            if name != parameter.wire:
                names[parameter.wire] = name
        if len(set(names.values()) | ({p.wire for p in endpoint.parameters} - set(names))) < len(
            endpoint.parameters
        ):
            names = {}
        if new != path or names:
            overrides[path] = Override(new if new != path else "", names)
        if spelling is _camel and endpoint.result is not None:
            fields[path] = _Camel()
    return Variant(
        overrides,
        fields,
        flat=die.random() < 0.4,
        url_first=die.random() < 0.6,
        status_404=die.random() < 0.4,
    )


class _Camel(dict[str, str]):
    """Every field in camel case."""

    def get(self, key: str, default: Any = None) -> Any:
        return _camel(key)

    def __bool__(self) -> bool:
        return True


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _path(die: random.Random, path: str, verbs: Mapping[str, str], nouns: dict[str, str]) -> str:
    api, _, action = path.partition("/")
    match = re.match(r"[a-z]+", action)
    verb = match[0] if match else ""
    noun = action[len(verb) :]
    without = "WithoutAuth" if noun.endswith("WithoutAuth") else ""
    noun = noun.removesuffix("WithoutAuth")
    if noun not in nouns:
        words = _NOUNS.get(noun, (noun,))
        nouns[noun] = die.choice(words) if die.random() < 0.4 else noun
    if verb in verbs:
        verb = verbs[verb] if die.random() < 0.9 else verb
    elif verb in _MAKE and die.random() < 0.3:
        verb = die.choice(_MAKE[verb])
    if die.random() < 0.03:
        return f"{api}/{die.choice(_ODD)}{die.randrange(10, 99)}"
    return f"{api}/{verb}{nouns[noun]}{without}"
