"""Structural tests: they walk the endpoint table, so that nothing can be left out."""

from __future__ import annotations

import ast
import builtins
import json
import re
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import time as day_time
from enum import Enum, Flag
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from urllib3.filepost import encode_multipart_formdata

from sunmi_ipc import Camera, errors
from sunmi_ipc.protocol import wire
from sunmi_ipc.protocol.spec import ALL_MODELS, Endpoint, Evidence, Model, Parameter, Sign, registry
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.checks import check_private, signature
from sunmi_ipc.simulator.handlers import unplayed

ENDPOINTS = list(registry().values())
PARAMETERS = [(e, p) for e in ENDPOINTS for p in e.parameters]
BOUNDED = [
    (e, p)
    for e, p in PARAMETERS
    if any(x is not None for x in (p.ge, p.le, p.min_len, p.max_len, p.max_bytes))
]
ROOT = Path(__file__).parents[2]
JPEG = b"\xff\xd8\xff\xe0 a face"


def ids(case: Any) -> str:
    return str(getattr(case, "key", None) or getattr(case, "name", case))


def plain(parameter: Parameter) -> Any:
    """A value that the declaration allows."""
    if parameter.base is datetime:
        return datetime.fromtimestamp(1_600_000_000, UTC)
    if parameter.base is day_time:
        return day_time(8, 30)
    if parameter.base is bytes:
        return JPEG
    if parameter.base is list:
        return [parameter.choices[-1]] if parameter.choices else ["one"]
    if parameter.base is dict:
        return {"card": "A1"}
    if issubclass(parameter.base, Flag):
        return next(iter(parameter.base))
    if parameter.choices:
        return parameter.base(parameter.choices[0])
    if parameter.base is bool:
        return True
    if issubclass(parameter.base, int):
        return parameter.ge if parameter.ge is not None else 1
    return "1" * max(1, parameter.min_len or 0)


def values(endpoint: Endpoint[..., Any], **changed: Any) -> dict[str, Any]:
    made = {p.name: plain(p) for p in endpoint.parameters if p.required}
    return made | changed


