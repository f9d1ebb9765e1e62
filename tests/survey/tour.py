"""Every command that talks to a camera, once, in an order that makes sense; against virtual cameras of all kinds.

As a program it goes through cameras with other undocumented names (a probe first, then nothing but its
corrections), and through every fault that a virtual camera can play::

    python tests/survey/tour.py firmwares --seeds 50      # both models, both languages; some 15 minutes
    python tests/survey/tour.py faults                    # every fault, once and for good; some 20 minutes

It prints one line a camera, everything that is not as it should be, and ends with 1 where anything is.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sunmi_ipc_cli.endpoints import USES
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc import redact
from sunmi_ipc.protocol.overrides import parse
from sunmi_ipc.protocol.spec import DOC, Sign, registry
from sunmi_ipc.protocol.wire import Override
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.faults import parse_fault
from sunmi_ipc.simulator.filming import PictureFormat, VideoSettings
from sunmi_ipc.survey.grammar import candidates

JPEG = b"\xff\xd8\xff\xe0 a face"
#: What a command line is made of: words, and FILE, FACE, HOOK, OUT for what differs from place to place.
BOTH = """\
info
wifi scan
wifi show
network show
sdcard status
image ir
image ir auto
image rotation
image rotation 180
image led
image led off
image name
image name Door
detection show
detection set --motion 3 --days mon,fri --from 22:00 --to 06:00
video live --url-only
video records --from -2h
video playback --from -1h --to -30m --url-only
video download --from -90s -o OUT
video snapshot -o OUT/snapshot.jpg
video clip --from -10m --to -9m -o OUT/clip.mp4
events list
events subscribe dynamic_detect_event --callback HOOK
events unsubscribe dynamic_detect_event --callback HOOK
identify --for 1s
network set --dhcp --yes
sdcard format --yes
""".splitlines()
FM020 = """\
lens show
lens zoom 60
lens focus +5
lens autofocus
lens reset
doorline show
doorline set 300 700 1500 700
doorline preview -o OUT/line.png
flow arrivals
flow passing --from -7d
flow leaving
flow visitors --from -7d
flow settings
flow settings --interval 30s
face group list
face group create VIP --capacity 100
face group update VIP --capacity 50
face group move-rule --times 3 --within 30d
face attribute add card -g VIP
face attribute list -g VIP
face add FILE -g VIP
face list -g VIP
face list -g VIP --ids
face oldest -g stranger --count 3
face show FACE
face picture FACE -o OUT/face-of.jpg
face update FACE --age 30
flow visits FACE --from -30d
face find FILE
face delete FACE -g stranger --yes
face attribute delete card -g VIP
face group clear VIP --yes
face group delete VIP
face settings
face settings --size 80
""".splitlines()
_SMALL = PictureFormat(160, 160, 2)
#: Little video, ready soon: what is looked at here is who says what.
VIDEO = VideoSettings(hd=_SMALL, fhd=_SMALL, clip=_SMALL, clip_ready_s=(0.0, 0.1))
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
#: Exit codes that say: the camera does not do that, or did not answer as one does.
_SAID = {3, 5, 6}
#: What is true of a camera that films little, and of commands that all run at once, whatever the fault.
_TRUE = ("RECORD_NOT_EXIST", "SUBSCRIBE_EVENT_NOT_EXIST")
#: No such group, it still has faces, no such face, no such attribute.
_NOT_THERE = ("GROUP_NOT_EXIST", "GROUP_NOT_EMPTY", "FACE_ID_NOT_EXIST", "ATTRIBUTE_NAME_NOT_EXISTED")


def lines(model: str) -> list[str]:
    """The tour's command lines for a camera of *model*."""
    return BOTH[:-2] + (FM020 if model == "FM020" else []) + BOTH[-2:]


def used(line: str) -> tuple[str, ...]:
    """The endpoints that a line's command uses, by their names in the library."""
    words = line.split()
    return next(USES[key] for n in (3, 2, 1) if (key := " ".join(words[:n])) in USES)


