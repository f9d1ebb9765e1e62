"""The client over real TLS: trust, time, trouble, secrets."""

from __future__ import annotations

import logging
import pickle
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from sunmi_ipc import Cloud, errors
from sunmi_ipc.cloud import client
from sunmi_ipc.cloud.client import URLS, base_url
from sunmi_ipc.cloud.transport import CloudTransport, context
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import jpeg
from sunmi_ipc.simulator.cloud import VirtualCloud, connect

Services = Callable[..., VirtualCloud]


def test_tls_is_verified_as_any_web_site(service: VirtualCloud, tmp_path: Path) -> None:
    with connect(service, ca=None) as cloud, pytest.raises(errors.TlsError, match="not trusted"):
        cloud.flow.today()
    with connect(service, url=service.url.replace("127.0.0.1", "localhost")) as cloud:
        assert cloud.flow.today().total_count >= 0
    # The right CA, another name: the certificate is for 127.0.0.1 and localhost.
    with connect(service, url=service.url.replace("127.0.0.1", "127.0.0.2"), retries=0) as cloud:
        with pytest.raises(errors.SunmiIpcError) as caught:
            cloud.flow.today()
        assert isinstance(caught.value, errors.ConnectionFailed)
    broken = tmp_path / "ca.crt"
    broken.write_text("no certificate")
    with pytest.raises(errors.TlsError, match="holds no certificate"):
        context(str(broken))
    assert not service.counts["passengerFlow/stat/today/getLatest"] > 1


def test_the_name_in_the_certificate_counts(services: Services) -> None:
    service = services(ip="127.0.0.1")
    other = socket.create_server(("127.0.0.3", 0))

    def forward() -> None:
        with (
            other,
            other.accept()[0] as inside,
            socket.create_connection(("127.0.0.1", service.port)) as outside,
        ):
            inside.settimeout(2)
            outside.settimeout(2)
            try:
                outside.sendall(inside.recv(65_536))
                inside.sendall(outside.recv(65_536))
            except OSError:
                return

    thread = threading.Thread(target=forward, daemon=True)
    thread.start()
    url = f"https://127.0.0.3:{other.getsockname()[1]}/openapi"
    with connect(service, url=url, retries=0) as cloud, pytest.raises(errors.TlsError, match="not trusted"):
        cloud.flow.today()
    thread.join()


def test_the_default_trust_is_the_systems() -> None:
    made = context()
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert made.check_hostname


def test_refused_before_sending(service: VirtualCloud, cloud: Cloud) -> None:
    group = service.shop.groups and next(iter(service.shop.groups))
    with pytest.raises(errors.ParameterError, match="made of digits"):
        connect(service, shop_no="56027901030a")
    with pytest.raises(errors.ParameterError, match="made of digits"):
        cloud.at("56 02")
    with pytest.raises(errors.ParameterError, match="1100000 bytes"):
        cloud.faces.add(group, "x", b"\xff\xd8\xff" + bytes(1_099_997))
    with pytest.raises(errors.ParameterError, match="larger than"):
        cloud.faces.delete(group, ["x" * 1_000_001])
    with pytest.raises(errors.ParameterError, match="ipc_sn or ipc_id"):
        cloud.media.snapshot()
    with pytest.raises(errors.ParameterError, match="12 hex digits"):
        cloud.devices.bind("FS101D8BS00001", "0C:25")
    with pytest.raises(errors.ParameterError, match="digits"):
        cloud.devices.info(ipc_id="12a")
    with pytest.raises(errors.ParameterError, match="https://"):
        cloud.messages.add([2001], "shop.example/hook")
    with connect(service, shop_no="") as nobody, pytest.raises(errors.ConfigError, match="no shop"):
        nobody.flow.today()
    with connect(service, secret_key="") as nobody, pytest.raises(errors.ConfigError, match="secret key"):
        nobody.flow.today()
    assert not service.counts
    assert service.busiest == 0


def test_a_wrong_signature_is_401(service: VirtualCloud) -> None:
    with connect(service, secret_key="wrong") as cloud, pytest.raises(errors.CloudSignatureError) as caught:
        cloud.flow.today()
    assert caught.value.code == 401
    assert "secret key" in caught.value.hint
    with connect(service, app_id="wrong") as cloud, pytest.raises(errors.CloudSignatureError):
        cloud.flow.today()


