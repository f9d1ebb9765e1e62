"""What the first hour rests on, seen from outside: whole processes, nothing of ours imported.

So it can be put beside an older version, and says what that one does not have.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pexpect
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
IPC = (sys.executable, "-m", "sunmi_ipc_cli")


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Shop:
    """Two virtual cameras in a process of their own, one activated; commands that find them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = {k: v for k, v in os.environ.items() if not k.startswith("SUNMI_IPC_")} | {
            "SUNMI_IPC_CONFIG_DIR": str(folder / "config"),
            "SUNMI_IPC_INTERFACE": "lo",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "LANG": "C.UTF-8",
            "TERM": "xterm",
        }
        self.told: list[dict[str, Any]] = []
        self.running = [self.start("ready"), self.start("factory")]

    def start(self, state: str) -> subprocess.Popen[str]:
        sim = subprocess.Popen(
            [*IPC, "sim", "start", "--state", state, "--port", "0"],
            env=self.base, cwd=self.folder, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert sim.stdout is not None
        self.told.append(json.loads(sim.stdout.readline()))
        return sim

    @property
    def ready(self) -> dict[str, Any]:
        return dict(self.told[0]["cameras"][0])

    @property
    def at(self) -> str:
        return f"{self.ready['ip']}:{self.ready['port']}"

    @property
    def fresh(self) -> str:
        camera = self.told[1]["cameras"][0]
        return f"{camera['ip']}:{camera['port']}"

    def ipc(self, *args: str, own: int = 0, **more: str) -> Done:
        made = subprocess.run(
            [*IPC, *args], env=self.base | self.told[own]["env"] | more, cwd=self.folder, check=False,
            capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Done(made.returncode, made.stdout, made.stderr)

    def typed(self, line: str, answers: tuple[str, ...] = (), **more: str) -> Done:
        """At a terminal, by a shell."""
        child = pexpect.spawn(
            "/bin/sh", ["-c", f'ipc() {{ "{sys.executable}" -m sunmi_ipc_cli "$@"; }}; {line}'],
            env=self.base | self.told[0]["env"] | more, cwd=str(self.folder), dimensions=(40, 80), timeout=60,
            encoding="utf-8",
        )  # fmt: skip
        seen = ""
        for answer in answers:
            child.expect(r"(?:: ?|\] ?|\? ?)$")
            seen += f"{child.before}{child.after}"
            child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        return Done(child.exitstatus or 0, seen + str(child.before), "")


#: For pytest: every peer is gone a moment before one ends one's own half of a connection, as under load.
GONE = """
import errno
import socket

end = socket.socket.shutdown

def shutdown(self, how):
    end(self, how)
    raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

socket.socket.shutdown = shutdown
"""


def test_tests_bear_a_peer_that_is_gone_first(tmp_path: Path) -> None:
    """A newcomer's busy laptop: what happens once in hundreds of runs happens each time here."""
    (tmp_path / "gone.py").write_text(GONE)
    ended = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "gone", "-p", "no:cacheprovider", "-k", "junk or wrong_place or too_large or broken_http or chunked_http10",
            str(ROOT / "tests/scene/test_rtsp.py"), str(ROOT / "tests/events/test_receiver.py"),
        ],
        env=os.environ | {"PYTHONPATH": str(tmp_path)}, cwd=ROOT, check=False,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-3000:]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("shop"))
    made.ipc("scan", "--target", made.ready["ip"])
    yield made
    for sim in made.running:
        sim.send_signal(signal.SIGINT)
        sim.wait(10)
        assert sim.stdout is not None
        sim.stdout.close()


def test_readme_begins_with_a_line_for_each_system() -> None:
    screen = "\n".join((ROOT / "README.md").read_text("utf-8").splitlines()[:60])
    assert all(
        word in screen
        for word in ("Windows", "macOS", "Linux", "uv tool install", "pipx install", "ipc demo")
    )