def edges(p: Parameter) -> tuple[list[Any], list[Any]]:
    """Values at the bounds, and one step beyond."""
    good: list[Any] = []
    bad: list[Any] = []
    if p.ge is not None:
        good.append(p.ge)
        bad.append(p.ge - 1)
    if p.le is not None:
        good.append(p.le)
        bad.append(p.le + 1)
    if p.min_len:
        good.append("1" * p.min_len)
        bad.append("1" * (p.min_len - 1))
    if p.max_len is not None and p.base is str:
        letter = "1" if p.name in ("sn", "password") else "é"  # these two are ASCII
        good.append(letter * p.max_len)
        bad.append(letter * (p.max_len + 1))
    if p.max_bytes is not None:
        good.append("咖" * (p.max_bytes // 3))
        bad.append("咖" * (p.max_bytes // 3) + "1" * (p.max_bytes % 3 + 1))
    if p.base is list:
        good = [plain(p) * len(g) for g in good if isinstance(g, str)]
        bad = [plain(p) * len(b) for b in bad if isinstance(b, str)]
    return good, bad


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=ids)
def test_facts_are_complete(endpoint: Endpoint[..., Any]) -> None:
    assert endpoint.summary.endswith(".")
    assert isinstance(endpoint.evidence, Evidence)
    assert isinstance(endpoint.params_evidence, Evidence)
    assert endpoint.models <= ALL_MODELS
    assert endpoint.models
    assert endpoint.codes >= {0}
    assert endpoint.result is None or hasattr(endpoint.result, "read")
    for parameter in endpoint.parameters:
        assert parameter.help, f"{endpoint.key}({parameter.name}) has no help"


def test_paths_and_names_are_unique() -> None:
    assert len({e.path for e in ENDPOINTS}) == len(ENDPOINTS)
    assert len({e.key for e in ENDPOINTS}) == len(ENDPOINTS)


def test_the_virtual_camera_plays_every_endpoint() -> None:
    assert unplayed() == []


@pytest.mark.parametrize(("endpoint", "parameter"), BOUNDED, ids=ids)
def test_bounds_hold_in_the_client(endpoint: Endpoint[..., Any], parameter: Parameter) -> None:
    good, bad = edges(parameter)
    assert bad
    for value in good:
        assert endpoint.check(values(endpoint, **{parameter.name: value}))[parameter.name] == value
    for value in bad:
        with pytest.raises(errors.ParameterError) as caught:
            endpoint.check(values(endpoint, **{parameter.name: value}))
        assert caught.value.name.startswith(parameter.name)


def post_raw(
    camera: VirtualCamera, endpoint: Endpoint[..., Any], fields: dict[str, str], *, key: str | None = None
) -> dict[str, Any]:
    """Send a form past the client's checks, signed by the test itself."""
    form = dict(fields)
    if endpoint.sign is not Sign.NONE:
        vendor = camera.vendor
        secret = vendor.activation_code if endpoint.sign is Sign.ACTIVATION else vendor.secret_key
        for parameter in endpoint.parameters:
            if parameter.base is bytes:  # a file is not signed
                form.pop(parameter.wire, None)
        form |= {"app_id": vendor.app_id, "timestamp": str(int(time.time())), "random": "1234567890"}
        form["sign"] = signature(form, key if key is not None else secret.reveal())
    if not any(p.base is bytes for p in endpoint.parameters):
        return camera.answer(endpoint.path, urlencode(form).encode())
    pictures = [
        (p.wire, ("face.jpg", JPEG)) for p in endpoint.parameters if p.base is bytes and p.wire in fields
    ]
    texts = [(k, v) for k, v in form.items() if k not in dict(pictures)]
    body, kind = encode_multipart_formdata([*texts, *pictures])
    return camera.answer(endpoint.path, body, kind)


def right_model(endpoint: Endpoint[..., Any]) -> str:
    return str(sorted(endpoint.models)[-1])


def wire_values(endpoint: Endpoint[..., Any], made: dict[str, Any]) -> dict[str, str]:
    return {
        p.wire: "pic" if p.base is bytes else wire.encode(made[p.name])
        for p in endpoint.parameters
        if p.name in made
    }


@pytest.mark.parametrize(("endpoint", "parameter"), BOUNDED, ids=ids)
def test_bounds_hold_in_the_virtual_camera(
    endpoint: Endpoint[..., Any], parameter: Parameter, virtual: Callable[..., VirtualCamera]
) -> None:
    state = "factory" if endpoint.sign is not Sign.SECRET else "ready"
    camera = virtual(state=state, model=right_model(endpoint))
    for value in edges(parameter)[1]:
        made = values(endpoint, **{parameter.name: value})
        assert post_raw(camera, endpoint, wire_values(endpoint, made)) == {"code": parameter.refused}


@pytest.mark.parametrize(("endpoint", "parameter"), BOUNDED, ids=ids)
def test_values_at_the_bounds_pass_the_virtual_cameras_own_check(
    endpoint: Endpoint[..., Any], parameter: Parameter
) -> None:
    pictures = {p.wire: JPEG for p in endpoint.parameters if p.base is bytes and p.required}
    for value in edges(parameter)[0]:
        form = wire_values(endpoint, values(endpoint, **{parameter.name: value}))
        texts = {k: v for k, v in form.items() if k not in pictures}
        assert parameter.name in check_private(endpoint, texts, pictures, None)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=ids)
def test_the_virtual_camera_refuses_unknown_and_missing_parameters(
    endpoint: Endpoint[..., Any], virtual: Callable[..., VirtualCamera]
) -> None:
    state = "factory" if endpoint.sign is not Sign.SECRET else "ready"
    camera = virtual(state=state, model=right_model(endpoint))
    made = wire_values(endpoint, values(endpoint))
    assert post_raw(camera, endpoint, made | {"surplus": "1"}) == {"code": 2}
    for parameter in endpoint.parameters:
        if parameter.required:
            rest = {k: v for k, v in made.items() if k != parameter.wire}
            assert post_raw(camera, endpoint, rest) == {"code": parameter.refused}


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.sign is not Sign.NONE], ids=ids)
def test_wrong_or_missing_signatures_are_refused(
    endpoint: Endpoint[..., Any], virtual: Callable[..., VirtualCamera]
) -> None:
    camera = virtual(model=right_model(endpoint))
    made = wire_values(endpoint, values(endpoint))
    assert post_raw(camera, endpoint, made, key="wrong") == {"code": 5}
    assert camera.answer(endpoint.path, b"x=1") == {"code": 1}


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.sign is Sign.SECRET], ids=ids)
def test_signed_calls_need_an_activated_camera(
    endpoint: Endpoint[..., Any], virtual: Callable[..., VirtualCamera]
) -> None:
    camera = virtual(state="factory", model=right_model(endpoint))
    assert post_raw(camera, endpoint, wire_values(endpoint, values(endpoint))) == {"code": 7}


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.models != ALL_MODELS], ids=ids)
def test_other_models_are_refused_on_both_sides(
    endpoint: Endpoint[..., Any], virtual: Callable[..., VirtualCamera]
) -> None:
    other = next(m for m in Model if m not in endpoint.models)
    camera = virtual(model=str(other))
    assert post_raw(camera, endpoint, wire_values(endpoint, values(endpoint))) == {"code": 13}
    with connect(camera) as client, pytest.raises(errors.UnsupportedError, match=str(other)):
        client.call(endpoint, values(endpoint))
    assert endpoint.path not in camera.state.counts


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=ids)
def test_every_code_arrives_as_its_error(
    endpoint: Endpoint[..., Any], virtual: Callable[..., VirtualCamera]
) -> None:
    camera = virtual(model=right_model(endpoint))
    with connect(camera, model=right_model(endpoint)) as client:
        for code in sorted(endpoint.codes - {0}):
            camera.fail("code", code, path=endpoint.path, times=None)
            with pytest.raises(errors.DeviceError) as caught:
                client.call(endpoint, values(endpoint))
            assert caught.value.code == code
            assert caught.value.endpoint == endpoint.path
            assert type(caught.value) is type(errors.DeviceError.of(code))
            camera.faults.clear()


