"""Each group against the virtual camera, over real TLS."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as day_time
from pathlib import Path

import pytest

from sunmi_ipc import errors
from sunmi_ipc.api.lens import position
from sunmi_ipc.camera import Camera
from sunmi_ipc.protocol.values import (
    AgeRange,
    CardStatus,
    CustomerJudgeMode,
    DoorLine,
    EventType,
    Flag01,
    Gender,
    IrMode,
    Resolution,
    Weekdays,
)
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.faces import populate, see

JPEG = b"\xff\xd8\xff\xe0 a face"
NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)


@pytest.fixture(autouse=True)
def in_both_colours(both_colours: Callable[..., Camera], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here is run on a blocking camera, and on an asyncio one."""
    monkeypatch.setitem(globals(), "connect", both_colours)


@pytest.fixture
def camera(ready: VirtualCamera, in_both_colours: None) -> Camera:
    with connect(ready) as client:
        yield client


def code_of(call: Callable[[], object]) -> int:
    with pytest.raises(errors.DeviceError) as caught:
        call()
    return int(caught.value.code)


def test_lens_moves_takes_time_and_rests(camera: Camera, ready: VirtualCamera) -> None:
    limits = camera.lens.show()
    assert (limits.max_zoom, limits.max_focus) == (500, 780)
    assert camera.lens.zoom("50%") == 250
    assert camera.lens.wait_until_rest(timeout=5, interval=0.05).zoom == 250
    assert camera.lens.zoom("+9999") == 500
    assert camera.lens.zoom("-9999") == 0
    assert camera.lens.focus(10) == 10
    assert camera.lens.wait_until_rest(timeout=5, interval=0.05).focus == 10
    camera.lens.autofocus(20, 80)
    moved = camera.lens.wait_until_rest(timeout=5, interval=0.05)
    assert (moved.focused_x, moved.focused_y) == (20, 80)
    camera.lens.reset()
    assert camera.lens.wait_until_rest(timeout=5, interval=0.05).zoom == 0
    before = dict(ready.state.counts)
    with pytest.raises(errors.ParameterError, match="beyond"):
        camera.lens.zoom(501)
    assert ready.state.counts["config/setZoom"] == before["config/setZoom"]
    assert code_of(lambda: camera.lens.set_zoom(501)) == 110
    assert code_of(lambda: camera.lens.set_focus(781)) == 111


@pytest.mark.parametrize("bad", ["", "x", "+", "%", "1.5", "++1", "+5%", "-5%", "101%", "9" * 40, "٣"])
def test_positions_that_are_none(bad: str) -> None:
    with pytest.raises(errors.ParameterError):
        position(bad, 10, 500, "zoom")


def test_image(camera: Camera, virtual: Callable[..., VirtualCamera]) -> None:
    camera.image.set_ir(IrMode.ON)
    assert camera.image.ir().mode is IrMode.ON
    camera.image.set_led(Flag01.OFF)
    assert camera.image.led().switch is Flag01.OFF
    camera.image.set_name("收银台")
    assert camera.image.name_().name == camera.device.info().name == "收银台"
    assert camera.image.rotations().angles == (0, 180)
    camera.image.set_rotation(180)
    assert camera.image.rotation().rotation == 180
    assert code_of(lambda: camera.image.set_rotation(90)) == 120
    with connect(virtual(model="FM010")) as store:
        store.image.set_rotation(90)
        assert store.image.rotations().angles == (0, 90, 180, 270)


def test_detection(camera: Camera) -> None:
    assert camera.detection.show().weekday is Weekdays.ALWAYS
    days = Weekdays.MONDAY | Weekdays.FRIDAY
    camera.detection.set(3, 0, days, day_time(22, 30), day_time(6, 0))
    now = camera.detection.show()
    assert (now.motion_level, now.audio_level, now.weekday) == (3, 0, days)
    assert (now.start_time, now.stop_time) == (day_time(22, 30), day_time(6, 0))
    changed = camera.detection.update(stop_time=day_time.max)
    assert changed == camera.detection.show()
    assert changed.motion_level == 3
    assert changed.stop_time == day_time.max


def test_network(camera: Camera) -> None:
    camera.network.set(Flag01.OFF, "192.168.1.20", "255.255.255.0", "192.168.1.1", "192.168.1.1")
    assert camera.network.show().gateway == "192.168.1.1"