@pytest.mark.parametrize(
    ("args", "more"),
    [
        (["--lang", "zh"], {}),
        ([], {"SUNMI_IPC_LANG": "zh"}),
        ([], {"LANGUAGE": "zh_CN:en", "LANG": "en_US.UTF-8"}),
    ],
)
def test_the_language_can_be_chosen(shop: Shop, args: list[str], more: dict[str, str]) -> None:
    assert "用法" in shop.ipc("wifi", "--help", *args, **more).out


def test_configure_forgives(shop: Shop) -> None:
    folder = shop.folder / "from the vendor"
    folder.mkdir()
    p12, ca = Path(shop.told[0]["p12"]), Path(shop.told[0]["ca"])
    shutil.copy(p12, folder / "openapi.p12")
    shutil.copy(ca, folder / ca.name)
    env = {"SUNMI_IPC_CONFIG_DIR": str(shop.folder / "fresh")} | dict.fromkeys(shop.told[0]["env"], "")
    env["SUNMI_IPC_INTERFACE"] = "lo"
    told = shop.told[0]
    answers = (
        told["app_id"],
        f" {told['secret_key']} ",
        told["activation_code"],
        "wrong",
        told["p12_password"],
        "",
        "",
    )
    done = shop.typed(f"ipc configure --from 'file://{str(folder).replace(' ', '%20')}'", answers, **env)
    assert done.code == 0, done
    assert "wrong password" in done.out


def test_a_network_out_of_sight_is_refused_before_it_is_sent(shop: Shop) -> None:
    done = shop.ipc("wifi", "set", "Shop-Wifi", "welcome-2020", "-c", shop.fresh, own=1)
    assert done.code == 2
    assert "Shop-WiFi" in done.err


def test_rows_reach_a_pipe_beside_a_progress_display(shop: Shop) -> None:
    done = shop.typed(f"ipc scan --target {shop.ready['ip']} > rows.txt")
    assert done.code == 0
    assert shop.ready["sn"] in (shop.folder / "rows.txt").read_text()


