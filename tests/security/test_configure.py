"""Profiles: made by asking, from the vendor's folder, with the system keyring or a file; never shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc import errors
from sunmi_ipc.settings import Settings, profile_path, read_profile, write_profile
from sunmi_ipc.simulator import Vendor, VirtualCamera

from .marks import MARKS, marked_vendor, spellings

keyring = pytest.importorskip("keyring")
from keyring.backend import KeyringBackend  # noqa: E402


class Memory(KeyringBackend):
    """A keyring that forgets."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


class Locked(Memory):
    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked("locked: " + MARKS["secret_key"])

    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.PasswordSetError("locked: " + password)


@pytest.fixture
def use() -> Iterator[Callable[[KeyringBackend], KeyringBackend]]:
    before = keyring.get_keyring()

    def change(backend: KeyringBackend) -> KeyringBackend:
        keyring.set_keyring(backend)
        return backend

    yield change
    keyring.set_keyring(before)


@pytest.fixture(scope="module")
def marked() -> Iterator[Vendor]:
    with marked_vendor() as vendor:
        yield vendor


@pytest.fixture
def hand_out(marked: Vendor, tmp_path: Path) -> Path:
    """The folder that the vendor hands out, with what else is in it."""
    folder = tmp_path / "SUNMI IPC"
    (folder / "certs").mkdir(parents=True)
    (folder / "certs" / "openapi.p12").write_bytes(marked.p12.read_bytes())
    (folder / "certs" / "sunmi_ipcsdk_ca.crt").write_bytes(marked.ca.read_bytes())
    (folder / "Sunmi_IPC_OpenAPI_Postman_Collection_v1.json").write_text("{}")
    (folder / "readme.txt").write_text("hello")
    return folder


def clean(text: str) -> None:
    for mark in MARKS.values():
        assert not any(spelling in text for spelling in spellings(mark))


def run(*args: str, env: dict[str, str | None] | None = None, text: str = "") -> Any:
    return CliRunner().invoke(app, list(args), env=env or {}, input=text)


