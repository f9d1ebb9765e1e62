"""What a station tells its broker: state, availability, counts and alerts, over outages of either side."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sunmi_ipc.broker import contract
from sunmi_ipc.broker.connection import Connection, Delivered
from sunmi_ipc.errors import ConfigError, ConnectionFailed, ExtraMissingError, SiteError
from sunmi_ipc.events.model import of
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station import Station, bridge_outbox, load
from sunmi_ipc.station.bridge import Bridge

pytestmark = pytest.mark.broker
Virtual = Callable[..., VirtualCamera]


class Ear:
    """Hears everything; its session lives on while the broker is away."""

    def __init__(self, mosquitto: Any, *filters: str, user: str = "watcher") -> None:
        self.got: list[Delivered] = []
        self.connection = Connection(
            mosquitto.broker(user),
            client_id=f"ear-{user}",
            subscriptions=filters or ("sunmi-ipc/v1/#",),
            on_message=self.got.append,
            session_s=600,
            backoff=(0.2, 1.0),
        )
        assert self.connection.wait(20), self.connection.problem

    def read(self, name: str) -> list[Any]:
        made = []
        for message in self.got:
            if message.payload and message.topic.startswith("sunmi-ipc/"):
                found = contract.read(message.topic, message.payload)
                made += [found.payload] if found.message.name == name else []
        return made


@pytest.fixture
def ear(mosquitto: Any) -> Iterator[Callable[..., Ear]]:
    opened: list[Ear] = []

    def listen(*filters: str) -> Ear:
        opened.append(Ear(mosquitto, *filters))
        return opened[-1]

    yield listen
    for one in opened:
        one.connection.close()


def put_counts(station: Any, sn: str, *starts: int, arrivals: int = 3, state: str = "counted") -> None:
    covered = {"counted": 900, "partial": 450, "gap": 0}[state]
    for start in starts:
        station.store.write(
            (
                "INSERT OR REPLACE INTO counts VALUES (?, ?, 900, ?, 1, 2, ?, ?, ?, '{\"male\": [1,2,3]}')",
                (sn, start, arrivals, covered, state, int(time.time())),
            )
        )


def test_state_availability_and_the_last_will(
    connected: Any, ear: Any, virtual: Virtual, kit: Any, mosquitto: Any
) -> None:
    camera = virtual()
    hears = ear()
    station, bridge = connected([camera])
    assert kit.eventually(lambda: any(s.verdict == "ok" for s in hears.read("state")))
    online = next(s for s in hears.read("station") if s.state == "online")
    assert (online.name, online.timezone, online.cameras) == ("Nanjing Road", "Asia/Shanghai", (camera.sn,))
    state = hears.read("state")[-1]
    assert (state.model, state.card) == ("FM020", "normal")
    assert hears.read("availability")[-1].state == "online"
    camera.close()
    assert kit.eventually(lambda: hears.read("availability")[-1].state == "offline", 40)
    assert kit.eventually(
        lambda: any(a.code == "unreachable" and a.state == "open" for a in hears.read("alerts"))
    )
    revision = bridge._session
    # The line is cut: nobody says goodbye.
    bridge.connection._client.socket().shutdown(socket.SHUT_RDWR)
    assert kit.eventually(lambda: [s for s in hears.read("station") if s.state == "offline"])
    assert next(s for s in hears.read("station") if s.state == "offline").revision == revision
    assert kit.eventually(lambda: bridge.connection.connected, 30)
    assert kit.eventually(lambda: hears.read("station")[-1].state == "online")
    assert station.site == "shop-0017"


def test_days_without_a_broker_are_caught_up_once(
    connected: Any, ear: Any, virtual: Virtual, kit: Any, mosquitto: Any
) -> None:
    camera = virtual()
    hears = ear()
    station, bridge = connected([camera])
    now = int(time.time()) // 900 * 900
    mosquitto.stop()
    assert kit.eventually(lambda: not bridge.connection.connected)
    starts = [now - 900 * (n + 1) for n in range(3 * 96)]  # three days
    put_counts(station, camera.sn, *starts[:-2])
    put_counts(station, camera.sn, starts[-2], state="gap")
    put_counts(station, camera.sn, starts[-1], state="partial")
    put_counts(station, camera.sn, starts[0], arrivals=7)  # asked once more
    assert bridge.outbox.backlog() >= len(starts)
    mosquitto.start()
    assert kit.eventually(lambda: bridge.outbox.backlog() == 0, 60), bridge.figures()
    assert kit.eventually(lambda: len({c.key for c in hears.read("counts")}) == len(starts), 30)
    found: dict[str, Any] = {}
    for counts in hears.read("counts"):
        if counts.key not in found or counts.revision > found[counts.key].revision:
            found[counts.key] = counts
    by_start = {counts.start: counts for counts in found.values()}
    assert by_start[starts[0]].arrivals == 7
    assert by_start[starts[1]].arrivals == 3
    assert by_start[starts[1]].people["male"] == (1, 2, 3)
    assert (by_start[starts[-2]].arrivals, by_start[starts[-2]].completeness) == (None, 0.0)
    assert by_start[starts[-1]].completeness == 0.5


def test_a_message_that_the_broker_does_not_take_blocks_nothing(
    connected: Any, ear: Any, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = virtual()
    hears = ear()
    station, bridge = connected([camera])
    make = bridge.outbox._counts

    def poisoned(number: int, sn: str, start: int) -> Any:
        made = make(number, sn, start)
        # Longer than what the broker takes: it closes the connection with this one.
        return made.model_copy(update={"key": made.key + "x" * (4 << 20)}) if start == 900 else made

    monkeypatch.setattr(bridge.outbox, "_counts", poisoned)
    put_counts(station, camera.sn, 900, 1800, 2700)
    assert kit.eventually(lambda: {c.start for c in hears.read("counts")} == {1800, 2700}, 40)
    assert kit.eventually(lambda: bridge.outbox.backlog() == 1)


def test_a_topic_that_the_brokers_list_refuses_keeps_the_shop_online(
    connected: Any, ear: Any, virtual: Virtual, kit: Any, mosquitto: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mosquitto ends the connection at such a message: one by one, a shop with many would never be online."""
    monkeypatch.setattr(bridge_outbox, "_LONGEST_S", 30.0)
    acl = mosquitto.folder / "acl"
    right = acl.read_text("utf-8")
    acl.write_text(right.replace("%u/cameras/#", "%u/cameras/+/state"), "utf-8")
    mosquitto.stop()
    mosquitto.start()
    camera, hears = virtual(), ear()
    station, bridge = connected([camera])
    monkeypatch.setattr(bridge, "_sayable", lambda sn: False)  # availability is refused, too
    bridge.outbox._size = 1  # at which it arrives by itself, with longer pauses on the way
    put_counts(station, camera.sn, *range(900, 40_500, 900))
    assert kit.eventually(lambda: "counts" in bridge.outbox.refused, 60), bridge.figures()
    time.sleep(1.0)  # the connection ends after the broker has said no
    assert kit.eventually(lambda: bridge.connection.connected)
    assert kit.eventually(lambda: len(hears.read("station")) > 0)
    made = bridge.connection.connections
    assert made < 12  # there are forty messages
    station.watch.tell(station.watch.judge.update("", {"disk": {"megabytes": 1, "path": "/"}}, ["disk"]))
    assert kit.eventually(lambda: "disk" in {a.code for a in hears.read("alerts")}), bridge.figures()
    assert bridge.connection.connections <= made + 1
    for _ in range(3):
        bridge._health()
    (told,) = [reason for reason in station.status().reasons if reason.code == "broker-refused"]
    assert "counts" in told.text("en")
    assert "ACL" in told.hint("en")
    acl.write_text(right, "utf-8")
    mosquitto.stop()
    mosquitto.start()
    assert kit.eventually(lambda: len({c.start for c in hears.read("counts")}) == 44, 60), bridge.figures()
    assert bridge.outbox.refused == {}


