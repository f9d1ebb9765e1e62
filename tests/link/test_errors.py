"""Errors tell what happened: whose exception it is, whether anything was sent, which clock is wrong."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from sunmi_ipc import Camera, errors
from sunmi_ipc.link import tls
from sunmi_ipc.link.transport import explain_camera
from sunmi_ipc.protocol.wire import Incoming, Outgoing
from sunmi_ipc.simulator import Vendor, VirtualCamera
from tests.security.hostile import Hostile

OK = b'{"code":0,"data":{"sn":"FS101D8BS00106"}}'


def answer(body: bytes, *lines: str) -> bytes:
    head = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def vendor() -> Vendor:
    return Vendor()


class Scripted:
    """A transport that answers as it is told, and remembers what it was asked."""

    def __init__(self, *answers: Callable[[Outgoing], Incoming] | Exception) -> None:
        self.answers, self.asked = list(answers), list[Outgoing]()

    def send(self, outgoing: Outgoing, *, timeout: float) -> Incoming:
        self.asked.append(outgoing)
        play = self.answers.pop(0)
        if isinstance(play, Exception):
            raise play
        return play(outgoing)

    def close(self) -> None:
        pass


def said(code: int, ahead: float = 0.0) -> Callable[[Outgoing], Incoming]:
    return lambda _: Incoming(
        200, {"Date": formatdate(time.time() + ahead, usegmt=True)}, b'{"code":%d,"data":{"sn":"A1"}}' % code
    )


def camera(*answers: Any) -> tuple[Camera, Scripted]:
    transport = Scripted(*answers)
    return Camera("127.0.0.1", app_id="a", secret_key="k" * 9, transport=transport), transport


# -- the exchange's own exceptions ------------------------------------------------------------------


def test_a_call_in_a_handler_tells_its_own_error(vendor: Vendor) -> None:
    with Hostile(vendor, b"") as hostile, hostile.camera() as camera:
        first = errors.NotActivatedError(7)
        try:
            raise first
        except errors.DeviceError:
            with pytest.raises(errors.ConnectionFailed) as caught:
                camera.device.info()
        assert caught.value is not first


def test_contexts_of_others_are_not_followed_and_ours_are() -> None:
    def inner() -> None:
        try:
            raise ConnectionRefusedError(111, "refused")
        except ConnectionRefusedError:
            raise ValueError("wrapped")  # noqa: B904 - as libraries do

    def exchange() -> errors.SunmiIpcError:
        try:
            inner()
        except ValueError as error:
            return explain_camera(error, 1, 0)
        raise AssertionError

    def deeper() -> errors.SunmiIpcError:
        return exchange()

    for other in (errors.DeviceError(3), TimeoutError("theirs"), ssl.SSLError(1, "theirs")):
        try:
            raise other
        except Exception:
            assert "refused" in str(deeper())


# -- sent or not ------------------------------------------------------------------------------------


def test_what_never_left_was_not_sent(vendor: Vendor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with Hostile(vendor, b"") as hostile, hostile.camera() as camera:
        camera.move(f"127.0.0.1:{port}")
        with pytest.raises(errors.ConnectionFailed) as caught:
            camera.device.info()
    assert not caught.value.sent


@pytest.mark.parametrize(
    "reply", [b"", b"HTTP/1.1 200 OK\r\n", answer(b"{"), answer(b'{"code":3}'), b"\x00" * 100]
)
def test_what_got_no_good_answer_was_sent(vendor: Vendor, reply: bytes) -> None:
    with (
        Hostile(vendor, reply) as hostile,
        hostile.camera(retries=0, timeout=1.5) as camera,
        pytest.raises(errors.SunmiIpcError) as caught,
    ):
        camera.device.info()
    assert caught.value.sent


def test_a_strangers_certificate_is_seen_before_anything_is_sent(
    ready: VirtualCamera, tmp_path: Path
) -> None:
    from sunmi_ipc import KnownCameras

    pins = KnownCameras()
    pins.approve(ready.sn, b"another")
    env = ready.vendor
    options: dict[str, Any] = {"app_id": env.app_id, "secret_key": env.secret_key, "p12": env.p12}
    one = Camera(ready.address, sn=ready.sn, known_cameras=pins, p12_password=env.p12_password, **options)
    with one, pytest.raises(errors.TlsError) as caught:
        one.device.info()
    assert not caught.value.sent


# -- the clock --------------------------------------------------------------------------------------


def test_an_offset_is_kept_only_when_a_call_signed_with_it_was_taken() -> None:
    one, asked = camera(said(5, 28_800), said(0, 28_800), said(0, 28_800))
    one.device.info()
    assert one.clock_offset == pytest.approx(28_800, abs=5)
    one.device.info()
    assert len(asked.asked) == 3


@pytest.mark.parametrize(("first", "second"), [(2, 5), (2, 2), (5, 5), (5, 2)])
def test_a_wrong_date_header_re_dates_nothing(first: int, second: int) -> None:
    one, asked = camera(said(first, 28_800), said(second, 28_800), said(0, 28_800))
    with pytest.raises(errors.DeviceError) as caught:
        one.device.info()
    assert caught.value.code == first
    assert one.clock_offset == 0
    one.device.info()
    stamp = int(dict(asked.asked[2].fields)["timestamp"])
    assert abs(stamp - time.time()) < 10


def test_an_offset_is_not_kept_where_the_second_answer_never_came() -> None:
    one, _ = camera(said(5, 28_800), errors.ConnectionFailed("the connection was refused"))
    one.retries = 0
    with pytest.raises(errors.ConnectionFailed):
        one.device.info()
    assert one.clock_offset == 0


# -- configuration ----------------------------------------------------------------------------------


def test_a_missing_certificate_is_no_connection_that_failed() -> None:
    with pytest.raises(errors.ConfigError) as caught:
        Camera("127.0.0.1", app_id="a", secret_key="k").device.info()
    assert not isinstance(caught.value, errors.ConnectionFailed)
    assert not caught.value.sent


# -- HTTP -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_interim_answers_are_passed_over(vendor: Vendor, status: str) -> None:
    interim = f"HTTP/1.1 {status}\r\nLink: </a>; rel=preload\r\n\r\n".encode()
    with Hostile(vendor, interim * 3 + answer(OK)) as hostile, hostile.camera() as camera:
        assert camera.device.info().sn == "FS101D8BS00106"


@pytest.mark.parametrize("code", [b"0.0", b'"0"', b"0", b"0e0", b"-0.0"])
def test_a_return_code_is_a_number(vendor: Vendor, code: bytes) -> None:
    body = b'{"code":' + code + b',"data":{"sn":"A1"}}'
    with Hostile(vendor, answer(body)) as hostile, hostile.camera() as camera:
        assert camera.device.info().sn == "A1"


# -- files that people have -------------------------------------------------------------------------


def spellings(pem: bytes) -> dict[str, bytes]:
    certificate = x509.load_pem_x509_certificate(pem)
    return {
        "plain": pem,
        "a mark": b"\xef\xbb\xbf" + pem,
        "Chinese above": "# 商米根证书\n".encode() + pem,
        "Chinese in GBK": "# 商米根证书\r\n".encode("gbk") + pem.replace(b"\n", b"\r\n"),
        "Latin-1": b"friendlyName: Ger\xe4te CA\n" + pem,
        "UTF-16": pem.decode().encode("utf-16"),
        "UTF-16, big first": b"\xfe\xff" + pem.decode().encode("utf-16-be"),
        "DER": certificate.public_bytes(Encoding.DER),
        "PKCS#7": pkcs7.serialize_certificates([certificate], Encoding.PEM),
        "PKCS#7, DER": pkcs7.serialize_certificates([certificate], Encoding.DER),
        "trusted": pem.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
        "two": pem + b"\n" + pem,
    }


def test_a_ca_file_as_people_have_it(vendor: Vendor) -> None:
    pem = Path(vendor.ca).read_bytes()
    for name, data in spellings(pem).items():
        context = tls.client_context(None, data)
        assert len(context.get_ca_certs()) == 1, name


def pem(kind: str, body: bytes) -> bytes:
    """A file of that kind with nothing of a key in it."""
    return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (kind.encode(), body, kind.encode())


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "nothing"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\xef\xbb\xbf  <html>", "HTML"),
        (b"PK\x03\x04abc", "zip"),
        (pem("RSA PRIVATE KEY", b"AAAA"), "RSA PRIVATE KEY"),
        (pem("CERTIFICATE", b"not base64 \xff"), "CERTIFICATE"),
        (b"MIIKkgIBAzCCCk4GCSqGSIb3DQEHAaCCCj8Eggo7MIIKNzCC\n", "base64"),
        (b"\x00\x01\x02", "something else"),
    ],
)
def test_what_is_no_ca_file_is_named(data: bytes, word: str) -> None:
    with pytest.raises(errors.TlsError, match=word):
        tls.client_context(None, data)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"<html><body>Sign in</body></html>", "HTML"),
        (b"MIIKkgIBAzCCCk4GCSqGSIb3DQEHAaCCCj8Eggo7MIIKNzCC\n" * 4, "base64"),
        (pem("CERTIFICATE", b"AAAA"), "PEM: CERTIFICATE"),
        (b"", "nothing"),
        (b"\x30\x82\x0a\x92\x02\x01\x03", "cut off: 7 bytes of 2710"),
        (b"\x30\x03\x02\x01\x03", "wrong password"),
    ],
)
def test_a_p12_that_is_none_is_named(data: bytes, word: str, tmp_path: Path) -> None:
    path = tmp_path / "openapi.p12"
    path.write_bytes(data)
    with pytest.raises(errors.TlsError, match=word):
        tls.ClientCertificate.load(path, "hunter2-hunter2")


@pytest.mark.parametrize(
    "lost_at", ["device/getInfo", "config/formatMemoryCard", "config/getMemoryCardStatus"]
)
def test_an_error_tells_whether_the_call_itself_was_sent(lost_at: str) -> None:
    """A question that goes before a call is not the call; and what may have been done is not said again unseen."""

    class Breaks:
        def send(self, outgoing: Outgoing, *, timeout: float) -> Incoming:
            if outgoing.path == lost_at:
                error = errors.ConnectionFailed("the connection was refused", hint="Is it on?")
                error.sent = True
                raise error
            return Incoming(200, {}, OK)

        def close(self) -> None: ...

    camera = Camera(
        "127.0.0.1", sn="FS101D8BS00106", app_id="a", secret_key="k" * 8, retries=0, transport=Breaks()
    )  # fmt: skip
    call = camera.sdcard.status if lost_at == "config/getMemoryCardStatus" else camera.sdcard.format
    with pytest.raises(errors.ConnectionFailed) as caught:
        call()
    assert caught.value.sent is (lost_at != "device/getInfo")
    assert ("not known" in caught.value.hint) is (lost_at == "config/formatMemoryCard")
