"""Wi-Fi that is sure: asked, told, followed; each way that it can go wrong has its words."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc import errors
from sunmi_ipc.discovery import ACCESS_POINT, DiscoveredCamera
from sunmi_ipc.models import AccessPoint
from sunmi_ipc.onboarding import View, check, check_network, follow, look, tell
from sunmi_ipc.simulator import VirtualCamera, connect

Make = Callable[..., VirtualCamera]
SN = "FS101D8BS00106"


def point(ssid: str, key: str = "WPA-PSK") -> AccessPoint:
    return AccessPoint.model_validate({"ssid": ssid, "key_mgmt": key})


VIEW = View((point("Shop-WiFi"), point("Guests", "NONE"), point("Old", "WEP"), point("Office", "WPA-EAP"), point("Café 2")))  # fmt: skip


@pytest.mark.parametrize(
    ("ssid", "password", "told"),
    [
        ("Shop-WiFi", "welcome-2020", ""),
        ("Guests", "", ""),
        ("shop-wifi", "welcome-2020", "Did you mean Shop-WiFi?"),
        ("Shop WiFi", "welcome-2020", "Did you mean Shop-WiFi?"),
        ("Cafe 2", "welcome-2020", "Did you mean Café 2?"),
        ("Warehouse", "welcome-2020", "It sees: Shop-WiFi, Guests, Old"),
        ("Shop-WiFi", "", "needs a password"),
        ("Guests", "welcome-2020", "has no password"),
        ("Old", "welcome-2020", "WEP, which the camera does not know"),
        ("Office", "welcome-2020", "WPA-EAP, which"),
        ("Shop-WiFi", "1234567", "8 to 63"),
        ("Shop-WiFi", "welcome-2020\n", "line break"),
        ("门" * 11, "welcome-2020", "33 bytes"),
    ],
)
def test_a_network_that_cannot_be_joined_is_refused(ssid: str, password: str, told: str) -> None:
    if not told:
        check(VIEW, ssid, password)
        return
    with pytest.raises(errors.ParameterError) as refused:
        check(VIEW, ssid, password)
    assert told in str(refused.value)
    assert not password or password not in str(refused.value)


def test_what_insists() -> None:
    check(VIEW, "Warehouse", "welcome-2020", hidden=True)
    check(VIEW, "Shop-WiFi", "1234567", as_is=True)
    check(View(None), "Warehouse", "welcome-2020")
    # A word of security that nobody knows, or one among several, is no reason to refuse.
    check(View((point("New", "WPA3-SAE"),)), "New", "welcome-2020")
    check(View((point("Two", "WEP"), point("Two"))), "Two", "welcome-2020")
    check(View((point("Both", "WPA-PSK+WPA-EAP"),)), "Both", "welcome-2020")


def test_names_and_passwords_have_bounds() -> None:
    for good in ("12345678", "x" * 63, "0123456789abcdefABCDEF" * 2 + "0" * 20, ""):
        check_network("门" * 10 + "ab", good)
    for bad in ("1234567", "x" * 64, "x" * 65, "密码密码密码密码", "ｗｅｌｃｏｍｅ２０", "welcome\t2020"):
        with pytest.raises(errors.ParameterError):
            check_network("Shop", bad)
    for bad in ("", "门" * 11, "x" * 33):
        with pytest.raises(errors.ParameterError):
            check_network(bad, "")


def seen(ip: str = "192.168.1.20") -> DiscoveredCamera:
    return DiscoveredCamera(SN, ip, 443, mac="02:53:4D:AA:1A:2B")


def finder(*answers: DiscoveredCamera | None) -> Callable[[float], DiscoveredCamera | None]:
    rest: Iterator[DiscoveredCamera | None] = itertools.chain(answers, itertools.repeat(answers[-1]))
    return lambda seconds: next(rest)


def test_success_is_gone_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sunmi_ipc.onboarding.wifi._STEADY_S", 0.2)
    joined = follow("Shop", find=finder(seen(), None, seen()), before=seen(), timeout=5)
    assert joined.left
    # From its own access point to another address: gone was too short to be seen.
    moved = follow("Shop", find=finder(seen("10.0.0.7")), before=seen(ACCESS_POINT), timeout=5)
    assert (moved.left, moved.camera.ip) == (True, "10.0.0.7")
    # One lost datagram before it leaves is not yet the way back.
    blinks = finder(seen(), None, seen(), None, None, None, seen("10.0.0.8"))
    assert follow("Shop", find=blinks, before=seen(), timeout=5).camera.ip == "10.0.0.8"
    stays = follow("Shop", find=finder(seen()), before=seen(), timeout=5, leaves=0.3)
    assert not stays.left


def test_a_wrong_password_is_told_with_the_way_back() -> None:
    for find, direct, address in (
        (finder(seen(ACCESS_POINT), None, seen(ACCESS_POINT)), lambda: False, ACCESS_POINT),
        (
            finder(None),
            lambda: True,
            seen().address,
        ),  # what answers where it was is where it is told once more
    ):
        with pytest.raises(errors.ProvisionError) as refused:
            follow("My Shop", find=find, direct=direct, before=seen(), timeout=5, silent=0.2)
        assert "the password is wrong" in str(refused.value)
        assert "SUNMI_1A2B" in str(refused.value)
        assert f'ipc wifi set "My Shop" - -c {address}' in str(refused.value)


def test_nowhere_to_be_found() -> None:
    with pytest.raises(errors.ProvisionError) as lost:
        follow("Shop", find=finder(None), before=seen(), timeout=0.5)
    assert "did not come back" in str(lost.value)
    assert "SUNMI_1A2B" in str(lost.value)


def test_look_and_tell(virtual: Make) -> None:
    camera = virtual(state="factory")
    with connect(camera) as client:
        assert "Shop-WiFi" in look(client).names
        assert tell(client, "Shop-WiFi", "welcome-2020")
    # A firmware without the inferred call: that is said, and the rest goes on.
    old = virtual(state="factory")
    old.fail("code", 6, path="config/getApListWithoutAuth")
    with connect(old) as client:
        view = look(client)
        assert view.networks is None
        assert isinstance(view.error, errors.NotSupportedError)
        check(view, "Anything", "welcome-2020")


@pytest.fixture
def ipc(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sunmi_ipc.onboarding.wifi._STEADY_S", 0.3)
    monkeypatch.setattr("sunmi_ipc.onboarding.wifi.AGAIN_S", 0.05)

    def run(camera: VirtualCamera, *args: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["wifi", "set", *args, "-c", camera.sn])
        assert done.exit_code == code, done.output
        return done

    return run


def test_the_command_waits_by_default(ipc: Callable[..., Any], virtual: Make) -> None:
    camera = virtual(state="factory", udp=True)
    camera.state.join_s = 0.8
    done = ipc(camera, "Shop-WiFi", "welcome-2020")
    assert f"{camera.sn} has joined Shop-WiFi" in done.stdout
    again = ipc(camera, "Shop-WiFi", "welcome-2020", "--json")
    assert json.loads(again.stdout)["sn"] == camera.sn


def test_the_command_refuses_before_it_sends(ipc: Callable[..., Any], virtual: Make) -> None:
    camera = virtual(state="factory", udp=True)
    for args, told in (
        (("Shop-Wifi", "welcome-2020"), "Did you mean Shop-WiFi"),
        (("Shop-WiFi",), "needs a password"),
        (("Shop-WiFi", "short"), "8 to 63"),
    ):
        done = ipc(camera, *args, code=2)
        assert told in done.stderr
        assert "short" not in done.output
    nobody = ipc(camera, "Shop-WiFi", "-", code=2).stderr
    assert "Write the password itself" in nobody  # no variable of the environment is read for it
    for ssid, password in (
        ("Shop-WiFi", "ｗｅｌｃｏｍｅ１"),
        ("Shop-WiFi", "welcome-2020\n"),
        ("店" * 11, "welcome-2020"),
    ):
        assert ipc(camera, ssid, password, "--hidden", code=2).stderr
    assert not [path for path in camera.state.counts if "setWifi" in path]
    camera.fail("code", 6, path="config/getApListWithoutAuth")
    unseen = ipc(camera, "Elsewhere", "welcome-2020", "--no-wait")
    assert "does not tell which networks it sees" in unseen.stderr
    told = ipc(camera, "Elsewhere", "welcome-2020", "--hidden", "--no-wait")
    assert "was told to join Elsewhere" in told.stdout


@pytest.mark.parametrize(
    ("ssid", "password"),
    [
        (" Shop ", " pass word "),
        ("ＳＨＯＰ", "qu'ot\"es1"),
        ("咖啡☕😀", "$HOME`x`!"),
        ("店" * 10, "12345678"),
    ],
)
def test_what_was_meant_reaches_the_camera(
    ipc: Callable[..., Any], virtual: Make, ssid: str, password: str
) -> None:
    camera = virtual(state="factory", udp=True)
    ipc(camera, ssid, password, "--hidden", "--no-wait")
    assert (camera.state.ssid, camera.state.wifi_password) == (ssid, password)
