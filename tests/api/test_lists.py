"""Lists: one bad row costs itself alone, and each entry comes once however the list moves."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.api import paging
from sunmi_ipc.api.paging import pages
from sunmi_ipc.models import AccessPoints, FaceIds, VideoRecordCollection
from sunmi_ipc.models.base import Rows
from sunmi_ipc.protocol import wire
from sunmi_ipc.protocol.wire import Incoming

T = 1_700_000_000


def record(start: Any) -> dict[str, Any]:
    return {"start_time": start, "end_time": T + 60, "url": "http://h/x"}


@pytest.mark.parametrize(
    "bad", [{"start_time": "", "url": ""}, {}, 5, "x", None, [], {"start_time": "soon", "end_time": T}]
)
def test_one_bad_row_costs_itself_alone(bad: Any) -> None:
    made = VideoRecordCollection.read({"total_num": 3, "record_list": [record(T), bad, record(T + 1)]})
    assert [r.start_time.timestamp() for r in made.record_list] == [T, T + 1]
    assert made.left_out == 1


def test_nothing_usable_is_an_error() -> None:
    with pytest.raises(errors.ReplyError, match="none of the answer's 2 entries"):
        VideoRecordCollection.read({"total_num": 2, "record_list": [{}, {}]})


@pytest.mark.parametrize("stamp", [T, str(T), T * 1000, str(T * 1000), T + 0.0, T * 1000 + 999])
def test_times_in_milliseconds_too(stamp: Any) -> None:
    made = VideoRecordCollection.read({"record_list": [record(stamp)]})
    assert made.record_list[0].start_time == datetime.fromtimestamp(T, UTC)


def test_networks_as_they_are_heard() -> None:
    names = ["小店".encode(), "联通".encode("gbk"), "誠".encode("gbk"), b"Caf\xe9", b"a\tb", b"\xff\xff"]
    rows = b",".join(b'{"ssid":"' + n + b'","key_mgmt":"WPA-PSK"}' for n in names)
    body = b'{"code":0,"data":{"num":7,"ap_list":[' + rows + b',{"ssid":null}]}}'
    heard = AccessPoints.read(wire.open_json(Incoming(200, {}, body), path="config/getApList"))
    shown = [one.ssid for one in heard.ap_list]
    assert shown[:3] == ["小店", "联通", "誠"]
    assert shown[4] == "a\\tb"
    assert all(name.isprintable() for name in shown)
    assert heard.left_out == 1
    # What was heard goes back byte by byte, signed as it is sent.
    from sunmi_ipc.api.wifi import Wifi
    from sunmi_ipc.protocol.wire import Credentials

    for name, one in zip(names, heard.ap_list, strict=True):
        values = Wifi.set.check({"ssid": one.ssid, "password": "welcome-2020"})
        sent = wire.build(Wifi.set, values, Credentials("a", "k"), now=1, random="1")
        pairs = dict(pair.split(b"=") for pair in sent.body.split(b"&"))
        from urllib.parse import unquote_to_bytes

        assert unquote_to_bytes(pairs[b"ssid"].replace(b"+", b" ")) == name
    json.dumps(heard.as_dict(), ensure_ascii=False).encode()


# -- lists that move --------------------------------------------------------------------------------


class Listed:
    """A camera's list, which changes as it is asked for."""

    def __init__(self, at: Callable[[int], list[int]], *, most: int = 50, total: bool = True) -> None:
        self.at, self.most, self.total, self.calls = at, most, total, 0

    def __call__(self, number: int, size: int) -> Any:
        self.calls += 1
        entries, size = self.at(self.calls), min(size, self.most)
        part = entries[(number - 1) * size : number * size]
        return FaceIds.read(
            {"total_num": len(entries) if self.total else 0, "faceid_list": [str(e) for e in part]}
        )


def read(listed: Callable[[int, int], Any], size: int = 10) -> list[int]:
    return [int(e) for e in pages(listed, "faceid_list", size)]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 35])
@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("most", [50, 10, 3])
def test_a_list_at_rest(count: int, total: bool, most: int) -> None:
    assert read(Listed(lambda _: list(range(count)), most=most, total=total)) == list(range(count))


@pytest.mark.parametrize("total", [True, False])
def test_newest_first_and_one_comes_between(total: bool) -> None:
    listed = Listed(lambda call: list(range(34 + (call > 1), -1, -1)), total=total)
    found = read(listed)
    assert len(found) == len(set(found))
    assert set(found) >= set(range(35))


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("gone", [1, 5, 10, 12])
def test_oldest_first_and_some_go_between(total: bool, gone: int) -> None:
    found = read(Listed(lambda call: list(range(gone if call > 1 else 0, 45)), total=total))
    assert len(found) == len(set(found))
    assert set(found) >= set(range(gone, 45))


def test_a_full_card_loses_one_as_one_comes() -> None:
    found = read(Listed(lambda call: list(range(call // 2, 45 + call // 2))))
    assert len(found) == len(set(found))
    assert set(found) >= set(range(4, 45))


def test_pages_that_repeat_end() -> None:
    again = FaceIds.read({"faceid_list": ["1", "2", "3"]})
    assert read(lambda number, size: again, 3) == [1, 2, 3]
    claimed = FaceIds.read({"total_num": 100, "faceid_list": ["1", "2", "3"]})
    assert read(lambda number, size: claimed, 3) == [1, 2, 3]


def test_a_list_that_begins_anew_behind_its_end() -> None:
    listed = Listed(lambda _: list(range(25)), total=False)
    assert read(lambda number, size: listed((number - 1) % 3 + 1, size)) == list(range(25))


def test_a_list_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 50)
    numbers = itertools.count()
    with pytest.raises(errors.ReplyError, match="has no end"):
        read(lambda number, size: FaceIds.read({"faceid_list": [str(next(numbers)) for _ in range(3)]}))


def test_a_list_that_says_it_has_entries_and_gives_none() -> None:
    with pytest.raises(errors.ReplyError, match="gives none"):
        read(lambda number, size: FaceIds.read({"total_num": 3}))


def test_rows_are_a_tuple() -> None:
    made = FaceIds.read({"faceid_list": "lone"}).faceid_list
    assert made == ("lone",)
    assert isinstance(made, Rows)
