"""The site file of a console that was started without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.console import siting
from sunmi_ipc.console.desk import Desk
from sunmi_ipc.console.roles import Role
from sunmi_ipc.console.rollout import Rollout
from sunmi_ipc.console.state import Console
from sunmi_ipc.errors import ConfigError, SiteError, SunmiIpcError
from sunmi_ipc.fleet.sitefile import load
from sunmi_ipc.simulator import Vendor, VirtualCamera

from .conftest import Audit, session, settings_of


@pytest.fixture
def console() -> Iterator[Callable[..., Console]]:
    made: list[Console] = []

    def start(*args: Any, **more: Any) -> Console:
        made.append(Console(*args, **more))
        return made[-1]

    yield start
    for one in made:
        one.close()


CAMERA = '[[cameras]]\nsn = "FS101D8BS00106"\n'


def test_how_cameras_are_is_written_down_and_later_compared(
    virtual: Callable[..., VirtualCamera],
    desk: Callable[..., Desk],
    vendor: Vendor,
    audit: Audit,
    tmp_path: Path,
    console: Callable[..., Console],
) -> None:
    ready, new = virtual(state="ready", udp=True), virtual(state="factory")
    ready.state.name = "Front door"
    here = console(desk(ready, new), audit, site_folder=tmp_path / "site")
    missing = here.draw_up_site(session(Role.ADMIN))
    assert list(missing) == [new.sn]  # it waits for set-up
    assert here.rollout is not None
    wanted = load(here.rollout.path).site.cameras
    assert [(one.sn, one.name) for one in wanted] == [(ready.sn, "Front door")]
    assert wanted[0].door_line is not None
    assert wanted[0].subscriptions is None
    assert not siting.holds_secrets(here.rollout.path)
    # Somebody changes something: the plan tells.
    ready.state.name = "Back door"
    here.rollout.start("plan")
    assert here.rollout._thread is not None
    here.rollout._thread.join(60)
    outcome = here.rollout.outcomes[ready.sn]
    assert [(d.setting, d.now, d.wanted) for d in outcome.differences] == [
        ("name", "Back door", "Front door")
    ]
    # It is there after a restart of the console, too.
    assert siting.kept(tmp_path / "site") == here.rollout.path
    with pytest.raises(SunmiIpcError):
        siting.draw_up(desk(new), session(Role.ADMIN), tmp_path / "none")
    assert siting.kept(tmp_path / "none") is None


def test_a_file_that_was_sent_is_checked_and_may_name_nothing_of_this_computer(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    path = siting.take(CAMERA.encode(), "Shop 17.toml", folder)
    assert path == siting.kept(folder) == folder / "site.toml"
    (tmp_path / "part.toml").write_text('[defaults]\nname = "from elsewhere"\n', "utf-8")
    (folder / "beside.toml").write_text('[defaults]\nname = "from beside"\n', "utf-8")
    for wrong in (
        "[[cameras]]\nsn = 5\n",
        "no TOML at all",
        "",
        'include = ["../part.toml"]\n' + CAMERA,
        'include = ["beside.toml"]\n' + CAMERA,
        f'include = ["{tmp_path}/part.toml"]\n' + CAMERA,
        '[defaults]\nwifi = { ssid = "Shop", password = "env:HOME" }\n' + CAMERA,
        '[groups.door]\nactivation_code = "file:/etc/hostname"\n' + CAMERA,
        CAMERA + 'wifi = { ssid = "Shop", password = "keyring:a/b" }\n',
        CAMERA + 'wifi = { ssid = "Shop", password = "inline-password" }\n',  # which it does not allow
    ):
        with pytest.raises(SiteError):
            siting.take(wrong.encode(), "site.toml", folder)
    with pytest.raises(SiteError):
        siting.take(b"sn,wifi_ssid,wifi_password\nFS101D8BS00106,Shop,env:HOME\n", "a.csv", folder)
    with pytest.raises(ConfigError):
        siting.take(b"#" * (siting.MOST + 1), "site.toml", folder)
    # The one that was there is as it was, and of the others nothing is left.
    assert path.read_text("utf-8") == CAMERA
    assert sorted(p.name for p in folder.iterdir()) == ["beside.toml", "site.toml"]
    # As a spreadsheet it takes the other's place.
    assert siting.take(b"sn,name\nFS101D8BS00106,Till\n", "SHOP.CSV", folder) == siting.kept(folder)
    assert not path.exists()
    inline = (
        f'[apply]\ninline_secrets = true\n{CAMERA}wifi = {{ ssid = "Shop", password = "inline-password" }}\n'
    )
    assert siting.holds_secrets(siting.take(inline.encode(), "site.toml", folder))


def test_a_harmless_file_that_comes_meanwhile_vouches_for_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, bad = load, CAMERA + 'wifi = { ssid = "Shop", password = "env:HOME" }\n'

    def meanwhile(path: Path, **more: Any) -> Any:
        monkeypatch.setattr(siting, "load", real)
        siting.take(CAMERA.encode(), "site.toml", tmp_path)
        return real(path, **more)

    monkeypatch.setattr(siting, "load", meanwhile)
    with pytest.raises(SiteError, match="may not name"):
        siting.take(bad.encode(), "site.toml", tmp_path)
    assert [p.read_text("utf-8") for p in tmp_path.iterdir()] == [CAMERA]


def test_a_site_file_of_somebody_elses_stays(
    desk: Callable[..., Desk], vendor: Vendor, audit: Audit, tmp_path: Path, console: Callable[..., Console]
) -> None:
    given = tmp_path / "site.toml"
    given.write_text(CAMERA, "utf-8")
    there = console(desk(), audit, site_folder=tmp_path / "own", rollout=Rollout(settings_of(vendor), given))
    assert not there.own_site
    with pytest.raises(ConfigError):
        there.take_site(CAMERA.encode(), "site.toml")
    with pytest.raises(ConfigError):
        there.draw_up_site(session(Role.ADMIN))
    nowhere = console(desk(), audit)
    with pytest.raises(ConfigError):
        nowhere.take_site(CAMERA.encode(), "site.toml")
    # While a run is under way the file under it is not changed.
    own = console(desk(), audit, site_folder=tmp_path / "own")
    own.take_site(CAMERA.encode(), "site.toml")
    assert own.rollout is not None
    own.rollout.running = "apply"
    with pytest.raises(ConfigError):
        own.take_site(CAMERA.encode(), "site.toml")
