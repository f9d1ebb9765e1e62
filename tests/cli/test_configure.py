"""``ipc configure`` forgives: paths as they are given, the one wrong field again, nothing typed is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.screen.paths import typed_path
from typer.testing import CliRunner

from sunmi_ipc.settings import profile_path, read_profile
from sunmi_ipc.simulator import Vendor


@pytest.fixture(autouse=True)
def at_a_terminal_without_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sunmi_ipc_cli.start.configure.is_terminal", lambda: True)
    monkeypatch.setattr("sunmi_ipc.settings.system_keyring", lambda: None)


def configure(*answers: str, args: tuple[str, ...] = ()) -> Any:
    return CliRunner().invoke(app, ["configure", *args], input="\n".join(answers) + "\n")


@pytest.fixture
def folder(vendor: Vendor, tmp_path: Path) -> Path:
    made = tmp_path / "What the vendor sent"
    made.mkdir()
    (made / "openapi.p12").write_bytes(vendor.p12.read_bytes())
    (made / "sunmi_ipcsdk_ca.crt").write_bytes(vendor.ca.read_bytes())
    return made


def test_paths_as_people_give_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    wanted = tmp_path / "My Folder" / "文件 a.p12"
    wanted.parent.mkdir()
    wanted.touch()
    for text in (
        f"{wanted}",
        f"  {wanted} ",
        f'"{wanted}"',
        f"'{wanted}'",
        f"“{wanted}”",
        f"& '{wanted}'",
        "~/My Folder/文件 a.p12",
        '"~/My Folder/文件 a.p12"',
        wanted.as_uri(),
        wanted.as_uri().replace("file://", "file://localhost"),
        str(wanted).replace(" ", "\\ "),
    ):
        assert typed_path(text) == wanted, text
    odd = tmp_path / "back\\slash"
    odd.touch()
    assert typed_path(str(odd)) == odd


def test_each_mistake_once(folder: Path, vendor: Vendor) -> None:
    secret, code, password = (
        "".join(text) for text in (vendor.secret_key, vendor.activation_code, vendor.p12_password)
    )
    p12, ca = folder / "openapi.p12", folder / "sunmi_ipcsdk_ca.crt"
    page = folder / "page.p12"
    page.write_text("<html>Sign in</html>")
    done = configure(
        "my app", f" {vendor.app_id} ",  # a blank in it, then blanks around it
        f"'{secret}'",
        f" {code}\t",
        str(folder / "nothing.p12"), str(page), f'"{p12}"',
        "wrong", f" {password} ",
        str(p12), str(folder), ca.as_uri(),
        " 560279010307 ",
        "",  # the secrets are kept
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    for told in (
        "app_id has a blank",
        "there is no file",
        "is not a PKCS#12 file",
        "wrong password",
        "holds no certificate",
        "is no file",
        "The client certificate opens",
    ):
        assert told in done.stderr, told
    assert read_profile("default") == {
        "app_id": vendor.app_id,
        "secret_key": vendor.secret_key,
        "activation_code": vendor.activation_code,
        "p12": str(p12),
        "p12_password": vendor.p12_password,
        "ca": str(ca),
        "shop_no": "560279010307",
    }
    assert profile_path("default").stat().st_mode & 0o777 == 0o600
    # Once more: everything is kept with Enter.
    again = configure(*[""] * 8)
    assert again.exit_code == 0, again.output
    assert read_profile("default")["secret_key"] == vendor.secret_key


def test_from_asks_for_no_path(folder: Path, vendor: Vendor) -> None:
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._openapi.p12").write_bytes(b"\0\5\26\7")
    (folder / "._openapi.p12").write_bytes(b"\0\5\26\7")
    answers = (vendor.app_id, vendor.secret_key, "", vendor.p12_password, "", "")
    for given in (str(folder), f'"{folder}/"', folder.as_uri(), str(folder / "openapi.p12")):
        done = configure(*answers, args=("--from", given))
        assert done.exit_code == 0, done.output
        assert "Path of" not in done.output
        assert read_profile("default")["ca"] == str(folder / "sunmi_ipcsdk_ca.crt")
        profile_path("default").unlink()


def test_which_of_two_certificates(folder: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "another.p12").write_bytes(b"0")
    answers = (vendor.app_id, vendor.secret_key, "", vendor.p12_password, "", "")
    monkeypatch.setattr("sunmi_ipc_cli.start.handout.is_terminal", lambda: True)
    done = configure("7", "2", *answers, args=("--from", str(folder)))
    assert done.exit_code == 0, done.output
    assert read_profile("default")["p12"].endswith("openapi.p12")
    monkeypatch.setattr("sunmi_ipc_cli.start.handout.is_terminal", lambda: False)
    assert configure(*answers, args=("--from", str(folder))).exit_code == 2
    monkeypatch.setenv("SUNMI_IPC_P12", str(folder / "openapi.p12"))
    assert configure(*answers, args=("--from", str(folder))).exit_code == 0


def test_what_is_missing_is_named(vendor: Vendor) -> None:
    done = configure(vendor.app_id, "", "", "", "", "")
    assert done.exit_code == 0
    assert "still without: secret key, client certificate" in done.stderr


def test_a_language_is_kept_where_it_is_asked_for() -> None:
    assert configure("x", *[""] * 5, args=("--lang", "zh")).exit_code == 0
    assert "查找此网络中的摄像机" in CliRunner().invoke(app, ["--help"]).output


def test_a_locked_keyring_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Locked:
        def set_password(self, *args: str) -> None:
            raise RuntimeError("locked")

    monkeypatch.setattr("sunmi_ipc.settings.system_keyring", Locked)
    done = configure("app", "key", "", "", "", "", "")  # Enter: into a file
    assert done.exit_code == 0, done.output
    assert "keyring does not serve" in done.stderr
    assert read_profile("default")["secret_key"] == "key"
    declined = configure("app", "key", "", "", "", "", "n")
    assert declined.exit_code == 2
    assert "NOT saved: secret key" in declined.stderr
