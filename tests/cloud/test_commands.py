"""``ipc cloud``, ``ipc sim cloud``, ``ipc demo --cloud``."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.cloud.common import take_options
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.installation import command
from sunmi_ipc.simulator import jpeg
from sunmi_ipc.simulator.cloud import VirtualCloud

Ipc = Callable[..., Any]
ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "cloud.md").read_text("utf-8"), re.M | re.S)
YESTERDAY = datetime.now().astimezone().date() - timedelta(days=1)


@pytest.fixture
def text(service: VirtualCloud, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What ``ipc cloud …`` prints on stdout; on stderr where it fails."""
    for name, value in service.environment().items():
        monkeypatch.setenv(name, value)

    def run(*args: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["cloud", *args])
        assert done.exit_code == code, (args, done.stdout, done.stderr)
        return done.stderr if code else done.stdout

    return run


@pytest.fixture
def ipc(text: Callable[..., str]) -> Ipc:
    """The document that ``ipc cloud … --json`` prints."""

    def run(*args: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["cloud", *args, "--json"])
        assert done.exit_code == code, (args, done.stdout, done.stderr)
        return json.loads(done.stdout)

    return run


def test_devices(ipc: Ipc, text: Callable[..., str], service: VirtualCloud, tmp_path: Path) -> None:
    first, second = service.devices()
    assert [c["ipc_sn"] for c in ipc("devices")["ipc_list"]] == [first.sn, second.sn]
    assert ipc("devices", first.ipc_id)["ipc_sn"] == first.sn
    assert ipc("devices", first.name)["ipc_sn"] == first.sn
    assert len(ipc("devices", "--company", service.shop.company_no)["ipc_list"]) == 4
    other = list(service.state.shops)[1]
    assert ipc("devices", "--shop", other)["ipc_list"][0]["ipc_sn"] == service.devices(other)[0].sn
    assert ipc("devices", "--shop-id", service.shop.shop_id)["total_count"] == 2
    assert first.sn in text("devices")
    assert text("devices").count("connected") == 2
    file = tmp_path / "cameras.csv"
    text("devices", "--csv", str(file))
    rows = list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))
    assert [r["ipc_sn"] for r in rows] == [first.sn, second.sn]
    assert text("devices", "--csv", "-").splitlines()[0].startswith("ipc_sn,ipc_id")


def test_lists_have_words_and_dates(text: Callable[..., str], service: VirtualCloud) -> None:
    """No number of the wire on a screen or in a spreadsheet; which camera is meant is asked by the option's name."""
    for made in (text("face", "list", "-g", "regular"), text("face", "list", "-g", "regular", "--csv", "-")):
        assert re.search(r"male\b.*\d\d-\d\d.*20\d\d-\d\d-\d\d \d\d:\d\d", made), made
        assert not re.search(r"\b1\d{9}\b", made)
    assert re.search(r"regular +regulars", text("face", "group", "list"))
    seen = text("records", "--detected", "--from", "-1h", "-c", service.devices()[0].sn)
    assert "motion and sound" in seen
    assert "both" not in seen
    assert "--camera: the shop has not exactly one camera" in " ".join(text("live", code=2).split())
    assert "parameter 1: not KEY=VALUE" in text("call", "device/ipc/getList", "secret", code=2)


def test_bind_rename_unbind(ipc: Ipc, text: Callable[..., str], service: VirtualCloud) -> None:
    new = service.devices("")[0]
    ipc("bind", new.sn, new.mac)
    ipc("rename", new.sn, "Door")
    assert ipc("devices", "Door")["ipc_sn"] == new.sn
    assert "unasked" in text("unbind", "Door", code=2)
    ipc("unbind", "Door", "--yes")
    assert new.shop_no == ""
    assert "called so" in text("live", "Door", code=2)