def test_wrong_types_are_refused_before_sending() -> None:
    endpoint = registry()["config/setWifiConf"]
    for bad in (1, None, b"x", ["x"], True):
        with pytest.raises(errors.ParameterError):
            endpoint.check({"ssid": bad, "password": ""})
    with pytest.raises(errors.ParameterError, match="no such parameter"):
        endpoint.check({"ssid": "x", "passwort": ""})


def test_enumerations_are_taken_by_value_too() -> None:
    for endpoint, parameter in PARAMETERS:
        if parameter.choices and issubclass(parameter.base, Enum):
            made = endpoint.check(values(endpoint, **{parameter.name: parameter.choices[0]}))
            assert made[parameter.name] == parameter.base(parameter.choices[0])


def test_every_error_has_an_exit_code() -> None:
    from sunmi_ipc_cli.state import Exit, exit_code

    def walk(kind: type[errors.SunmiIpcError]) -> list[type[errors.SunmiIpcError]]:
        return [kind, *(k for sub in kind.__subclasses__() for k in walk(sub))]

    every = [k for k in walk(errors.SunmiIpcError) if k.__module__.startswith("sunmi_ipc")]
    assert len(every) > 10
    for kind in every:
        error = kind.__new__(kind)
        # A disk or a card that breaks is nobody's wrong usage.
        unexpected = kind in (errors.SunmiIpcError, errors.DiskFailed, errors.CardWriteError)
        assert (exit_code(error) is Exit.UNEXPECTED) == unexpected, kind