def test_door_line(camera: Camera, ready: VirtualCamera) -> None:
    line = DoorLine(0, 0, 100, 1080)
    camera.people_flow.draw(line)
    assert camera.people_flow.door_line().line == line
    assert code_of(lambda: camera.people_flow.set_door_line(0, 0, 99, 0)) == 276
    assert code_of(lambda: camera.people_flow.set_door_line(0, 0, 200, 0, Resolution.P720)) == 264
    for bad in ((0, 0, 99, 0), (-1, 0, 200, 0), (0, 0, 1921, 0), (0, 1081, 200, 0)):
        with pytest.raises(errors.ParameterError):
            DoorLine(*bad)
    with pytest.raises(errors.ParameterError):
        DoorLine(0, 0, 1281, 0, Resolution.P720)


def test_people_flow(camera: Camera, ready: VirtualCamera) -> None:
    start = NOW - timedelta(days=2)
    stat = camera.people_flow.arrivals(start, NOW)
    assert stat.total == sum(u.total for u in stat.stat_list) > 0
    assert all(sum(u.male_num_stat) + sum(u.female_num_stat) == u.total for u in stat.stat_list)
    past = NOW - timedelta(minutes=15)
    assert camera.people_flow.arrivals(start, past) == camera.people_flow.arrivals(start, past)
    assert sum(row["count"] for row in stat.rows()) == stat.total
    assert set(stat.stat_list[0].by_age()) == {age.label for age in AgeRange}
    assert camera.people_flow.passing(start, NOW).total > stat.total
    assert camera.people_flow.leaving(start, NOW).total > 0
    assert code_of(lambda: camera.people_flow.arrivals(NOW + timedelta(days=1), NOW)) == 266
    assert code_of(lambda: camera.people_flow.arrivals(NOW - timedelta(minutes=20), start)) == 267
    with pytest.raises(errors.ParameterError, match="no time zone"):
        camera.people_flow.arrivals(datetime(2026, 1, 1), NOW)
    camera.people_flow.set_settings(120, CustomerJudgeMode.SNAPSHOT)
    assert camera.people_flow.settings().facerecog_interval == 120


def test_visitors_and_visits(camera: Camera, ready: VirtualCamera) -> None:
    populate(ready.state, 60)
    everyone = list(camera.people_flow.visitors(NOW - timedelta(days=30), NOW))
    assert len(everyone) == 60
    women = list(camera.people_flow.visitors(NOW - timedelta(days=30), NOW, gender=Gender.FEMALE))
    assert {face.gender for face in women} == {Gender.FEMALE}
    assert {face.group_name for face in everyone} == {"stranger", "regular"}
    often = max(everyone, key=lambda face: face.arrive_count)
    visits = camera.people_flow.visits(often.faceid, NOW - timedelta(days=30), NOW)
    assert visits.arrive_count == often.arrive_count == len(visits.came_in_time)
    assert visits.last == often.arrive_time
    assert code_of(lambda: camera.people_flow.visits("nobody", NOW - timedelta(days=1), NOW)) == 280
    assert code_of(lambda: camera.people_flow.visitors_page(NOW, NOW, group_name="none")) == 269
    assert code_of(lambda: camera.people_flow.visitors_page(NOW - timedelta(days=30), NOW, page_num=9)) == 273


def test_every_face_is_an_arrival_and_a_new_camera_has_seen_nobody(
    virtual: Callable[..., VirtualCamera],
) -> None:
    box = virtual(state="factory", people=12)
    box.state.wired = True
    month = NOW - timedelta(days=30)
    with connect(box) as camera:
        camera.device.activate(box.sn)
        camera.sdcard.format_and_wait(timeout=10, interval=0.02)
        now = datetime.now(UTC)
        assert camera.people_flow.arrivals(month, now).total <= 1  # of this very second
        assert list(camera.people_flow.visitors(month, now)) == []
        box.state.filming_since -= 86_400
        box.state.documents["life"]["minute"] -= 600
        visits = sum(face.arrive_count for face in camera.people_flow.visitors(month, now))
        flow = camera.people_flow.arrivals(month, now)
        assert 60 < visits < flow.total
        assert flow.stat_list[0].total == 0
        for face in camera.people_flow.visitors(month, now):
            camera.faces.delete(face.group_name, [face.faceid])
        assert camera.people_flow.arrivals(month, now).total >= flow.total


def test_strangers_become_regulars_by_the_rule(camera: Camera, ready: VirtualCamera) -> None:
    camera.faces.set_move_rule(period=7, times=2)
    now = time.time()
    assert see(ready.state, "anna", gender=2, age=30, when=now - 8 * 86_400)["group_name"] == "stranger"
    assert see(ready.state, "anna", gender=2, age=30, when=now - 86_400)["group_name"] == "stranger"
    assert see(ready.state, "anna", gender=2, age=30, when=now)["group_name"] == "regular"
    assert camera.faces.show("anna").arrive_count == 3


