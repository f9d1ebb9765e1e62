"""What the cloud posts: received over real HTTP, verified, kept, forwarded."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from sunmi_ipc.cloud.client import Cloud
from sunmi_ipc.cloud.messages import CLOUD, CloudMessage, MessageReceiver, PersonSeen, message_of, read
from sunmi_ipc.cloud.values import GroupType
from sunmi_ipc.errors import BadEvent
from sunmi_ipc.events import Spool
from sunmi_ipc.events.delivery import Delivery
from sunmi_ipc.events.sinks import JsonlSink
from sunmi_ipc.protocol.values import AgeRange, Gender
from sunmi_ipc.simulator import jpeg
from sunmi_ipc.simulator.checks import signature
from sunmi_ipc.simulator.cloud import VirtualCloud
from sunmi_ipc.simulator.cloud.server import FACE_DONE


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "messages", dialect=CLOUD) as made:
        yield made


@pytest.fixture
def receiver(spool: Spool, service: VirtualCloud) -> Iterator[MessageReceiver]:
    secrets = {service.app_id: service.secret_key.reveal()}
    with MessageReceiver(spool, host="127.0.0.1", secrets=secrets, path="/messages") as made:
        yield made


def post(receiver: MessageReceiver, fields: dict[str, str], key: str = "") -> int:
    if key:
        fields = fields | {"sign": signature(fields, key)}
    return requests.post(receiver.url, data=fields, timeout=10).status_code


def message(service: VirtualCloud, event: int, payload: str, random: str = "abcdef12") -> dict[str, str]:
    return {
        "app_id": service.app_id,
        "timestamp": "1578972864",
        "random": random,
        "sunmi_shop_no": service.shop_no,
        "event": str(event),
        "payload": payload,
    }


def test_somebody_comes_in(
    cloud: Cloud, service: VirtualCloud, spool: Spool, receiver: MessageReceiver
) -> None:
    cloud.messages.subscribe(receiver.url)
    face = next(f for g in service.shop.groups.values() for f in g.faces.values())
    payload = service.visit(face=face)
    service.visit(face=face)
    consumer = spool.consumer("till")
    found = consumer.read(1, timeout=10) + consumer.read(1, timeout=10)
    stored = found[0]
    assert isinstance(stored.event, PersonSeen)
    assert stored.verified
    assert (stored.event.sn, stored.event.event_type) == (payload["ipc_id"], "cloud_2001")
    assert (stored.event.face_id, stored.event.group_type) == (payload["face_id"], GroupType.REGULAR)
    assert stored.event.sunmi_shop_no == service.shop_no
    assert stored.event.report_time is not None
    # The same person again is another message.
    assert found[0].event.event_id != found[1].event.event_id
    assert service.posts.given_up == 0


def test_the_end_of_the_work_on_a_face_is_told(
    cloud: Cloud, service: VirtualCloud, spool: Spool, receiver: MessageReceiver
) -> None:
    cloud.messages.add([FACE_DONE], receiver.url)
    group = next(iter(service.shop.groups))
    added = cloud.faces.add(group, "Zoe", jpeg.face("Zoe"))
    stored = spool.consumer("faces").read(1, timeout=10)[0]
    assert type(stored.event) is CloudMessage
    assert stored.event.payload == {"face_id": added.face_id, "group_id": group, "result": 0}
    assert stored.event.sn == f"shop-{service.shop_no}"
    assert cloud.faces.show(added.face_id).name == "Zoe"


def test_only_good_signatures_are_taken(
    service: VirtualCloud, spool: Spool, receiver: MessageReceiver
) -> None:
    key = service.secret_key.reveal()
    fields = message(service, 2001, '{"ipc_id":"928","face_id":"1"}')
    assert post(receiver, fields) == 401
    assert post(receiver, fields, "wrong") == 401
    signed = fields | {"sign": signature(fields, key)}
    assert post(receiver, signed | {"payload": '{"ipc_id":"928","face_id":"2"}'}) == 401
    assert post(receiver, signed) == 200
    assert post(receiver, signed) == 200  # said again: the same message
    assert receiver.counts["stored"] == 1
    assert receiver.counts["repeated"] == 1
    assert len(spool.consumer("till").read(9, timeout=0)) == 1


def test_the_pages_own_example_is_understood(
    service: VirtualCloud, spool: Spool, receiver: MessageReceiver
) -> None:
    """Keys without quotes, one with half of them, as the vendor's page prints it."""
    payload = """
    {
        ipc_id: "928", face_id: "29195", gender: 1, age_range: 4,
        group_id: "8927", group_name: "stranger", group_type": 2
    }"""
    assert post(receiver, message(service, 2001, payload), service.secret_key.reveal()) == 200
    event = spool.consumer("till").read(1, timeout=10)[0].event
    assert isinstance(event, PersonSeen)
    assert (event.gender, event.age_range) == (Gender.MALE, AgeRange.AGE_19_28)
    assert event.group_type is GroupType.REGULAR


