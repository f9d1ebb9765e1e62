"""Every command at ``-vv`` with marked secrets; then every byte of output and every file is searched.

The commands come from the command tree itself: one that is added is tried, too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from sunmi_ipc_cli.main import COMMANDS, load

from sunmi_ipc.redact import is_secret
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.cloud import VirtualCloud

from .marks import MARKS, all_marks, mark, marked_vendor, spellings

pytestmark = pytest.mark.slow  # runs every command there is

ROOT = Path(__file__).parents[2]
#: Every environment variable of a secret that the sources name, and its mark: a new one is marked, too.
VARIABLES = {
    name: mark(name)
    for folder in ("sunmi_ipc", "cli")
    for path in (ROOT / folder).rglob("*.py")
    for name in re.findall(r"\bSUNMI_IPC_\w+\b", path.read_text("utf-8"))
    if is_secret(name.removeprefix("SUNMI_IPC_"))
}
GIF = b"\xff\xd8\xff\xe0" + b"\0" * 200
#: What a required argument or option gets, by its name; everything else by its type.
VALUES = {
    "password": MARKS["wifi"],
    "ssid": "Shop",
    "path": "config/getWifiConf",
    "events": "dynamic_detect_event",
    "callback": "http://127.0.0.1:9/hook",
    "capacity": "10",
    "group": "stranger",
    "group_name": "stranger",
    "mqtt": f"mqtt://user:{quote(mark('mqtt'), safe='')}@127.0.0.1:9",
    "webhook": f"http://user:{quote(mark('webhook'), safe='')}@127.0.0.1:9/?token={quote(mark('token'), safe='')}",
}


#: A shop whose Wi-Fi password is a secret by reference.
SITE = """\
name = "Shop"

[[cameras]]
sn = "{sn}"