def test_people_go_on_coming(camera: Camera, ready: VirtualCamera) -> None:
    populate(ready.state, 5)
    before = sum(face.arrive_count for name in ("stranger", "regular") for face in camera.faces.list(name))
    ready.state.documents["life"]["minute"] -= 600
    after = [face for name in ("stranger", "regular") for face in camera.faces.list(name)]
    assert len(after) == 5
    assert 60 < sum(face.arrive_count for face in after) - before < 360
    assert {face.group_name for face in after} == {"regular"}


def test_face_groups_and_their_rules(camera: Camera, ready: VirtualCamera) -> None:
    name = "咖" * 32
    camera.faces.create_group(name, 100, "客" * 50)
    assert code_of(lambda: camera.faces.create_group(name, 100)) == 200
    with pytest.raises(errors.ParameterError):
        camera.faces.create_group(" blank", 100)
    raw = {"name": " blank", "capacity": 100, "description": "x"}
    assert code_of(lambda: camera.call("face/createGroup", raw)) == 201
    assert code_of(lambda: camera.call("face/createGroup", {"name": "bare", "capacity": 100})) == 212
    assert code_of(lambda: camera.faces.create_group("much", 30_000)) == 202
    for bad in (("咖" * 33, 1, ""), ("ok", 1, "客" * 51), ("ok", 0, ""), ("ok", 30_001, "")):
        with pytest.raises(errors.ParameterError):
            camera.faces.create_group(*bad)
    camera.faces.update_group(name, "VIP", 200, "best")
    groups = {g.name: g for g in camera.faces.groups().face_group}
    assert groups["VIP"].capacity == 200
    assert groups["stranger"].times == 3
    assert groups["VIP"].times is None
    assert code_of(lambda: camera.faces.delete_group("none")) == 204
    camera.faces.add_face("VIP", JPEG)
    assert code_of(lambda: camera.faces.delete_group("VIP")) == 205
    camera.faces.clear_group("VIP")
    camera.faces.delete_group("VIP")
    for number in range(8):
        camera.faces.create_group(f"group {number}", 1)
    assert code_of(lambda: camera.faces.create_group("eleventh", 1)) == 202
    ready.insert_card(CardStatus.NONE)
    assert code_of(camera.faces.groups) == 220


def test_faces(camera: Camera, tmp_path: Path) -> None:
    camera.faces.create_group("VIP", 3)
    camera.faces.add_attribute("VIP", "card")
    assert camera.faces.attributes("VIP").name_list == ("card",)
    assert code_of(lambda: camera.faces.add_attribute("VIP", "card")) == 241
    added = camera.faces.add_face("VIP", JPEG, age=31, gender=Gender.FEMALE, attributes={"card": "A1"})
    assert code_of(lambda: camera.faces.add_face("VIP", JPEG)) == 206
    assert code_of(lambda: camera.faces.add_face("VIP", JPEG + b"2", attributes={"none": "x"})) == 284
    assert code_of(lambda: camera.faces.add_face("VIP", b"no picture")) == 210
    face = camera.faces.find(JPEG)
    assert (face.faceid, face.age, face.gender, face.age_range) == (
        added.faceid,
        31,
        Gender.FEMALE,
        AgeRange.AGE_29_35,
    )
    assert code_of(lambda: camera.faces.find(JPEG + b"?")) == 207
    camera.faces.update(added.faceid, group_name="regular", age=40)
    assert camera.faces.show(added.faceid).group_name == "regular"
    for name, content in (("a.jpg", JPEG + b"a"), ("b.png", b"\x89PNG\r\n\x1a\nb"), ("c.jpg", b"GIF"),
                          ("d.jpeg", JPEG + b"d" * 1_000_000), ("e.txt", b"")):  # fmt: skip
        (tmp_path / name).write_bytes(content)
    report = {result.path.name: result for result in camera.faces.add("VIP", tmp_path)}
    assert set(report) == {"a.jpg", "b.png", "c.jpg", "d.jpeg"}
    assert report["a.jpg"].faceid
    assert report["b.png"].faceid
    assert isinstance(report["c.jpg"].error, errors.ParameterError)
    assert isinstance(report["d.jpeg"].error, errors.ParameterError)
    assert {f.faceid for f in camera.faces.list("VIP")} == {report["a.jpg"].faceid, report["b.png"].faceid}
    camera.faces.add_face("VIP", JPEG + b"3", faceid="third")
    assert code_of(lambda: camera.faces.add_face("VIP", JPEG + b"4")) == 208
    assert camera.faces.ids_page("VIP", page_size=2, page_num=2).faceid_list == ("third",)
    assert code_of(lambda: camera.faces.list_page("VIP", 9)) == 273
    assert camera.faces.oldest("VIP", 2).return_num == 2
    gone = camera.faces.delete("VIP", ["third", "nobody"])
    assert (gone.success_list, gone.not_exist_list) == (("third",), ("nobody",))
    camera.faces.delete_attribute("VIP", "card")
    assert code_of(lambda: camera.faces.delete_attribute("VIP", "card")) == 243
    camera.faces.set_settings(5, 120)
    assert camera.faces.settings().snap_size_thr == 120