@pytest.mark.parametrize("offset", [-4000, 4000])
def test_the_services_clock_is_taken_once_it_refuses_ours(service: VirtualCloud, offset: int) -> None:
    service.clock_offset = offset
    with connect(service) as cloud:
        assert cloud.flow.today().total_count >= 0
        assert abs(cloud.clock_offset - offset) < 5
        assert cloud.flow.today().total_count >= 0
    assert service.counts["passengerFlow/stat/today/getLatest"] == 2


def test_reads_are_tried_again_and_writes_never(
    service: VirtualCloud, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_RETRY_PAUSES_S", (0.01, 0.02))
    path = "passengerFlow/stat/today/getLatest"
    service.fail("drop", path=path, times=2)
    assert cloud.flow.today().total_count >= 0
    service.fail("drop", path="face/group/create", times=1)
    with pytest.raises(errors.ConnectionFailed):
        cloud.faces.create_group("VIP")
    assert not service.counts["face/group/create"]
    cloud.faces.create_group("VIP")
    service.fail("drop", path=path, times=9)
    with pytest.raises(errors.ConnectionFailed):
        cloud.flow.today()


@pytest.mark.parametrize("kind", ["garble", "html", "empty"])
def test_what_is_no_answer(service: VirtualCloud, cloud: Cloud, kind: str) -> None:
    service.fail(kind)
    with pytest.raises(errors.ReplyError, match="not JSON"):
        cloud.flow.today()
    service.fail("http", 502)
    with pytest.raises(errors.ReplyError, match="502"):
        cloud.flow.today()


def test_sloppy_answers_are_read(service: VirtualCloud, cloud: Cloud) -> None:
    service.fail("dirty", times=None)
    group = cloud.faces.groups().group_list[1]
    assert group.count == 5
    assert [f.arrival_count for f in cloud.faces.list(group.group_id)] == [1, 2, 3, 4, 5]
    assert cloud.devices.list().ipc_list[0].online
    assert cloud.flow.today_by_tag().count_list[0].age_range == 1


def test_a_call_has_a_deadline(service: VirtualCloud) -> None:
    service.latency_s = 5
    with (
        connect(service, timeout=0.2, retries=0) as cloud,
        pytest.raises(errors.ConnectionFailed, match=r"no complete answer within 0\.[12]"),
    ):
        cloud.flow.today()


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cloud = Cloud(app_id="a", secret_key="b", shop_no="1", url=f"https://127.0.0.1:{port}/openapi", retries=0)
    with cloud, pytest.raises(errors.ConnectionFailed, match="SUNMI_IPC_CLOUD_URL"):
        cloud.flow.today()


def test_threads_share_a_cloud(service: VirtualCloud, cloud: Cloud) -> None:
    with ThreadPoolExecutor(8) as pool:
        totals = list(pool.map(lambda _: cloud.flow.today().pass_count is not None, range(40)))
    assert totals == [True] * 40


def test_closing_closes_and_the_next_call_opens_again(service: VirtualCloud) -> None:
    with connect(service) as cloud:
        cloud.flow.today()
        server = service._server
        assert server is not None
        with server._guard:
            assert len(server._open) == 1
        cloud.close()
        with server._guard:
            assert server._guard.wait_for(lambda: not server._open, 10)
        assert cloud.flow.today().total_count >= 0


def test_another_shop_over_the_same_connections(service: VirtualCloud, cloud: Cloud) -> None:
    first, second = service.state.shops.values()
    other = cloud.at(second.no)
    assert {c.ipc_sn for c in other.devices.list().ipc_list} == {d.sn for d in service.devices(second.no)}
    by_id = cloud.at(shop_id=second.shop_id)
    assert by_id.devices.list() == other.devices.list()
    assert other._transport is cloud._transport
    assert len(cloud.devices.list_by_company(first.company_no).ipc_list) == 4
    with pytest.raises(errors.CloudError, match="company is not bound"):
        cloud.devices.list_by_company("1")


def test_id_and_serial_number_must_agree(service: VirtualCloud, cloud: Cloud) -> None:
    first, second = service.devices()
    assert cloud.devices.info(first.sn, first.ipc_id).ipc_sn == first.sn
    with pytest.raises(errors.CloudNotFoundError, match="no such camera"):
        cloud.devices.info(first.sn, second.ipc_id)


def test_urls() -> None:
    assert base_url("") == base_url("production") == "https://store.sunmi.com/openapi"
    assert base_url("test") == URLS["test"] == "https://store.uat.sunmi.com/openapi"
    assert base_url("https://cloud.example:8443/openapi/") == "https://cloud.example:8443/openapi"
    for bad in (
        "http://cloud.example",
        "cloud.example",
        "https://",
        "https://u:p@x/",
        "https://x:99999/",
        "https://x/?a",
    ):
        with pytest.raises(errors.ParameterError):
            base_url(bad)


def test_settings_know_the_cloud() -> None:
    made = Settings.load(
        environment={"SUNMI_IPC_SHOP_NO": "12", "SUNMI_IPC_CLOUD_URL": "test", "SUNMI_IPC_CLOUD_CA": "x"}
    )
    assert (made.shop_no, made.cloud_url, made.cloud_ca) == ("12", "test", "x")


def test_secrets_stay_inside(
    service: VirtualCloud, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A command that ran in this process may have taken the logger for itself.
    log = logging.getLogger("sunmi_ipc.cloud")
    monkeypatch.setattr(log, "handlers", [caplog.handler])
    caplog.set_level(logging.DEBUG, logger="sunmi_ipc.cloud")
    secret = service.secret_key.reveal()
    with connect(service) as cloud:
        cloud.flow.today()
        service.fail("code", 5041)
        with pytest.raises(errors.CloudError) as caught:
            cloud.devices.list()
        assert secret not in repr(cloud) + repr(cloud.__dict__) + str(caught.value) + repr(
            caught.value.__dict__
        )
    assert secret not in caplog.text
    assert "sign=***" in caplog.text
    assert "random=" in caplog.text


def test_errors_cross_processes() -> None:
    error = errors.CloudError.of(5041, endpoint="device/ipc/getList")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.code, type(again)) == (str(error), 5041, type(error))
    assert "门店" in error.localized("zh")[0]


def test_pictures_are_fetched(service: VirtualCloud, cloud: Cloud) -> None:
    camera = service.devices()[0]
    url = cloud.media.snapshot(camera.sn).snapshot_url
    assert cloud.fetch(url).startswith(b"\xff\xd8\xff")
    with pytest.raises(errors.ReplyError, match="404"):
        cloud.fetch(f"{service.origin}/IMG/IPC/nothing")
    small = CloudTransport(service.url, ca=str(service.ca), max_answer=10)
    with pytest.raises(errors.ReplyError, match="larger than 10"):
        small.fetch(url, timeout=5)
    small.close()
    assert len(jpeg.face("x")) > 10


def test_any_path_can_be_called(service: VirtualCloud, cloud: Cloud) -> None:
    sn = service.devices()[0].sn
    assert cloud.call("/openapi/device/ipc/getInfo", {"ipc_sn": sn})["ipc_sn"] == sn
    group = next(iter(service.shop.groups))
    added = cloud.call("face/add", {"group_id": group, "name": "Zoe", "pic": jpeg.face("Zoe")})
    assert cloud.faces.wait(added["face_id"], every=0.02).name == "Zoe"
    assert cloud.call("hook/add", {"event_list": [2001], "http_callback": "https://shop.example/"}) == {}
    with pytest.raises(errors.ReplyError, match="404"):
        cloud.call("face/updatePicture", {})
    with pytest.raises(errors.CloudNotFoundError):
        cloud.call("face/getInfo", {"face_id": "1"})
    with pytest.raises(errors.ParameterError):
        cloud.call("https://elsewhere.example/x")
    with pytest.raises(errors.ParameterError, match="larger than"):
        cloud.call("face/delete", {"face_id_list": ["x" * 1_000_000]})


def test_a_proxy_on_the_way_sees_nothing(service: VirtualCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                seen.append(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def tunnel() -> None:
        with proxy, proxy.accept()[0] as inside:
            seen.append(inside.recv(4096))
            inside.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with socket.create_connection(("127.0.0.1", service.port)) as outside:
                back = threading.Thread(target=pump, args=(outside, inside))
                back.start()
                pump(inside, outside)
                back.join()

    proxy = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
    thread = threading.Thread(target=tunnel, daemon=True)
    thread.start()
    with connect(service) as cloud:
        assert cloud.flow.today().total_count >= 0
    thread.join()
    assert seen[0].startswith(f"CONNECT 127.0.0.1:{service.port}".encode())
    assert b"getLatest" not in b"".join(seen)


def test_names_are_as_long_as_the_service_takes(cloud: Cloud, service: VirtualCloud) -> None:
    camera = service.devices()[0]
    cloud.devices.rename("门" * 200, ipc_sn=camera.sn)
    assert cloud.devices.info(ipc_sn=camera.sn).ipc_name == "门" * 200
