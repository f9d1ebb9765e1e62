"""``ipc support``: what is in the archive, and what never is."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sunmi_ipc_cli.kept_log import KEPT, MOST_BYTES, KeptLog
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc import support
from sunmi_ipc.errors import ConfigError
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.settings import Settings, config_dir, state_dir, write_profile
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station.audit import Audit
from sunmi_ipc.station.store import FILE, Store
from sunmi_ipc.survey.anonymise import Anonymiser, Leak

from ..security.marks import MARKS, marked_vendor, spellings

SHOP, CAMERA_NAME = "Corner Bakery Guests", "Front door left"


def run(*words: str, code: int = 0, given: str | None = None) -> Any:
    result = CliRunner().invoke(app, list(words), input=given)
    assert result.exit_code == code, result.output
    return result


def parts(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return {name: file.read(name).decode("utf-8") for name in file.namelist()}


@pytest.fixture
def environment(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> VirtualCamera:
    for name, value in ready.vendor.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    ready.state.documents["wifi"] = {"ssid": SHOP, "password": "sesame-sesame"}
    return ready


@pytest.mark.slow
def test_a_whole_archive(environment: VirtualCamera, tmp_path: Path) -> None:
    camera = environment
    run("-vv", "-c", camera.address, "info")
    with Journal(tmp_path / "site.journal") as book:
        book.end(book.begin("door", camera.sn, "wifi", SHOP, name=CAMERA_NAME))
    (tmp_path / "site.toml").write_text('name = "x"\n')
    with Store(state_dir() / "station" / FILE) as store:
        Audit(store).record(
            "image.set_ir", who=CAMERA_NAME, origin="192.0.2.77", sn=camera.sn, details={"ssid": SHOP}
        )
    told = run("--json", "-c", camera.address, "support", "--no-doctor", "-o", "a.zip")
    document = json.loads(told.stdout)
    found = parts((tmp_path / "a.zip").read_bytes())
    assert document["file"] == "a.zip"
    assert [p["name"] for p in document["parts"]] == list(found)
    assert {
        "versions.json",
        "configuration.json",
        "folders.json",
        "journal-1.json",
        "audit-1.json",
        "log.txt",
        "dump-1.json",
    } <= set(found)
    assert "POST https://10." in found["log.txt"]
    assert json.loads(found["journal-1.json"])[0]["step"] == "wifi"
    assert json.loads(found["audit-1.json"])["audit"][0]["action"] == "image.set_ir"
    assert json.loads(found["versions.json"])["extras"]["excel"]["missing"] == []
    everything = "\n".join(found.values())
    for secret in (
        camera.sn,
        SHOP,
        CAMERA_NAME,
        "192.0.2.77",
        camera.vendor.app_id,
        camera.vendor.secret_key.reveal(),
    ):
        assert secret not in everything, secret
    assert (tmp_path / "a.zip").stat().st_mode & 0o077 == 0
    # One camera, one fake: log, journal and audit can be read together.
    fake = json.loads(found["journal-1.json"])[0]["sn"]
    assert fake == json.loads(found["audit-1.json"])["audit"][0]["sn"]
    assert fake in found["log.txt"]


@pytest.mark.slow
def test_the_suites_search_for_secrets_finds_nothing_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets that are marked, in every spelling: in the archive, in what is shown of it, in what is said."""
    with marked_vendor() as vendor, VirtualCamera(vendor, state="ready", udp=False) as camera:
        for name, value in {**vendor.environment(), "SUNMI_IPC_RTSP_PASSWORD": MARKS["rtsp"]}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        camera.state.documents["wifi"] = {"ssid": SHOP, "password": MARKS["wifi"]}
        run("-vv", "-c", camera.address, "wifi", "show")
        # Whether the camera takes it or not: the log has the call.
        words = ["wifi", "set", SHOP, MARKS["wifi"], "--as-is", "--no-wait"]
        CliRunner().invoke(app, ["-vv", "-c", camera.address, *words])
        shown = run("-c", camera.address, "support", "--no-doctor", "--show")
        told = run("-vv", "-c", camera.address, "support", "--no-doctor", "--yes", "-o", "a.zip")
    found = parts((tmp_path / "a.zip").read_bytes())
    assert {"configuration.json", "log.txt", "dump-1.json"} <= set(found)
    assert len(found["log.txt"]) > 500
    everything = {
        **found,
        "shown": shown.output,
        "said": told.output,
        "itself": (tmp_path / "a.zip").read_bytes().decode("latin-1"),
    }
    for name, text in everything.items():
        assert [
            (mark, form) for mark, secret in MARKS.items() for form in spellings(secret) if form in text
        ] == [], name


