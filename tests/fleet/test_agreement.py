"""What may happen to which camera: what was agreed to, one entry each, in its turn."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.outcome import Standing
from sunmi_ipc.simulator import Vendor, VirtualCamera

from .conftest import POLICY, Shop
from .test_commands import Ipc, ipc  # noqa: F401 - a fixture

Make = Callable[..., Shop]
ONCE = ("device/activate", "config/formatMemoryCard")


def test_what_the_plan_did_not_see_is_neither_activated_nor_formatted(shop: Make) -> None:
    here = shop(2)
    for camera in here.cameras:
        camera.state.wired = True
    here.write('[defaults]\nsdcard = "format-blank"\n')
    first, second = here.cameras
    outcomes = here.run(agreed=frozenset({(first.sn, "activate")}))
    assert here.counts(*ONCE) == [(1, 0), (0, 0)]
    assert {outcome.standing for outcome in outcomes.values()} == {Standing.FAILED}
    for outcome, step in ((outcomes[first.sn], "sdcard"), (outcomes[second.sn], "")):
        assert outcome.problems[0].setting == step
        assert "nobody was asked" in outcome.problems[0].message("en")
    assert all(outcome.ok for outcome in here.run().values())
    assert here.counts(*ONCE) == [(1, 1)] * 2


def test_apply_without_yes_agrees_to_nothing_it_did_not_ask(shop: Make, ipc: Ipc) -> None:  # noqa: F811
    """A camera that was away while the plan was made comes back for the apply."""
    here = shop(1)
    (camera,) = here.cameras
    camera.state.wired = True
    here.write('[defaults]\nsdcard = "format-blank"\n', policy=POLICY.replace("restart = 3", "restart = 0"))
    camera.fail("drop", times=2)  # a read is tried twice
    done = json.loads(ipc(here, "apply", "--json", code=7).stdout)
    assert "nobody was asked" in done["cameras"][0]["problems"][0]["message"]
    assert here.counts(*ONCE) == [(0, 0)]


def test_two_entries_for_one_camera_are_not_worked_on_at_once(shop: Make) -> None:
    here = shop(1)
    (camera,) = here.cameras
    camera.state.wired = True
    here.write(f'[[cameras]]\nmac = "{camera.state.mac}"\nname = "By MAC"\n')
    outcomes = here.run()
    assert sorted(outcome.standing for outcome in outcomes.values()) == [Standing.FAILED, Standing.OK]
    (failed,) = (outcome for outcome in outcomes.values() if not outcome.ok)
    assert "is the same camera" in failed.problems[0].message("en")
    assert here.counts("device/activate") == [(1,)]


def test_a_replaced_camera_is_forgotten(shop: Make, ipc: Ipc) -> None:  # noqa: F811
    here = shop(1, state="ready")
    (old,) = here.cameras
    here.write(
        '[[cameras]]\nany = "FM020"\nname = "Till"\n',
        policy=POLICY.replace("find = 5", "find = 1"),
        entries=False,
    )
    (outcome,) = here.run().values()
    assert (outcome.ok, outcome.sn) == (True, old.sn)
    old.close()
    new = VirtualCamera(here.vendor, state="ready", people=0).start()
    here.cameras[:] = [new]
    try:
        (outcome,) = here.run().values()
        assert (outcome.standing, outcome.sn) == (Standing.ABSENT, old.sn)
        assert f"ipc fleet forget {old.sn}" in outcome.problems[0].hint("en")
        assert old.sn in ipc(here, "forget", "WRONG", code=2).stderr
        assert json.loads(ipc(here, "forget", old.sn, "--json").stdout) == {
            "entry": "any:FM020#1",
            "sn": old.sn,
        }
        (outcome,) = here.run().values()
        assert (outcome.ok, outcome.sn) == (True, new.sn)
    finally:
        new.close()


def test_an_entry_of_its_own_takes_a_camera_from_any(shop: Make) -> None:
    """A camera that an "any" entry has got, and that is named later, is one camera still."""
    here = shop(1, state="ready")
    (camera,) = here.cameras
    with Journal(here.journal) as journal:
        journal.bind("any:FM020#1", camera.sn)
    here.write(
        '[[cameras]]\nany = "FM020"\nname = "Aisle"\n', policy=POLICY.replace("find = 5", "find = 0.5")
    )
    outcomes = here.run()
    assert outcomes[camera.sn].ok
    assert outcomes["any:FM020#1"].standing is Standing.ABSENT
    assert not camera.state.name.startswith("Aisle")


def test_the_rate_of_activations_holds_beyond_a_cameras_deadline(shop: Make) -> None:
    here = shop(3)
    for camera in here.cameras:
        camera.state.wired = True
    policy = POLICY.replace("per_minute = 60000", "per_minute = 100").replace(
        "deadline = 20", "deadline = 0.5"
    )
    here.write("", policy=policy)
    began = time.monotonic()
    outcomes = here.run()
    assert all(outcome.ok for outcome in outcomes.values()), [o.problems for o in outcomes.values()]
    assert time.monotonic() - began > 1.1  # three, 0.6 s apart


def test_a_camera_that_was_reset_is_told_its_wifi_again(shop: Make) -> None:
    here = shop(1)
    (camera,) = here.cameras
    here.write('[defaults]\nwifi = { ssid = "Shop-WiFi", password = "welcome-2020" }\n')
    assert all(outcome.ok for outcome in here.run().values())
    camera.state.activated = False
    camera.state.ssid, camera.state.wired = "", True  # the button, and a cable to find it by
    (outcome,) = here.run().values()
    assert (outcome.ok, outcome.done) == (True, ["wifi", "activate"])
    assert camera.state.ssid == "Shop-WiFi"


def test_a_url_with_a_password_is_kept_and_shown_without_it(shop: Make, ipc: Ipc) -> None:  # noqa: F811
    here = shop(1, state="ready")
    here.write(
        '[defaults]\nsubscriptions = [{ events = ["dynamic_detect_event"], callback = "http://u:hunter22@h/e?token=sesame9" }]\n'
    )
    texts = [ipc(here, "apply").stdout, ipc(here, "status", "--json").stdout]
    ipc(here, "export", "--html", "r.html", "--csv", "r.csv", "--no-pictures")
    texts += [
        file.read_bytes().decode("utf-8", "replace") for file in here.folder.glob("*.*") if file != here.site
    ]
    assert all("hunter22" not in text and "sesame9" not in text for text in texts)
    assert "http://***@h/e?token=***" in texts[0]
    assert here.cameras[0].state.documents["hooks"] == {
        "dynamic_detect_event": ["http://u:hunter22@h/e?token=sesame9"]
    }


@pytest.mark.slow
def test_an_entry_is_bound_to_a_camera_that_answered_an_apply(shop: Make) -> None:
    """Neither a plan nor a camera of another vendor's key binds it."""
    here = shop(1, state="ready")
    (mine,) = here.cameras
    here.write('[[cameras]]\nany = "FM020"\nname = "Till"\n', entries=False)
    with Vendor() as other, VirtualCamera(other, state="ready", people=0) as foreign:
        here.cameras[:] = [foreign]
        (outcome,) = here.run().values()
        assert outcome.problems[0].type == "TlsError"
        here.cameras[:] = [mine]
        (planned,) = here.run(apply=False).values()
        assert planned.sn == mine.sn
        with Journal(here.journal) as journal:
            assert journal.bindings() == {}
        assert all(outcome.ok for outcome in here.run().values())
        with Journal(here.journal) as journal:
            assert journal.bindings() == {"any:FM020#1": mine.sn}