[cameras.wifi]
ssid = "Shop"
password = "env:SHOP_WIFI"
"""


def leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that name it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield words, command
        return
    for name, inner in below.items():
        yield from leaves(inner, (*words, name))


def every_command() -> dict[tuple[str, ...], Any]:
    return {words: leaf for name in COMMANDS for words, leaf in leaves(load(name), (name,))}


@dataclass
class Trial:
    """The folder that the commands run in, and what came of them."""

    folder: Path
    camera: VirtualCamera
    signs: set[str]
    jobs: list[dict[str, Any]] = field(default_factory=list)
    results: dict[int, dict[str, Any]] = field(default_factory=dict)

    def value(self, parameter: Any) -> str:
        """Something that *parameter* may take."""
        if parameter.name in VALUES:
            return VALUES[parameter.name]
        if is_secret(parameter.name):
            return mark(parameter.name)
        if "sn" in parameter.name.split("_") or "serial" in parameter.name:
            return self.camera.sn
        # Typer once had click's parameters, and now has its own.
        kind = getattr(parameter, "type_descriptor", None) or getattr(parameter, "type", None)
        least = getattr(parameter, "min", None) or getattr(kind, "min", None)
        if "Path" in str(kind) or "file" in parameter.name:
            return str(self.folder / "face.jpg")
        return str(least or 1)

    def add(self, words: tuple[str, ...], *more: str, crash: bool = False, alone: bool = False) -> None:
        """Run that command; *alone*: with none beside it."""
        out = self.folder / "output" / f"{len(self.jobs):03d}-{'-'.join(words)}.txt"
        args = ["-vv", "-c", self.camera.address, *words, *more]
        self.jobs.append({"args": args, "out": str(out), "crash": crash, "alone": alone})

    def arguments(self, leaf: Any) -> list[str]:
        """What the command must be given, and ``--yes`` where it would ask."""
        made: list[str] = []
        for parameter in leaf.params:
            option = next((o for o in parameter.opts if o.startswith("--")), "")
            if option == "--yes":
                made.insert(0, option)
            elif option and (parameter.required or option == "--webhook" or is_secret(parameter.name)):
                made += [option, self.value(parameter)]
        made += [
            self.value(p)
            for p in leaf.params
            if p.param_type_name == "argument" and (p.required or (p.name in VALUES and p.name != "path"))
        ]
        return made


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("trial")
    for name in ("config", "output", "home", "tmp", "work"):
        (folder / name).mkdir()
    (folder / "face.jpg").write_bytes(GIF)
    signs: set[str] = set()
    with (
        marked_vendor() as vendor,
        VirtualCamera(vendor, state="ready", seed=time.time_ns()) as camera,
        VirtualCloud(app_id=vendor.app_id, secret_key=MARKS["secret_key"], work_s=0.05) as cloud,
    ):
        camera.state.documents["wifi"] = {"ssid": "Shop", "password": MARKS["wifi"]}
        answer: Callable[..., dict[str, Any]] = camera.answer

        def listening(path: str, body: bytes, kind: str = "") -> dict[str, Any]:
            signs.update(parse_qs(body.decode("utf-8", "replace")).get("sign", []))
            return answer(path, body, kind)

        camera.answer = listening  # type: ignore[method-assign]
        camera.state.format_s = 0.1
        made = Trial(folder, camera, signs)
        for words, leaf in every_command().items():
            made.add(words, *made.arguments(leaf))
            if len(words) == 1 or words[-1] in ("show", "list", "live", "status", "set"):
                made.add(words, *made.arguments(leaf), "--json")
        made.add(("configure",), "--from-env", "--secrets-in-file", alone=True)
        made.add(("configure",), "--show", alone=True)
        made.add(("configure",), "--show", "--json")
        made.add(("call",), "config/setWifiConf", "ssid=Shop", f"password={MARKS['wifi']}")
        made.add(("call",), "config/getWifiConf", "--json")
        made.add(("events", "listen"), "--mqtt", VALUES["mqtt"])
        site = folder / "work" / "marked.toml"
        site.write_text(SITE.format(sn=camera.sn), "utf-8")
        for verb in ("plan", "verify", "status", "apply"):
            made.add(
                ("fleet", verb), str(site), *(["--yes"] if verb == "apply" else []), alone=verb == "apply"
            )
        made.add(("fleet", "plan"), str(site), "--json")
        for words in (("info",), ("wifi", "set"), ("activate",)):
            made.add(words, *made.arguments(every_command()[words]), crash=True)
            made.add(words, *made.arguments(every_command()[words]), "--json", crash=True)
        run(made, vendor, cloud)
        yield made


def run(trial: Trial, vendor: Vendor, cloud: VirtualCloud) -> None:
    folder = trial.folder
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUNMI_IPC_")}
    # The variables of vendor and cloud hold marks of their own.
    environment |= VARIABLES | vendor.environment() | cloud.environment()
    environment |= {
        "SHOP_WIFI": mark("site"),
        "SUNMI_IPC_CONFIG_DIR": str(folder / "config"),
        "SUNMI_IPC_TIMEOUT": "4",
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "home" / "cache"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "LANG": "C.UTF-8",
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("zygote.py"))],
        input="".join(json.dumps(job) + "\n" for job in trial.jobs),
        env=environment, cwd=folder / "work", capture_output=True, text=True, timeout=150,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        result = json.loads(line)
        trial.results[result["job"]] = result


def written(trial: Trial) -> Iterator[tuple[Path, bytes]]:
    """Every file that the commands wrote, output and all."""
    for path in sorted(trial.folder.rglob("*")):
        if path.is_file() and path.name != "face.jpg":
            yield path, path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as file:
                    for name in file.namelist():
                        yield path / name, file.read(name)


def test_every_command_was_run(trial: Trial) -> None:
    assert len(trial.results) == len(trial.jobs)
    ran = {tuple(job["args"][3:]) for job in trial.jobs}
    for words in every_command():
        assert any(args[: len(words)] == words for args in ran), words
    codes = [trial.results[number]["code"] for number in range(len(trial.jobs))]
    # Most do what they are for; a command that this test cannot please is refused with an error of ours.
    assert codes.count(0) > len(codes) * 0.5, list(
        zip(codes, [j["args"][3:] for j in trial.jobs], strict=True)
    )
    for number, job in enumerate(trial.jobs):
        text = Path(job["out"]).read_text("utf-8")
        assert job["crash"] or "unexpected failure" not in text, (job["args"], text)
        assert job["crash"] or "Traceback" not in text, (job["args"], text)
        assert codes[number] >= 0, (job["args"], text)


def test_no_secret_is_in_any_output_or_file(trial: Trial) -> None:
    assert trial.signs
    looked = 0
    for path, data in written(trial):
        looked += 1
        if path.parent.name == "profiles":
            # Where the user wanted them: a file for this user alone.
            assert path.stat().st_mode & 0o077 == 0
            continue
        text = data.decode("utf-8", "surrogateescape")
        for name, secret in all_marks().items():
            for spelling in spellings(secret):
                at = text.find(spelling)
                assert at < 0, (path.name, name, text[max(0, at - 300) : at + 100])
        for sign in trial.signs:
            assert sign not in text, (path.name, sign)
    assert looked > len(trial.jobs) / 2


def test_what_is_masked_was_there(trial: Trial) -> None:
    """The search means something: requests were shown, passwords were read, crashes were traced."""
    every = {path.name: data.decode("utf-8", "replace") for path, data in written(trial)}
    shown = "\n".join(every.values())
    assert "password=***" in shown
    assert '"password": "***"' in shown
    planned = next(text for name, text in every.items() if name.endswith("fleet-plan.txt") and "Shop" in text)
    assert "wifi" in planned
    assert any("/openapi/device/ipc/getList" in text for text in every.values())  # the cloud, too
    assert "sign=***" in shown
    crashed = [Path(job["out"]).read_text() for job in trial.jobs if job["crash"]]
    assert all("RuntimeError: crashed over ***" in text for text in crashed if "Traceback" in text)
    assert any("Traceback" in text for text in crashed)
    profile = next(path for path, _ in written(trial) if path.parent.name == "profiles")
    assert MARKS["secret_key"] in profile.read_text()


def test_a_secret_on_the_command_line_leaves_the_process_list(tmp_path: Path) -> None:
    """``ps`` while the command waits for the camera: the password is no longer there."""
    with marked_vendor() as vendor, VirtualCamera(vendor, state="factory", udp=False) as camera:
        camera.fail("hang", 0, times=None)
        environment = os.environ | vendor.environment() | {"PYTHONPATH": str(ROOT), "SUNMI_IPC_TIMEOUT": "30"}
        process = subprocess.Popen(
            [sys.executable, "-m", "sunmi_ipc_cli", "wifi", "set", "Shop", MARKS["wifi"], "-c", camera.address],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            process.stderr.readline()  # "Telling the camera": the password was read
            listed = Path(f"/proc/{process.pid}/cmdline").read_bytes() if sys.platform == "linux" else b"Shop"
        finally:
            process.kill()
            process.communicate()
    assert b"Shop" in listed
    assert MARKS["wifi"].encode() not in listed


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the line cannot be overwritten")
def test_whom_to_tell_leaves_the_process_list(tmp_path: Path) -> None:
    """An alert's URL has its token anywhere: in the path, in the host."""
    token = "tgram://7654321:AAzz-marked/12345"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SUNMI_IPC_CONFIG_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", "watch", "--interface", "lo", "--notify", token, f"--notify={token}2"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        listed, deadline = b"marked", time.monotonic() + 30
        while (b"marked" in listed or not listed) and process.poll() is None and time.monotonic() < deadline:
            listed = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            time.sleep(0.02)
    finally:
        process.kill()
        process.communicate()
    assert b"--notify" in listed
    assert b"marked" not in listed
