"""From boxes to a shop: what apply, plan and verify do to virtual cameras."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from sunmi_ipc.camera import Camera
from sunmi_ipc.discovery import discover
from sunmi_ipc.errors import ConfigError
from sunmi_ipc.fleet.finder import Finder
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.outcome import Outcome, Standing
from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import Vendor, VirtualCamera

from .conftest import POLICY, Shop

Make = Callable[..., Shop]
FULL = """\
[defaults]
name = "Cam {sn}"
wifi = { ssid = "Shop-WiFi", password = "welcome-2020" }
sdcard = "format-blank"
ir = "on"
led = false
rotation = 180
detection = { motion = 3, days = ["mon", "tue"], from = "09:00", to = "24:00" }
lens = { zoom = "50%" }
door_line = [300, 700, 1600, 700]
face_groups = [{ name = "VIP", capacity = 100, description = "guests" }, { name = "regular", capacity = 4000 }]
move_rule = { period = 7, times = 2 }
subscriptions = [{ events = ["face_recog_event"], callback = "http://192.168.1.5:8080/e" }]
ip = { dhcp = false, address = "192.168.1.20", netmask = "255.255.255.0" }
"""


def _in_order(here: Shop) -> list[Outcome]:
    outcomes = here.run()
    return [outcomes[camera.sn] for camera in here.cameras]


ONCE = ("device/activate", "config/formatMemoryCard", "config/setWifiConfWithoutAuth")


def test_from_the_box_to_the_wanted_state_and_nothing_twice(shop: Make) -> None:
    here = shop(3)
    here.write(FULL)
    planned = here.run(apply=False)
    assert all(o.standing is Standing.DIFFERS for o in planned.values())
    assert all("activate" in o.planned and "wifi" in o.planned for o in planned.values())
    assert here.counts(*ONCE) == [(0, 0, 0)] * 3

    done = here.run()
    assert [p.message("en") for o in done.values() for p in o.problems] == []
    assert {o.standing for o in done.values()} == {Standing.OK}
    assert here.counts(*ONCE) == [(1, 1, 1)] * 3
    for camera in here.cameras:
        state = camera.state
        assert (state.name, state.ssid, state.card) == (f"Cam {state.sn}", "Shop-WiFi", CardStatus.NORMAL)
        documents = state.documents
        assert documents["ir"] == {"irmode": 1}
        assert documents["led"] == {"led_switch": 0}
        assert documents["rotation"] == {"rotation": 180}
        assert documents["motion"] == {
            "motion_level": 3,
            "audio_level": 1,
            "weekday": 3,
            "start_time": 540,
            "stop_time": 1440,
        }
        assert documents["motors"]["zoom"]["to"] == 250
        assert documents["door_line"]["start_y"] == 700
        assert documents["groups"]["VIP"]["description"] == "guests"
        assert documents["groups"]["regular"]["capacity"] == 4000
        assert documents["groups"]["stranger"]["times"] == 2
        assert documents["hooks"] == {"face_recog_event": ["http://192.168.1.5:8080/e"]}
        assert documents["ip"]["netmask"] == "255.255.255.0"

    for file in here.folder.glob("site.journal*"):
        assert b"welcome-2020" not in file.read_bytes()

    before = [dict(c.state.counts) for c in here.cameras]
    again = here.run()
    assert all(o.ok and o.done == [] for o in again.values())
    for camera, counts in zip(here.cameras, before, strict=True):
        new = {k: v - counts.get(k, 0) for k, v in camera.state.counts.items() if v != counts.get(k, 0)}
        assert all("/get" in path and times == 1 for path, times in new.items()), new
        assert len(new) == 12  # who it is, and one for each of eleven things wanted
    verified = here.run(apply=False)
    assert all(o.ok for o in verified.values())


def test_an_activation_and_a_format_without_an_answer_are_not_repeated(shop: Make) -> None:
    here = shop(1)
    (camera,) = here.cameras
    for path in (*ONCE, "config/setIpcName", "face/createGroup", "hook/add"):
        camera.fail("lost", path=path)
    here.write(FULL)
    (outcome,) = here.run().values()
    assert outcome.ok, outcome.problems
    assert here.counts(*ONCE[:2], "face/createGroup", "config/setIpcName") == [(1, 1, 1, 1)]


def test_an_activation_that_was_never_heard_is_said_again(shop: Make) -> None:
    here = shop(1)
    (camera,) = here.cameras
    camera.state.wired = True
    camera.fail("drop", path="device/activate")
    here.write('[defaults]\nsdcard = "format-blank"\n')
    (outcome,) = here.run().values()
    assert outcome.ok
    assert here.counts("device/activate") == [(1,)]
    with Journal(here.journal) as journal:
        assert [s.state for s in journal.steps() if s.step == "activate"] == ["undone", "done"]


@pytest.mark.parametrize("begun", ["activate", "format"])
def test_what_a_killed_run_began_is_looked_into_first(shop: Make, begun: str) -> None:
    """The journal says "begun": the camera is asked, and asked again, before the call is repeated."""
    here = shop(1)
    (camera,) = here.cameras
    camera.state.wired = True
    if begun == "format":
        camera.state.activated = True
    here.write('[defaults]\nsdcard = "format-blank"\n')
    with Journal(here.journal) as journal:
        journal.begin(camera.sn, camera.sn, begun)
        if begun == "format":  # the camera is at it
            camera.state.card, camera.state.card_busy_until = CardStatus.NORMAL, time.monotonic() + 0.3
    (outcome,) = here.run().values()
    assert outcome.ok
    paths = {"activate": "device/activate", "format": "config/formatMemoryCard"}
    assert here.counts(paths[begun]) == [(int(begun == "activate"),)]
    with Journal(here.journal) as journal:
        assert journal.steps()[0].state == ("undone" if begun == "activate" else "done")


def test_a_path_that_a_camera_does_not_know_spoils_nothing_else(shop: Make) -> None:
    here = shop(3, state="ready")
    here.cameras[0].fail("code", 6, path="config/getIrMode", times=None)
    here.cameras[1].fail("http", 404, path="config/setLed", times=None)
    here.write('[defaults]\nir = "on"\nled = false\nrotation = 180\n')
    first, second, third = _in_order(here)
    assert (first.standing, second.standing, third.standing) == (
        Standing.REFUSED,
        Standing.REFUSED,
        Standing.OK,
    )
    (problem,) = first.problems
    assert (problem.setting, problem.code, problem.endpoint) == ("ir", 6, "config/getIrMode")
    assert "config/getIrMode is inferred" in problem.hint("en")
    assert "config/getIrMode 是推断" in problem.hint("zh")
    assert first.done == ["led", "rotation"]
    assert second.done == ["ir", "rotation"]


@pytest.mark.slow
def test_faults_of_all_kinds_are_waited_out(shop: Make) -> None:
    here = shop(3)
    kinds = ("drop", "reset", "garble", "empty", "dirty")
    for camera in here.cameras:
        for kind in kinds:
            camera.fail(kind, times=2, probability=0.3)
        camera.fail("code", 3, path="config/setRotation")
    here.write(FULL)
    outcomes = here.run()
    assert [p.message("en") for o in outcomes.values() for p in o.problems] == []
    assert here.counts("device/activate", "config/formatMemoryCard") == [(1, 1)] * 3


def test_a_restart_is_waited_out_and_delays_nobody(shop: Make) -> None:
    here = shop(2, state="ready")
    slow, quick = here.cameras
    slow.restart(1.5)
    here.write("[defaults]\nled = false\n")
    outcomes = list(here.run(jobs=1).values())
    assert [o.sn for o in outcomes] == [quick.sn, slow.sn]
    assert all(o.ok for o in outcomes)
    assert outcomes[0].seconds < 1


def test_absent_wrong_and_foreign_cameras_are_named(shop: Make) -> None:
    with Vendor() as other, VirtualCamera(other, state="ready", udp=True, seed=77) as foreign:
        here = shop(1, state="ready")
        (camera,) = here.cameras
        camera.insert_card(CardStatus.NONE)
        policy = POLICY.replace("find = 5", "find = 1")
        here.write(
            f'[defaults]\nsdcard = "format-blank"\nled = false\n[[cameras]]\nsn = "FS101D8BS99999"\n'
            f'[[cameras]]\nsn = "{foreign.sn}"\n[[cameras]]\nsn = "FS101D8BS99998"\naddress = "{camera.address}"\n',
            policy=policy,
        )
        outcomes = here.run(finder=Finder(interfaces=["lo"]))
        absent = outcomes["FS101D8BS99999"]
        assert absent.standing is Standing.ABSENT
        assert "was not found" in absent.problems[0].message("en")
        assert outcomes[foreign.sn].problems[0].type == "TlsError"
        assert "another camera" in outcomes["FS101D8BS99998"].problems[0].message("en")
        mine = outcomes[camera.sn]
        assert (mine.standing, mine.done, mine.card) == (Standing.FAILED, ["led"], "none")
        assert "insert one" in mine.problems[0].hint("en")
        assert "没有卡" in mine.problems[0].hint("zh") or "卡" in mine.problems[0].hint("zh")
        assert foreign.state.counts == {}


def test_a_wrong_wifi_password_is_said_to_be_one(shop: Make) -> None:
    here = shop(1)
    here.cameras[0].state.join_s = 60  # it never comes to this network
    here.write(
        '[defaults]\nwifi = { ssid = "Shop-WiFi", password = "wrong-one" }\n',
        policy=POLICY.replace("restart = 3", "restart = 0.2").replace("find = 5", "find = 1"),
    )
    (outcome,) = here.run().values()
    (problem,) = outcome.problems
    assert problem.step == "wifi"
    assert "wrong one leaves the camera on its own access point" in problem.hint("en")
    assert "wrong-one" not in str(outcome.as_dict("en"))


def test_the_model_decides_what_is_asked_of_it(shop: Make) -> None:
    here = shop(1, state="ready", model="FM010")
    (camera,) = here.cameras
    here.write("[defaults]\ndoor_line = [300, 700, 1600, 700]\nled = false\n")
    (outcome,) = here.run().values()
    assert (outcome.standing, outcome.notes, outcome.done) == (Standing.OK, ["door_line"], ["led"])
    here.write(f'[[cameras]]\nsn = "{camera.sn}"\nlens = {{ zoom = 1 }}\n', entries=False)
    (outcome,) = here.run().values()
    assert outcome.standing is Standing.FAILED
    assert "FM010" in outcome.problems[0].message("en")


def test_an_event_that_the_model_does_not_have_is_left_out_where_defaults_ask_for_it(shop: Make) -> None:
    here = shop(1, state="ready", model="FM010")
    (camera,) = here.cameras
    wish = 'subscriptions = [{ events = ["face_recog_event", "dynamic_detect_event"], callback = "http://h/e" }]\n'
    here.write("[defaults]\n" + wish)
    (outcome,) = here.run().values()
    assert outcome.ok
    assert camera.state.documents["hooks"] == {"dynamic_detect_event": ["http://h/e"]}
    here.write(f'[[cameras]]\nsn = "{camera.sn}"\n{wish}', entries=False)
    (outcome,) = here.run().values()
    assert outcome.problems[0].message("en") == "the FM010 has no face recognition"


def test_any_camera_of_a_model_keeps_its_entry(shop: Make) -> None:
    here = shop(4, state="ready")
    first = sorted(here.cameras, key=lambda c: c.sn)
    named, by_mac = first[0], first[3]
    here.write(
        f'[[cameras]]\nany = "FM020"\ncount = 2\nname = "Aisle {{n}}"\n[[cameras]]\nsn = "{named.sn}"\nname = "Door"\n'
        f'[[cameras]]\nmac = "{by_mac.state.mac}"\nname = "Till"\n',
        entries=False,
    )

    outcomes = here.run()
    assert all(o.ok for o in outcomes.values()), [o.problems for o in outcomes.values()]
    assert [c.state.name for c in first] == ["Door", "Aisle 1", "Aisle 2", "Till"]
    assert outcomes[by_mac.state.mac].sn == by_mac.sn
    first[1].close()
    extra = VirtualCamera(here.vendor, state="ready", seed=1).start()
    try:
        here.cameras.append(extra)
        policy = POLICY.replace("find = 5", "find = 1")
        here.site.write_text(here.site.read_text().replace(POLICY, policy))
        again = here.run()
    finally:
        here.cameras.remove(extra)
        extra.close()
    assert again["any:FM020#1"].standing is Standing.ABSENT
    assert again["any:FM020#2"].sn == first[2].sn
    assert extra.state.name.startswith("SUNMI")


def test_quota_and_rate_of_activations(shop: Make) -> None:
    here = shop(3)
    for camera in here.cameras:
        camera.state.wired = True
    rate = POLICY.replace("per_minute = 60000", "per_minute = 150\nactivation_quota = 2")
    here.write("", policy=rate)
    began = time.monotonic()
    outcomes = here.run()
    assert time.monotonic() - began > 0.4  # two, 0.4 s apart
    assert sorted(o.standing for o in outcomes.values()) == [Standing.FAILED, Standing.OK, Standing.OK]
    (failed,) = (o for o in outcomes.values() if not o.ok)
    assert "quota of 2" in failed.problems[0].message("en")
    assert sum(c[0] for c in here.counts("device/activate")) == 2
    assert sorted(o.standing for o in here.run().values())[0] is Standing.FAILED  # the journal counts on


def test_a_deadline_ends_one_camera_alone(shop: Make) -> None:
    here = shop(2, state="ready")
    here.cameras[0].fail("hang", 5, path="config/getLed", times=None)
    here.write(
        "[defaults]\nled = false\nir = 'on'\n",
        policy=POLICY.replace("deadline = 20", "deadline = 1\ntimeout = 0.3"),
    )
    outcomes = here.run()
    assert outcomes[here.cameras[1].sn].ok
    stuck = outcomes[here.cameras[0].sn]
    assert (stuck.standing, stuck.problems[0].type) == (Standing.FAILED, "ConnectionFailed")
    assert stuck.seconds < 3


def test_stopping_begins_nothing_more_and_a_second_run_goes_on(shop: Make) -> None:
    here = shop(3, state="ready")
    here.write(FULL)
    stop = threading.Event()

    def tell(outcome: Outcome, step: str) -> None:
        if step == "door line":
            stop.set()

    outcomes = here.run(stop=stop, tell=tell)
    assert any(o.standing is Standing.STOPPED for o in outcomes.values())
    assert all(o.ok for o in here.run().values())


def test_two_runs_at_once_are_refused(shop: Make) -> None:
    here = shop(1, state="ready")
    here.write("")
    with Journal(here.journal), pytest.raises(ConfigError, match="another process"):
        Journal(here.journal)
    Journal(here.journal).close()


def test_a_camera_that_does_not_keep_a_setting(shop: Make) -> None:
    here = shop(1, state="ready")
    (camera,) = here.cameras
    here.write("[defaults]\nled = false\n")
    real = camera.answer

    def forgets(path: str, body: bytes, kind: str = "") -> dict[str, Any]:
        answer = real(path, body, kind)
        camera.state.documents["led"] = {"led_switch": 1}
        return answer

    camera.answer = forgets  # type: ignore[method-assign]
    (outcome,) = here.run().values()
    (problem,) = outcome.problems
    assert "does not keep led.switch: it has on instead of off" in problem.message("en")
    assert here.counts("config/setLed") == [(2,)]


def test_one_scan_for_all(shop: Make) -> None:
    here = shop(8, state="ready")
    here.write("[defaults]\nled = false\n")
    # A scan ends when all have answered; on a loaded machine that takes longer than one usually lasts.
    patient = lambda **how: discover(**how | {"timeout": 30})  # noqa: E731
    finder, stop = Finder(interfaces=["lo"], scan=patient), threading.Event()
    assert len(here.run(finder=finder, stop=stop)) == 8
    assert not stop.is_set()  # a run that came to its end was not stopped
    assert finder.scans == 1


def test_a_far_camera_is_asked_everything_at_once(shop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its questions are on their way together; what is read, written and said is the same."""
    here = shop(1, state="ready")
    here.write("[defaults]\nir = 'off'\nled = false\nrotation = 180\n")
    read, lock, busy, most = Camera.call, threading.Lock(), [0], [0]

    def call(self: Camera, endpoint: Any, values: Any = None, **options: Any) -> Any:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        try:
            time.sleep(0.05)  # the way there
            return read(self, endpoint, values, **options)
        finally:
            with lock:
                busy[0] -= 1

    monkeypatch.setattr(Camera, "call", call)
    monkeypatch.setattr(Camera, "at_once", 4, raising=False)
    (outcome,) = here.run().values()
    assert outcome.standing is Standing.OK
    assert sorted(outcome.done) == ["ir", "led", "rotation"]
    assert most[0] == 3
    # Read, and read again what was written; nothing more.
    assert here.counts("config/getIrMode", "config/getLed", "config/getRotation", "config/setLed") == [
        (2, 2, 2, 1)
    ]
    here.cameras[0].fail("drop", path="config/getLed", times=3)  # what went wrong ahead is asked for again
    here.cameras[0].state.documents["led"]["led_switch"] = 1
    (outcome,) = here.run().values()
    assert outcome.standing is Standing.OK
