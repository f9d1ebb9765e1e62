"""What an undocumented path may be called instead: verbs, nouns and endings that the SDK's words allow."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache

from ..protocol.spec import registry

_VERBS = {
    "get": ("get", "query", "read", "fetch", "list", "show"),
    "set": ("set", "update", "modify", "save", "config", "put"),
    "create": ("create", "add", "new", "insert"),
    "add": ("add", "create", "insert", "new", "set"),
    "delete": ("delete", "del", "remove"),
    "update": ("update", "modify", "set", "edit"),
    "clear": ("clear", "empty", "reset", "clean", "delete"),
    "reset": ("reset", "init", "restore"),
    "format": ("format", "init", "clear"),
    "find": ("find", "search", "query", "get"),
    "manual": ("manual", "set", "adjust"),
    "auto": ("auto", "set", "start"),
}
#: Endings that say the same of a setting, a state or a list.
_ENDINGS = ("", "Conf", "Config", "Configuration", "Info", "Status", "State", "Mode", "Switch", "List", "s",
            "Collection", "Record", "Url", "Param", "Params", "Setting", "Settings", "Details", "Detail")  # fmt: skip
#: The SDK's entities and methods, and the words people use, by the noun of our guess.
_NOUNS = {
    "MemoryCardStatus": ("ExternalStorage", "SdCardStatus", "SdcardStatus", "SDCardStatus", "TfCardStatus", "Storage",
                         "MemoryCard"),
    "MemoryCard": ("SdCard", "Sdcard", "ExternalStorage", "TfCard", "SDCard", "Storage", "Disk"),
    "IrMode": ("Ir", "IrConf", "IrConfiguration", "NightMode", "IrSwitch", "Infrared"),
    "Led": ("LedSwitch", "LedConf", "LedConfiguration", "LedStatus", "Light", "IndicatorLight"),
    "MotionDetect": ("MotionDetectConfig", "MotionDetectConf", "DetectConf", "DetectConfig", "Motion", "Detect",
                     "MotionDetection"),
    "LensConf": ("LensConfiguration", "LensConfig", "Lens", "LensInfo", "LensStatus"),
    "Lens": ("LensConf", "Zoom"),
    "ApList": ("ScanResult", "ScanResultCollection", "WifiList", "ScanResults", "Aps", "WirelessList"),
    "WifiConf": ("WifiConfiguration", "WifiConfig", "Wifi", "WifiInfo", "WirelessConf"),
    "IpcName": ("Name", "DeviceName", "CameraName", "CamName", "IpcInfo"),
    "VideoRecordList": ("RecordList", "VideoRecord", "VideoRecords", "VideoRecordCollection", "VideoList", "Records"),
    "VideoClip": ("PresentVideoClip", "Clip", "VideoFragment", "ClipUrl", "VideoClipUrl"),
    "Snapshot": ("SnapshotUrl", "SnapShot", "Capture", "Picture", "Snap"),
    "GroupList": ("Groups", "FaceGroupList", "GroupCollection", "FaceGroup", "Group"),
    "FaceList": ("Faces", "FaceRecordList", "FaceCollection", "FaceRecords", "Face"),
    "SupportRotations": ("SupportRotation", "Rotations", "SupportedRotations", "RotationList"),
    "VisitorList": ("Visitors", "VisitorCollection", "VisitList", "Visitor"),
    "VisitRecord": ("VisitDetails", "VisitDetail", "VisitRecords", "VisitRecordList"),
    "Zoom": ("LensZoom", "ZoomValue"),
    "Focus": ("LensFocus", "FocusValue"),
}  # fmt: skip


@dataclass(slots=True)
class Learned:
    """What the paths found so far have in common: a firmware has manners."""

    verbs: Counter[tuple[str, str]] = field(default_factory=Counter)
    nouns: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    failed: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))

    def take(self, ours: str, theirs: str) -> None:
        """Remember how *ours* is called here."""
        verb, noun = split(ours)
        other, theirs_noun = split(theirs)
        self.verbs[verb, other] += 1
        self.nouns[noun, theirs_noun] += 1
        self.told[noun] += 1

    def miss(self, ours: str, candidate: str) -> None:
        """Remember that *candidate* does not exist: its verb alone was not what was wrong."""
        verb, noun = split(ours)
        other, other_noun = split(candidate)
        self.failed[verb, other] += 1.0 if noun == other_noun else 0.4

    def bonus(self, ours: str, candidate: str) -> float:
        """How much what was learnt speaks for *candidate*."""
        verb, noun = split(ours)
        other, other_noun = split(candidate)
        told = self.told[noun]
        for_noun = self.nouns[noun, other_noun] / told if told else 0.0
        # How often this verb fitted where it was tried; untried ones are worth a look.
        fitted, failed = self.verbs[verb, other], self.failed.get((verb, other), 0.0)
        return 0.9 * (fitted + 0.5) / (fitted + failed + 1.0) + 0.8 * for_noun


@cache
def split(path: str) -> tuple[str, str]:
    """Verb and noun of ``apiType/verbNoun``."""
    action = path.rpartition("/")[2]
    match = re.match(r"[a-z]+", action)
    verb = match[0] if match else ""
    return verb, action[len(verb) :]


@cache
def candidates(ours: str) -> tuple[tuple[str, float], ...]:
    """Other paths that *ours* may have, each with its likeness, the likeliest first; *ours* itself is left out."""
    api = ours.partition("/")[0]
    _, noun = split(ours)
    made: dict[str, float] = {}
    for verb_cost, verb in enumerate(_VERBS.get(split(ours)[0], (split(ours)[0],))):
        for noun_cost, other in enumerate(_spellings(noun)):
            path = f"{api}/{verb}{other}"
            if path == ours:
                continue
            likeness = SequenceMatcher(None, ours, path).ratio()
            made.setdefault(path, likeness - 0.04 * verb_cost - 0.012 * noun_cost)
    # Another apiType is the last thing to try: the words are likelier to differ than the drawer they lie in.
    least = min(made.values(), default=0.0)
    for cost, other_api in enumerate(_api_types(), 1):
        if other_api != api:
            made.setdefault(f"{other_api}/{ours.partition('/')[2]}", least - 0.01 * cost)
    documented = {path for path, endpoint in registry().items() if endpoint.evidence == "documented"}
    ranked = sorted(((p, s) for p, s in made.items() if p not in documented), key=lambda pair: -pair[1])
    return tuple(ranked)


def _api_types() -> tuple[str, ...]:
    return tuple(dict.fromkeys(path.partition("/")[0] for path in registry()))


def _spellings(noun: str) -> Iterator[str]:
    yield noun
    yield from _NOUNS.get(noun, ())
    base = noun
    for ending in sorted(_ENDINGS, key=len, reverse=True):
        if ending and noun.endswith(ending) and len(noun) > len(ending) + 1:
            base = noun.removesuffix(ending)
            break
    for ending in _ENDINGS:
        if base + ending != noun:
            yield base + ending
