"""What the virtual cloud does, call by call, as the vendor's page describes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sunmi_ipc import errors
from sunmi_ipc.cloud.client import Cloud
from sunmi_ipc.cloud.values import GroupType, LiveResolution
from sunmi_ipc.protocol.values import AgeRange, DetectType, Gender
from sunmi_ipc.simulator import jpeg
from sunmi_ipc.simulator.cloud import VirtualCloud, connect
from sunmi_ipc.simulator.cloud.state import MOST_GROUPS

NOW = datetime.now(UTC)
TODAY = datetime.now().astimezone().date()
YESTERDAY = TODAY - timedelta(days=1)


@contextmanager
def refused(code: int) -> Iterator[None]:
    with pytest.raises(errors.CloudError) as caught:
        yield
    assert caught.value.code == code


def test_bind_rename_unbind(cloud: Cloud, service: VirtualCloud) -> None:
    new = service.devices("")[0]
    mac = ":".join(new.mac[i : i + 2] for i in range(0, 12, 2)).lower()
    with refused(5501):
        cloud.devices.bind("FS101D8BS99999", mac)
    with refused(5079):
        cloud.devices.bind(new.sn, "FFFFFFFFFFFF")
    with refused(5510):
        cloud.devices.rename("Door", new.sn)
    cloud.devices.bind(new.sn, mac)
    with refused(5509):
        cloud.devices.bind(new.sn, mac)
    cloud.devices.rename("门口", ipc_sn=new.sn)
    assert cloud.devices.info(new.sn).ipc_name == "门口"
    assert [c.ipc_sn for c in cloud.devices.list().ipc_list][-1] == new.sn
    cloud.devices.unbind(ipc_id=new.ipc_id)
    with refused(5501):
        cloud.devices.info(new.sn)
    with refused(5510):
        cloud.devices.unbind(new.sn)
    assert new.sn not in [c.ipc_sn for c in cloud.devices.list_by_company(service.shop.company_no).ipc_list]


def test_live_picture_needs_the_camera_online(cloud: Cloud, service: VirtualCloud) -> None:
    camera = service.devices()[0]
    urls = cloud.media.live_start(camera.sn, resolution=LiveResolution.HIGH)
    assert ".flv?auth_key=" in urls.url
    assert ".m3u8?auth_key=" in urls.hls_url
    assert camera.sn in service.shop.live
    cloud.media.live_stop(camera.sn)
    assert not service.shop.live
    camera.online = False
    assert not cloud.devices.info(camera.sn).online
    for call in (cloud.media.live_start, cloud.media.live_stop, cloud.media.snapshot):
        with pytest.raises(errors.CloudNotReadyError, match="cannot reach the camera"):
            call(camera.sn)


def test_playback(cloud: Cloud, service: VirtualCloud) -> None:
    sn = service.devices()[0].sn
    made = cloud.media.playback_start(NOW - timedelta(hours=1), NOW, sn)
    cloud.media.playback_stop(made.client_id)
    with refused(5020):
        cloud.media.playback_stop(made.client_id)
    with refused(5087):
        cloud.media.playback_start(NOW - timedelta(days=40), NOW - timedelta(days=39, hours=12), sn)
    with refused(5021):
        cloud.media.playback_start(NOW - timedelta(days=2), NOW, sn)
    with refused(5506):
        cloud.media.playback_start(NOW - timedelta(hours=1), NOW, "FS101D8BS99999")


def test_recordings_and_snapshots(cloud: Cloud, service: VirtualCloud) -> None:
    camera = service.devices()[0]
    clips = cloud.media.recordings_window(NOW - timedelta(hours=1), NOW, camera.sn).video_list
    assert clips[0].ipc_id == camera.ipc_id
    assert clips[0].end_time - clips[0].start_time == timedelta(minutes=1)
    page = cloud.media.motions_page(NOW - timedelta(hours=4), NOW, camera.sn, page_size=5, page_num=2)
    assert len(page.video_list) == 5
    assert page.video_list[0].source in list(DetectType)
    assert cloud.media.snapshot_at(NOW - timedelta(hours=2), camera.sn).snapshot_url
    with refused(5013):
        cloud.media.snapshot_at(NOW - timedelta(days=400), camera.sn)
    with refused(5013):
        cloud.media.motions_page(NOW - timedelta(hours=4), NOW, camera.sn, page_num=50)


def test_today_agrees_with_itself(cloud: Cloud) -> None:
    hours = cloud.flow.today_by_hour().count_list
    total = cloud.flow.today().total_count
    # The clock may move on to the next minute between the calls: people only come.
    assert sum(h.total_count for h in hours) <= total
    tags = cloud.flow.today_by_tag().count_list
    assert total <= sum(t.stranger_count + t.regular_count + t.member_count for t in tags)
    genders = cloud.flow.today_by_gender().count_list
    assert total <= sum(g.male_count + g.female_count for g in genders)
    assert genders[0].uniq_male_count is None


def test_history(cloud: Cloud) -> None:
    day = cloud.flow.by_day_window(YESTERDAY, YESTERDAY).count_list[0]
    assert day.total_count == sum(
        h.total_count for h in cloud.flow.by_hour_window(YESTERDAY, YESTERDAY).count_list
    )
    assert cloud.flow.by_tag_window(YESTERDAY, YESTERDAY).uniq_total_count == day.uniq_total_count
    assert len(cloud.flow.by_gender_window(YESTERDAY, YESTERDAY).count_list) == 8
    assert cloud.flow.by_week_window(YESTERDAY, YESTERDAY).count_list[0].total_count == day.total_count
    assert cloud.flow.by_month_window(YESTERDAY, YESTERDAY).count_list[0].time == YESTERDAY.replace(day=1)
    assert cloud.flow.frequency(YESTERDAY, YESTERDAY).frequency_list[0].stranger_uniq_count > 0


def test_face_groups(cloud: Cloud, service: VirtualCloud) -> None:
    cloud.faces.create_group("VIP", capacity=2, description="gold", customer_key1="level")
    with refused(5523):
        cloud.faces.create_group("VIP")
    with refused(5520):
        cloud.faces.create_group("Crowd", capacity=30_000)
    vip = next(g for g in cloud.faces.groups().group_list if g.group_name == "VIP")
    assert (vip.type, vip.capacity, vip.customer_key1) == (GroupType.CUSTOM, 2, "level")
    cloud.faces.update_group(vip.group_id, name="Gold")
    assert cloud.faces.group(vip.group_id).group_name == "Gold"
    assert cloud.faces.group(vip.group_id).description == "gold"
    default = cloud.faces.groups().group_list[0].group_id
    with refused(5525):
        cloud.faces.update_group(default, name="x")
    with refused(5524):
        cloud.faces.delete_group(default)
    with refused(5506):
        cloud.faces.delete_group("1")
    with refused(5013):
        cloud.faces.group("1")
    cloud.faces.set_move_rule(vip.group_id, 4, 604_800)
    assert service.shop.move_rule["threshold"] == 4
    with refused(5506):
        cloud.faces.set_move_rule("1", 4, 604_800)
    cloud.faces.delete_group(vip.group_id)
    for number in range(MOST_GROUPS - 3):
        cloud.faces.create_group(f"g{number}", capacity=1)
    with refused(5520):
        cloud.faces.create_group("one more", capacity=1)


def test_a_face_is_taken_in_later(cloud: Cloud, service: VirtualCloud) -> None:
    service.work_s = 0.2
    cloud.faces.create_group("VIP", capacity=1)
    group = cloud.faces.groups().group_list[-1].group_id
    added = cloud.faces.add(group, "Zoe", jpeg.face("Zoe"), customer_value1="gold")
    with refused(5506):
        cloud.faces.show(added.face_id)
    with refused(5520):  # its place is taken already
        cloud.faces.add(group, "Yan", jpeg.face("Yan"))
    face = cloud.faces.wait(added.face_id, every=0.02)
    assert (face.name, face.gender, face.customer_value1) == ("Zoe", Gender.UNKNOWN, "gold")
    cloud.faces.update(group, added.face_id, age_range=AgeRange.AGE_36_45)
    face = next(cloud.faces.list(group))
    assert (face.name, face.age_range) == ("Zoe", AgeRange.AGE_36_45)
    with refused(5521):
        cloud.faces.update(group, "1", name="x")
    with refused(5509):
        cloud.faces.delete_group(group)
    staff = next(g.group_id for g in cloud.faces.groups().group_list if g.type is GroupType.STAFF)
    cloud.faces.move(group, staff, [added.face_id])
    assert cloud.faces.list_page(staff).total_num == 1
    with refused(5521):
        cloud.faces.move(group, staff, [added.face_id])
    with refused(5522):
        cloud.faces.move(group, "1", [added.face_id])
    cloud.faces.delete(staff, [added.face_id])
    assert list(cloud.faces.list(staff)) == []
    with refused(5013):
        cloud.faces.add("1", "x", jpeg.face("x"))


def test_a_picture_of_nobody_is_never_taken_in(cloud: Cloud, service: VirtualCloud) -> None:
    group = next(iter(service.shop.groups))
    added = cloud.faces.add(group, "x", b"no picture")
    with pytest.raises(errors.ConnectionFailed, match="not taken the face in"):
        cloud.faces.wait(added.face_id, timeout=0.2, every=0.05)


def test_all_pages_of_a_group(services: Callable[..., VirtualCloud]) -> None:
    service = services(people=230)
    with connect(service) as cloud:
        group = cloud.faces.groups().group_list[1].group_id
        assert len({f.face_id for f in cloud.faces.list(group)}) == 230
    assert service.counts["face/group/getFaceList"] == 4  # the first page again: has it moved?


def test_picture_files(cloud: Cloud, service: VirtualCloud, tmp_path: Path) -> None:
    group = next(iter(service.shop.groups))
    good = tmp_path / "Zoe.jpg"
    good.write_bytes(jpeg.face("Zoe"))
    assert cloud.faces.wait(cloud.faces.add_file(group, good).face_id, every=0.02).name == "Zoe"
    before = service.counts["face/add"]
    for name, data, words in (
        ("a.gif", b"GIF89a", "neither a JPEG"),
        ("b.png", b"\x89PNG\r\n\x1a\n" + bytes(1_100_000), "fewer than"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(errors.ParameterError, match=words):
            cloud.faces.add_file(group, tmp_path / name)
    with pytest.raises(errors.ParameterError, match="cannot be read"):
        cloud.faces.add_file(group, tmp_path / "none.jpg")
    assert service.counts["face/add"] == before


def test_subscriptions(cloud: Cloud, service: VirtualCloud) -> None:
    url = "https://shop.example/hook?a=1&b=ü"
    cloud.messages.add([2001, 2002], url)
    cloud.messages.subscribe(url)
    assert service.shop.hooks == {2001: [url], 2002: [url]}
    cloud.messages.delete([2001], url)
    assert service.shop.hooks[2001] == []
    with refused(5013):
        cloud.messages.delete([2001], url)
