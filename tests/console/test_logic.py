"""What pages do, without pages: line, walk, week, day, photos, sharpness, people, set-up, cards, wall, footage."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PIL import Image, ImageFilter

from sunmi_ipc.console.certificate import certificate, fingerprint_of, names_in
from sunmi_ipc.console.day import Day
from sunmi_ipc.console.desk import Desk
from sunmi_ipc.console.doorline import Draft, checked, ends_of, ordered
from sunmi_ipc.console.focusing import sharpness
from sunmi_ipc.console.footage import Footage
from sunmi_ipc.console.identify import blink
from sunmi_ipc.console.language import without_commands
from sunmi_ipc.console.people import before, period, read
from sunmi_ipc.console.photos import shrunk
from sunmi_ipc.console.roles import ForbiddenError, Role
from sunmi_ipc.console.setup import Setup, Stage, Standing
from sunmi_ipc.console.walk import Walk
from sunmi_ipc.console.wall import Wall
from sunmi_ipc.console.week import Week
from sunmi_ipc.errors import FileMissingError, ParameterError, ProvisionError, ReplyError
from sunmi_ipc.models import DoorLineConfig, VideoRecord
from sunmi_ipc.simulator import Feed, Vendor, VirtualCamera, connect
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings
from sunmi_ipc.values import CardStatus, Weekdays

from .conftest import session, settings_of

# -- door line --------------------------------------------------------------------------------------


def test_a_draft_is_undone_checked_saved_and_compared(ready: VirtualCamera) -> None:
    flow = connect(ready).people_flow
    draft = Draft(ends_of(flow.door_line()))
    assert not draft.changed
    draft.move((1500, 300, 200, 400))  # one end was dragged past the other
    assert draft.ends == (200, 400, 1500, 300)
    draft.move((200, 400, 250, 300))
    assert draft.error is not None
    with pytest.raises(ParameterError):
        draft.save(flow)
    assert ready.state.documents["door_line"]["start_x"] == 400  # nothing was sent
    draft.undo()
    assert draft.ends == (200, 400, 1500, 300)
    assert draft.save(flow) == (200, 400, 1500, 300)
    assert not draft.changed
    assert not draft.can_undo


def test_a_camera_that_keeps_another_line_is_found_out(ready: VirtualCamera) -> None:
    flow = connect(ready).people_flow
    draft = Draft(None)
    draft.move((100, 100, 900, 100))

    class Stubborn:
        draw = staticmethod(lambda line: None)
        door_line = staticmethod(flow.door_line)

    with pytest.raises(ReplyError):
        draft.save(Stubborn())  # type: ignore[arg-type]
    assert draft.changed


def test_lines_at_the_bounds() -> None:
    assert ordered((10.4, 5, 3.6, 7)) == (4, 7, 10, 5)
    checked((0, 0, 100, 1080))
    checked((1820, 1080, 1920, 0))
    for wrong in ((0, 0, 99, 0), (-1, 0, 500, 0), (0, 0, 1921, 0), (0, 1081, 500, 0)):
        with pytest.raises(ParameterError):
            checked(wrong)
    none = DoorLineConfig.read({"start_x": 0, "start_y": 0, "end_x": 0, "end_y": 0})
    assert ends_of(none) is None
    small = DoorLineConfig.read(
        {"resolution": 1, "start_x": 100, "start_y": 400, "end_x": 1000, "end_y": 500}
    )
    assert ends_of(small) == (150, 600, 1500, 750)


# -- walk -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_walk_sees_who_was_counted_since_it_began(ready: VirtualCamera) -> None:
    walk = Walk(connect(ready).people_flow)
    ready.walk("in")
    time.sleep(1.1)
    assert walk.look() == []  # came before: not of this walk
    ready.walk("passing")
    ready.walk("in")
    ready.walk("in")
    time.sleep(1.1)
    assert {(s.way, s.count) for s in walk.look()} == {("in", 2), ("passing", 1)}
    assert not walk.passed
    ready.walk("out")
    time.sleep(1.1)
    walk.look()
    assert walk.passed
    assert walk.seen == {"in": 2, "out": 1, "passing": 1}


def test_nobody_is_counted_without_a_card(ready: VirtualCamera) -> None:
    walk = Walk(connect(ready).people_flow)
    walk.look()
    ready.insert_card(CardStatus.NONE)
    ready.walk("in")
    time.sleep(1.1)
    walk.look()
    assert walk.seen["in"] == 0


# -- week -------------------------------------------------------------------------------------------


def test_a_week_is_told_and_read_back(ready: VirtualCamera) -> None:
    detection = connect(ready).detection
    assert Week.of(detection.show()).always
    week = Week(frozenset({0, 1, 2, 3, 4}), 9, 22)
    week.set(detection)
    kept = detection.show()
    assert kept.weekday == Weekdays(0x1F)
    assert (kept.motion_level, kept.audio_level) == (2, 1)  # sensitivities stay
    assert Week.of(kept) == week
    Week(frozenset(range(7))).set(detection)
    assert detection.show().weekday & Weekdays.ALWAYS


def test_a_week_past_midnight() -> None:
    night = Week(frozenset({4}), 22, 6)
    assert night.holds(4, 23)
    assert night.holds(5, 5)
    assert not night.holds(5, 22)
    assert not night.holds(4, 21)
    sunday = Week(frozenset({6}), 22, 2)
    assert sunday.holds(0, 1)
    assert Week(frozenset()).dragged(5, 20, 1, 8) == Week(frozenset({1, 2, 3, 4, 5}), 8, 21)
    assert Week(frozenset({1})).toggled(1) == Week(frozenset({1}))  # one day is left


# -- day --------------------------------------------------------------------------------------------


def record(start: datetime, seconds: int = 60) -> VideoRecord:
    return VideoRecord(start_time=start, end_time=start + timedelta(seconds=seconds))


def test_a_day_of_recordings() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    day = Day.of(date(2026, 3, 1), [record(noon + timedelta(minutes=m)) for m in (1, 0, 30)], UTC)
    assert [(round(p.start * 24, 3), round(p.end * 24, 3)) for p in day.pieces] == [
        (12.0, 12.033),
        (12.5, 12.517),
    ]
    assert day.at(noon + timedelta(seconds=70)) == day.records[1]
    assert day.at(noon + timedelta(minutes=10)) == day.records[2]  # the next one
    assert day.at(noon + timedelta(hours=2)) is None
    assert day.moment(0.5) == noon
    marks = day.marks([(noon, "motion"), (noon + timedelta(minutes=1), "motion"), (noon, "face"),
                       (noon + timedelta(days=1), "face")])  # fmt: skip
    assert [m.kind for m in marks] == ["face", "motion"]


def test_a_day_on_which_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    long, short = Day.of(date(2026, 10, 25), tz=berlin), Day.of(date(2026, 3, 29), tz=berlin)
    assert (long.end - long.start, short.end - short.start) == (timedelta(hours=25), timedelta(hours=23))


# -- photos and sharpness -----------------------------------------------------------------------------


def jpeg(image: Image.Image, **more: object) -> bytes:
    made = io.BytesIO()
    image.save(made, "JPEG", quality=95, **more)
    return made.getvalue()


def test_a_photo_becomes_what_a_camera_takes() -> None:
    noise = Image.effect_noise((1600, 1200), 90).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright
    exif[0x010E] = "taken at home"
    data = jpeg(noise, exif=exif)
    assert len(data) > 1_000_000
    made = shrunk(data)
    assert len(made) < 1_000_000
    image = Image.open(io.BytesIO(made))
    assert image.format == "JPEG"
    assert image.height > image.width
    assert not image.getexif()
    assert b"taken at home" not in made
    png = io.BytesIO()
    Image.new("RGBA", (300, 200), (1, 2, 3, 4)).save(png, "PNG")
    assert shrunk(png.getvalue()).startswith(b"\xff\xd8")
    assert len(shrunk(jpeg(noise), limit=20_000)) < 20_000


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg/>", b"\xff\xd8\xff garbage", b"%PDF-1.4"])
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    with pytest.raises(ParameterError):
        shrunk(data, name="x")


def test_sharpness_falls_with_every_blur_and_looks_where_it_is_told() -> None:
    die = np.random.default_rng(7)
    picture = Image.fromarray(die.integers(0, 255, (360, 640, 3), np.uint8)).resize((960, 540))
    values = [sharpness(picture.filter(ImageFilter.GaussianBlur(r))) for r in (0, 0.7, 1.5, 3, 6)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 3 * values[2]
    half = picture.copy()
    half.paste(picture.crop((0, 0, 480, 540)).filter(ImageFilter.GaussianBlur(9)), (0, 0))
    assert sharpness(half, x=90, part=30) > 5 * sharpness(half, x=10, part=30)
    assert sharpness(Image.new("RGB", (100, 100))) == 0


# -- people -----------------------------------------------------------------------------------------


def test_people_are_put_into_hours_and_gaps_stay_open(ready: VirtualCamera) -> None:
    flow = connect(ready).people_flow
    start, end, by = period("yesterday")
    counted = read(flow, start, end, by)
    assert len(counted.bins) in (23, 24, 25)
    assert counted.total("in") == flow.arrivals(start, end).total
    assert sum(sum(ages.values()) for ages in counted.ages.values()) == counted.total("in")

    class Silent:
        def arrivals(self, start: datetime, end: datetime) -> object:
            full = flow.arrivals(start, end)
            return full.model_copy(update={"stat_list": full.stat_list[:5]})

        leaving = passing = arrivals

    holes = read(Silent(), start, end, by)  # type: ignore[arg-type]
    assert holes.bins[10].counts["in"] is None
    assert holes.gaps == len(holes.bins) - 5
    lines = holes.csv().decode("utf-8-sig").splitlines()
    assert lines[0] == "start,end,in,out,passing"
    assert lines[11].endswith(",,,")
    assert before(start, end)[1] == start


def test_a_workbook_holds_the_same(ready: VirtualCamera) -> None:
    import zipfile

    counted = read(connect(ready).people_flow, *period("yesterday"))
    with zipfile.ZipFile(io.BytesIO(counted.xlsx())) as book:
        assert "xl/worksheets/sheet1.xml" in book.namelist()


def test_periods_by_the_shops_midnight() -> None:
    now = datetime(2026, 10, 25, 12, tzinfo=UTC)
    start, end, by = period("today", now, ZoneInfo("Europe/Berlin"))
    assert (end - start, by) == (timedelta(hours=25), "hour")
    start, end, by = period("week", now, ZoneInfo("Asia/Shanghai"))
    assert (end - start, by) == (timedelta(days=7), "day")


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("Insert a card, then run 'ipc sdcard status'.", "Insert a card."),
        ("请插入 SD 卡，然后运行 'ipc sdcard status'。", "请插入 SD 卡。"),
        ("'ipc scan' lists the cameras that answer.", ""),
        (
            "Is it on and in this network? 'ipc scan' lists the cameras that answer.",
            "Is it on and in this network?",
        ),
        (
            "Join that with this computer, then: ipc wifi set Shop - -c 192.168.200.1",
            "Join that with this computer.",
        ),
        ("Check the cable.", "Check the cable."),
        (
            "Is this the right camera, and the right CA file (SUNMI_IPC_CA)?",
            "Is this the right camera, and the right CA file?",
        ),
        ("摄像机对吗？CA 文件（SUNMI_IPC_CA）对吗？", "摄像机对吗？CA 文件对吗？"),
        ("See SUNMI_IPC_TIMEOUT.", ""),
        ("It needs the ipc file.", "It needs the ipc file."),
        ("", ""),
    ],
)
def test_hints_of_a_page_name_no_commands(hint: str, shown: str) -> None:
    assert without_commands(hint) == shown


# -- set-up -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_set_up_from_the_box(virtual: Callable[..., VirtualCamera], desk: Callable[..., Desk]) -> None:
    factory = virtual(state="factory", udp=True)
    setup = Setup(desk(factory), factory.sn, session(Role.ADMIN))
    setup.look()
    assert setup.current is Stage.WIFI
    assert [p.ssid for p in setup.networks().ap_list][:1] == ["Shop-WiFi"]
    said: list[str] = []
    with pytest.raises(ParameterError):  # nobody hears that one
        setup.join("No-Such-Net", "welcome-2020", said.append)
    assert said == []
    with pytest.raises(ProvisionError, match="password is wrong"):
        setup.join("Shop-WiFi", "wrong-password", said.append, timeout=30)
    assert said
    assert setup.current is Stage.WIFI  # back to where it went wrong
    setup.join("Shop-WiFi", "welcome-2020", timeout=30)
    assert setup.activate()
    assert setup.current is Stage.CARD
    assert setup.look_at_card() is CardStatus.BLANK
    setup.format()
    setup.rename("Back door")
    assert factory.state.name == "Back door"
    setup.mark(Stage.PICTURE, Standing.DONE)
    setup.mark(Stage.LINE, Standing.SKIPPED)
    setup.begin_walk()
    factory.walk("in")
    factory.walk("out")
    time.sleep(1.1)
    assert setup.look_at_walk()
    assert setup.current is Stage.REPORT
    report = setup.report("zh")
    assert 'lang="zh-CN"' in report
    assert "Back door" in report
    assert factory.sn in report


def test_a_camera_that_does_not_come_back_is_told_of(
    factory: VirtualCamera, desk: Callable[..., Desk]
) -> None:
    factory.state.join_s = 60
    setup = Setup(desk(factory), factory.sn, session(Role.ADMIN))
    with pytest.raises(ProvisionError, match="did not come back"):
        setup.join("Shop-WiFi", "welcome-2020", timeout=2)
    assert setup.standing[Stage.WIFI] is Standing.FAILED


def test_a_network_out_of_sight_is_looked_for_twice_and_a_hidden_one_needs_not_be_seen(
    factory: VirtualCamera, desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc.onboarding import wifi

    state, looks = factory.state, 0
    state.join_s, there = 60, state.networks
    state.networks = ()

    def later(seconds: float) -> None:
        nonlocal looks
        looks += 1
        state.networks = there

    monkeypatch.setattr(wifi.time, "sleep", later)
    setup = Setup(desk(factory), factory.sn, session(Role.ADMIN))
    with pytest.raises(ParameterError) as caught:
        setup.join("Cellar", "welcome-2020")
    assert looks == 1
    assert "--hidden" not in caught.value.hint
    assert "A network that hides its name" in caught.value.hint
    assert "隐藏了名称的网络" in " ".join(caught.value.localized("zh"))
    with pytest.raises(ParameterError) as caught:
        setup.join("Shop-WiFi", "")
    assert "'-'" not in caught.value.hint
    monkeypatch.undo()
    state.networks = ()
    with pytest.raises(ParameterError):
        setup.join("", "welcome-2020", hidden=True)
    assert not [path for path in state.counts if "setWifi" in path]
    with pytest.raises(ProvisionError, match="did not come back"):
        setup.join("Cellar", "welcome-2020", hidden=True, timeout=0.1)
    assert [path for path in state.counts if "setWifi" in path]


def test_an_fm010_has_no_line_to_draw(
    virtual: Callable[..., VirtualCamera], desk: Callable[..., Desk]
) -> None:
    camera = virtual(model="FM010")
    setup = Setup(desk(camera), camera.sn, session(Role.ADMIN))
    assert Stage.LINE not in setup.stages
    assert Stage.WALK not in setup.stages


# -- cards, light, wall, footage, certificate ---------------------------------------------------------


def test_cards_say_how_cameras_are(virtual: Callable[..., VirtualCamera], desk: Callable[..., Desk]) -> None:
    well, blank, new, gone = virtual(), virtual(), virtual(state="factory"), virtual()
    one = desk(well, blank, new, gone)
    blank.insert_card(CardStatus.BLANK)
    gone.close()
    cards = {sn: one.card(sn, fresh=True) for sn in (well.sn, blank.sn, new.sn, gone.sn)}
    assert [cards[c.sn].state for c in (well, blank, new, gone)] == ["ok", "bad", "setup", "bad"]
    assert cards[well.sn].people is not None
    assert "blank" in cards[blank.sn].words("en")[0]
    assert cards[blank.sn].words("zh")[1] == "请格式化。"
    assert next(iter(one.cards())).state == "setup"  # needs a hand: first


def test_a_camera_that_moved_is_followed(ready: VirtualCamera, desk: Callable[..., Desk]) -> None:
    from sunmi_ipc.discovery import Change, ChangeKind
    from sunmi_ipc.discovery.camera import observe

    one = desk(ready)
    client = one.link(ready.sn)
    elsewhere = observe({**ready.describe(), "port": "4443"}, "127.9.9.9")
    told: list[int] = []
    one.on_change(lambda: told.append(1))
    one._heard(Change(ChangeKind.CHANGED, elsewhere))
    assert client.address == "127.9.9.9:4443"
    assert one.link(ready.sn) is client
    assert told


def test_the_light_is_afterwards_as_it_was(ready: VirtualCamera) -> None:
    image = connect(ready).image
    seen: list[int] = []
    blink(image, times=2, rest=lambda s: seen.append(ready.state.documents["led"]["led_switch"]))
    assert seen == [0, 1, 0, 1]
    assert ready.state.documents["led"]["led_switch"] == 1
    ready.state.documents["led"]["led_switch"] = 0

    def broken(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blink(image, rest=broken)
    assert ready.state.documents["led"]["led_switch"] == 0


def test_a_wall_fills_and_forgets(ready: VirtualCamera) -> None:
    with Wall() as wall, Feed([ready]) as feed:
        wall.listen(ready.sn, connect(ready), counts=True)
        assert wall.listening(ready.sn)
        feed.happen(ready, age=44)
        end = time.monotonic() + 60
        while not any(i.picture for i in wall.items(ready.sn, kind="face")):
            assert time.monotonic() < end
            time.sleep(0.05)
        item = wall.items(ready.sn)[0]
        picture = wall.picture(ready.sn, item.number)
        assert picture is not None
        assert picture.read_bytes()[:2] in (b"\xff\xd8", b"\x89P")
        assert wall.items(ready.sn, kind="motion") == []
    assert not picture.exists()  # faces are personal data
    assert not any(s.http_callback for s in connect(ready).events.list().sub_event)


@pytest.mark.slow
def test_footage_is_fetched_once_and_served_by_its_name_alone(virtual: Callable[..., VirtualCamera]) -> None:
    camera = virtual(video=VideoSettings(clip=PictureFormat(160, 90, 2)))
    client = connect(camera)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    records = list(client.video.records(hour, hour + timedelta(minutes=3)))
    with Footage() as footage:
        name = footage.one(client, camera.sn, records[0])
        assert footage.path(name).read_bytes()[4:8] == b"ftyp"
        asked = dict(camera.state.counts)
        assert footage.one(client, camera.sn, records[0]) == name
        assert camera.state.counts == asked
        shares: list[float] = []
        joined = footage.joined(client, camera.sn, records, shares.append)
        assert shares[-1] == 1.0
        assert footage.path(joined).stat().st_size > footage.path(name).stat().st_size
        for wrong in ("../../etc/passwd", "x.mp4", "", ".mp4", f"{name}/..", "a/b.mp4"):
            with pytest.raises(FileMissingError):
                footage.path(wrong)
        folder = footage.folder
    assert not folder.exists()


@pytest.mark.slow
def test_recordings_are_fetched_by_the_role_of_who_asks(
    virtual: Callable[..., VirtualCamera], desk: Callable[..., Desk]
) -> None:
    camera = virtual(video=VideoSettings(clip=PictureFormat(160, 90, 2), clip_ready_s=(0.1, 0.2)))
    one, who = desk(camera), session(Role.VIEW)
    looker = one.camera(camera.sn, who)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    records = list(looker.video.records(hour, hour + timedelta(minutes=3)))
    with Footage() as footage:
        made = [
            footage.one(looker, camera.sn, records[0]),
            footage.joined(looker, camera.sn, records),
            footage.clip(looker, camera.sn, hour + timedelta(seconds=20), hour + timedelta(seconds=26)),
        ]
        assert all(footage.path(name).read_bytes()[4:8] == b"ftyp" for name in made)
        who.ended = True
        with pytest.raises(ForbiddenError):
            footage.clip(looker, camera.sn, hour + timedelta(seconds=20), hour + timedelta(seconds=26))


def test_a_certificate_is_made_once_and_anew_for_new_names(tmp_path: Path) -> None:
    names = ["192.168.1.5", "shop-pc", "shop-pc.local"]
    cert, key = certificate(tmp_path / "c", names)
    assert set(names_in(cert)) == set(names)
    assert key.stat().st_mode & 0o077 == 0
    first = fingerprint_of(cert)
    assert certificate(tmp_path / "c", names[:1]) == (cert, key)
    assert fingerprint_of(cert) == first
    certificate(tmp_path / "c", [*names, "10.0.0.9"])
    assert fingerprint_of(cert) != first
    assert fingerprint_of(tmp_path / "none") == ""


@pytest.mark.slow
def test_a_roll_out_that_was_stopped_goes_on(
    virtual: Callable[..., VirtualCamera], vendor: Vendor, tmp_path: Path
) -> None:
    from sunmi_ipc.console.rollout import Rollout

    cameras = [virtual(udp=True) for _ in range(3)]
    site = tmp_path / "site.toml"
    site.write_text(
        "".join(f'[[cameras]]\nsn = "{c.sn}"\nname = "Aisle {n}"\n' for n, c in enumerate(cameras)), "utf-8"
    )
    rollout = Rollout(settings_of(vendor), site)

    def finish() -> None:
        assert rollout._thread is not None
        rollout._thread.join(60)
        assert rollout.running == ""
        assert rollout.error is None

    rollout.start("plan")
    finish()
    assert len(rollout.outcomes) == 3
    assert all(o.differences for o in rollout.outcomes.values())
    assert [c.state.name for c in cameras].count("Aisle 0") == 0
    for camera in cameras:
        camera.fail("delay", 0.2, times=None)
    rollout.start("apply", on_change=rollout.stop)
    finish()
    for camera in cameras:
        camera.faults.clear()
    assert not all(o.ok for o in rollout.outcomes.values()), "nothing was left to go on with"
    rollout.start("apply")
    finish()
    assert [c.state.name for c in cameras] == ["Aisle 0", "Aisle 1", "Aisle 2"]
    assert all(o.ok for o in rollout.outcomes.values())
    for camera in cameras:
        assert camera.sn in rollout.report("en")


@pytest.mark.parametrize(
    "name", ["FS101D8BS00106.html", "上海店.toml", 'a"; x="\r\nSet-Cookie: b', "\ud800\\é.csv"]
)
def test_a_file_may_be_called_anything(name: str) -> None:
    from urllib.parse import unquote

    Response = pytest.importorskip("starlette.responses").Response

    from sunmi_ipc.console.head import named

    value = Response("", headers=named("attachment", name)).headers["content-disposition"]
    assert value.isascii()
    assert value.isprintable()
    assert (value.count('"'), value.count(";")) == (2, 2 + name.count(";"))
    assert unquote(value.rpartition("''")[2]) == name.encode("utf-8", "replace").decode()