@dataclass
class Traveller:
    """Runs commands in this process, as one person with a config folder of their own.

    Args:
        camera: The camera.
        folder: Where files and corrections go.
        lang: ``en`` or ``zh``.

    """

    camera: VirtualCamera
    folder: Path
    lang: str = "en"
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "config").mkdir(parents=True, exist_ok=True)
        (self.folder / "face.jpg").write_bytes(JPEG)

    @property
    def environment(self) -> dict[str, str]:
        """What the commands see."""
        return self.camera.vendor.environment() | {
            "SUNMI_IPC_CONFIG_DIR": str(self.folder / "config"), "SUNMI_IPC_LANG": self.lang,
            "SUNMI_IPC_INTERFACE": "lo", "SUNMI_IPC_TIMEOUT": os.environ.get("SUNMI_IPC_TIMEOUT", "10"),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }  # fmt: skip

    def words(self, line: str) -> list[str]:
        """The line's words, places and all."""
        known = {"FILE": str(self.folder / "face.jpg"), "OUT": str(self.folder), "FACE": self.face or "none",
                 "HOOK": "http://127.0.0.1:9/hook"}  # fmt: skip
        return [re.sub(r"^(FILE|OUT|FACE|HOOK)\b", lambda m: known[m[1]], word) for word in line.split()]

    face: str = ""

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of ``ipc`` with *words*; what is wrong with any run is noted."""
        before = redact._known
        began = time.monotonic()
        try:
            done = CliRunner().invoke(app, [*words, "-c", self.camera.address], env=self.environment)
        finally:
            redact._known = before
        took = time.monotonic() - began
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            self.troubles.append(f"{words}: {done.exception!r}")
        self.troubles += wrong(words, done.exit_code, done.stdout, done.stderr, self.lang, took)
        return done.exit_code, done.stdout, done.stderr


def wrong(words: Sequence[str], code: int, out: str, err: str, lang: str, took: float) -> list[str]:
    """What no run may show, whatever the camera does."""
    found = []
    if "Traceback" in err + out or "unexpected failure" in err or code == 1:
        found.append("fails unexpectedly")
    if code not in (0, 2, 3, 4, 5, 6, 7):
        found.append(f"ends with {code}")
    # The answer to formatting may come when it is over (a minute), and the card is looked at for as long again;
    # a download has a minute's patience with a camera that is gone.
    if took > (170 if "format" in words else 90 if "download" in words else 60):
        found.append(f"takes {took:.0f} s")
    said = [line for line in err.splitlines() if line.startswith(("error:", "Error:", "错误"))]
    if code and not said:
        found.append("says nothing")
    for line in said:
        if lang == "zh" and not (
            line.startswith("错误") and _CHINESE.search(line.partition("：")[2] or line[3:])
        ):
            found.append("speaks English")
        if lang == "en" and _CHINESE.search(line):
            found.append("speaks Chinese")
        if re.search(r"\{[a-z_]+\}", line):
            found.append("has a gap in its words")
    shown = " | ".join([f"exit {code}", *said]) or err[-200:]
    return [f"ipc {' '.join(words)} ({lang}): {what}: {shown[:400]}" for what in found]


@dataclass
class Firmware:
    """What a probe found on one camera, and what the tour then met."""

    seed: int
    model: str
    lang: str
    found: int = 0
    spellable: int = 0
    total: int = 0
    calls: int = 0
    changes: int = 0
    passed: int = 0
    commands: int = 0
    left: int = 0
    url_first: bool = False
    known: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"seed {self.seed:2} {self.model} {self.lang} {'URL' if self.url_first else 'signature'} first: found "
            f"{self.found} of {self.spellable} spellable, {self.total} in all; {self.calls} calls, {self.changes} state "
            f"changes; {self.passed} of {self.commands} commands pass, {self.left} need a call that nobody could find"
        )


def firmware(vendor: Vendor, folder: Path, seed: int, model: str, lang: str) -> Firmware:
    """Probe the camera that *seed* draws, keep the corrections, and make the whole tour with them."""
    made = Firmware(seed, model, lang)
    with VirtualCamera(
        vendor, state="ready", model=model, wire_seed=seed, udp=False, people=20, seed=seed, video=VIDEO
    ) as camera:
        camera.state.format_s = camera.state.join_s = 0.05
        traveller = Traveller(camera, folder, lang)
        before = camera.state.changes
        code, out, err = traveller.run("protocol", "probe", "--pace", "0", "--write", "--yes", "--json")
        made.changes = camera.state.changes - before
        if code:
            made.troubles = [*traveller.troubles, f"the probe ends with {code}: {err[-300:]}"]
            return made
        report = json.loads(out)
        made.calls, made.url_first = report["calls_made"], report["order_of_checks"][:1] == ["URL"]
        if report["stopped"]:
            made.troubles.append(f"the probe stopped: {report['stopped']}")
        overrides = parse(report["overrides"]) if report["overrides"] else {}
        _judge(made, camera, overrides, report["findings"])
        known = made.known | {e.key for e in registry().values() if e.evidence is DOC}
        missing = False  # something that later lines are about was not made
        for line in lines(model):
            if line.startswith("video download"):
                continue  # the same calls as records, and a film to be made
            line = line.replace("-o OUT/clip.mp4", "--json")
            if "FACE" in line and not traveller.face:
                traveller.face = _a_face(camera)
            code, out, err = traveller.run(*traveller.words(line))
            if "RECORD_NOT_EXIST" in err:
                code = 0  # the camera filmed nothing just then, and says so
            if set(used(line)) <= known and not (missing and any(code in err for code in _NOT_THERE)):
                made.commands += 1
                made.passed += code == 0
                if code:
                    made.troubles.append(f"ipc {line}: exit {code}: {err.strip().splitlines()[-1:]}")
            elif code == 0 or code in _SAID:
                made.left += 1
                missing = True
            else:
                made.troubles.append(f"ipc {line} (unknown call): exit {code}: {err.strip()[-300:]}")
        made.troubles += traveller.troubles
    if made.changes:
        made.troubles.append(f"the probe changed the camera {made.changes} times")
    if made.found != made.spellable:
        made.troubles.append("the probe did not find all that can be spelt and asked for")
    return made


def _a_face(camera: VirtualCamera) -> str:
    """A stranger's id, as a person would have taken it from a list."""
    return next(iter(camera.state.documents.get("groups", {}).get("stranger", {}).get("faces", {})), "none")