def test_events_leave_the_shop_without_faces_and_links(
    connected: Any, ear: Any, virtual: Virtual, kit: Any
) -> None:
    camera = virtual()
    hears = ear()
    station, _ = connected([camera], events='enabled = true\nlisten = "127.0.0.1:0"')
    fields = {
        "event_type": "dynamic_detect_event", "sn": camera.sn, "event_id": "1", "detect_type": 1,
        "video_url": "https://127.0.0.1/clip", "report_time": 1593029283,
    }  # fmt: skip
    face = {"event_type": "face_recog_event", "sn": camera.sn, "event_id": "2", "faceid": "7", "age": "30"}
    for one in (face, fields):
        station.intake.spool.append(of(one), one)
    assert kit.eventually(lambda: hears.read("events"))
    event = hears.read("events")[0]
    assert (event.type, event.time, event.data) == ("dynamic_detect_event", 1593029283.0, {"detect_type": 1})
    time.sleep(0.5)
    assert len(hears.read("events")) == 1


def test_home_assistant_finds_the_cameras(connected: Any, ear: Any, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    hears = ear("homeassistant/#")
    connected([camera], broker='home_assistant = "homeassistant"')
    assert kit.eventually(lambda: len(hears.got) >= 9)
    configs = {m.topic: json.loads(m.payload) for m in hears.got}
    verdict = next(c for t, c in configs.items() if t.endswith("/verdict/config"))
    assert verdict["state_topic"] == f"sunmi-ipc/v1/shop-0017/cameras/{camera.sn}/state"
    assert verdict["availability"][0]["topic"] == "sunmi-ipc/v1/shop-0017/station"


def soon(bridge: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the bridge try a lost connection again at once."""
    monkeypatch.setattr(bridge.connection, "_backoff", (0.02, 0.1))


def reasons(station: Any, bridge: Any) -> dict[str, Any]:
    for _ in range(3):
        bridge._health()
    return {reason.code: reason for reason in station.status().reasons}


def test_another_sites_password_opens_nothing(
    connected: Any, ear: Any, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hears = ear()
    station, bridge = connected(
        [virtual()], user="shop-0018"
    )  # whose ACL lets it write under its own site alone
    soon(bridge, monkeypatch)
    # Whatever the broker does at a topic that is not ours: in the end the connection stays.
    assert kit.eventually(lambda: {"station", "state", "availability"} <= set(bridge.refusals.told()))
    assert kit.eventually(lambda: bridge.connection.connected)
    made = bridge.connection.connections
    time.sleep(0.5)
    assert bridge.connection.connected
    assert bridge.connection.connections <= made + 1
    assert not [m for m in hears.got if "shop-0017" in m.topic]
    told = reasons(station, bridge)["broker-refused"]
    assert "state" in told.text("en")
    assert "shop-0018" in told.hint("en")
    assert "shop-0018" in told.hint("zh")


@pytest.mark.parametrize("kind", ["station", "state", "availability"])
def test_one_retained_topic_that_the_list_refuses_keeps_back_itself_alone(
    connected: Any, ear: Any, virtual: Virtual, kit: Any, mosquitto: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:  # fmt: skip
    lines = {
        "station": "%u/station",
        "state": "%u/cameras/+/state",
        "availability": "%u/cameras/+/availability",
    }
    others = "\n".join(f"pattern write sunmi-ipc/v1/{text}" for name, text in lines.items() if name != kind)
    acl = mosquitto.folder / "acl"
    text = acl.read_text("utf-8").replace("pattern write sunmi-ipc/v1/%u/station\n", "")
    text = text.replace(
        "pattern write sunmi-ipc/v1/%u/cameras/#", f"{others}\npattern write sunmi-ipc/v1/%u/cameras/+/counts"
    )
    acl.write_text(text, "utf-8")
    mosquitto.stop()
    mosquitto.start()
    camera, hears = virtual(), ear()
    station, bridge = connected([camera])
    soon(bridge, monkeypatch)
    put_counts(station, camera.sn, 900)
    assert kit.eventually(lambda: kind in bridge.refusals.told())
    assert kit.eventually(lambda: hears.read("counts"))
    assert kit.eventually(lambda: all(hears.read(name) for name in lines if name != kind))
    assert not hears.read(kind)
    assert bridge.connection.connected
    told = reasons(station, bridge)["broker-refused"]
    assert kind in told.text("en")
    assert "ACL" in told.hint("zh")
    assert "broker" not in reasons(station, bridge)


def test_where_answers_are_not_let_through_nothing_is_carried_out(
    connected: Any, key: Any, channel: Any, virtual: Virtual, kit: Any, mosquitto: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    acl = mosquitto.folder / "acl"
    acl.write_text(acl.read_text("utf-8").replace("pattern write sunmi-ipc/v1/%u/replies/+\n", ""), "utf-8")
    mosquitto.stop()
    mosquitto.start()
    camera = virtual()
    station, bridge = connected([camera], keys=key("hq", "tune"))
    soon(bridge, monkeypatch)
    monkeypatch.setattr("sunmi_ipc.broker.camera._MARGIN_S", 1.0)
    shop = channel().site("shop-0017").camera(camera.sn, timeout=0.5, retries=0)
    for _ in range(3):
        if "replies" not in bridge.refusals.told():
            with pytest.raises(ConnectionFailed):
                shop.device.info()
    assert kit.eventually(lambda: bridge.refusals.waits("replies"))
    assert kit.eventually(lambda: bridge.connection.connected)
    before = bridge.gate.counts["done"]
    with pytest.raises(ConnectionFailed):
        shop.device.info()
    assert bridge.gate.counts["done"] == before
    assert bridge.gate.counts["answers are not let through"] >= 1
    assert bridge.connection.connected
    assert "replies" in reasons(station, bridge)["broker-refused"].text("en")


def test_two_stations_of_one_name_are_told(
    connected: Any, settings: Any, virtual: Virtual, kit: Any, tmp_path: Any, caplog: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    camera = virtual()
    station, bridge = connected([camera])
    shutil.copytree(
        tmp_path / "shop-0017", tmp_path / "copy", ignore=shutil.ignore_patterns("*.db*", "*lock*")
    )
    with (
        Station(load(tmp_path / "copy" / "station.toml"), settings) as second,
        Bridge(second) as other,
    ):
        both = (bridge, station), (other, second)
        for one, _ in both:
            soon(one, monkeypatch)
        assert kit.eventually(lambda: all(one.connection.taken_over for one, _ in both))
        for one, owner in both:
            told = reasons(owner, one)["broker-taken"]
            assert "shop-0017" in told.text("en")
            assert "'ipc serve'" in told.hint("en")
            assert "shop-0017" in told.text("zh")
    assert "Unspecified" not in caplog.text


def test_an_earlier_life_is_no_other_station(connected: Any, virtual: Virtual, kit: Any) -> None:
    station, bridge = connected([virtual()])
    assert kit.eventually(lambda: "station" in bridge._said)
    bridge.connection._client.socket().shutdown(socket.SHUT_RDWR)
    assert kit.eventually(lambda: bridge.connection.connections == 2)
    assert kit.eventually(lambda: "station" in bridge._said)
    assert bridge.connection.taken_over == 0
    bridge.close()
    with Bridge(station) as again:
        assert again.connection.wait(20)
        assert kit.eventually(lambda: "station" in again._said)
        assert "broker-taken" not in reasons(station, again)


def test_the_brokers_table_is_checked(station_file: Any, virtual: Virtual, tmp_path: Any) -> None:
    camera = virtual()
    for url, keys, kind in (
        ("http://hq", "", "broker.url"),
        ("mqtts://u:secret@hq", "", "broker.url"),
        ("mqtts://hq", "[[broker.keys]]\nname = 'a b'\npublic = 'x'\nendpoints = ['lense.*']", "broker.keys"),
    ):
        with pytest.raises(SiteError) as refused:
            load(station_file([camera], url=url, keys=keys))
        assert refused.value.values["key"].startswith(kind)
        assert "secret" not in str(refused.value)
        assert len(refused.value.others) == (2 if keys else 0)
    assert issubclass(ExtraMissingError, ConfigError)
