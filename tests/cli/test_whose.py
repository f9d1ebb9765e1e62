"""Errors name the camera as the person named it, and what a model lacks in words; Chinese has its own marks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.state import State
from typer.testing import CliRunner

from sunmi_ipc.discovery import DiscoveredCamera, memory
from sunmi_ipc.i18n import _chinese, translate
from sunmi_ipc.protocol.spec import ALL_MODELS, registry
from sunmi_ipc.settings import config_dir
from sunmi_ipc.simulator import Vendor, VirtualCamera

Make = Callable[..., VirtualCamera]


@pytest.fixture(autouse=True)
def configured(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)


def refused(*args: str, code: int) -> str:
    done = CliRunner().invoke(app, list(args))
    assert done.exit_code == code, (args, done.output)
    return " ".join(done.stderr.split())


def known(camera: VirtualCamera) -> None:
    seen = DiscoveredCamera(camera.sn, camera.ip, camera.port, name="Till", mac=camera.state.mac)
    memory.remember([seen], config_dir())


def test_what_a_model_lacks_has_a_name_in_both_languages() -> None:
    for endpoint in registry().values():
        if endpoint.models != ALL_MODELS:
            assert endpoint.title, endpoint.key
            assert "." not in endpoint.title
            assert endpoint.title in _chinese()


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "the FM010 has no zoom and focus. Cameras that have it: FM020."),
     ("zh", "FM010 不支持缩放和聚焦。支持的型号：FM020。")],
)  # fmt: skip
def test_a_model_without_it(lang: str, said: str, virtual: Make) -> None:
    store = virtual(model="FM010")
    assert said in refused("lens", "show", "-c", store.address, "--lang", lang, code=2)


def test_an_error_is_about_whom_the_person_named(virtual: Make) -> None:
    camera = virtual(state="ready")
    camera.state.activated = False
    known(camera)
    assert (
        refused("info", "-c", camera.sn, code=5)
        .rpartition("error: ")[2]
        .startswith(f"{camera.sn}: the camera is not activated")
    )
    chinese = refused("info", "-c", camera.sn, "--lang", "zh", code=5)
    assert f"错误：{camera.sn}：摄像机" in chinese
    # Who named it by its address sees that address, and once.
    assert f"error: {camera.address}: the camera" in refused("info", "-c", camera.address, code=5)
    several = refused("info", "-c", camera.sn, "-c", camera.address, code=7)
    assert f"error: {camera.sn}: the" in several
    assert f"error: {camera.address}: the" in several


def test_where_nobody_answers_the_address_is_said_too(virtual: Make) -> None:
    camera = virtual()
    known(camera)
    camera.fail("drop", times=None)  # it takes connections, and ends them
    told = refused("info", "-c", camera.sn, code=3)
    assert f"error: {camera.sn} ({camera.address}): " in told or "was not found" in told


def test_lists_and_words_in_a_chinese_message() -> None:
    said = translate("Allowed: {bounds}.", "zh", {"bounds": "off, on, auto"})
    assert said == "允许的范围：off、on、auto。"
    assert translate("Allowed: {bounds}.", "zh", {"bounds": "from 1"}) == "允许的范围：1 及以上。"
    assert translate("Allowed: {bounds}.", "en", {"bounds": "off, on"}) == "Allowed: off, on."


def test_a_word_for_every_mode() -> None:
    done = CliRunner().invoke(app, ["image", "ir", "always", "-c", "127.0.0.1:1", "--lang", "zh"])
    assert done.stderr.strip() == "错误：模式 always：未知。允许的范围：off、on、auto。"


def test_warnings_of_the_log_are_in_the_users_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("sunmi_ipc")
    before, level, propagate = logger.handlers[:], logger.level, logger.propagate
    monkeypatch.setattr("sunmi_ipc.i18n._process", "zh")
    try:
        State().log()
        line: Any = "%s: the camera's certificate is NOT checked (insecure)"
        logger.warning(line, "192.168.1.20")
    finally:
        logger.handlers[:], logger.propagate = before, propagate
        logger.setLevel(level)
    assert capsys.readouterr().err == "192.168.1.20：不检查摄像机的证书（不安全）\n"
