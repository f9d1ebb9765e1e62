"""No setting is invented: what a camera does not tell stays untold, and a write sends back all that came."""

from __future__ import annotations

from datetime import time
from typing import Any
from urllib.parse import parse_qs

import pytest

from sunmi_ipc import Camera, errors
from sunmi_ipc.api.faces import Faces
from sunmi_ipc.models import (
    AiFaceConfig,
    DeviceInfo,
    IpConfiguration,
    LensConfiguration,
    MotionDetectConfig,
    PeopleFlowStatConfig,
)
from sunmi_ipc.protocol import wire
from sunmi_ipc.protocol.values import CustomerJudgeMode, Flag01, Weekdays
from sunmi_ipc.protocol.wire import Incoming, Outgoing
from sunmi_ipc.simulator import VirtualCamera, connect


class Told:
    """A transport over one answer, that keeps what is written."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data, self.sent = data, dict[str, str]()

    def send(self, outgoing: Outgoing, *, timeout: float) -> Incoming:
        import json

        if outgoing.path.partition("/")[2].startswith("set"):
            form = parse_qs(outgoing.body.decode(), keep_blank_values=True)
            self.sent = {
                k: v[0] for k, v in form.items() if k not in ("app_id", "timestamp", "random", "sign")
            }
        return Incoming(200, {}, json.dumps({"code": 0, "data": self.data}).encode())

    def close(self) -> None:
        pass


def camera(data: dict[str, Any]) -> tuple[Camera, Told]:
    told = Told(data)
    return Camera("127.0.0.1", model="FM020", app_id="a", secret_key="k" * 8, transport=told), told


@pytest.mark.parametrize(
    "model", [MotionDetectConfig, AiFaceConfig, PeopleFlowStatConfig, IpConfiguration]
)  # fmt: skip
def test_what_is_not_told_is_none(model: Any) -> None:
    made = model.read({})
    assert all(getattr(made, name) is None for name in model.model_fields)
    assert set(made.as_dict().values()) == {None}


def test_the_focus_point_is_not_invented() -> None:
    made = LensConfiguration.read({"zoom": 1, "max_zoom": 2, "focus": 3, "max_focus": 4})
    assert made.focused_x is None


def test_detection_goes_back_whole() -> None:
    data = {
        "motion_level": "2",
        "audio_level": 1,
        "weekday": 0x7F,
        "start_time": 0,
        "stop_time": 1440,
        "people_detect_status": 1,
        "zones": [1, 2],
        "x": None,
    }
    one, told = camera(data)
    changed = one.detection.update(motion_level=3)
    assert (changed.motion_level, changed.audio_level) == (3, 1)
    assert told.sent == {
        "motion_level": "3", "audio_level": "1", "weekday": "127", "start_time": "0", "stop_time": "1440",
        "people_detect_status": "1", "zones": "[1,2]",
    }  # fmt: skip


def test_times_mean_something_where_they_are_given() -> None:
    """A camera that detects round the clock would take them and go on round the clock."""
    one, told = camera({"motion_level": 2, "weekday": 0x80, "start_time": 0, "stop_time": 1440})
    changed = one.detection.update(start_time=time(9), stop_time=time(18))
    assert changed.weekday is Weekdays.EVERY_DAY
    assert (told.sent["weekday"], told.sent["start_time"]) == ("127", "540")
    one.detection.update(weekday=Weekdays.ALWAYS, start_time=time(9))
    assert told.sent["weekday"] == "128"
    one.detection.update(motion_level=1)
    assert told.sent["weekday"] == "128"


def test_what_is_missing_is_not_written_and_what_is_odd_goes_back_as_it_came() -> None:
    one, told = camera({"motion_level": 1, "weekday": 511, "start_time": 28_800, "human": "on"})
    one.detection.update(audio_level=2)
    assert told.sent == {
        "motion_level": "1",
        "audio_level": "2",
        "weekday": "511",
        "start_time": "28800",
        "human": "on",
    }


def test_a_plain_set_sends_what_is_given_and_no_more() -> None:
    one, told = camera({})
    one.detection.set(motion_level=1)
    assert told.sent == {"motion_level": "1"}
    one.detection.set(weekday=Weekdays.MONDAY, start_time=time(8), stop_time=time.max)
    assert told.sent == {"weekday": "1", "start_time": "480", "stop_time": "1440"}


def test_the_other_settings_go_back_whole() -> None:
    one, told = camera({"facerecog_interval": 60, "mode2": "x"})
    one.people_flow.update_settings(customer_judgemode=CustomerJudgeMode.SNAPSHOT)
    assert told.sent == {"facerecog_interval": "60", "customer_judgemode": "0", "mode2": "x"}
    one, told = camera({"snap_size_thr": "72", "quality": 5})
    one.faces.update_settings(optimize_seconds=4)
    assert told.sent == {"optimize_seconds": "4", "snap_size_thr": "72", "quality": "5"}
    one, told = camera({"dhcp": 0, "ip": "192.168.1.20", "dns": "", "dns2": "9.9.9.9"})
    one.network.update(dhcp=Flag01.ON)
    assert told.sent == {"dhcp": "1", "ip": "192.168.1.20", "dns": "", "dns2": "9.9.9.9"}


def test_the_virtual_camera_takes_back_what_it_told(ready: VirtualCamera) -> None:
    camera = connect(ready)
    ready.state.documents["motion"]["people_detect_status"] = 1
    camera.detection.update(motion_level=1)
    assert ready.state.documents["motion"]["motion_level"] == 1
    assert ready.state.documents["motion"]["people_detect_status"] == 1
    with pytest.raises(errors.DeviceError):
        camera.call("config/setMotionDetect", {"motion_level": 1, "never_told": 1})


def test_a_group_has_a_description() -> None:
    one, told = camera({})
    for given in ("", None):
        values = Faces.create_group.check({"name": "会员", "capacity": 5, "description": given})
        assert values["description"] == "会员"
    assert Faces.create_group.check({"name": "a", "capacity": 5, "description": "b"})["description"] == "b"
    assert next(p for p in Faces.create_group.parameters if p.name == "description").required
    assert not told.sent
    for name in (" a", "\u3000a", "\ta"):
        with pytest.raises(errors.ParameterError):
            one.faces.create_group(name, 5)


def test_a_number_that_no_camera_can_mean() -> None:
    body = b'{"code":0,"data":{"zoom":1,"max_zoom":99999999999999999999,"focus":3,"max_focus":4}}'
    with pytest.raises(errors.ReplyError):
        LensConfiguration.read(wire.open_json(Incoming(200, {}, body), path="x/y"))
    assert DeviceInfo.read({"sn": 12345}).sn == "12345"


@pytest.mark.parametrize("sent", [True, False])
def test_a_format_without_an_answer_is_judged_by_the_card(sent: bool) -> None:
    class Slow(Told):
        def send(self, outgoing: Outgoing, *, timeout: float) -> Incoming:
            if outgoing.path == "config/formatMemoryCard":
                assert timeout > 50
                error = errors.ConnectionFailed("the connection was refused")
                error.sent = sent
                raise error
            return super().send(outgoing, timeout=timeout)

    one = Camera("127.0.0.1", app_id="a", secret_key="k" * 8, transport=Slow({"status": "2"}))
    if sent:
        assert one.sdcard.format_and_wait(interval=0.01).ready
    else:
        with pytest.raises(errors.ConnectionFailed):
            one.sdcard.format_and_wait(interval=0.01)
