"""A camera is asked what it sees before the fleet sets its Wi-Fi: in the plan and in the work alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sunmi_ipc.fleet.hotspot import provision
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.outcome import Standing
from sunmi_ipc.fleet.sheet import read_csv
from sunmi_ipc.fleet.sitefile import load
from sunmi_ipc.fleet.steps import wifi as step
from sunmi_ipc.simulator.quirks import GBK_NAME

from .conftest import Shop

Make = Callable[..., Shop]
SETS = ("config/setWifiConf", "config/setWifiConfWithoutAuth", "device/activate")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "AGAIN_S", 0.05)
    monkeypatch.setattr("sunmi_ipc.onboarding.wifi.AGAIN_S", 0.05)


def wish(ssid: str, password: str = "", more: str = "") -> str:
    return f'[defaults]\nwifi = {{ ssid = "{ssid}", password = "{password}"{more} }}\n'


@pytest.mark.parametrize("state", ["factory", "ready"])
@pytest.mark.parametrize(
    ("ssid", "password", "said", "advice"),
    [
        ("Shop-Wifi", "welcome-2020", "wifi.ssid: the camera does not see Shop-Wifi", "Did you mean Shop-WiFi?"),
        ("Warehouse", "welcome-2020", "wifi.ssid: the camera does not see Warehouse", "wifi.hidden = true"),
        ("Shop-WiFi", "", "wifi.password: Shop-WiFi needs a password", "Give it in the site file."),
        ("Shop-Guest", "welcome-2020", "wifi.password: Shop-Guest is open", "Leave the password out"),
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_joined_is_refused_before_it_is_set(
    shop: Make, state: str, ssid: str, password: str, said: str, advice: str
) -> None:
    here = shop(1, state=state)
    if state == "ready":
        camera = here.cameras[0]
        camera.state.networks += (("Shop-Office", "WPA-PSK", "office-2020"),)
        camera.state.ssid, camera.state.wifi_password = "Shop-Office", "office-2020"
    here.write(wish(ssid, password))
    for apply in (False, True):
        (outcome,) = here.run(apply=apply).values()
        assert outcome.standing is Standing.FAILED
        (problem,) = outcome.problems
        assert (problem.step, said in problem.message("en"), advice in problem.hint("en")) == (
            "wifi",
            True,
            True,
        )
        assert "{" not in problem.message("zh") + problem.hint("zh")
        assert not password or password not in problem.message("en") + problem.hint("en")
    assert here.counts(*SETS) == [(0, 0, 0)]


def test_who_insists_is_believed(shop: Make) -> None:
    here = shop(1, state="wired")
    here.write(wish("Warehouse", "welcome-2020", ", hidden = true"))
    (outcome,) = here.run().values()
    assert [p.message("en") for p in outcome.problems] == []
    assert here.cameras[0].state.ssid == "Warehouse"


def test_a_network_missed_once_is_looked_for_again(shop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    here = shop(1)
    (camera,) = here.cameras
    there, camera.state.networks = camera.state.networks, ()
    pause = step.Contact.pause

    def meanwhile(contact: step.Contact, seconds: float) -> None:
        camera.state.networks = there
        pause(contact, seconds)

    monkeypatch.setattr(step.Contact, "pause", meanwhile)
    here.write(wish("Shop-WiFi", "welcome-2020"))
    (outcome,) = here.run().values()
    assert outcome.done[:2] == ["wifi", "activate"]


def test_a_firmware_that_does_not_tell_what_it_sees_is_told_its_network(shop: Make) -> None:
    here = shop(1)
    here.cameras[0].fail("code", 6, path="config/getApListWithoutAuth", times=None)
    here.write(wish("Shop-WiFi", "welcome-2020"))
    (outcome,) = here.run().values()
    assert (outcome.standing, outcome.notes) == (Standing.OK, ["networks in sight"])
    assert "wifi" in outcome.done


def test_a_name_that_is_not_utf_8_goes_back_as_the_camera_hears_it(shop: Make) -> None:
    here = shop(1, quirks=("neighbours",))
    here.write(wish("邻居的网络", "linju-2020"))
    (outcome,) = here.run().values()
    assert outcome.ok, outcome.problems
    assert here.cameras[0].state.ssid == GBK_NAME


def test_a_visit_to_its_access_point_asks_too(shop: Make) -> None:
    here = shop(1)
    here.write(wish("shop-wifi", "welcome-2020"))
    with Journal(here.journal, write=True) as journal:
        loaded = load(here.site, inline_secrets=True)
        (visit,) = provision(
            loaded, here.settings.connect, journal, [hotspot(here)], lambda _: None, interfaces=["lo"]
        )
    assert visit.error is not None
    assert "Did you mean Shop-WiFi?" in (visit.error.hint or "")
    assert here.counts(*SETS) == [(0, 0, 0)]


def hotspot(here: Shop) -> str:
    """The name of the first camera's access point."""
    return "SUNMI_" + here.cameras[0].state.mac.replace(":", "")[-4:]


def test_a_spreadsheet_insists_in_words() -> None:
    raw = "序列号,Wi-Fi 名称,Wi-Fi 密码,Wi-Fi 隐藏\nFS101D8BS00001,Warehouse,welcome-2020,是\n"
    document, _ = read_csv(raw.encode(), Path("shop.csv"))
    assert document["cameras"][0]["wifi"] == {"ssid": "Warehouse", "password": "welcome-2020", "hidden": True}
