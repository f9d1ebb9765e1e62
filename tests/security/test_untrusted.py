"""The one door: what strangers say is bounded, and made harmless, before anything uses it."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sunmi_ipc import untrusted
from sunmi_ipc.untrusted import Changed, Refused, Why


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", Why.FORM),
        (b"{", Why.FORM),
        (b"<html>", Why.FORM),
        (b"NaN", Why.FORM),
        (b"-Infinity", Why.FORM),
        (b"1e400", Why.NUMBER),
        (b"1" * 65, Why.NUMBER),
        (b"[" * 33 + b"]" * 33, Why.DEPTH),
        (b"[" * 5000 + b"]" * 5000, Why.DEPTH),
        (b'{"a":' * 33 + b"1" + b"}" * 33, Why.DEPTH),
        (b"[" + b"[]," * 300_000 + b"[]]", Why.COST),
        (b"[" + b"{}," * 20_000 + b"{}]", Why.COST),
        (b'{"a":"' + b"x" * 4_000_000 + b'\\ud83d\\ude00"}', Why.COST),
        (b"{" + b",".join(b'"%d":1' % i for i in range(100_000)) + b"}", Why.COST),
        (b"1 2", Why.FORM),
    ],
)
def test_what_is_refused(document: bytes, why: Why) -> None:
    with pytest.raises(Refused) as caught:
        untrusted.load_json(document)
    assert caught.value.why is why


@pytest.mark.parametrize(
    "document",
    [
        b"[" * 32 + b"]" * 32,
        b"\xef\xbb\xbf {}\r\n\0",
        b'{"a":"tab\there"}',
        b'{"a":"' + "中文".encode("gbk") + b'"}',
        b'{"a":"Caf\xe9"}',
        b'{"a":"\xe9\\" }"}',
        b"1" * 64,
        json.dumps([{"faceid": str(i), "arrive_time": i} for i in range(5000)]).encode(),
    ],
)
def test_what_is_read(document: bytes) -> None:
    json.dumps(untrusted.tidy(untrusted.load_json(document)), ensure_ascii=False).encode()


@given(st.binary(max_size=300))
def test_bytes_never_do_more_than_be_refused(document: bytes) -> None:
    for body in (document, b'{"a":"' + document + b'"}'):
        try:
            value = untrusted.tidy(untrusted.load_json(body))
        except Refused:
            continue
        json.dumps(value, ensure_ascii=False).encode()


@given(st.text(st.characters(exclude_categories=[]), max_size=200), st.integers(0, 100) | st.none())
def test_a_clean_text_can_be_shown_and_kept(text: str, limit: int | None) -> None:
    shown = untrusted.clean(text, limit)
    shown.encode()
    assert limit is None or len(shown) <= max(limit, 0)
    assert not any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in shown)
    assert untrusted.clean(shown, limit) == shown


@given(st.binary(min_size=1, max_size=32).filter(lambda raw: b'"' not in raw and b"\\" not in raw))
def test_the_bytes_that_came_can_be_sent_back(raw: bytes) -> None:
    read = untrusted.tidy(untrusted.load_json(b'{"ssid":"' + raw + b'"}'))["ssid"]
    assert (read.raw if isinstance(read, Changed) else read.encode()) == raw


def test_bytes_in_pairs_may_look_like_json() -> None:
    # 誠 and 奬 in GBK end in a backslash and in a brace.
    for name in ("誠", "誠誠", "小誠店", "奬"):
        raw = name.encode("gbk")
        read = untrusted.tidy(untrusted.load_json(b'{"ssid":"' + raw + b'","n":1}'))
        assert read == {"ssid": name, "n": 1}
        assert read["ssid"].raw == raw


def test_one_name_in_another_encoding_leaves_the_others() -> None:
    body = b'{"l":["' + "小店".encode() + b'","' + "联通".encode("gbk") + b'"]}'
    assert untrusted.tidy(untrusted.load_json(body)) == {"l": ["小店", "联通"]}


def test_texts_are_bounded_by_their_field() -> None:
    long = "x" * 3_000_000
    read = untrusted.tidy({"name": long, "url": long, "other": long, "pic": long, "list": [long], long: 1})
    assert [len(read[k]) for k in ("name", "url", "other", "pic")] == [256, 8192, 65_536, 3_000_000]
    assert len(read["list"][0]) == 65_536
    assert max(map(len, read)) == 128


def test_a_changed_text_can_be_pickled() -> None:
    one = untrusted.clean("a\tb")
    again = pickle.loads(pickle.dumps(one))
    assert again == one == "a\ufffdb"
    assert again.raw == b"a\tb"


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({f"k{i}": i for i in range(20_000)}).encode(),
        json.dumps({f"k{i}": "" for i in range(20_000)}).encode(),
        json.dumps(["\U0001f600" + "x" * 50 for _ in range(8_000)]).encode(),
        json.dumps(["\U0001f600" + "x" * 50 for _ in range(8_000)], ensure_ascii=False).encode(),
        json.dumps({"a": "x" * 500_000 + "\U0001f600"}).encode(),
        json.dumps([[] for _ in range(60_000)]).encode(),
        json.dumps([{} for _ in range(10_000)]).encode(),
        json.dumps([{"a": i} for i in range(10_000)]).encode(),
        json.dumps([i + 0.5 for i in range(50_000)]).encode(),
        json.dumps([["中" * 20] for _ in range(5_000)]).encode(),
    ],
    ids=["keys", "empty values", "escaped emoji", "emoji", "one emoji", "lists", "objects", "small objects", "numbers", "chinese"],
)  # fmt: skip
def test_the_estimate_is_not_below_what_it_takes(body: bytes) -> None:
    tracemalloc.start()
    untrusted.tidy(untrusted.load_json(body, max_cost=10**9))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Tidying makes a copy of the structure beside the first.
    assert peak <= 2 * untrusted.cost(body)


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 5000 + "]" * 5000, "a = " + "[" * 40 + "]" * 40, "a = " + "9" * 5000,
     r'a = "/x\u0000"', r'"a\u0000" = 1', '[b]\nc = [1, ["\\U00000000"]]'],
)  # fmt: skip
def test_toml(text: str) -> None:
    with pytest.raises(Refused):
        untrusted.load_toml(text)


def test_a_good_toml_is_read() -> None:
    read: dict[str, Any] = untrusted.load_toml('a = [[1]]\n[b]\nc = "x"')
    assert read == {"a": [[1]], "b": {"c": "x"}}
    assert untrusted.load_toml(r"a = '\u0000'") == {"a": r"\u0000"}  # six characters, and none is that one
