"""Secrets in the library: logs at DEBUG, errors, ``repr``, and tracebacks that show locals."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.traceback import Traceback

from sunmi_ipc import errors, redact
from sunmi_ipc.api.wifi import Wifi
from sunmi_ipc.camera import Camera
from sunmi_ipc.link.tls import ClientCertificate
from sunmi_ipc.protocol import wire
from sunmi_ipc.redact import Secret, printable, redact_text, scrub
from sunmi_ipc.settings import Settings, profile_path, read_profile, write_profile
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect

from .hostile import Hostile, answer
from .marks import MARKS, marked_vendor, spellings

WIFI = MARKS["wifi"]


@pytest.fixture(scope="module")
def marked() -> Iterator[Vendor]:
    with marked_vendor() as vendor:
        yield vendor


@pytest.fixture
def camera(marked: Vendor) -> Iterator[VirtualCamera]:
    with VirtualCamera(marked, state="ready", udp=False) as running:
        running.state.documents["wifi"] = {"ssid": "Shop", "password": WIFI}
        yield running


def shown_everywhere(error: BaseException) -> str:
    """The error as every tool shows it that an installer or a crash reporter may have.

    The first frame is the test's own; what a caller holds in plain text is the caller's.
    """
    assert error.__traceback__ is not None
    frames = error.__traceback__.tb_next
    console = Console(file=io.StringIO(), width=400, force_terminal=False)
    shown = Traceback.from_exception(
        type(error), error, frames, show_locals=True, locals_max_string=None, locals_max_length=500
    )
    console.print(shown)
    assert isinstance(console.file, io.StringIO)
    detailed = traceback.TracebackException(type(error), error, frames, capture_locals=True)
    return "\n".join(
        [
            console.file.getvalue(),
            *detailed.format(),
            str(error),
            repr(error),
            str(vars(error)),
            str(error.__context__),
        ]
    )


def assert_clean(text: str, signs: list[str] | None = None) -> None:
    for name, mark in MARKS.items():
        for spelling in spellings(mark):
            assert spelling not in text, (name, text[max(0, text.find(spelling) - 200) :][:300])
    for sign in signs or []:
        assert sign not in text


def join(client: Camera) -> None:
    client.wifi.join("Shop", Secret(WIFI))


def set_(client: Camera) -> None:
    client.wifi.set("Shop", password=Secret(WIFI))


def raw(client: Camera) -> None:
    client.call("config/setWifiConf", {"ssid": "Shop", "password": Secret(WIFI)})


def activate(client: Camera) -> None:
    client.device.activate("FS101D8BS00106")


def info(client: Camera) -> None:
    client.device.info()


def show(client: Camera) -> None:
    client.wifi.show()


FAULTS = ["http", "garble", "html", "empty", "drop", "reset", "hang", "code", "huge"]
#: An answer that never comes is no failure of joining: the camera leaves its network before it has said so.
LOST = ("drop", "reset", "hang")
CASES = [
    *((join, fault) for fault in FAULTS if fault not in LOST),
    *((set_, fault) for fault in LOST),
    *((c, "garble") for c in (set_, raw, activate, info, show)),
]


@pytest.mark.parametrize(("call", "fault"), CASES)
def test_an_error_shows_no_secret_however_it_is_shown(
    camera: VirtualCamera,
    fault: str,
    call: Callable[[Camera], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signs: list[str] = []
    original = wire.sign
    monkeypatch.setattr(wire, "sign", lambda *args: signs.append(original(*args)) or signs[-1])
    caplog.set_level(logging.DEBUG)
    camera.fail(fault, 3 if fault == "code" else 0, times=None)
    with connect(camera, timeout=0.3, retries=1) as client:
        with pytest.raises(errors.SunmiIpcError) as caught:
            call(client)
        text = shown_everywhere(caught.value) + caplog.text + repr(client) + repr(vars(client))
    assert signs
    assert "sign=***" in caplog.text
    assert_clean(text, signs)
    assert caught.value.__cause__ is None


def test_a_request_does_not_show_its_fields(camera: VirtualCamera) -> None:
    with connect(camera) as client:
        outgoing = wire.build(
            Wifi.set, {"ssid": "Shop", "password": WIFI}, client.credentials, now=1.0, random="1234567890"
        )
        assert_clean(
            repr(outgoing) + repr(outgoing.fields) + repr(client.credentials),
            [dict(outgoing.revealed)["sign"]],
        )
    assert dict(outgoing.revealed)["password"] == WIFI


def test_the_search_finds_what_it_looks_for() -> None:
    """A frame that holds a marked secret is found: the tests above could fail."""

    def careless() -> None:
        held = MARKS["secret_key"]
        raise ValueError(len(held))

    try:
        careless()
    except ValueError as error:
        text = shown_everywhere(error)
    with pytest.raises(AssertionError):
        assert_clean(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda v: connect_with(v, p12=__file__),
        lambda v: connect_with(v, p12="/nowhere.p12"),
        lambda v: connect_with(v, p12_password=Secret(MARKS["p12_password"] + "x")),
        lambda v: connect_with(v, ca=__file__),
        lambda v: connect_with(v, app_id=""),
        lambda v: connect_with(v, secret_key=""),
    ],
)
def test_a_wrong_setting_shows_no_secret(marked: Vendor, make: Callable[[Vendor], None]) -> None:
    with pytest.raises(errors.SunmiIpcError) as caught:
        make(marked)
    assert_clean(shown_everywhere(caught.value))


def connect_with(vendor: Vendor, **options: Any) -> None:
    settings: dict[str, Any] = {
        "app_id": vendor.app_id, "secret_key": vendor.secret_key, "p12": vendor.p12, "p12_password": vendor.p12_password,
        "activation_code": vendor.activation_code,
    }  # fmt: skip
    with Camera("127.0.0.1:9", **settings | options) as client:
        join(client)


@pytest.mark.parametrize(
    "broken", ["SUNMI_IPC_TIMEOUT=soon", "SUNMI_IPC_TLS=ancient", "SUNMI_IPC_PROFILE=none"]
)
def test_settings_show_no_secret(marked: Vendor, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**marked.environment(), "SUNMI_IPC_RTSP_PASSWORD": MARKS["rtsp"]}.items():
        monkeypatch.setenv(name, value)
    assert_clean(repr(Settings.load()) + str(Settings.load()))
    monkeypatch.setenv(*broken.split("="))
    with pytest.raises(errors.ConfigError) as caught:
        Settings.load()
    assert_clean(shown_everywhere(caught.value))


@pytest.mark.parametrize("spoil", ["unknown = 1", "= broken", "timeout = 'x'"])
def test_a_bad_profile_shows_no_secret(spoil: str) -> None:
    path = write_profile("p", {"app_id": "a", "secret_key": MARKS["secret_key"]}, use_keyring=False)
    assert MARKS["secret_key"] in json.loads(path.read_text().split("secret_key = ")[1].splitlines()[0])
    path.write_text(path.read_text() + spoil + "\n")
    with pytest.raises(errors.ConfigError) as caught:
        Settings.load("p", environment={})
    assert_clean(shown_everywhere(caught.value))


def test_a_profile_that_cannot_be_written_shows_no_secret(tmp_path: Path) -> None:
    folder = profile_path("p").parent
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("")
    with pytest.raises(errors.ConfigError, match="cannot be written") as caught:
        write_profile("p", {"secret_key": Secret(MARKS["secret_key"])}, use_keyring=False)
    assert_clean(shown_everywhere(caught.value))


def test_a_profile_is_for_its_owner_alone() -> None:
    path = write_profile("p", {"secret_key": MARKS["secret_key"]}, use_keyring=False)
    assert path.stat().st_mode & 0o777 == 0o600
    assert_clean(repr(read_profile("p")))
    path.chmod(0o640)
    with pytest.raises(errors.ConfigError, match="can be read by others") as caught:
        read_profile("p")
    assert f"chmod 600 {path}" in caught.value.hint


def test_the_answer_at_debug_hides_the_password_even_of_a_broken_one(
    marked: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for body in (
        f'{{"code":0,"data":{{"ssid":"Shop","password":"{WIFI}"}}}}',
        f'{{"code":0,"data":{{"ssid":"Shop","password":"{WIFI}',
        f'{{"code":0,"data":{{"ssid":"Shop","password" : "{WIFI}\\\\"}}',
        '{"code":0,"password":12345678901}',
    ):
        with Hostile(marked, answer(body.encode())) as server, server.camera() as client:
            try:
                assert_clean(repr(client.wifi.show()))
            except errors.ReplyError as error:
                assert_clean(shown_everywhere(error))
    assert "ssid" in caplog.text
    assert "12345678901" not in caplog.text
    assert_clean(caplog.text)


def test_a_renamed_parameter_is_hidden_like_the_old(
    camera: VirtualCamera, caplog: pytest.LogCaptureFixture
) -> None:
    """A correction of the endpoint table may call the password anything."""
    from sunmi_ipc.protocol.wire import Override

    caplog.set_level(logging.DEBUG)
    renamed = {"config/setWifiConf": Override(names={"password": "pass_phrase_of_ap"})}
    with connect(camera, overrides=renamed) as client, pytest.raises(errors.DeviceError):
        client.wifi.set("Shop", WIFI)
    assert "pass_phrase_of_ap" in caplog.text
    assert_clean(caplog.text)


# -- the one redaction ----------------------------------------------------------------------------


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("s3cret-Text")
    for text in (repr(secret), str(secret), f"{secret}", f"{secret:>20}", "%s" % secret, "{}".format(secret)):  # noqa: UP031, UP032
        assert text.strip() == "***"
    assert secret.reveal() == "s3cret-Text"
    assert secret == "s3cret-Text"
    assert pickle.loads(pickle.dumps(secret)).reveal() == copy.deepcopy(secret).reveal() == "s3cret-Text"
    assert repr([secret]) == "[***]"
    assert redact.redact({"x": secret}) == {"x": "***"}


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin:geheim@10.0.0.9/live",
        "https://user:geheim@example.org/",
        "rtsp://admin:gehe/geheim@10.0.0.9/live",
        "rtsp://:geheim@10.0.0.9/live",
        "password=geheim&ssid=Shop",
        "a=1&p12_password=geheim",
        "sign=geheim",
        '{"password": "geheim"}',
        '{"wifi_password":"geheim", "x": 1}',
        '{"secret_key" : "geheim',
        "token=geheim",
    ],
)
def test_secrets_in_text_are_masked_by_name(text: str) -> None:
    masked = redact_text(text)
    assert "geheim" not in masked
    assert "***" in masked


@pytest.mark.parametrize(
    "text",
    ["group_name=VIP", '{"name": "Door"}', "code=7", "http://10.0.0.9/x?sn=1", "http://10.0.0.9:80/a@b"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_text(text) == text


def test_a_known_secret_is_masked_wherever_it_stands() -> None:
    Secret("Known & s3cret/1")
    for text in ("it was Known & s3cret/1.", "x=Known%20%26%20s3cret%2F1", "x=Known+%26+s3cret%2F1"):
        assert "s3cret" not in scrub(text)
    assert scrub("admin " + Secret("admin").reveal()) == "admin admin"
    assert scrub(printable("plain")) == "plain"


def test_a_log_record_with_a_traceback_is_masked() -> None:
    Secret("in-a-trace-7788")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(redact.RedactingFilter())
    logger = logging.getLogger("sunmi_ipc.test_secrets")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        raise ValueError("in-a-trace-7788")
    except ValueError:
        logger.exception("it failed with %s", "in-a-trace-7788")
    finally:
        logger.removeHandler(handler)
    assert "ValueError" in stream.getvalue()
    assert "7788" not in stream.getvalue()


def test_the_p12_loader_shows_nothing(marked: Vendor) -> None:
    certificate = ClientCertificate.load(marked.p12, marked.p12_password)
    assert_clean(repr(certificate) + str(certificate))
    assert certificate.passphrase.decode() not in repr(certificate)