def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a terminal."""
    monkeypatch.setattr("sunmi_ipc_cli.start.configure.is_terminal", lambda: True)


def test_from_the_vendors_folder_asking_for_the_rest(
    marked: Vendor, hand_out: Path, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(monkeypatch)
    backend = use(Memory())
    # No path is asked: app_id, secret key, activation code, a wrong password, the right one, shop.
    answers = [
        marked.app_id,
        MARKS["secret_key"],
        MARKS["activation_code"],
        "wrong",
        MARKS["p12_password"],
        "560279010307",
    ]
    done = run("configure", "--from", str(hand_out), "-vv", text="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    clean(done.output)
    assert "wrong password" in done.stderr
    assert "import-postman" in done.stderr
    assert sorted(backend.kept.values()) == sorted(
        [MARKS["secret_key"], MARKS["activation_code"], MARKS["p12_password"]]
    )
    text = profile_path("default").read_text()
    clean(text)
    assert "openapi.p12" in text
    assert "sunmi_ipcsdk_ca.crt" in text
    assert 'shop_no = "560279010307"' in text
    assert profile_path("default").stat().st_mode & 0o777 == 0o600
    with VirtualCamera(marked, state="ready", udp=False) as camera:
        info = run("info", "-c", camera.address, "--json")
        assert info.exit_code == 0, info.output
        assert json.loads(info.stdout)["sn"] == camera.sn


def test_three_wrong_passwords_lose_nothing_else(
    hand_out: Path, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(monkeypatch)
    backend = use(Memory())
    done = run("configure", "--from", str(hand_out), text="a\nb\n\n1\n2\n3\n777\n")
    assert done.exit_code == 4
    assert done.stderr.count("wrong password") == 3
    assert "still without: password of openapi.p12" in done.stderr
    kept = read_profile("default")
    assert (kept["app_id"], kept["shop_no"]) == ("a", "777")
    assert "p12_password" not in kept
    assert list(backend.kept.values()) == ["b"]


@pytest.mark.parametrize("as_json", [False, True])
def test_show_never_prints_a_secret(marked: Vendor, use: Any, as_json: bool) -> None:
    use(Memory())
    values = {**marked.environment(), "SUNMI_IPC_RTSP_PASSWORD": MARKS["rtsp"]}
    assert run("configure", "-p", "a", "--from-env", env=values).exit_code == 0
    write_profile(
        "b",
        {
            "app_id": "x",
            "cloud_url": f"https://user:{MARKS['rtsp']}@example.org",
            "rtsp_password": MARKS["rtsp"],
        },
        use_keyring=False,
    )
    for name in ("a", "b"):
        done = run("configure", "-p", name, "--show", *(["--json"] if as_json else []), "-vv")
        assert done.exit_code == 0, done.output
        clean(done.output)
        assert "***" in done.stdout
    assert run("configure", "-p", "none", "--show").exit_code == 2


def test_options_win_over_environment_and_environment_over_profile() -> None:
    write_profile(
        "p", {"app_id": "profile", "secret_key": "profile-key", "ca": "/profile"}, use_keyring=False
    )
    environment = {"SUNMI_IPC_APP_ID": "environment", "SUNMI_IPC_SECRET_KEY": "environment-key"}
    loaded = Settings.load("p", environment=environment, app_id="option")
    assert (loaded.app_id, loaded.secret_key, loaded.ca) == ("option", "environment-key", "/profile")
    assert Settings.load("", environment=environment | {"SUNMI_IPC_PROFILE": "p"}).ca == "/profile"


def test_without_a_keyring_in_a_file_unless_the_user_declines(
    marked: Vendor, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keyring.backends.fail import Keyring as Missing

    use(Missing())
    values = marked.environment()
    asked(monkeypatch)
    declined = run("configure", "--from-env", env=values, text="n\n")
    assert declined.exit_code == 2
    assert "NOT saved: activation code, password of openapi.p12, secret key" in declined.stderr
    clean(profile_path("default").read_text())
    doctor = run("doctor", "--json", "-c", "127.0.0.1:1")
    checks = {check["check"]: check["message"] for check in json.loads(doctor.stdout)["checks"]}
    assert checks["settings"] == "not configured: secret key"
    assert checks["client certificate"] == "not configured: password of openapi.p12"
    assert "wrong password" not in doctor.output
    for text in ("\n", "y\n", None):  # None: nobody to ask
        monkeypatch.setattr("sunmi_ipc_cli.start.configure.is_terminal", lambda asked=text: asked is not None)
        profile_path("default").unlink()
        agreed = run("configure", "--from-env", env=values, text=text or "")
        assert agreed.exit_code == 0
        assert profile_path("default").stat().st_mode & 0o777 == 0o600
        assert read_profile("default")["secret_key"] == MARKS["secret_key"]


def test_a_locked_keyring_is_said_and_nothing_is_lost(marked: Vendor, use: Any) -> None:
    use(Memory())
    assert run("configure", "--from-env", env=marked.environment()).exit_code == 0
    before = profile_path("default").read_bytes()
    use(Locked())
    for args in (["configure", "--from-env"], ["info", "-c", "127.0.0.1"], ["configure", "--show"]):
        done = run(*args, "-vv", env=marked.environment() if "--from-env" in args else {})
        assert done.exit_code == 2
        assert "keyring does not serve" in done.stderr
        assert "--secrets-in-file" in done.stderr
        clean(done.output)
    assert profile_path("default").read_bytes() == before


@pytest.mark.parametrize("count", [0, 2])
def test_a_folder_without_exactly_one_container(tmp_path: Path, count: int) -> None:
    for i in range(count):
        (tmp_path / f"{i}.p12").write_bytes(b"x")
    done = run("configure", "--from", str(tmp_path), "--from-env")
    assert done.exit_code == 2
    assert f"{count} client certificates" in done.stderr


def test_a_ca_that_is_none_is_said_at_once(marked: Vendor, use: Any) -> None:
    use(Memory())
    done = run("configure", "--from-env", env={**marked.environment(), "SUNMI_IPC_CA": __file__})
    assert done.exit_code == 4
    assert "holds no certificate" in done.stderr
    assert not profile_path("default").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_a_profile_is_never_readable_by_others_not_even_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    original = os.replace

    def watched(source: str, target: str) -> None:
        modes.append(os.stat(source).st_mode & 0o777)
        original(source, target)

    monkeypatch.setattr(os, "replace", watched)
    old = os.umask(0)
    try:
        path = write_profile("p", {"secret_key": "x"}, use_keyring=False)
        # A leftover of another program's making does not lend its mode.
        path.with_suffix(".tmp").write_text("")
        path.with_suffix(".tmp").chmod(0o666)
        write_profile("p", {"secret_key": "y"}, use_keyring=False)
    finally:
        os.umask(old)
    assert modes == [0o600, 0o600]
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(errors.ConfigError, match="a profile's name"):
        profile_path("../evil")
