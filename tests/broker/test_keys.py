"""Private keys in the system's keyring: through the keyring library, to a backend of this test's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.broker import keys
from sunmi_ipc.broker.access import key_store
from sunmi_ipc.broker.contract import Request, RequestKind
from sunmi_ipc.errors import ConfigError


class Ring(KeyringBackend):
    """A keyring in memory that can be locked."""

    priority = 1.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def _open(self) -> dict[tuple[str, str], str]:
        if self.locked:
            raise KeyringLocked("locked, with secret words of the backend's")
        return self.kept

    def get_password(self, service: str, username: str) -> str | None:
        return self._open().get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self._open()[service, username]


@pytest.fixture
def ring() -> Iterator[Ring]:
    before, made = keyring.get_keyring(), Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SUNMI_IPC_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config"


def ipc(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*words])
    assert done.exit_code == code, done.output
    return done.output


def signed(key: keys.SigningKey) -> keys.Envelope:
    return key.sign(
        keys.CALL,
        Request(kind=RequestKind.CALL, site="shop-1", nonce=keys.new_nonce(), issued=1.0, expires=2.0, client="ipc-0000"),
    )  # fmt: skip


def test_a_key_in_the_keyring_signs_and_is_in_no_file(ring: Ring, config: Path) -> None:
    made = json.loads(ipc("--json", "keys", "new", "hq", "--keyring"))
    assert made["file"] is None
    ((_, pem),) = ring.kept.items()
    assert pem.splitlines()[0].endswith(" PRIVATE KEY-----")
    secret = pem.splitlines()[1]
    assert not [path for path in config.rglob("*") if path.is_file() and secret in path.read_text("utf-8")]
    for name in ("", "hq"):  # the only one, and by its name
        keys.verify(signed(key_store().load(name)), keys.CALL, made["public"])
    listed = ipc("keys", "list")
    assert "keyring" in listed
    assert made["public"] in listed
    assert secret not in listed
    assert "already" in ipc("keys", "new", "hq", "--keyring", code=2)
    assert ring.kept == {("sunmi-ipc/keys", "hq"): pem}


def test_keys_in_a_file_and_in_the_keyring_stand_beside_each_other(ring: Ring, config: Path) -> None:
    ipc("keys", "new", "one", "--keyring")
    ipc("keys", "new", "two")
    assert {info.name: bool(info.file) for info in key_store().list()} == {"one": False, "two": True}
    for info in key_store().list():
        keys.verify(signed(key_store().load(info.name)), keys.CALL, info.public)
    with pytest.raises(ConfigError, match="not said with which key"):
        key_store().load()


def test_a_keyring_that_is_locked_empty_or_damaged_is_told_without_its_words(
    ring: Ring, config: Path
) -> None:
    ring.locked = True
    said = ipc("keys", "new", "hq", "--keyring", code=2)
    assert "the system keyring does not serve: KeyringLocked" in said
    assert "--out FILE" in said
    assert "secret words" not in said
    assert ipc("--json", "keys", "list") == "[]\n"  # what could not be kept is not listed
    ring.locked = False
    ipc("keys", "new", "hq", "--keyring")
    ring.locked = True
    with pytest.raises(ConfigError, match="does not serve"):
        key_store().load("hq")
    ring.locked = False
    ring.kept["sunmi-ipc/keys", "hq"] = "what somebody has written there"
    with pytest.raises(ConfigError, match="no Ed25519 key"):
        key_store().load("hq")
    ring.kept.clear()  # deleted in the keyring's own program
    with pytest.raises(ConfigError, match="keyring has no key hq") as gone:
        key_store().load("hq")
    assert "ipc keys new" in gone.value.hint


def test_without_a_keyring_nothing_is_made(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends.fail import Keyring as Missing

    monkeypatch.setattr(keyring, "get_keyring", Missing)
    assert "there is no system keyring here" in ipc("keys", "new", "hq", "--keyring", code=2)
    assert ipc("--json", "keys", "list") == "[]\n"