def test_what_a_person_seen_has_beside_the_known_is_kept(service: VirtualCloud) -> None:
    text = urlencode(message(service, 2001, '{"ipc_id":"928","face_id":"1","mood":"good"}'))
    event = message_of(read(text.encode()).event)
    assert event.as_dict()["payload"] == {"mood": "good"}
    assert event.payload["face_id"] == "1"


def test_unknown_numbers_are_kept_raw(service: VirtualCloud, spool: Spool, receiver: MessageReceiver) -> None:
    for number, payload in enumerate(('{"a":{"b":[1]}}', "{}", "")):
        fields = message(service, 9000 + number, payload, random=f"abcdef1{number}")
        assert post(receiver, fields, service.secret_key.reveal()) == 200
    events = spool.consumer("till").read(3, timeout=10)
    assert [e.event.event_type for e in events] == ["cloud_9000", "cloud_9001", "cloud_9002"]
    assert isinstance(events[0].event, CloudMessage)
    assert events[0].event.payload == {"a": {"b": [1]}}
    assert events[0].as_dict()["payload"] == {"a": {"b": [1]}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"\xff",
        b"event=2001&event=2001",
        b"event=2001&payload={x",
        b"event=&payload={}",
        b"payload={}",
        # As the page prints JSON, with what no JSON can keep.
        b"event=2001&sunmi_shop_no=1&payload={ipc_id:1e999}",
        b"event=2001&sunmi_shop_no=1&payload={ipc_id:NaN}",
    ],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(BadEvent):
        message_of(read(body).event)


@settings(deadline=None)
@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers() | st.none(), max_size=6),
    st.integers(0, 10_000),
)
def test_any_payload_is_a_message_or_refused(payload: dict[str, str | int | None], number: int) -> None:
    text = json.dumps(payload)
    body = urlencode({"event": number, "sunmi_shop_no": "1", "payload": text}).encode()
    try:
        event = message_of(read(body).event)
    except BadEvent:
        return
    assert event.event == number
    again = message_of(json.loads(json.dumps(read(body).event)))
    assert again.key == event.key


def test_messages_go_to_the_sinks(
    cloud: Cloud, service: VirtualCloud, spool: Spool, receiver: MessageReceiver
) -> None:
    cloud.messages.subscribe(receiver.url)
    out = io.StringIO()
    with Delivery(spool, JsonlSink(out)) as delivery:
        payload = service.visit()
        consumer = spool.consumer("other")
        assert consumer.read(1, timeout=10)
        assert delivery.drain(10)
    line = json.loads(out.getvalue())
    assert line["face_id"] == payload["face_id"]
    assert line["event_type"] == "cloud_2001"


def test_a_message_that_is_not_taken_is_tried_again(
    cloud: Cloud, service: VirtualCloud, spool: Spool
) -> None:
    service.posts.pauses = (0.02, 0.02)
    asked: list[str] = []

    def secret(app_id: str) -> str | None:
        asked.append(app_id)
        return service.secret_key.reveal() if len(asked) > 1 else None

    with MessageReceiver(spool, host="127.0.0.1", secrets=secret) as receiver:
        cloud.messages.subscribe(receiver.url)
        service.visit()
        assert spool.consumer("till").read(1, timeout=10)
    assert receiver.counts["unsigned"] == 1


@pytest.mark.parametrize(
    ("statuses", "tries"), [([201], 1), ([204], 1), ([500, 302, 299], 3), ([404] * 9, 5)]
)
def test_any_2xx_takes_a_message_and_four_repeats_come(
    cloud: Cloud, service: VirtualCloud, statuses: list[int], tries: int
) -> None:
    assert service.posts.pauses == (15, 30, 60, 120)
    service.posts.pauses = (0.02,) * 4
    left, came = list(statuses), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            came.append(self.path)
            self.send_response(left.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cloud.messages.subscribe(f"http://127.0.0.1:{server.server_address[1]}/x")
        service.visit()
        end = time.monotonic() + 10
        while service.posts.taken + service.posts.given_up < 1 and time.monotonic() < end:
            time.sleep(0.01)
        server.shutdown()
    assert len(came) == tries
    assert service.posts.taken == (statuses[tries - 1] < 300)


Services = Callable[..., VirtualCloud]


def test_a_virtual_cloud_posts_to_this_machine_only(cloud: Cloud, service: VirtualCloud) -> None:
    cloud.messages.subscribe("http://192.0.2.1:9/hook")
    service.visit()
    service.close()  # waits for what it does
    assert service.posts.taken == 0