def test_a_site_file_for_a_spreadsheet(shop: Shop) -> None:
    done = shop.ipc("fleet", "init", "shop.csv", "--target", shop.ready["ip"])
    assert done.code == 0, done
    raw = (shop.folder / "shop.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert b"sn," in raw.splitlines()[0]
    assert "shop.csv" in done.out.strip().splitlines()[-1]


def test_screens_have_words_and_refusals_name_what_was_typed(shop: Shop) -> None:
    assert "night mode" in shop.ipc("image", "ir", "-c", shop.at).out
    assert "every day" in shop.ipc("detection", "show", "-c", shop.at).out
    refused = shop.ipc("doorline", "set", "1500", "800", "400", "800", "-c", shop.at)
    assert (refused.code, "400 800 1500 800" in refused.err) == (2, True)


def test_a_camera_by_its_mac_or_all_of_them(shop: Shop) -> None:
    sn, mac = shop.ready["sn"], shop.ready["mac"]
    assert sn in shop.ipc("info", "-c", mac[-5:].replace(":", "")).out
    assert sn in shop.ipc("info", "-c", mac.lower()).out
    several = json.loads(shop.ipc("info", "-c", sn, "-c", shop.at, "--json").out)
    assert len(several) == 2 or len(next(iter(several.values()))) == 2


def test_values_complete(shop: Shop) -> None:
    def offered(line: str, name: str = "ipc") -> str:
        done = shop.ipc(
            **{
                f"_{name.upper().replace('-', '_')}_COMPLETE": "complete_bash",
                "COMP_WORDS": line,
                "COMP_CWORD": str(len(line.split(" ")) - 1),
            }
        )
        return done.out

    assert shop.ready["sn"] in offered("ipc wifi show -c ")
    assert "auto" in offered("ipc image ir ")
    assert "--json" in offered("ipc wifi show --js")


def test_help_has_groups_and_examples(shop: Shop) -> None:
    assert "Examples:" in shop.ipc("help", "wifi", "set").out
    assert "Tune:" in shop.ipc("--help").out


def test_lengths_are_said_in_one_way(shop: Shop) -> None:
    assert shop.ipc("scan", "--timeout", "500ms", "--target", shop.ready["ip"]).code == 0
    assert shop.ipc("doorline", "preview", "-c", shop.at).code == 0


def test_flow_says_what_it_counted(shop: Shop) -> None:
    done = shop.ipc("flow", "arrivals", "--from", "前天", "-c", shop.at)
    assert done.code == 0, done
    assert "00:00 to 24:00" in done.out.splitlines()[0]


def test_doctor_looks_at_the_cameras(shop: Shop) -> None:
    done = shop.ipc("doctor", "--json")
    assert shop.ready["sn"] in done.out
    assert re.search(r"door.?line", done.out)


def test_names_of_faces_are_kept(shop: Shop) -> None:
    people = shop.folder / "people"
    (people / "floor 2").mkdir(parents=True)
    assert shop.ipc("video", "snapshot", "-o", "people/floor 2/Zoe.jpg", "-c", shop.at).code == 0
    done = shop.ipc("face", "add", "people", "-g", "VIP", "--create", "--gender", "female", "-c", shop.at)
    assert done.code == 0, done
    assert "Zoe" in shop.ipc("face", "list", "-g", "VIP", "-c", shop.at).out


def test_a_fleet_is_compared_and_asked_what_it_sees(shop: Shop) -> None:
    fresh = shop.told[1]["cameras"][0]["sn"]
    assert shop.ipc("fleet", "diff", shop.at, shop.at).code == 0
    (shop.folder / "c.toml").write_text(
        f'[[cameras]]\nsn = "{fresh}"\nwifi = {{ ssid = "shop-wifi", password = "env:WIFI" }}\n'
    )
    planned = shop.ipc("fleet", "plan", "c.toml", own=1, WIFI="welcome-2020")
    assert planned.code == 7
    assert "Shop-WiFi" in planned.out


def test_events_are_kept_in_the_state_folder(shop: Shop) -> None:
    state = {"SUNMI_IPC_STATE_DIR": str(shop.folder / "state")}
    assert (
        shop.ipc("events", "listen", "--host", "127.0.0.1", "--port", "0", "--for", "100ms", **state).code
        == 0
    )
    assert (shop.folder / "state" / "events").is_dir()


def test_an_address_that_could_not_work_is_refused(shop: Shop) -> None:
    done = shop.ipc(
        "network", "set", "--ip", "192.168.1.20/24", "--gateway", "10.0.0.1", "--yes", "-c", shop.at
    )
    assert done.code == 2
    assert "10.0.0.1" in done.err


def test_virtual_cameras_at_a_terminal(shop: Shop) -> None:
    child = pexpect.spawn(
        sys.executable, ["-m", "sunmi_ipc_cli", "sim", "start", "--port", "0", "--state-dir", "kept"],
        env=shop.base, cwd=str(shop.folder), timeout=60, encoding="utf-8",
    )  # fmt: skip
    child.expect(r"F[SM]\d\w+")
    sn = child.after
    child.expect("Ctrl-C")
    assert (
        sn
        in shop.ipc(
            "-p",
            "sim",
            "scan",
            "--json",
            **dict.fromkeys(shop.told[0]["env"], "") | {"SUNMI_IPC_INTERFACE": "lo"},
        ).out
    )
    child.sendintr()
    child.expect(pexpect.EOF)
    assert (shop.folder / "kept").is_dir()


def test_the_report_has_failures_first_and_whole_words(shop: Shop) -> None:
    (shop.folder / "report.toml").write_text(
        f'[[cameras]]\nsn = "{shop.ready["sn"]}"\n[[cameras]]\nsn = "FS101D8BS99999"\nname = "Back door"\n'
    )
    shop.ipc("fleet", "verify", "report.toml")
    assert shop.ipc("fleet", "export", "report.toml", "--no-pictures", "--html", "report.html").code in (0, 7)
    page = (shop.folder / "report.html").read_text("utf-8")
    assert 0 < page.index("Back door") < page.index(shop.ready["sn"], page.index("<body"))
    assert "anywhere" not in page
    assert "break-all" not in page
