"""Shared parts of site files: what wins, and every fault with file, line and key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sunmi_ipc.errors import SiteError
from sunmi_ipc.fleet.sitefile import Loaded, load

CAMERA = '[[cameras]]\nsn = "FS101D8BS00106"\n'
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(name: str, *lines: str) -> Path:
        path = tmp_path / "shops" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    return make


def loaded(path: Path, root: Path | None = None) -> Loaded:
    return load(path, root=root or path.parent, environment={"CODE": "c", "PASSWORD": "welcome-2020"})


def fault(path: Path, root: Path | None = None) -> SiteError:
    with pytest.raises(SiteError) as caught:
        loaded(path, root)
    return caught.value


def test_the_shop_wins_key_by_key_and_later_parts_over_earlier_ones(write: Write) -> None:
    write(
        "common/base.toml",
        "[defaults]",
        'ir = "auto"',
        "led = true",
        "[groups.door]",
        "rotation = 90",
        "led = false",
    )
    write("common/north.toml", 'include = ["base.toml"]', "[defaults]", 'ir = "on"', "[apply]", "jobs = 5")
    path = write(
        "a.toml", 'include = ["common/base.toml", "common/north.toml"]', "[defaults]", "led = false",
        "[groups.door]", "rotation = 180", CAMERA + 'groups = ["door"]',
    )  # fmt: skip
    made = loaded(path)
    wanted = made.slots[0].wanted
    assert (wanted.ir, wanted.led, wanted.rotation) == ("on", False, 180)
    assert made.site.apply.jobs == 5
    assert sorted({part.name for part in made.parts}) == ["base.toml", "north.toml"]


def test_a_fault_in_a_part_is_told_with_that_files_line(write: Write) -> None:
    write("common/base.toml", "[defaults]", "", 'ir = "sometimes"')
    error = fault(write("a.toml", 'include = ["common/base.toml"]', CAMERA))
    assert (error.where, error.key) == ("common/base.toml:3", "defaults.ir")
    own = fault(write("b.toml", 'include = ["common/base.toml"]', "[defaults]", 'ir = "never"', CAMERA))
    assert (own.where, own.key) == ("b.toml:3", "defaults.ir")
    write("common/odd.toml", "[defaults]", "ir = ")
    assert fault(write("c.toml", "", 'include = ["common/odd.toml"]', CAMERA)).where == "common/odd.toml:2"


def test_a_missing_part(write: Write) -> None:
    error = fault(write("a.toml", 'name = "A"', "include = [", '  "nowhere.toml",', "]", CAMERA))
    assert (error.where, error.key) == ("a.toml:3", "include[1]")
    assert "nowhere.toml cannot be read" in error.message
    write("folder.toml/x")
    assert "cannot be read" in fault(write("b.toml", 'include = ["folder.toml"]', CAMERA)).message


def test_a_circle_is_named(write: Write) -> None:
    write("x.toml", "[defaults]", "led = true")
    for name, other in (("one", "two"), ("two", "one")):
        write(f"{name}.toml", f'include = ["x.toml", "{other}.toml"]')
    error = fault(write("a.toml", 'include = ["one.toml"]', CAMERA))
    assert (error.where, error.key) == ("two.toml:1", "include[2]")
    assert "one.toml → two.toml → one.toml" in error.message
    itself = fault(write("b.toml", 'include = ["b.toml"]', CAMERA))
    assert "b.toml → b.toml" in itself.message


@pytest.mark.parametrize(
    "name", ["../outside.toml", "/etc/hostname", "common/../../outside.toml", "link.toml"]
)
def test_a_part_outside_the_folder(write: Write, tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.toml").write_text("[defaults]\nled = true\n")
    path = write("a.toml", f'include = ["{name}"]', CAMERA)
    (path.parent / "link.toml").symlink_to(tmp_path / "outside.toml")
    error = fault(path)
    assert (error.where, error.key) == ("a.toml:1", "include[1]")
    assert "lies outside" in error.message


def test_without_a_folder_of_sites_the_one_above_counts(write: Write, tmp_path: Path) -> None:
    write("base.toml", "[defaults]", "led = true")
    path = write("shop-1/site.toml", 'include = ["../base.toml"]', CAMERA)
    assert load(path).slots[0].wanted.led is True
    (tmp_path / "far.toml").write_text("")
    path = write("shop-2/site.toml", 'include = ["../../far.toml"]', CAMERA)
    with pytest.raises(SiteError, match="lies outside"):
        load(path)


def test_a_part_names_no_cameras(write: Write) -> None:
    write("base.toml", "[defaults]", "led = true", CAMERA)
    error = fault(write("a.toml", 'include = ["base.toml"]', CAMERA))
    assert (error.where, error.key) == ("base.toml:3", "cameras")


def test_too_deep_and_too_many(write: Write) -> None:
    for n in range(12):
        write(f"p{n}.toml", f'include = ["p{n + 1}.toml"]')
    assert "too many shared parts" in fault(write("a.toml", 'include = ["p0.toml"]', CAMERA)).message
    for n in range(20):
        write(f"q{n}.toml", f"include = [{', '.join([f'{chr(34)}q{n + 1}.toml{chr(34)}'] * 2)}]")
    write("q20.toml", "[defaults]", "led = true")
    assert (
        "too many shared parts"
        in fault(write("b.toml", 'include = ["q14.toml", "q10.toml"]', CAMERA)).message
    )


@pytest.mark.parametrize("value", ['"base.toml"', "[1]", "{ a = 1 }", '["a\\u0000b"]', "[[]]"])
def test_what_is_no_list_of_files(write: Write, value: str) -> None:
    error = fault(write("a.toml", f"include = {value}", CAMERA))
    assert error.where == "a.toml:1"
    assert error.key.startswith("include")


def test_secrets_of_a_part_lie_beside_it(write: Write) -> None:
    write("common/code.txt", "12345")
    write("common/base.toml", "[defaults]", 'activation_code = "file:code.txt"',
          '[defaults.wifi]', 'ssid = "Shop"', 'password = "file:wifi.txt"')  # fmt: skip
    write("common/wifi.txt", "welcome-2020")
    made = loaded(
        write("shop/site.toml", 'include = ["../common/base.toml"]', CAMERA), root=write("x", "").parent
    )
    wanted = made.slots[0].wanted
    assert wanted.activation_code
    assert made.secrets.get(wanted.activation_code).reveal() == "12345"
    write("common/base.toml", "[defaults]", 'activation_code = "12345"')
    error = fault(write("b.toml", 'include = ["common/base.toml"]', CAMERA))
    assert (error.where, "12345" in error.message + error.hint) == ("common/base.toml:2", False)


def test_the_digest_is_of_all_that_was_read(write: Write) -> None:
    write("base.toml", "[defaults]", "led = true")
    path = write("a.toml", 'include = ["base.toml"]', CAMERA)
    before = loaded(path).digest
    assert loaded(path).digest == before
    write("base.toml", "[defaults]", "led = false")
    assert loaded(path).digest != before


@pytest.mark.parametrize("block", ["10.17.0.0/24", "192.168.1.20", "fe80::1"])
def test_targets(write: Write, block: str) -> None:
    assert loaded(write("a.toml", f'targets = ["{block}"]', CAMERA)).site.targets == [block]


@pytest.mark.parametrize("block", ["10.0.0.0/8", "shop.example", "", "10.17.0.0/33"])
def test_what_is_no_target(write: Write, block: str) -> None:
    assert fault(write("a.toml", "", f'targets = ["{block}"]', CAMERA)).where == "a.toml:2"