def templates() -> set[str]:
    """Every text that people see: first arguments and hints of errors, and of tr, say, note, waiting."""
    found: set[str] = set()
    bounds = re.compile("[a-z ]+[0-9][a-z ]*")  # in words; others are what can be typed
    takers = {"tr", "later", "say", "note", "waiting", "_not_understood", "_Failed"}
    places = {"tr": 0, "later": 0, "say": 1, "note": 1, "waiting": 1, "_not_understood": 0}
    for path in [*(ROOT / "sunmi_ipc").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            arguments: list[ast.expr] = []
            if name in takers and len(node.args) > places.get(name, 99):
                arguments.append(node.args[places[name]])
            elif name in ("Again", "Rejected", "Ended"):  # why events are not taken, as the log says it
                arguments += node.args[:1]
            elif name == "unusable":
                arguments += node.args[1:2]
            elif name == "show":
                arguments += [k.value for k in node.keywords if k.arg in ("done", "nothing")]
            elif name.endswith(
                ("Error", "ConnectionFailed", "CameraNotFound", "BadPacket", "Reason", "DiskFailed")
            ) and not (hasattr(builtins, name) or name in ("DeviceError", "PydanticCustomError")):
                arguments += node.args[:1]
                arguments += [k.value for k in node.keywords if k.arg in ("hint", "feature")]
                arguments += [
                    k.value for k in node.keywords
                    if k.arg == "bounds" and isinstance(k.value, ast.Constant) and bounds.fullmatch(str(k.value.value))
                ]  # fmt: skip
            for argument in arguments:
                texts = [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]
                for text in texts:
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        found.add(text.value)
    # A template of blanks alone says the same in every tongue.
    return {t for t in found if set(re.sub(r"\{[^}]*\}", "", t)) & set(string.ascii_letters)} - {
        "ipc {command}"
    }


def test_every_message_has_its_chinese() -> None:
    from sunmi_ipc.codes.device import DeviceCode
    from sunmi_ipc.i18n import _chinese

    wanted = {t for code in DeviceCode for t in (code.meaning, code.hint) if t} | templates()
    missing = sorted(wanted - set(_chinese()))
    assert missing == []


def test_chinese_fills_the_same_blanks() -> None:
    from sunmi_ipc.i18n import _chinese

    for english, chinese in _chinese().items():
        blanks = [{f for _, f, _, _ in string.Formatter().parse(t) if f} for t in (english, chinese)]
        assert blanks[0] == blanks[1], english


def test_chinese_has_chinese_punctuation() -> None:
    from sunmi_ipc.i18n import _chinese

    page = (ROOT / "README.zh-CN.md").read_text("utf-8")
    page = re.sub(r"^```.*?^```", "", page, flags=re.M | re.S)
    texts = [*_chinese().values(), *re.sub(r"`[^`]*`|\]\([^)]*\)", "`", page).splitlines()]
    bare = [re.sub(r"\{[^}]*\}|'[^']*'|\[[^\]]*\]", "", text) for text in texts]
    assert [
        text for text in bare if re.search(r"[\u4e00-\u9fff] ?[,;?!()]|[,;?!()] ?[\u4e00-\u9fff]", text)
    ] == []


def test_every_endpoint_has_a_command_that_exists_and_marks_it() -> None:
    from sunmi_ipc_cli.endpoints import USES, describe
    from sunmi_ipc_cli.main import load

    assert {key for keys in USES.values() for key in keys} == {e.key for e in ENDPOINTS}
    for line, keys in USES.items():
        words = line.split()
        command = load(words[0])
        for word in words[1:]:
            command = command.commands[word]
        assert command.epilog == describe(keys)
    assert "(inferred, FM020)" in describe(("lens.set_zoom",))
    assert describe(("events.add",)).endswith("hook/add")


def test_every_endpoint_is_called_in_a_test_of_its_behaviour() -> None:
    """A call by name, or by the comfort that stands on it, in the tests of groups, commands or simulator."""
    comfort = {
        "wifi.set": "wifi.join",
        "wifi.scan": "wifi.networks",
        "wifi.scan_without_auth": "wifi.networks",
    }
    tests = [ROOT / "tests" / "api" / "test_groups.py", ROOT / "tests" / "simulator" / "test_simulator.py"]
    text = "".join(path.read_text("utf-8") for path in tests)
    missing = [e.key for e in ENDPOINTS if f".{comfort.get(e.key, e.key)}" not in text]
    assert missing == []


def test_samples_are_readable_json() -> None:
    for path in (ROOT / "tests" / "wire").glob("*.json"):
        assert {"endpoint", "values", "body", "reply", "result"} <= set(json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize(
    ("word", "model"),
    [
        ("FM010", Model.FM010), ("fm020", Model.FM020), ("SS1", Model.FM010), ("FS1", Model.FM020), (" fs1 ", Model.FM020),
        ("SUNMI FM020-A", Model.FM020), ("FS1 v2", Model.FM020), ("", None), ("FM030", None), ("FS101D8BS00106", None), ("SS10", None),
    ],
)  # fmt: skip
def test_a_model_has_two_words_and_unknown_ones_may_have_everything(word: str, model: Model | None) -> None:
    assert Model.read(word) is model
    assert Model.may_be(word, Model.FM020) is (model is not Model.FM010)


@pytest.mark.parametrize(
    ("word", "has"), [("FM010", False), ("SS1", False), ("FM020", True), ("FS1", True), ("FM030", True)]
)
def test_what_a_model_lacks_is_refused_under_both_its_words(word: str, has: bool) -> None:
    class Silent:
        def send(self, outgoing: object, *, timeout: float) -> object:
            raise errors.ConnectionFailed("the connection was refused")

        def close(self) -> None:
            pass

    one: Any = Camera("127.0.0.1", model=word, app_id="a", secret_key="k", transport=Silent(), retries=0)  # type: ignore[arg-type]
    for call in (
        one.lens.show,
        lambda: one.events.subscribe("face_recog_event", callback="http://127.0.0.1/"),
    ):
        with pytest.raises(errors.ConnectionFailed if has else errors.UnsupportedError):
            call()
