"""The virtual camera's own checks: signature, public parameters, bounds.

Written from the protocol sheet and the endpoint table, on purpose without the client's code: a
mistake in the client must show here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from enum import IntFlag
from typing import Any
from urllib.parse import parse_qsl

from ..protocol.spec import Endpoint, Parameter
from ..protocol.wire import Override

PUBLIC = ("app_id", "timestamp", "random", "sign")


class Refused(Exception):
    """Answer with this return code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def parse_form(body: bytes) -> dict[str, str]:
    """The form's fields; a body that is no form, or a field twice, is refused with 2."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="surrogateescape"
        )
    except ValueError:
        raise Refused(2) from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Refused(2)
    for name, value in form.items():
        # A network's name is bytes, whatever its neighbours write in.
        if (
            name != "ssid"
            and not (value + name).isascii()
            and any("\ud800" <= c <= "\udfff" for c in value + name)
        ):
            raise Refused(2)
    return form


def parse_multipart(body: bytes, kind: str) -> tuple[dict[str, str], dict[str, bytes]]:
    """The fields and files of a multipart form; refused with 2 where it is none."""
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body
    )
    form: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes) or name in form or name in files:
            raise Refused(2)
        if part.get_filename() is not None:
            files[name] = content
        else:
            try:
                form[name] = content.decode()
            except UnicodeDecodeError:
                raise Refused(2) from None
    return form, files


def signature(form: Mapping[str, str], key: str) -> str:
    """Section 3: non-empty parameters but ``sign``, by key, joined, the key behind, MD5, upper case."""
    digest = hashlib.md5(usedforsecurity=False)
    separator = ""
    for name in sorted(n for n, value in form.items() if value != "" and n != "sign"):
        digest.update(f"{separator}{name}={form[name]}".encode("utf-8", "surrogateescape"))
        separator = "&"
    digest.update(b"&key=" + key.encode())
    return digest.hexdigest().upper()


def check_public(form: Mapping[str, str], app_id: str, key: str, *, clock: float, tolerance: float) -> None:
    """Refuse a signed call whose public parameters are wrong. Raises Refused(1), (2) or (5)."""
    if form.get("app_id") != app_id:
        raise Refused(1)
    stamp, nonce = form.get("timestamp", ""), form.get("random", "")
    if not re.fullmatch(r"[0-9]{10}", stamp) or not re.fullmatch(r"[0-9A-Za-z]{6,10}", nonce):
        raise Refused(2)
    if form.get("sign") != signature(form, key):
        raise Refused(5)
    if abs(int(stamp) - clock) > tolerance:
        raise Refused(5)


def check_private(
    endpoint: Endpoint[..., Any],
    form: Mapping[str, str],
    files: Mapping[str, bytes],
    override: Override | None,
    kept: Mapping[str, Any] | None = None,
    *,
    any_more: bool = False,
) -> dict[str, Any]:
    """The private parameters by Python name, as numbers, text or decoded JSON; raises Refused.

    *kept* are the settings that the camera has itself: it takes back under their names what it gave.
    Where *any_more* is said, parameters that nobody knows are passed over.
    """
    names = dict(override.names) if override else {}
    encoding = dict(override.encoding) if override else {}
    left = {k: v for k, v in form.items() if k not in PUBLIC}
    values: dict[str, Any] = {}
    files = dict(files)
    for parameter in endpoint.parameters:
        wire_name = names.get(parameter.wire, parameter.wire)
        if parameter.kind == "file" and wire_name in files:
            values[parameter.name] = files.pop(wire_name)
            continue
        text = left.pop(wire_name, None)
        if text is None:
            if parameter.required:
                raise Refused(parameter.refused)
            continue
        values[parameter.name] = _value(parameter, text, encoding.get(parameter.wire, ""))
    if not any_more and (files or not left.keys() <= (kept or {}).keys()):
        raise Refused(2)
    return values


def _value(parameter: Parameter, text: str, encoding: str) -> Any:
    refused = Refused(parameter.refused)
    if parameter.kind == "file":
        if encoding != "base64":
            raise refused
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:
            raise refused from None
    if parameter.kind == "json":
        if encoding == "csv":
            items: Any = text.split(",")
        else:
            try:
                items = json.loads(text)
            except (ValueError, RecursionError):
                raise refused from None
        if parameter.base is dict and isinstance(items, dict):
            return items
        if parameter.base is dict or not isinstance(items, list) or not items:
            raise refused
        if parameter.choices and any(item not in parameter.choices for item in items):
            raise refused
        return items
    if parameter.kind == "int":
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise refused
        number = int(text)
        low, high = parameter.ge, parameter.le
        if (low is not None and number < low) or (high is not None and number > high):
            raise refused
        if issubclass(parameter.base, IntFlag) and not 0 < number <= int(~parameter.base(0)):
            raise refused
        if parameter.choices and number not in parameter.choices:
            raise refused
        return number
    if parameter.choices and text not in parameter.choices:
        raise refused
    if parameter.max_bytes is not None and len(text.encode("utf-8", "surrogateescape")) > parameter.max_bytes:
        raise refused
    if parameter.max_len is not None and len(text) > parameter.max_len:
        raise refused
    if len(text) < (parameter.min_len or 0):
        raise refused
    if parameter.no_blank_first and text[:1].isspace():
        raise refused
    return text