@pytest.mark.slow
def test_doctor_is_in_it_and_names_of_networks_are_not(environment: VirtualCamera, tmp_path: Path) -> None:
    run("-q", "-c", environment.address, "support", "--yes", "-o", "a.zip")
    found = parts((tmp_path / "a.zip").read_bytes())
    (seen,) = json.loads(found["doctor.json"])["cameras"]
    assert {"Wi-Fi", "clock"} <= {check["check"] for check in seen["checks"]}
    assert SHOP not in found["doctor.json"]


def test_a_camera_that_cannot_be_asked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("-c", "127.0.0.1:1", "support", "--yes", "--no-doctor", "-o", "a.zip")
    assert "dump 1" in parts((tmp_path / "a.zip").read_bytes())["problems.json"]


def test_a_broken_profile_is_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = config_dir() / "profiles" / "default.toml"
    path.parent.mkdir(parents=True)
    path.write_text('app_id = "x')
    path.chmod(0o600)
    run("support", "--yes", "--no-doctor", "-o", "a.zip")
    assert "is not TOML" in parts((tmp_path / "a.zip").read_bytes())["problems.json"]


def test_nobody_learns_which_shop_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name, its number, the head office's hosts and users: as settings, variables, folders and profiles."""
    told = {
        "SUNMI_IPC_SITE": "nanjing-road",
        "SUNMI_IPC_SHOP_NO": "99887766",
        "SUNMI_IPC_VIA": "mqtts://hq.bakery.example",
        "SUNMI_IPC_VIA_USER": "zhangsan",
        "SUNMI_IPC_CLOUD_URL": "https://proxy.bakery.example/openapi",
        "SUNMI_IPC_HUB_BROKER": "mqtts://miller@mq.bakery.example:8883",
        "SUNMI_IPC_CA": str(tmp_path / "Corner Bakery" / "ca.crt"),
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    write_profile("bakery-west", {"app_id": "abcdefgh"}, use_keyring=False)
    folder = state_dir() / "bakery-east"
    with Store(folder / FILE) as store:
        Audit(store).record("device.restart", who="boss", origin="cli", details={"site": "nanjing-road"})
    support.logs().mkdir(parents=True, exist_ok=True)
    (support.logs() / "20260101-000000-1.log").write_text(
        "INFO nanjing-road: mq.bakery.example is away\n", "utf-8"
    )
    found = parts(support.collect(Settings.load(), stations=[folder]).data())
    assert {"configuration.json", "folders.json", "audit-1.json", "log.txt"} <= set(found)
    whole = "\n".join(found.values()).lower()
    assert [
        word for word in ("bakery", "nanjing", "99887766", "zhangsan", "miller", "hq.") if word in whole
    ] == []


@pytest.mark.parametrize(
    "site", ["log", "json", "2026", "门店一", "x", "mode", "a.b", "..", '"q"', "\\u4e2d", "{sn}"]
)
def test_a_shop_may_be_called_anything(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is a word of ours keeps no archive from being made, nor breaks what is in it."""
    monkeypatch.setenv("SUNMI_IPC_SITE", site)
    found = parts(support.collect(Settings.load()).data())
    assert set(json.loads(found["configuration.json"])) >= {"settings", "environment"}


def test_nothing_is_written_unseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run("support", "--no-doctor", code=2)
    assert "--yes" in refused.output
    shown = run("support", "--no-doctor", "--show")
    assert "== versions.json" in shown.output
    from sunmi_ipc_cli.start import support as command

    monkeypatch.setattr(command, "is_terminal", lambda: True)
    declined = run("support", "--no-doctor", code=1, given="v\nmaybe\nn\n")
    assert '"tool"' in declined.output
    assert list(tmp_path.glob("*.zip")) == []
    run("support", "--no-doctor", given="y\n")
    assert len(list(tmp_path.glob("sunmi-ipc-support-*.zip"))) == 1
    assert run("support", "--no-doctor", "--yes", "-o", "no/such/a.zip", code=2)


def test_what_cannot_be_replaced_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def leaks(self: Anonymiser, document: Any) -> None:
        raise Leak("x")

    monkeypatch.setattr(Anonymiser, "check", leaks)
    with pytest.raises(ConfigError, match="could not be replaced"):
        support.collect(Settings())


#: Secrets as people choose them: any letters and signs, of a length that is no word by chance.
SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x4FF, exclude_categories=("C", "Z", "M")),
    min_size=10,
    max_size=24,
).filter(lambda text: re.search(r"[^0xX\W]", text) or not re.search(r"\w", text))  # "00xX" is its own fake


def planted(secret: str) -> set[str]:
    """As it stands in text, URLs, JSON and base64."""
    coded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], coded}


@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    secret=SECRETS,
    other=SECRETS,
    place=st.sampled_from(["app_id", "secret_key", "activation_code", "p12_password", "rtsp_password"]),
)
def test_planted_secrets_are_nowhere(
    secret: str, other: str, place: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In the log, the journal, the audit, the overrides, names of files, the environment: as it is, quoted, in base64."""
    folder = tmp_path_factory.mktemp("planted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUNMI_IPC_CONFIG_DIR", str(folder))
        patch.setenv("SUNMI_IPC_SECRET_KEY", other)
        write_profile("default", {place: secret}, use_keyring=False)
        whole = sorted(set().union(*map(planted, (secret, other))))
        support.logs().mkdir(parents=True)
        (support.logs() / "20260101-000000-1.log").write_text(
            "\n".join(f"DEBUG said {form} and password={form}" for form in whole), "utf-8"
        )
        (folder / "overrides.toml").write_text("# " + " ".join([secret, other]), "utf-8")
        with Journal(folder / "s.journal") as book:
            book.end(book.begin("door", "FS101D8BS00106", "wifi", secret, note=other))
        with Store(folder / FILE) as store:
            Audit(store).record(secret, who=other, origin="cli", details={"password": secret, "text": other})
        bundle = support.collect(
            Settings.load(), sites=[folder / "s.toml"], stations=[folder],
            doctor={"checks": [{"check": "x", "message": secret, secret: other}]}, problems=[secret],
        )  # fmt: skip
        found = parts(bundle.data())
    assert {"log.txt", "journal-1.json", "audit-1.json", "doctor.json", "problems.json"} <= set(found)
    for name, text in found.items():
        for form in whole:
            assert form not in text, (name, form)


# -- the log that is kept -------------------------------------------------------------------------


def logger_with(handler: KeptLog) -> logging.Logger:
    logger = logging.getLogger(f"kept.{id(handler)}")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    return logger


def test_the_log_is_bounded_private_and_masked(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    for number in range(KEPT + 3):
        folder.mkdir(exist_ok=True)
        (folder / f"2020010{number}-000000-1.log").touch()
    handler = KeptLog(folder, "info")
    assert len(list(folder.iterdir())) == KEPT + 3  # nothing before the first record
    logger = logger_with(handler)
    for _ in range(300):
        logger.debug("password=hunter2hunter2 %s", "x" * 5000)
    handler.close()
    logger.debug("after the end")
    assert len(list(folder.iterdir())) == KEPT
    newest = max(folder.iterdir(), key=lambda p: p.name)
    text = newest.read_text()
    assert text.startswith("sunmi-ipc ")
    assert text.endswith("(the log is full)\n")
    assert "hunter2" not in text
    assert len(text) <= MOST_BYTES + 100
    assert newest.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_log_that_cannot_be_kept_is_nobodys_trouble(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    logger_with(KeptLog(tmp_path / "logs", "info")).debug("x")
    assert (tmp_path / "logs").read_text() == "a file"
