"""``ipc network set`` shows from and to, asks by the camera's name, and refuses what could not work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.simulator import VirtualCamera

Run = Callable[..., Any]


@pytest.fixture
def network(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in ready.vendor.environment().items():
        monkeypatch.setenv(name, value)

    def run(*args: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["network", *args, "-c", ready.address], prog_name="ipc")
        assert done.exit_code == code, (args, done.stdout, done.stderr)
        return done

    return run


def test_from_and_to_are_shown_and_the_camera_is_named(network: Run, ready: VirtualCamera) -> None:
    done = network("set", "--ip", "192.168.1.20/24", "--gateway", "192.168.1.1", code=2)
    assert "address by DHCP: on → off" in done.stderr
    assert "IP address: not told → 192.168.1.20" in done.stderr
    assert "netmask: not told → 255.255.255.0" in done.stderr
    assert ready.sn in done.stderr
    assert "config/setIpConf" not in ready.state.counts
    network("set", "--ip", "192.168.1.20/24", "--gateway", "192.168.1.1", "-y")
    done = network("set", "--dns", "192.168.1.1", "-y")
    assert "IP address" not in done.stderr  # what is not given stays
    assert "DNS server: not told → 192.168.1.1" in done.stderr
    shown = network("show").stdout
    assert "192.168.1.20" in shown
    assert "255.255.255.0" in shown
    back = network("set", "--dhcp", "-y").stderr
    assert "address by DHCP: off → on" in back


def test_what_is_so_already_is_said_and_nobody_asked(network: Run, ready: VirtualCamera) -> None:
    assert "It is so already" in network("set", "--dhcp").stdout
    assert network("set", "--dhcp", "--json").stdout.strip() == "{}"
    assert "config/setIpConf" not in ready.state.counts
    fixed = ("set", "--ip", "192.168.1.20/24", "--gateway", "192.168.1.1")
    assert ["IP", "address", "192.168.1.20"] in [
        line.split() for line in network(*fixed, "-y").stdout.splitlines()
    ]
    sent = ready.state.counts["config/setIpConf"]
    assert "It is so already" in network(*fixed).stdout
    assert ready.state.counts["config/setIpConf"] == sent


def test_another_camera_at_the_address_by_the_time_of_the_answer_is_not_changed(
    network: Run, ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands at the address when somebody has answered the question may be another camera."""
    first, asked = ready.sn, []

    def answered(question: str, yes: bool) -> None:
        asked.append(question)
        ready.state.sn = "FS101D8BS09999"  # an address is given to another in the meantime

    monkeypatch.setattr("sunmi_ipc_cli.camera.network.confirm", answered)
    done = network("set", "--ip", "192.168.1.20/24", "--gateway", "192.168.1.1", code=3)
    assert first in asked[0]
    assert "nothing was changed" in done.stderr
    assert "FS101D8BS09999" in done.stderr
    assert "config/setIpConf" not in ready.state.counts


@pytest.mark.parametrize(
    ("args", "said", "advised"),
    [
        (["--ip", "192.168.1.20"], "--netmask: needed with --ip", "--ip 192.168.1.20/24"),
        (["--netmask", "255.255.255.0"], "--ip: needed", "192.168.1.20/24"),
        (["--ip", "192.168.1.255/24"], "no device's address", "between 192.168.1.1 and 192.168.1.254"),
        (["--ip", "192.168.1.20/24", "--gateway", "192.168.2.1"], "--gateway 192.168.2.1", "one network"),
        (["--ip", "192.168.1.20", "--netmask", "255.0.255.0"], "not a mask", "255.255.255.0"),
        (["--ip", "192.168.1.20/99"], "--ip 192.168.1.20/99: not an address", "/24"),
        (["--dhcp", "--ip", "192.168.1.20/24"], "--dhcp: not together with --ip", ""),
        ([], "nothing to change", "--help"),
    ],
)
def test_what_could_not_work_is_refused(
    network: Run, ready: VirtualCamera, args: list[str], said: str, advised: str
) -> None:
    done = network("set", *args, "-y", code=2)
    assert said in done.stderr, done.stderr
    assert advised in done.stderr, done.stderr
    assert "config/setIpConf" not in ready.state.counts