def test_video(camera: Camera, ready: VirtualCamera) -> None:
    assert camera.video.live_url().hd_live_url.startswith(f"rtsp://{ready.ip}:")
    records = list(camera.video.records(NOW - timedelta(hours=6), NOW))
    assert len(records) > 250
    assert len({r.start_time for r in records}) == len(records)
    assert records == sorted(records, key=lambda r: r.start_time)
    assert camera.video.playback_url(NOW - timedelta(hours=2), NOW).playback_url.startswith("rtsp://")
    assert camera.video.snapshot_url().snapshot_url.startswith("https://")
    assert camera.video.clip_url(NOW - timedelta(hours=3), NOW).url
    assert code_of(lambda: camera.video.records_page(NOW, NOW - timedelta(hours=1))) == 231
    assert code_of(lambda: camera.video.playback_url(NOW, NOW - timedelta(hours=1))) == 230
    assert code_of(lambda: camera.video.records_page(NOW - timedelta(hours=6), NOW, page_num=99)) == 122
    ready.insert_card(CardStatus.NONE)
    assert code_of(lambda: list(camera.video.records(NOW - timedelta(hours=6), NOW))) == 220


def test_subscriptions(camera: Camera, virtual: Callable[..., VirtualCamera]) -> None:
    callback = "http://127.0.0.1:9/events?shop=1&door=2"
    camera.events.subscribe("face_recog_event", EventType.MOTION, callback=callback)
    camera.events.subscribe("face_recog_event", callback=callback)
    listed = camera.events.list()
    assert {s.event: s.http_callback for s in listed.sub_event} == {e: (callback,) for e in EventType}
    camera.events.unsubscribe([EventType.MOTION], callback)
    assert camera.events.list().num == 1
    assert code_of(lambda: camera.events.unsubscribe([EventType.MOTION], callback)) == 310
    assert code_of(lambda: camera.events.add([EventType.MOTION], "nowhere")) == 311
    for events, url in ((["face_recog_event"], "nowhere"), (["no_event"], callback)):
        with pytest.raises(errors.ParameterError):
            camera.events.subscribe(*events, callback=url)
    with pytest.raises(errors.ParameterError, match=r"\['face_recog_event'\] is not an event.*not as a list"):
        camera.events.subscribe(["face_recog_event"], callback=callback)  # type: ignore[arg-type]
    store = virtual(model="FM010")
    with connect(store) as client, pytest.raises(errors.UnsupportedError, match="FM010"):
        client.events.subscribe("face_recog_event", callback=callback)
    assert "hook/add" not in store.state.counts


def test_groups_are_made_when_used(ready: VirtualCamera) -> None:
    with connect(ready) as client:
        assert "faces" not in client.__dict__
        assert client.faces is client.faces


def test_a_card_is_made_ready(camera: Camera, ready: VirtualCamera) -> None:
    assert camera.sdcard.ensure_ready().ready
    assert "config/formatMemoryCard" not in ready.state.counts
    ready.insert_card(CardStatus.BLANK)
    with pytest.raises(errors.ProvisionError, match="state: blank"):
        camera.sdcard.ensure_ready()
    assert camera.sdcard.ensure_ready(allow_format=True, timeout=10, interval=0.02).ready
    assert ready.state.counts["config/formatMemoryCard"] == 1
    for card in (CardStatus.NONE, CardStatus.BROKEN):
        ready.insert_card(card)
        with pytest.raises(errors.ProvisionError) as caught:
            camera.sdcard.ensure_ready(allow_format=True)
        assert caught.value.hint
    ready.insert_card(CardStatus.NORMAL)
    ready.restart(0.3)
    assert camera.sdcard.ensure_ready(timeout=10, interval=0.05).ready
    with connect(ready, secret_key="wrong") as stranger, pytest.raises(errors.AuthenticationError):
        stranger.sdcard.ensure_ready(timeout=30)