def test_errors_have_codes_hints_and_exit_codes(ipc: Ipc, service: VirtualCloud) -> None:
    error = ipc("devices", "FS101D8BS99999", code=5)["error"]
    assert (error["type"], error["code"], error["name"]) == ("CloudNotFoundError", 5501, "CAMERA_UNKNOWN")
    assert "ipc cloud devices" in error["hint"]
    assert ipc("devices", "--shop", "56a", code=2)["error"]["message"].startswith("shop_no")
    assert ipc("devices", "--url", "http://cloud.example", code=2)["error"]["type"] == "ParameterError"
    assert (
        ipc("devices", "--url", "https://127.0.0.1:1/openapi", code=3)["error"]["type"] == "ConnectionFailed"
    )
    service.fail("http", 502)
    assert ipc("devices", code=6)["error"]["type"] == "ReplyError"
    service.fail("code", 5011, path="media/live/start")
    assert ipc("live", service.devices()[0].sn, code=5)["error"]["code"] == 5011
    # Of two cameras, one must be named.
    assert "exactly one" in ipc("live", code=2)["error"]["message"]


def test_the_only_camera_is_meant(ipc: Ipc, service: VirtualCloud) -> None:
    service.devices()[1].shop_no = ""
    assert service.devices()[0].sn in ipc("live")["url"]


def test_media(ipc: Ipc, text: Callable[..., str], service: VirtualCloud, tmp_path: Path) -> None:
    sn = service.devices()[0].sn
    assert sn in ipc("live", sn, "--quality", "hd")["hls_url"]
    ipc("live", sn, "--stop")
    assert "snapshot_url" in ipc("snapshot", sn)
    file = tmp_path / "now.jpg"
    done = ipc("snapshot", sn, "-o", str(file))
    assert file.read_bytes().startswith(b"\xff\xd8\xff")
    assert done["bytes"] == file.stat().st_size
    assert "snapshot_url" in ipc("snapshot", sn, "--at", (datetime.now() - timedelta(hours=1)).isoformat())
    hours = (datetime.now() - timedelta(hours=3)).isoformat()
    found = ipc("records", sn, "--from", hours)
    assert found["total_count"] == len(found["video_list"]) > 100
    assert "https://" in text("records", sn, "--from", hours)
    motions = ipc("records", sn, "--from", hours, "--motion")["video_list"]
    assert len(motions) > 20
    made = ipc("playback", sn, "--from", hours)
    ipc("playback", "--stop", made["client_id"])
    assert text("live", sn).startswith("link")


def test_flow(ipc: Ipc, text: Callable[..., str], tmp_path: Path) -> None:
    week = ["--from", str(YESTERDAY - timedelta(days=6))]
    days = ipc("flow", *week)["count_list"]
    assert [d["time"] for d in days] == [str(YESTERDAY - timedelta(days=n)) for n in range(6, -1, -1)]
    total = sum(d["total_count"] for d in days)
    assert ipc("flow", "--by", "tag", *week)["total_count"] == total
    assert len(ipc("flow", "--by", "hour", *week)["count_list"]) == 168
    assert len(ipc("flow", "--by", "gender", *week)["count_list"]) == 8
    assert ipc("flow", "--by", "frequency", *week)["frequency_list"][0]["frequency"] == 1
    for by in ("week", "month"):
        assert sum(d["total_count"] for d in ipc("flow", "--by", by, *week)["count_list"]) == total
    assert "total_count" in ipc("flow", "--by", "total")
    assert "count_list" in ipc("flow")
    for by in ("tag", "gender"):
        assert len(ipc("flow", "--by", by)["count_list"]) == 8
    assert "--from" in ipc("flow", "--by", "month", code=2)["error"]["message"]
    assert ipc("flow", "--by", "minute", code=2)["error"]["message"].startswith("--by")
    shown = text("flow", *week)
    assert "█" in shown
    assert f"strangers: {sum(d['stranger_count'] for d in days)}" in shown
    year = text("flow", "--from", str(YESTERDAY - timedelta(days=364)))
    assert "6 to a bar" in year
    assert year.count("█ ") == 61
    for by in ("tag", "gender", "frequency", "hour"):
        assert text("flow", "--by", by, *week)
    file = tmp_path / "flow.csv"
    text("flow", *week, "--csv", str(file))
    rows = list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))
    assert sum(int(r["total_count"]) for r in rows) == total