def _path(overrides: dict[str, Override], ours: str) -> str:
    return (overrides[ours].path if ours in overrides else "") or ours


def _judge(made: Firmware, camera: VirtualCamera, overrides: dict[str, Override], findings: Any) -> None:
    verdicts = {row["path"]: row["verdict"] for row in findings if row["fact"] == "path"}
    for ours, endpoint in registry().items():
        if endpoint.evidence is DOC or endpoint.sign is not Sign.SECRET:
            continue
        real = _path(camera.overrides, ours)
        made.total += 1
        made.spellable += (real == ours or real in dict(candidates(ours))) and (
            made.url_first or endpoint.safe
        )
        if verdicts[ours] in ("proven", "corrected"):
            told = _path(overrides, ours)
            if told == real:
                made.found += 1
                made.known.add(endpoint.key)
            else:
                made.troubles.append(f"{ours} was taken for {told}, it is {real}")


# -- faults -----------------------------------------------------------------------------------------

#: What a virtual camera is told to play, and the exit codes that a command may then end with where the fault stays:
#: done all the same, unreachable, refused by the camera, not understood.
FAULTS: dict[str, frozenset[int]] = {
    **dict.fromkeys(("code=2", "code=3", "code=6", "code=13", "code=999", "code=-1"), frozenset({5})),
    **dict.fromkeys(("code=1", "code=5", "code=7"), frozenset({5})),
    **dict.fromkeys(("drop", "reset", "hang", "drip=0.5", "delay=30", "lost"), frozenset({3})),
    **dict.fromkeys(("garble", "html", "empty", "huge=30000000"), frozenset({6})),
    **dict.fromkeys(("http=302", "http=401", "http=404", "http=500", "http=503"), frozenset({6})),
    **dict.fromkeys(("dirty", "goodbye", "ragged", "clock=86400", "delay=0.2"), frozenset({0})),
    # Every file breaks off in its middle: a recording is gone on with, a picture or a clip is not.
    "cut": frozenset({0, 3}),
    "restart=3": frozenset({0, 3}),
    "update=1": frozenset({0, 3}),
    # As somebody types them who gives no value.
    **dict.fromkeys(
        ("code", "http", "huge", "drip", "delay", "clock", "restart", "update"), frozenset(range(8))
    ),
}
TIMEOUT, AT_ONCE, PATIENCE = 3.0, 10, 180.0


def once(
    vendor: Vendor, folder: Path, fault: str, model: str, lang: str, some: Sequence[str] = ()
) -> list[str]:
    """Each command meets *fault* once; what is wrong."""
    found = parse_fault(fault)
    with VirtualCamera(vendor, state="ready", model=model, udp=False, people=20, video=VIDEO) as camera:
        camera.state.format_s = camera.state.join_s = 0.05
        traveller = Traveller(camera, folder, lang)
        for line in some or lines(model):
            camera.faults.clear()
            traveller.face = traveller.face or _a_face(camera)
            camera.fail(found.kind, found.value, times=found.times)
            traveller.run(*traveller.words(line))
        return [f"once {fault}: {trouble}" for trouble in traveller.troubles]


