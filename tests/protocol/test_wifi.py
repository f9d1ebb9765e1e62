"""What no wireless network can have is refused before anything is sent."""

from __future__ import annotations

import pytest

from sunmi_ipc import Camera, Settings, errors
from sunmi_ipc.api.wifi import Wifi
from sunmi_ipc.protocol.wifi import AsIs, check_passphrase, check_ssid
from sunmi_ipc.protocol.wire import Incoming, Outgoing


@pytest.mark.parametrize(
    "text", ["", "welcome1", "a" * 63, " 8 chars", "trailing ", "~!@#$%^&*()", "0123456789abcDEF" * 4]
)
def test_passphrases(text: str) -> None:
    check_passphrase(text)
    assert Wifi.set.check({"ssid": "Shop", "password": text})["password"].reveal() == text


@pytest.mark.parametrize(
    "text", ["1234567", "a" * 64, "a" * 65, "g" * 64, "密码密码密码密码", "ｗｅｌｃｏｍｅ２０", "welcome\t2020", "welcome-2020\n", "\x7f" * 8, "é" * 8]
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    if text == "a" * 64:  # hex digits, all of them
        check_passphrase(text)
        return
    with pytest.raises(errors.ParameterError):
        check_passphrase(text)
    with pytest.raises(errors.ParameterError) as caught:
        Wifi.set.check({"ssid": "Shop", "password": text})
    assert text not in str(caught.value)
    if len(text) <= 64:
        assert Wifi.set.check({"ssid": "Shop", "password": AsIs(text)})["password"].reveal() == text


@pytest.mark.parametrize("ssid", ["a", " ", " Shop ", "a" * 32, "咖" * 10, "🎉" * 8])
def test_names(ssid: str) -> None:
    check_ssid(ssid)
    assert Wifi.set.check({"ssid": ssid})["ssid"] == ssid


@pytest.mark.parametrize("ssid", ["", "a" * 33, "咖" * 11, "🎉" * 9])
def test_names_that_are_none(ssid: str) -> None:
    with pytest.raises(errors.ParameterError):
        check_ssid(ssid)
    with pytest.raises(errors.ParameterError):
        Wifi.set.check({"ssid": ssid})


class Gone:
    """A camera that takes the new network and leaves without a word."""

    def __init__(self, *, sent: bool) -> None:
        self.sent, self.asked = sent, list[str]()

    def send(self, outgoing: Outgoing, *, timeout: float) -> Incoming:
        self.asked.append(outgoing.path)
        error = errors.ConnectionFailed("the connection broke before the whole answer was there")
        error.sent = self.sent
        raise error

    def close(self) -> None:
        pass


def test_no_answer_to_the_new_network_is_no_failure() -> None:
    gone = Gone(sent=True)
    camera = Camera("127.0.0.1", app_id="a", secret_key="k", transport=gone)
    assert camera.wifi.join("Shop", "welcome-2020") is False
    assert gone.asked == ["config/setWifiConf"]


def test_a_camera_that_was_not_reached_was_not_told() -> None:
    camera = Camera("127.0.0.1", app_id="a", secret_key="k", transport=Gone(sent=False))
    with pytest.raises(errors.ConnectionFailed):
        camera.wifi.join("Shop", "welcome-2020")


# -- the environment ---------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e400", "", "abc", "99999"])
def test_time_outs_have_bounds(value: str) -> None:
    if value == "":
        assert Settings.load(environment={"SUNMI_IPC_TIMEOUT": value}).timeout == 10
        return
    with pytest.raises(errors.ConfigError, match="timeout"):
        Settings.load(environment={"SUNMI_IPC_TIMEOUT": value})


def test_a_carriage_return_behind_a_value_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    made = Settings.load(
        environment={
            "SUNMI_IPC_APP_ID": "id \r\n",
            "SUNMI_IPC_SECRET_KEY": "key\r",
            "SUNMI_IPC_P12_PASSWORD": " pass \r\n",
            "SUNMI_IPC_TIMEOUT": "5\r",
        }
    )
    assert (made.app_id, "".join(made.secret_key), "".join(made.p12_password), made.timeout) == (
        "id",
        "key",
        " pass ",
        5,
    )
    assert "SUNMI_IPC_SECRET_KEY ends in a carriage return" in caplog.text
    assert "pass" not in caplog.text
