"""The commands, in whole processes, against virtual cameras."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import Vendor, VirtualCamera

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ipc(vendor: Vendor) -> Run:
    """Run ``ipc`` as a person would, with the credentials of the virtual vendor."""

    def run(*args: str, env: dict[str, str | None] | None = None, text: str | None = None) -> Any:
        environment = dict(os.environ) | vendor.environment() | {"PYTHONPATH": str(Path(__file__).parents[2])}
        for name, value in (env or {}).items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        # Whatever a test takes away: nothing is ever sent to a real network.
        environment["SUNMI_IPC_INTERFACE"] = "lo"
        return subprocess.run(
            [sys.executable, "-m", "sunmi_ipc_cli", *args],
            env=environment, capture_output=True, text=True, input=text, timeout=60,
        )  # fmt: skip

    return run


def ok(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    for word in words:
        assert word in last
    assert last.startswith("error:")


@pytest.mark.slow
def test_scan_finds_and_remembers(ipc: Run, virtual: Callable[..., VirtualCamera]) -> None:
    camera = virtual(udp=True)
    document = ok(ipc("scan", "--json", "--timeout", "1.2"))
    assert set(document) == {"cameras", "elapsed_s", "rejected_packets"}
    row = next(c for c in document["cameras"] if c["sn"] == camera.sn)
    assert (row["ip"], row["port"], row["model"], row["source"]) == (camera.ip, camera.port, "FM020", "udp")
    wanted = {
        "sn",
        "ip",
        "port",
        "mac",
        "model",
        "name",
        "firmware",
        "network",
        "interface",
        "source",
        "rtt_ms",
    }
    assert wanted <= set(row)
    assert ok(ipc("info", "-c", camera.sn, "--json"))["sn"] == camera.sn
    lines = ipc("scan", "--jsonl", "--timeout", "1.2").stdout.splitlines()
    assert camera.sn in [json.loads(line)["sn"] for line in lines]
    table = ipc("scan", "--csv", "--timeout", "1.2").stdout.splitlines()
    assert table[0].startswith("sn,ip,port")
    assert any(line.startswith(camera.sn) for line in table)


def test_info(ipc: Run, ready: VirtualCamera) -> None:
    assert ok(ipc("info", "-c", ready.address, "--json"))["model_name"] == "FM020"
    shown = ipc("-c", ready.address, "info")
    assert ready.sn in shown.stdout
    assert shown.returncode == 0


@pytest.mark.slow
def test_activate_asks_first_and_refuses_without_a_terminal(ipc: Run, factory: VirtualCamera) -> None:
    refused(ipc("activate", factory.sn, "-c", factory.address), 2, "deletes every face group", "--yes")
    assert factory.state.counts == {}
    factory.state.wired = True
    done = ok(ipc("activate", factory.sn, "-c", factory.address, "--yes", "--json"))
    assert done == {"sn": factory.sn, "activated": True, "already": False}
    again = ok(ipc("activate", factory.sn, "-c", factory.address, "--yes", "--json"))
    assert again["already"] is True


def test_activate_without_internet(ipc: Run, factory: VirtualCamera) -> None:
    refused(ipc("activate", factory.sn, "-c", factory.address, "-y"), 5, "code 4", "internet")


def test_wifi(ipc: Run, virtual: Callable[..., VirtualCamera]) -> None:
    camera = virtual(state="factory", udp=True)
    camera.state.join_s = 0.8  # long enough to be missed
    listed = ok(ipc("wifi", "scan", "-c", camera.address, "--json"))
    assert listed["ap_list"][0]["ssid"] == "Shop-WiFi"
    done = ok(ipc("wifi", "set", "Shop-WiFi", "welcome-2020", "--wait", "-c", camera.sn, "--json"))
    assert done["sn"] == camera.sn
    assert camera.state.on_wifi
    camera.state.ssid = ""
    by_address = ok(ipc("wifi", "set", "Shop-WiFi", "welcome-2020", "--wait", "-c", camera.address, "--json"))
    assert by_address["sn"] == camera.sn
    camera.state.activated = True
    masked = ok(ipc("wifi", "show", "-c", camera.address, "--json"))
    assert masked == {"ssid": "Shop-WiFi", "password": "***"}
    assert ok(ipc("wifi", "show", "--reveal", "-c", camera.address, "--json"))["password"] == "welcome-2020"
    assert "welcome-2020" not in ipc("wifi", "show", "-c", camera.address).stdout


@pytest.mark.parametrize(
    ("ssid", "password"), [("x" * 33, "welcome-2020"), ("Shop", "p" * 65), ("", "welcome-2020")]
)
def test_bad_wifi_is_refused_before_sending(
    ipc: Run, factory: VirtualCamera, ssid: str, password: str
) -> None:
    done = ipc("wifi", "set", ssid, password, "-c", factory.address, "-vv")
    refused(done, 2)
    assert password not in done.stdout + done.stderr
    assert factory.state.counts == {}


@pytest.mark.slow
def test_sdcard(ipc: Run, ready: VirtualCamera) -> None:
    ready.insert_card(CardStatus.BLANK)
    shown = ipc("sdcard", "status", "-c", ready.address)
    assert shown.stdout == "SD card  not formatted\n"
    assert "ipc sdcard format" in shown.stderr
    refused(ipc("sdcard", "format", "-c", ready.address), 2, "every recording and every face", "--yes")
    assert "config/formatMemoryCard" not in ready.state.counts
    assert ok(ipc("sdcard", "format", "-y", "-c", ready.address, "--json")) == {
        "status": 2,
        "state": "normal",
    }
    ready.insert_card(CardStatus.NONE)
    refused(ipc("sdcard", "format", "-y", "-c", ready.address), 5, "code 220")


def test_call_sends_anything(ipc: Run, ready: VirtualCamera) -> None:
    assert ok(ipc("call", "device/getInfo", "-c", ready.address, "--json"))["sn"] == ready.sn
    refused(ipc("call", "config/noSuch", "a=b", "-c", ready.address), 5, "code 6")
    refused(ipc("call", "device/getInfo", "novalue", "-c", ready.address), 2)
    refused(ipc("call", "../getInfo/x", "-c", ready.address), 2)


def test_errors_as_json(ipc: Run, ready: VirtualCamera) -> None:
    ready.insert_card(CardStatus.NONE)
    done = ipc("sdcard", "format", "-y", "-c", ready.address, "--json")
    assert done.returncode == 5
    error = json.loads(done.stdout)["error"]
    assert (error["type"], error["code"], error["name"]) == ("DeviceError", 220, "SDCARD_NOT_PLUGGED")
    assert error["camera"] == ready.address
    assert error["hint"]


def test_errors_in_chinese(ipc: Run, ready: VirtualCamera) -> None:
    ready.insert_card(CardStatus.NONE)
    done = ipc("sdcard", "format", "-y", "-c", ready.address, env={"LANG": "zh_CN.UTF-8"})
    assert done.returncode == 5
    assert "SD 卡" in done.stderr
    assert "no SD card" not in done.stderr


@pytest.mark.parametrize(
    ("fault", "value", "code", "word"),
    [
        ("hang", 0, 3, "no complete answer"),
        ("huge", 10_000_000, 6, "larger than"),
        ("html", 0, 6, "not JSON"),
        ("http", 500, 6, "500"),
        ("garble", 0, 6, "not UTF-8"),
        ("code", 999, 5, "999"),
    ],
)
def test_broken_cameras(
    ipc: Run, ready: VirtualCamera, fault: str, value: float, code: int, word: str
) -> None:
    ready.fail(fault, value, times=None)
    environment: dict[str, str | None] = {"SUNMI_IPC_TIMEOUT": "0.5"}
    done = ipc("info", "-c", ready.address, env=environment)
    refused(done, code, word)


@pytest.mark.slow
def test_certificates(ipc: Run, ready: VirtualCamera) -> None:
    with Vendor() as other:
        refused(
            ipc("info", "-c", ready.address, env={"SUNMI_IPC_P12_PASSWORD": "marked-secret"}),
            4,
            "wrong password",
        )
        refused(ipc("info", "-c", ready.address, env={"SUNMI_IPC_P12": None}), 4, "no client certificate")
        refused(ipc("info", "-c", ready.address, env={"SUNMI_IPC_CA": str(other.ca)}), 4, "not from the CA")
        insecure = ipc("info", "-c", ready.address, "--insecure", env={"SUNMI_IPC_CA": str(other.ca)})
        assert insecure.returncode == 0
        assert "NOT checked" in insecure.stderr
    assert ready.state.counts == {"device/getInfo": 1}


@pytest.mark.slow
def test_nobody_there(ipc: Run) -> None:
    refused(ipc("info", "-c", "127.0.0.1:1"), 3, "refused")
    refused(ipc("info", "-c", "FS101D8BS99999"), 3, "not found", "ipc scan")


def test_usage_errors(ipc: Run) -> None:
    assert ipc("nonsense").returncode == 2
    assert ipc("scan", "--timeout", "x").returncode == 2
    assert ipc("info", "-c", "1.2.3.4:99999").returncode == 2
    assert ipc("sim", "start", "--ip", "0.0.0.0").returncode == 2


@pytest.mark.slow
def test_no_secret_in_any_output(ipc: Run, virtual: Callable[..., VirtualCamera], vendor: Vendor) -> None:
    camera = virtual(state="factory", udp=True)
    wifi = "welcome-2020"
    said = ""
    for command in (
        ["scan", "--timeout", "0.3"],
        ["wifi", "scan", "-c", camera.address],
        ["wifi", "set", "Shop-WiFi", wifi, "--wait", "-c", camera.sn],
        ["activate", camera.sn, "-y", "-c", camera.address],
        ["wifi", "show", "-c", camera.address],
        ["wifi", "set", "Shop-WiFi", wifi, "-c", camera.sn],
        ["info", "-c", camera.sn],
        ["call", "config/getWifiConf", "-c", camera.sn],
        ["sdcard", "format", "-y", "-c", camera.address],
        ["doctor", "-c", camera.address],
        ["configure", "--from-env", "--secrets-in-file"],
        ["configure", "--show"],
    ):
        flags = ["--json"] if len(said) % 2 else []
        done = ipc(*command, *flags, "-vv")
        said += done.stdout + done.stderr
    assert camera.sn in said
    for secret in (wifi, vendor.secret_key, vendor.activation_code, vendor.p12_password):
        assert "".join(secret) not in said


@pytest.mark.slow
def test_configure_and_profile(ipc: Run, ready: VirtualCamera, vendor: Vendor) -> None:
    bare: dict[str, str | None] = dict.fromkeys(vendor.environment())
    refused(ipc("info", "-c", ready.address, env=bare), 2, "no app_id")
    document = ok(ipc("configure", "-p", "shop", "--from-env", "--secrets-in-file", "--json"))
    path = Path(document["path"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert ok(ipc("info", "-c", ready.address, "-p", "shop", "--json", env=bare))["sn"] == ready.sn
    path.chmod(0o644)
    refused(ipc("info", "-c", ready.address, "-p", "shop", env=bare), 2, "read by others", "chmod 600")
    refused(ipc("info", "-c", ready.address, "-p", "nowhere", env=bare), 2, "no profile nowhere")


def test_doctor(ipc: Run, ready: VirtualCamera, vendor: Vendor) -> None:
    document = json.loads(ipc("doctor", "-c", ready.address, "--json").stdout)
    checks = {c["check"]: c["ok"] for c in document["checks"]}
    assert checks["signed call"]
    assert checks["client certificate"]
    bad = ipc("doctor", env=dict.fromkeys(vendor.environment()))
    assert bad.returncode == 1
    assert "ipc configure" in bad.stdout


@pytest.mark.slow
def test_demo_in_both_tongues(ipc: Run) -> None:
    done = ipc("demo")
    assert done.returncode == 0, done.stderr
    for words in (
        "ipc scan",
        "ipc wifi set",
        "ipc activate",
        "ipc sdcard format",
        "ipc info",
        "SD card  ready",
    ):
        assert words in done.stdout
    assert "welcome-2020" not in done.stdout + done.stderr
    steps = ok(ipc("demo", "--json"))["steps"]
    assert [s["command"].split()[1] for s in steps] == ["scan", "wifi", "wifi", "activate", "sdcard", "info"]
    assert steps[-1]["result"]["model_name"] == "FM020"


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    env_file = tmp_path / "sim env"
    process = subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", "sim", "start", "--count", "2", "--state", "ready", "--port", "0",
         "--seed", "9", "--env-file", str(env_file)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    ready_line = json.loads(process.stdout.readline())
    yield ready_line, env_file
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()


def test_sim_start(sim: tuple[dict[str, Any], Path], ipc: Run) -> None:
    line, env_file = sim
    assert line["ready"] is True
    assert {"app_id", "secret_key", "activation_code", "p12", "p12_password", "ca", "env"} <= set(line)
    assert len(line["cameras"]) == 2
    assert env_file.stat().st_mode & 0o777 == 0o600
    assert "export SUNMI_IPC_APP_ID=" in env_file.read_text()
    camera = line["cameras"][1]
    done = ok(ipc("info", "-c", f"{camera['ip']}:{camera['port']}", "--json", env=line["env"]))
    assert (done["sn"], done["mac"], done["model_name"]) == (camera["sn"], camera["mac"], camera["model"])


def test_completion(ipc: Run) -> None:
    script = ipc("completion", "bash").stdout
    assert "_IPC_COMPLETE" in script
    refused(ipc("completion", "tcsh"), 2)
    done = ipc(env={"_IPC_COMPLETE": "complete_bash", "COMP_WORDS": "ipc wifi ", "COMP_CWORD": "2"})
    assert done.stdout.split() == ["scan", "show", "set"]
