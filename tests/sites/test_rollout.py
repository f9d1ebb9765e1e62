"""Waves over shops, without a camera: never more at once than asked, an end where one fails, going on later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sunmi_ipc.errors import ConfigError, ParameterError, SunmiIpcError
from sunmi_ipc.fleet.outcome import Outcome, Standing
from sunmi_ipc.fleet.sites import RolloutState, Shop, ShopResult, Verdict, read, rollout, waves
from sunmi_ipc.fleet.sites.rollout import Wave


def shops(count: int) -> list[Shop]:
    return [Shop(f"shop-{n:02}", Path(f"shop-{n:02}.toml")) for n in range(count)]


def stands(shop: Shop, standing: Standing = Standing.OK) -> ShopResult:
    return ShopResult(shop, [Outcome("key", standing=standing)])


class Work:
    """Counts how many run at once, and in which order they began."""

    def __init__(self, bad: frozenset[str] = frozenset(), seconds: float = 0.01) -> None:
        self.bad, self.seconds = bad, seconds
        self.began: list[str] = []
        self.most = self._now = 0
        self._lock = threading.Lock()

    def __call__(self, shop: Shop) -> ShopResult:
        with self._lock:
            self.began.append(shop.id)
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self.seconds)
        with self._lock:
            self._now -= 1
        return stands(shop, Standing.FAILED if shop.id in self.bad else Standing.OK)


def ids(results: list[ShopResult], verdict: Verdict) -> list[str]:
    return sorted(one.shop.id for one in results if one.verdict is verdict)


def test_one_then_five_then_all() -> None:
    work, begun = Work(), list[tuple[int, int]]()
    steps = waves("1", ["5", "all"])
    done = list(
        rollout(shops(20), work, steps=steps, at_once=4, begin=lambda n, of: begun.append((n, len(of))))
    )
    assert begun == [(1, 1), (2, 5), (3, 14)]
    assert len(done) == 20 == len({one.shop.id for one in done})
    assert work.most <= 4
    assert [sum(one.wave == n for one in done) for n in (1, 2, 3)] == [1, 5, 14]


def test_no_more_at_once_than_the_wave_is_large() -> None:
    work = Work()
    list(rollout(shops(9), work, steps=waves("2", ["3", "4"]), at_once=100))
    assert work.most <= 4
    assert set(work.began[:2]) == {"shop-00", "shop-01"}


def test_a_failing_canary_leaves_every_other_shop_alone() -> None:
    work = Work(frozenset({"shop-00"}))
    done = list(rollout(shops(7), work, steps=waves("1", ["5", "all"])))
    assert work.began == ["shop-00"]
    assert ids(done, Verdict.FAILED) == ["shop-00"]
    assert len(ids(done, Verdict.NOT_BEGUN)) == 6


def test_within_a_wave_no_shop_begins_after_a_failure() -> None:
    work = Work(frozenset({"shop-03"}))
    done = list(rollout(shops(50), work, steps=waves("", []), at_once=1))
    assert work.began == ["shop-00", "shop-01", "shop-02", "shop-03"]
    assert len(ids(done, Verdict.NOT_BEGUN)) == 46


def test_going_on_all_the_same() -> None:
    work = Work(frozenset({"shop-00", "shop-03"}))
    done = list(rollout(shops(6), work, steps=waves("1", ["all"]), keep_going=True))
    assert len(work.began) == 6
    assert ids(done, Verdict.FAILED) == ["shop-00", "shop-03"]


def test_shops_that_no_wave_takes_are_not_begun() -> None:
    done = list(rollout(shops(5), Work(), steps=waves("1", ["2"])))
    assert ids(done, Verdict.NOT_BEGUN) == ["shop-03", "shop-04"]


def test_what_is_raised_is_that_shops_failure() -> None:
    def work(shop: Shop) -> ShopResult:
        if shop.id == "shop-01":
            raise ConfigError("broken")
        if shop.id == "shop-02":
            raise ZeroDivisionError
        return stands(shop)

    done = list(
        rollout(
            [*shops(4), Shop("odd", Path("odd.toml"), error=SunmiIpcError("unreadable"))],
            work,
            keep_going=True,
        )
    )
    assert ids(done, Verdict.FAILED) == ["odd", "shop-01", "shop-02"]
    assert "ZeroDivisionError" in str(next(one.error for one in done if one.shop.id == "shop-02"))


def test_stopped_in_the_middle() -> None:
    stop = threading.Event()

    def work(shop: Shop) -> ShopResult:
        if shop.id == "shop-02":
            stop.set()
        return stands(shop, Standing.STOPPED if shop.id == "shop-02" else Standing.OK)

    done = list(rollout(shops(30), work, at_once=1, stop=stop))
    assert ids(done, Verdict.STOPPED) == ["shop-02"]
    assert len(ids(done, Verdict.NOT_BEGUN)) == 27


def test_left_early_begins_no_other() -> None:
    work = Work(seconds=0.02)
    run = rollout(shops(40), work, at_once=2)
    next(run)
    run.close()
    assert len(work.began) < 8


@pytest.mark.parametrize(
    ("text", "of", "count"), [("5", 20, 5), ("10%", 25, 3), ("all", 9, 9), ("100%", 4, 4), ("全部", 3, 3)]
)
def test_waves(text: str, of: int, count: int) -> None:
    assert Wave.read(text, "--then").shops(of, of) == count


@pytest.mark.parametrize("text", ["0", "-1", "many", "", "101%", "1.5", "%", "0%", "５"])
def test_what_is_no_wave(text: str) -> None:
    with pytest.raises(ParameterError):
        Wave.read(text, "--canary")


def test_then_needs_a_canary() -> None:
    with pytest.raises(ParameterError, match="needs"):
        waves("", ["all"])


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def make(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".toml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


CAMERA = '[[cameras]]\nsn = "FS101D8BS0010{}"\n'


def test_an_apply_goes_on_where_it_ended(folder: Callable[..., Path]) -> None:
    here = folder(a=CAMERA.format(1), b=CAMERA.format(2), c=CAMERA.format(3))
    found = read(here).shops
    with RolloutState(here) as progress:
        assert [shop.id for shop in found if progress.is_done(shop)] == []
        for shop, standing in zip(found, (Standing.OK, Standing.OK, Standing.FAILED), strict=True):
            progress.keep(stands(shop, standing))
        progress.keep(ShopResult(found[2], skipped=Verdict.NOT_BEGUN))
    folder(b=CAMERA.format(2) + "led = true\n")
    again = read(here).shops
    with RolloutState(here) as progress:
        assert [shop.id for shop in again if progress.is_done(shop)] == ["a"]
        assert [shop.id for shop in progress.in_turn(again)] == ["c", "a", "b"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"sites": 3}', '{"sites": {"a": 3}}', "null", '{"sites": {"a": {"digest": []}}}']
)
def test_a_damaged_progress_is_none(folder: Callable[..., Path], text: str) -> None:
    here = folder(a=CAMERA.format(1))
    (here / ".rollout.json").write_text(text)
    with RolloutState(here) as progress:
        assert not progress.is_done(read(here).shops[0])
        progress.keep(stands(read(here).shops[0]))
        assert progress.is_done(read(here).shops[0])


def test_one_apply_at_a_time(folder: Callable[..., Path]) -> None:
    here = folder(a=CAMERA.format(1))
    with RolloutState(here), pytest.raises(ConfigError, match="another apply"), RolloutState(here):
        pass


def test_which_files_are_shops(folder: Callable[..., Path]) -> None:
    here = folder(
        a='include = ["common__base.toml"]\n' + CAMERA.format(1),
        north__shop_7__site=CAMERA.format(2),
        common__base="[defaults]\nled = true\n",
        station='[station]\nsite = "x"\ncameras = "a.toml"\n',
        broken="[[cameras]\n",
        _template=CAMERA.format(3),
    )
    (here / "d.csv").write_text("sn,name\nFS101D8BS00104,Door\n")
    (here / ".hidden.toml").write_text(CAMERA.format(5))
    found = read(here)
    assert [shop.id for shop in found.shops] == ["a", "broken", "d", "shop_7"]
    by_id = {shop.id: shop for shop in found.shops}
    assert "common__base.toml cannot be read" in str(by_id["a"].error)
    assert "broken.toml:1" in str(by_id["broken"].error)
    assert by_id["d"].loaded is not None
    assert [path.name for path in found.left_out] == ["base.toml", "station.toml"]
    assert [shop.id for shop in read(here, only=["shop*", "d"]).shops] == ["d", "shop_7"]


def test_two_shops_of_one_name_are_both_faults(folder: Callable[..., Path]) -> None:
    here = folder(x__site=CAMERA.format(1), y__x=CAMERA.format(2))
    assert [(shop.id, shop.error is not None) for shop in read(here).shops] == [("x", True), ("x", True)]


def test_folders_that_are_none(folder: Callable[..., Path], tmp_path: Path) -> None:
    for path in (tmp_path / "no", tmp_path):
        with pytest.raises(ConfigError):
            read(path)
    with pytest.raises(ConfigError, match="z\\*"):
        read(folder(a=CAMERA.format(1)), only=["z*"])


@pytest.mark.parametrize(
    "name",
    [
        "a (copy)", "a (another copy)", "a (3rd copy)", "a copy", "a copy 2", "a - Copy", "a - Copy (2)", "A - COPY",
        "a - 副本", "a - 副本 (2)", "a的副本", "a 副本", "a（副本）", "a (1)", "a.bak", "a_backup", "a~", "a.orig", "Copy of a",
        "复件 a", "a (Wang's conflicted copy 2026-01-02)", "a.sync-conflict-20260102-030405-ABC", "~$a", "#a", ".#a",
    ],
)  # fmt: skip
def test_a_copy_beside_its_file_is_no_shop_and_alone_it_is_one(
    folder: Callable[..., Path], name: str
) -> None:
    here = folder(a=CAMERA.format(1))
    (here / f"{name}.toml").write_text(CAMERA.format(1), "utf-8")
    for other in ("a.toml~", "a.toml.bak", "a.toml.swp"):
        (here / other).write_text(CAMERA.format(1))
    found = read(here)
    assert [(shop.id, shop.error) for shop in found.shops] == [("a", None)]
    hidden = name.startswith((".", "#", "~"))
    assert [path.name for path in found.copies] == ([] if hidden else [f"{name}.toml"])
    if not hidden:
        (here / "a.toml").unlink()
        assert [shop.id for shop in read(here).shops] == [name]


@pytest.mark.parametrize("name", ["a2", "ab", "a-north", "a_old", "a 2", "copa", "a-copyshop", "a (north)"])
def test_a_shop_that_is_called_nearly_as_another_is_one(folder: Callable[..., Path], name: str) -> None:
    here = folder(a=CAMERA.format(1))
    (here / f"{name}.toml").write_text(CAMERA.format(2), "utf-8")
    assert sorted(shop.id for shop in read(here).shops) == sorted(["a", name])


def test_a_camera_in_two_shops_is_a_fault_of_both(folder: Callable[..., Path]) -> None:
    here = folder(a=CAMERA.format(1), b=CAMERA.format(1) + CAMERA.format(2), c=CAMERA.format(3))
    by_id = {shop.id: shop for shop in read(here).shops}
    assert by_id["c"].error is None
    for one, other in (("a", "b.toml"), ("b", "a.toml")):
        error = by_id[one].error
        assert error is not None
        assert by_id[one].loaded is None
        assert other in str(error)
        assert "另一家" in error.localized("zh")[0]