@pytest.mark.parametrize("by", ["day", "gender", "tag", "frequency"])
def test_flow_as_a_picture(text: Callable[..., str], tmp_path: Path, by: str) -> None:
    week = ["--from", str(YESTERDAY - timedelta(days=6)), "--by", by]
    kind = "svg" if by == "day" else "png"
    file = tmp_path / f"flow.{kind}"
    text("flow", *week, "-o", str(file))
    data = file.read_bytes()
    assert b"<svg" in data[:1000] if kind == "svg" else data.startswith(b"\x89PNG")
    assert len(data) > 5_000
    assert ".svg" in text("flow", *week, "-o", str(tmp_path / "flow.gif"), code=2)


def test_a_picture_without_matplotlib_says_what_to_install(
    text: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    said = text("flow", "--from", str(YESTERDAY), "-o", str(tmp_path / "flow.png"), code=2)
    assert command("chart") in said


def test_faces(ipc: Ipc, text: Callable[..., str], service: VirtualCloud, tmp_path: Path) -> None:
    picture = tmp_path / "Zoe.jpg"
    picture.write_bytes(jpeg.face("Zoe"))
    ipc("faces", "group", "create", "VIP", "--capacity", "5", "--key", "level")
    ipc("faces", "group", "update", "VIP", "--description", "gold")
    assert ipc("faces", "group", "show", "VIP")["description"] == "gold"
    assert ipc("faces", "group", "list")["group_list"][-1]["customer_key1"] == "level"
    added = ipc("faces", "add", str(picture), "-g", "VIP", "--gender", "female", "--value", "gold")
    assert (added["name"], added["gender"], added["customer_value1"]) == ("Zoe", 2, "gold")
    face = added["face_id"]
    ipc("faces", "update", face, "-g", "VIP", "--age-range", "4")
    assert ipc("faces", "show", face)["age_range"] == 4
    assert [f["face_id"] for f in ipc("faces", "list", "VIP")["face_list"]] == [face]
    assert face in text("faces", "list", "VIP")
    ipc("faces", "group", "move-rule", "VIP", "4")
    assert service.shop.move_rule["period"] == 7 * 86_400
    assert "still holds faces" in text("faces", "group", "delete", "VIP", "--yes", code=5)
    ipc("faces", "move", face, "--from", "VIP", "--to", "employee")
    assert "unasked" in text("faces", "delete", face, "-g", "employee", code=2)
    ipc("faces", "delete", face, "-g", "employee", "--yes")
    ipc("faces", "group", "delete", "VIP", "--yes")
    assert "no face group of that name" in text("faces", "list", "VIP", code=2)
    assert "nothing to change" in text("faces", "update", face, "-g", "employee", code=2)
    big = tmp_path / "big.jpg"
    big.write_bytes(jpeg.face("Zoe") + bytes(1_100_000))
    assert "fewer than 1000000" in text("faces", "add", str(big), "-g", "employee", code=2)


def test_any_call(ipc: Ipc, service: VirtualCloud, tmp_path: Path) -> None:
    assert len(ipc("call", "device/ipc/getList")["ipc_list"]) == 2
    picture = tmp_path / "Zoe.jpg"
    picture.write_bytes(jpeg.face("Zoe"))
    group = next(iter(service.shop.groups))
    assert "face_id" in ipc("call", "face/add", f"group_id={group}", "name=Zoe", f"pic=@{picture}")
    assert ipc("call", "face/getInfo", "face_id=1", code=5)["error"]["code"] == 5506
    assert ipc("call", "face/getInfo", "face_id", code=2)["error"]["type"] == "ParameterError"
    assert ipc("call", "getInfo", code=2)["error"]["message"].startswith("PATH getInfo: ")


def test_a_camera_of_the_lan_is_not_meant(
    ipc: Ipc, service: VirtualCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUNMI_IPC_CAMERA", "192.168.1.20:8443")
    service.devices()[1].shop_no = ""
    assert service.devices()[0].sn in ipc("live")["url"]
    monkeypatch.setenv("SUNMI_IPC_CAMERA", service.devices()[0].sn)
    assert service.devices()[0].sn in ipc("live")["url"]


def test_the_shop_of_a_profile(ipc: Ipc, service: VirtualCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from sunmi_ipc.settings import write_profile

    other = list(service.state.shops)[1]
    monkeypatch.delenv("SUNMI_IPC_SHOP_NO")
    assert ipc("devices", code=2)["error"]["message"] == "no shop is configured"
    with monkeypatch.context() as terminal:  # no bar before the error
        terminal.setattr("sunmi_ipc_cli.cloud.common.progress_wanted", lambda state: pytest.fail("a bar"))
        assert ipc("flow", code=2)["error"]["message"] == "no shop is configured"
    write_profile("branch", {"shop_no": other}, use_keyring=False)
    assert ipc("devices", "-p", "branch")["ipc_list"][0]["ipc_sn"] == service.devices(other)[0].sn


def test_hooks(ipc: Ipc, service: VirtualCloud) -> None:
    url = "https://shop.example/messages"
    ipc("hooks", "add", "--callback", url)
    ipc("hooks", "add", "--callback", url, "--event", "2002")
    assert service.shop.hooks == {2001: [url], 2002: [url]}
    ipc("hooks", "delete", "--callback", url)
    assert service.shop.hooks[2001] == []
    assert "URL" not in ipc("hooks", "add", "--callback", "shop.example", code=2)["error"]["message"]


def run(*args: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | (env or {})
    return subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", *args],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def test_listen_prints_keeps_and_ends(
    service: VirtualCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc.events.receiver import free_port

    for name, value in service.environment().items():
        monkeypatch.setenv(name, value)
    port = free_port("127.0.0.1")
    listen = ["cloud", "events", "listen", "--port", str(port), "--spool", str(tmp_path / "kept")]
    listen += ["--count", "2", "--jsonl", "--callback", f"http://127.0.0.1:{port}/messages"]

    def visit() -> list[str]:
        deadline = time.monotonic() + 20
        while not service.shop.hooks.get(2001) and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        return [service.visit()["face_id"] for _ in range(2)]

    with ThreadPoolExecutor(1) as pool:
        visits = pool.submit(visit)
        done = CliRunner().invoke(app, listen)
        seen = visits.result()
    out, err = done.stdout, done.stderr
    assert done.exit_code == 0, err
    assert str(port) in err.splitlines()[0]
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["face_id"] for line in lines] == seen
    assert "payload" not in lines[0]
    assert all(line["verified"] for line in lines)
    assert service.shop.hooks[2001] == []  # unsubscribed at the end
    assert service.secret_key.reveal() not in out + err


def test_sim_cloud_says_when_it_is_ready_and_ends(tmp_path: Path) -> None:
    file = tmp_path / "cloud.env"
    with run("sim", "cloud", "--port", "0", "--seed", "1", "--env-file", str(file)) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["ready"]
        assert file.stat().st_mode & 0o077 == 0
        asked = CliRunner().invoke(app, ["cloud", "devices", "--json"], env=ready["env"])
        assert asked.exit_code == 0, asked.stderr
        shown = [c["ipc_sn"] for c in json.loads(asked.stdout)["ipc_list"]]
        assert shown == [c["sn"] for c in ready["shops"][0]["cameras"]]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert not Path(ready["ca"]).exists()


def test_the_tour() -> None:
    done = CliRunner().invoke(app, ["demo", "--cloud", "--json"])
    assert done.exit_code == 0, done.stderr
    steps = json.loads(done.stdout)["steps"]
    assert len(steps) == 9
    assert steps[7]["result"]["name"] == "Zoe"
    spoken = CliRunner().invoke(app, ["demo", "--cloud"], env={"LANG": "zh_CN.UTF-8"})
    assert spoken.exit_code == 0, spoken.stderr
    assert "导览到此结束" in spoken.stdout


def test_options_may_stand_anywhere() -> None:
    assert take_options(["devices", "--shop", "1", "x"]) == ["--shop", "1", "devices", "x"]
    assert take_options(["flow", "--url=test", "--", "--shop"]) == ["--url=test", "flow", "--", "--shop"]
    assert take_options(["flow", "--shop"]) == ["--shop", "flow"]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_pages_python_runs(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "docs/cloud.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.strip()
