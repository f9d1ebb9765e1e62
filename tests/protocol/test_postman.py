"""What people's Postman collections look like, and what hostile ones do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sunmi_ipc import corrections, errors
from sunmi_ipc.protocol import postman
from sunmi_ipc.protocol.overrides import parse
from sunmi_ipc.protocol.wire import Override

SECRET = "typed-in-for-a-test"
FORM = {
    "mode": "urlencoded",
    "urlencoded": [{"key": "app_id", "value": SECRET}, {"key": "led", "value": "1"}],
}
LED = Override("", {"led_switch": "led"})


def item(url: Any, body: Any = FORM, **more: Any) -> dict[str, Any]:
    return {"name": "led", "request": {"method": "POST", "url": url, "body": body}, **more}


def load(tmp_path: Path, *items: Any, environment: Any = None, **more: Any) -> postman.Collection:
    path, other = tmp_path / "c.json", tmp_path / "e.json"
    path.write_text(json.dumps({"item": list(items), **more}))
    if environment is not None:
        other.write_text(json.dumps(environment))
    return postman.read(path, other if environment is not None else None)


def led_of(collection: postman.Collection) -> Override | None:
    return next(row.override for row in postman.compare(collection) if row.ours == "config/setLed")


@pytest.mark.parametrize(
    "url",
    [
        "https://{{ip}}/openapi/config/setLed",
        "https://{{ip}}/openapi/config/setLed/",
        "https://{{ip}}/OpenAPI/config/setLed#y?x",
        "{{base_url}}/config/setLed",
        "{{base_url}}config/setLed",
        "{{ base }}",
        "{{unknown}}/config/setLed",
        "{{ip}}:443/openapi/config/setLed",
        "openapi/config/setLed",
        {"raw": "{{base_url}}/config/setLed"},
        {"host": ["{{ip}}"], "path": ["openapi", "config", "setLed"]},
        {"path": ["{{prefix}}", "config", "setLed"]},
        {"path": [{"type": "string", "value": "config"}, {"value": "setLed"}]},
        {"path": ["openapi", ":t", ":a"], "variable": [{"key": "t", "value": "config"}, {"id": "a", "value": "setLed"}]},
        {"raw": "x/openapi/:t/setLed", "variable": [{"key": "t", "value": "config"}]},
    ],
)  # fmt: skip
def test_a_path_is_known_by_its_end(tmp_path: Path, url: Any) -> None:
    variables = [
        {"key": "base", "value": "https://192.168.1.20/openapi/config/setLed"},
        {"key": "base_url", "value": "https://192.168.1.20/openapi/"},
    ]
    collection = load(tmp_path, item(url), variable=variables)
    assert led_of(collection) == LED
    assert not collection.unread


def test_an_environment_gives_the_variables(tmp_path: Path) -> None:
    values = [
        {"key": "where", "value": "http://h/openapi/config", "enabled": True},
        {"key": "key", "value": SECRET + "!"},
    ]
    assert led_of(load(tmp_path, item("{{where}}/setLed"), environment={"values": values})) == LED
    assert led_of(load(tmp_path, item("{{where}}/setLed"))) is None


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "formdata", "formdata": [{"key": "led", "type": "text"}]},
        {"mode": "urlencoded", "urlencoded": "app_id={{a}}&led=1"},
        {"mode": "raw", "raw": '{"led": 1}'},
        {"mode": "raw", "raw": '{"timestamp": {{t}}, "led": {{led}}}'},
        {"mode": "raw", "raw": '{\n // on "or" off\n "led": 1, /* , */\n}'},
        {"mode": "raw", "raw": '{"led": "http://x // y", "sign": "{{s}}",}'},
        {"mode": "raw", "raw": "app_id={{app_id}}&led=1"},
    ],
)
def test_bodies(tmp_path: Path, body: Any) -> None:
    collection = load(tmp_path, item("https://h/openapi/config/setLed", body))
    assert led_of(collection) == LED
    assert not collection.unread


def test_the_query_counts(tmp_path: Path) -> None:
    rows = [{"key": "led"}, {"key": "off", "disabled": True}, {"key": "sign"}]
    assert led_of(load(tmp_path, item({"path": ["openapi", "config", "setLed"], "query": rows}, None))) == LED
    assert led_of(load(tmp_path, item("https://h/openapi/config/setLed?led=1&sign=x", None))) == LED


@pytest.mark.parametrize(
    "name",
    [
        f'{{"password": "{SECRET}"}}',
        f"a b {SECRET}",
        "{{led}}",
        "a" * 65,
        "密码",
        "a\nb",
        "1a",
        "a=b",
        '"',
        ["x"],
        5,
    ],
)
def test_only_a_plain_word_becomes_a_name(tmp_path: Path, name: Any) -> None:
    body = {"mode": "urlencoded", "urlencoded": [{"key": name, "value": "1"}]}
    collection = load(tmp_path, item("https://h/openapi/config/setLed", body))
    assert led_of(collection) is None
    assert len(collection.unread) == 1
    assert SECRET not in repr(collection)


@pytest.mark.parametrize(
    "raw", ["<xml/>", "[1]", '"x"', "{", "hello", '{"a": ', "x=1&" + SECRET, "{" * 5000, "a" * 2_000_000]
)
def test_a_body_that_is_not_understood_is_named_and_never_shown(tmp_path: Path, raw: str) -> None:
    collection = load(tmp_path, item("https://h/openapi/config/setLed", {"mode": "raw", "raw": raw}))
    assert [one.title for one in collection.unread] == ["led"]
    assert led_of(collection) is None
    assert SECRET not in repr(collection)


def test_what_was_not_recognised_is_named(tmp_path: Path) -> None:
    others = [
        item("https://www.example.com/"),
        item("https://h/openapi/config/:x"),
        item(""),
        item(None),
        {"name": "n", "request": 5},
    ]
    collection = load(tmp_path, *others, item("https://h/openapi/config/setLed"))
    assert len(collection.unread) >= 3
    assert led_of(collection) == LED


def answered(code: int, *, http: int = 200) -> dict[str, Any]:
    return {"code": http, "body": json.dumps({"code": code})}


@pytest.mark.parametrize("first_is_good", [True, False])
def test_of_several_the_one_that_succeeded(tmp_path: Path, first_is_good: bool) -> None:
    url = "https://h/openapi/config/setLed"
    wrong = {"mode": "urlencoded", "urlencoded": [{"key": "lamp"}]}
    good = item(url) | {"name": "good", "response": [answered(0)]}
    bad = item(url, wrong) | {"name": "bad", "response": [answered(2)]}
    collection = load(tmp_path, *([good, bad] if first_is_good else [bad, good]))
    assert led_of(collection) == LED
    assert collection.duplicates == {"config/setLed": "good"}


def test_what_was_sent_for_a_good_answer(tmp_path: Path) -> None:
    url = "https://h/openapi/config/setLed"
    sent = {"url": url, "body": FORM}
    request = item(url, {"mode": "urlencoded", "urlencoded": [{"key": "lamp"}]})
    collection = load(
        tmp_path, request | {"response": [answered(2), answered(0) | {"originalRequest": sent}]}
    )
    assert collection.duplicates == {"config/setLed": "led"}


def test_what_is_left_on_either_side(tmp_path: Path) -> None:
    body = {"mode": "urlencoded", "urlencoded": [{"key": "ssid"}, {"key": "key"}, {"key": "security"}]}
    collection = load(
        tmp_path,
        item("https://h/openapi/config/setWifiConf", body),
        item("https://h/openapi/device/reboot", FORM),
    )
    rows = {row.ours or row.theirs: row for row in postman.compare(collection)}
    wifi = rows["config/setWifiConf"]
    assert (wifi.verdict, wifi.our_left, wifi.their_left) == ("differs", ("password",), ("key", "security"))
    assert (rows["device/reboot"].verdict, rows["device/reboot"].their_left) == ("new", ("led",))


def test_an_import_replaces_what_it_speaks_of_and_nothing_else(tmp_path: Path) -> None:
    before = {"config/setLed": Override("config/old"), "config/getLed": Override("config/mine")}
    same = {"mode": "urlencoded", "urlencoded": [{"key": "led_switch"}]}
    rows = postman.compare(load(tmp_path, item("https://h/openapi/config/setLed", same)))
    assert postman.merge(before, rows) == {"config/getLed": Override("config/mine")}


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"requests": [], "name": "x"}, "old format v1"),
        ({"values": []}, "--environment"),
        ({"collection": {"item": 5}}, "no list"),
        ([], "no list"),
    ],
)
def test_what_it_is_instead_is_said(tmp_path: Path, document: Any, word: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(document))
    with pytest.raises(errors.ConfigError, match=word):
        postman.read(path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["{{a}}", "raw", "openapi/config/setLed", "http://["]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["item", "request", "url", "raw", "path", "query", "variable", "body", "mode", "urlencoded", "key", "value",
                         "name", "response", "code", "originalRequest", "disabled", "id"]),
        inner,
        max_size=4,
    ),
    max_leaves=30,
)  # fmt: skip


@given(_JSON)
def test_any_shape_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    path = tmp_path_factory.mktemp("postman") / "c.json"
    path.write_text(
        json.dumps(
            {"item": [document, {"request": document}, {"request": {"url": document, "body": document}}]}
        )
    )
    for row in postman.compare(postman.read(path)):
        for name in (*row.their_names, *row.their_left):
            assert postman.PLAIN.fullmatch(name)


def test_a_name_that_an_older_version_kept_is_not_sent(tmp_path: Path) -> None:
    poisoned = '["config/setWifiConf"]\nnames = { ssid = "{ \\"password\\": 1 }" }\n'
    with pytest.raises(errors.ConfigError, match="no plain word"):
        parse(poisoned)
    (tmp_path / corrections.FILE).write_text(poisoned)
    with pytest.raises(errors.ConfigError, match="protocol reset"):
        corrections.read(tmp_path)


@pytest.mark.parametrize("text", ["a = " + "[" * 5000 + "]" * 5000, "a = " + "9" * 5000])
def test_odd_overrides_are_refused_in_words(text: str) -> None:
    with pytest.raises(errors.ConfigError, match="overrides"):
        parse(text)