def for_good(vendor: Vendor, folder: Path, fault: str, model: str, lang: str) -> list[str]:
    """Every command, in a process of its own, on a camera where *fault* stays; what is wrong."""
    found, troubles = parse_fault(fault), []
    with VirtualCamera(vendor, state="ready", model=model, udp=False, people=20, video=VIDEO) as camera:
        camera.state.format_s = camera.state.join_s = 0.05
        traveller = Traveller(camera, folder, lang)
        traveller.face = _a_face(camera)
        camera.fail(found.kind, found.value, times=None)
        jobs = [
            {
                "args": ["-c", camera.address, *traveller.words(line)],
                "out": str(folder / f"{n}.txt"),
                "alone": False,
            }
            for n, line in enumerate(lines(model))
        ]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SUNMI_IPC_")}
        environment |= traveller.environment | {
            "SUNMI_IPC_TIMEOUT": str(TIMEOUT), "ZYGOTE_AT_ONCE": str(AT_ONCE), "ZYGOTE_PATIENCE": str(PATIENCE),
            "PYTHONWARNINGS": "ignore", "LANG": "C.UTF-8", "PYTHONPATH": str(Path(__file__).parents[2]),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, str(Path(__file__).parents[1] / "security" / "zygote.py")],
            input="".join(json.dumps(job) + "\n" for job in jobs), env=environment, cwd=folder,
            capture_output=True, text=True, timeout=3600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    for result in map(json.loads, done.stdout.splitlines()):
        job = jobs[result["job"]]
        text = Path(job["out"]).read_text("utf-8", "replace")
        line = lines(model)[result["job"]]
        found_wrong = wrong(line.split(), result["code"], "", text, lang, result["s"])
        told = result["code"] == 5 and any(name in text for name in _TRUE)
        if not (found_wrong or told or result["code"] in FAULTS[fault] | _ALLOWED.get(line, frozenset())):
            said = text.strip().splitlines()[-1:] or [""]
            found_wrong = [f"ipc {line} ({lang}): ends with {result['code']}: {said[0][:300]}"]
        troubles += [f"for good {fault}: {trouble}" for trouble in found_wrong]
    return troubles


#: Commands that do without what fails, and say so.
_ALLOWED: dict[str, frozenset[int]] = {}


def faults(
    vendor: Vendor, folder: Path, chosen: Sequence[str], models: Sequence[str], langs: Sequence[str]
) -> int:
    """Go through *chosen* faults; the number of troubles."""
    count = 0
    for fault in chosen:
        for model in models:
            for lang in langs:
                began = time.monotonic()
                troubles = []
                for how in (once, for_good):
                    place = folder / f"{fault}-{model}-{lang}-{how.__name__}"
                    place.mkdir()
                    troubles += how(vendor, place, fault, model, lang)
                count += len(troubles)
                print(
                    f"{fault} {model} {lang}: {len(troubles)} troubles, {time.monotonic() - began:.0f} s",
                    flush=True,
                )
                for trouble in troubles:
                    print("   ", trouble, flush=True)
    return count


def firmwares(vendor: Vendor, folder: Path, seeds: range, models: Sequence[str], langs: Sequence[str]) -> int:
    """Go through the cameras that *seeds* draw; the number of troubles."""
    rows: list[Firmware] = []
    for seed in seeds:
        for model in models:
            for lang in langs:
                row = firmware(vendor, folder / f"{seed}-{model}-{lang}", seed, model, lang)
                rows.append(row)
                print(row, *row.troubles, sep="\n    ", flush=True)
    names = ("found", "spellable", "total", "changes", "passed", "commands", "left")
    count = sum(len(row.troubles) for row in rows)
    print(
        f"{len(rows)} cameras: {', '.join(f'{name} {sum(getattr(r, name) for r in rows)}' for name in names)}; "
        f"at most {max(r.calls for r in rows)} calls; {count} troubles"
    )
    return count


def main() -> None:
    """Read the line, and go."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("firmwares", "faults"))
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--models", default="FM020,FM010")
    parser.add_argument("--langs", default="en,zh")
    parser.add_argument("--only", nargs="*", default=list(FAULTS), help="only these faults")
    options = parser.parse_args()
    models, langs = options.models.split(","), options.langs.split(",")
    with tempfile.TemporaryDirectory() as place, Vendor() as vendor:
        if options.what == "faults":
            count = faults(vendor, Path(place), options.only, models, langs)
        else:
            seeds = range(options.first, options.first + options.seeds)
            count = firmwares(vendor, Path(place), seeds, models, langs)
    sys.exit(count > 0)


if __name__ == "__main__":
    main()
