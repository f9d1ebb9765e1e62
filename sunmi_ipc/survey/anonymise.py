"""Secrets and identities out of a document, replaced by stable fakes of the same form.

Whoever sends a dump must not have to trust that we know every field. So texts are guilty until known to be
harmless: a value is kept where it is a word of the protocol, a version, a small number or a time; anything
else is replaced, the same everywhere: as a value, as a key, inside other texts, in JSON inside JSON, in base64
and percent-encoding. A fake depends on the form of what it stands for and on the order in which things first
appear, on nothing else: the dump of a camera that replays a dump is that dump again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from .findings import wire_fields

#: Words that identify nobody: of the protocol, its values, its models, HTTP.
_WORDS = frozenset(
    [
        "ipc",
        "ap",
        "lan",
        "wpa-psk",
        "wpa2-psk",
        "wpa3-psk",
        "wpa",
        "wpa2",
        "wpa3",
        "wep",
        "none",
        "open",
        "psk",
        "fm010",
        "fm020",
        "ss1",
        "fs1",
        "ss",
        "fs",
        "sunmi",
        "true",
        "false",
        "on",
        "off",
        "yes",
        "no",
        "auto",
        "ok",
        "success",
        "stranger",
        "regular",
        "face_recog_event",
        "dynamic_detect_event",
        "hd",
        "fhd",
        "sd",
        "male",
        "female",
        "unknown",
        "device",
        "config",
        "media",
        "peopleflow",
        "face",
        "hook",
        "rtsp",
        "http",
        "https",
        "utf-8",
        "json",
        "gmt",
        "utc",
        "null",
        "nan",
        "application/json",
        "text/html",
        "text/plain",
        "image/jpeg",
        "image/png",
        "video/mp4",
        "video/x-flv",
        "keep-alive",
        "close",
        "chunked",
        "identity",
        "bytes",
        "in",
        "ip4",
        "ip6",
        "rtp/avp",
        "jpeg",
        "jpg",
        "png",
        "mp4",
        "flv",
        "h264",
        "h265",
        "aac",
        "cn",
        "us",
        "7x24",
        "0",
        "1",
        "2",
        "3",
    ]
)
#: Fields whose text describes a kind of thing, not a thing.
_KINDS = re.compile(
    r"model(_?name)?|type|network(rol)?|factory|firmware|(soft|hard)ware(_?version)?|version|key_?mgmt|event(_?type)?|"
    r"detect_?type|resolution|status|code|encryption|codec|order",
    re.I,
)
#: Fields that always tell of one camera, person, network or place, even as a number.
_IDENTITIES = re.compile(
    r"sn|serial(_?(no|number))?|device_?id|uid|uuid|(b?ssid)|mac(_?addr(ess)?)?|(ipc_?|old_?|group_?|user_?)?name|"
    r"(cloud_?)?face_?ids?|face_?id_?list|person_?id|user_?id|event_?id|shop_?id|company_?id|db_?id|phone|mobile|"
    r"e?mail|owner|address|lat(itude)?|lon(gitude)?|lng|gps|location|coordinates?|description|desc|label|imei|imsi",
    re.I,
)
_SECRETS = re.compile(
    r"(.*_)?(pass(word|wd|phrase)?|pwd|secret(_?key)?|app_?id|key|psk|token|sign(ature)?|auth(orization)?|cookie|"
    r"random|nonce|activation_?code|session(_?id)?|credential)s?",
    re.I,
)
#: How fields are called; what is called otherwise may be a person, a group, a network.
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}|\d{1,3}")
_SMALL = re.compile(r"[+-]?\d{1,6}(\.\d{1,6})?")
_VERSION = re.compile(r"[vV]?\d{1,3}(\.\d{1,4}){1,3}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?|\d{1,2}:\d\d(:\d\d)?|1[0-9]{9}(\d{3})?")
_SERIAL = re.compile(r"(?<![0-9A-Za-z])((?:[FS]S|C)\d{3}[0-9A-Z]{4})(\d{5})(?![0-9A-Za-z])", re.I)
_MAC = re.compile(
    r"(?<![0-9A-Fa-f:.-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])"
)
_IP4 = re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])")
_IP6 = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![0-9A-Fa-f:])")
_LONG = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{20,}(?![0-9A-Za-z])")
_HOTSPOT = re.compile(r"(SUNMI[_-])([0-9A-Fa-f]{4})(?![0-9A-Fa-f])")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{8,}={0,2}(?![A-Za-z0-9+/_=-])")
_PERCENT = re.compile(r"(?<![\w.~+-])[\w.~+-]*(?:%[0-9A-Fa-f]{2}[\w.~+-]*)+")
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,9}://[^\s\"'<>\\]+", re.I)
_STRING = re.compile(r'(?<!\\)"(?:[^"\\]|\\.)*"')
_NUMBER_AFTER = re.compile(
    r'"([^"\\]{1,64})"(\s{0,20}:\s{0,20})(-?(?:\d{1,20}\.\d{1,30}|\d{5,20}))(?=\s{0,20}[,}\]])'
)
_NUMBER_IN_LIST = re.compile(r"(?<=[\[,\s])-?(?:\d{1,20}\.\d{1,30}|\d{5,20})(?=\s{0,20}[,\]])")
#: So many places behind the point say where on earth something is.
_PRECISE = re.compile(r"-?\d{1,3}\.\d{4,30}")
_BARE_MAC = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{12}(?![0-9A-Fa-f])")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{2,4}$")
#: Addresses that everybody has.
_COMMON_IPS = frozenset({"0.0.0.0", "127.0.0.1", "192.168.200.1"})  # noqa: S104 - looked for, not bound
_OTHER_LETTERS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
_DEPTH = 6


class Leak(Exception):
    """Something that was to be replaced is still there; nothing may be written."""


class Anonymiser:
    """Learns what must not show, then cleans texts and documents of it.

    Args:
        secrets: Values that are secret wherever they stand: the key, the passwords.
        host: The camera's address as this computer knows it; the first of the fake addresses stands for it.
        sn: Its serial number, where known.

    """

    def __init__(self, secrets: Iterable[str] = (), *, host: str = "", sn: str = "") -> None:
        self._fakes: dict[str, str] = {}
        self._used: set[str] = set()
        self._counts: dict[str, int] = {}
        self._pattern: re.Pattern[str] | None = None
        self._folded: dict[str, str] = {}
        #: How many things of each kind were replaced: secret, serial number, MAC, address, name or other text.
        self.replaced: dict[str, int] = {}
        for secret in secrets:
            self._learn("secret", secret)
        if host:
            self._address(host)
        if sn:
            self._learn("serial number", sn)

    # -- learning ---------------------------------------------------------------------------------

    def learn(self, value: Any, key: str = "", depth: int = 0) -> None:
        """Take in what *value*, found under *key*, tells of anybody."""
        if depth > 40:
            return
        if isinstance(value, Mapping):
            # A field given twice is two values: both were sent.
            for name, inner in getattr(value, "pairs", value.items()):
                self._learn_key(str(name))
                self.learn(inner, str(name), depth + 1)
        elif isinstance(value, list | tuple):
            for inner in value:
                self.learn(inner, key, depth + 1)
        elif isinstance(value, _Fraction):
            if _IDENTITIES.fullmatch(key) or _PRECISE.fullmatch(value):
                self._learn("text", str(value))
        elif isinstance(value, bool) or value is None or isinstance(value, float):
            return
        elif isinstance(value, int):
            self._learn_number(value, key)
        else:
            self._learn_text(str(value), key, depth)

    def _learn_key(self, name: str) -> None:
        if _SERIAL.search(name) or _MAC.search(name) or _IP4.search(name) or _LONG.search(name):
            self.patterns(name)
        elif not _FIELD.fullmatch(name) or sum(c.isdigit() for c in name) > 3:
            self._learn("text", name)

    def _learn_number(self, value: int, key: str) -> None:
        text = str(value)
        if _SECRETS.fullmatch(key) and len(text) > 3:
            self._learn("secret", text)
        elif len(text) > 4 and (_IDENTITIES.fullmatch(key) or (len(text) > 6 and not _TIME.fullmatch(text))):
            self._learn("text", text)

    def _learn_text(self, text: str, key: str, depth: int) -> None:
        if not text:
            return
        inner, rest = _document(text)
        if inner:
            self.learn(inner, key, depth + 1)
            if any(c.isalnum() for c in rest):
                self._learn_text(rest.strip(), key, depth + 1)
            return
        if _SECRETS.fullmatch(key):
            self._learn("secret", text)
            return
        if _URL.match(text):
            self._learn_url(text)
            return
        self.patterns(text)
        if self._harmless(text, key):
            return
        for decoded in _decoded(text):
            inner, _ = _document(decoded)
            if inner:
                self.learn(inner, key, depth + 1)
                return
        if _SERIAL.fullmatch(text) or _MAC.fullmatch(text) or _IP4.fullmatch(text):
            return
        if _HOTSPOT.fullmatch(text):
            return
        kind = {"s": "serial number", "d": "serial number"}.get(key[:1].lower(), "text")
        if re.fullmatch(r"sn|serial(_?(no|number))?|device_?id", key, re.I):
            self._learn(kind, text)
        else:
            self._learn("text", text)

    def _harmless(self, text: str, key: str) -> bool:
        if text.strip().lower() in _WORDS:
            return True
        if _IDENTITIES.fullmatch(key):
            return False
        if _SMALL.fullmatch(text) or _VERSION.fullmatch(text) or _TIME.fullmatch(text):
            return True
        return (
            bool(_KINDS.fullmatch(key))
            and len(text) <= 24
            and re.fullmatch(r"[\w .+-]*", text) is not None
            and not any(
                form.search(spelt)
                for form in (_SERIAL, _MAC, _IP4, _BARE_MAC)
                for spelt in (text, re.sub(r"[^0-9A-Za-z]", "", text))
            )
        )

    def patterns(self, text: str, *, tokens: bool = True) -> None:
        """Take in identities that are known by their form, wherever they stand in *text*."""
        for match in _SERIAL.finditer(text):
            self._learn("serial number", match[0])
        for match in _MAC.finditer(text):
            self._mac(match[0])
        for match in _IP4.finditer(text):
            self._address(match[0])
        for match in _IP6.finditer(text):
            if match[0].count(":") > 2 and not _MAC.fullmatch(match[0]) and not _TIME.fullmatch(match[0]):
                self._learn("address", match[0])
        for match in _LONG.finditer(text) if tokens else ():
            if any(c.isdigit() for c in match[0]) and not _harmless_long(match[0]):
                self._learn("text", match[0])

    def _learn_url(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, user, password = parts.hostname or "", parts.username or "", parts.password or ""
        except ValueError:
            self._learn("text", url)
            return
        for secret in (unquote(user), unquote(password)):
            if secret and secret != "admin":  # noqa: S105 - the documented default tells nothing
                self._learn("secret", secret)
        if _IP4.fullmatch(host) or ":" in host:
            self._address(host)
        elif host and host != "localhost":
            self._learn("text", host)
        for segment in parts.path.split("/"):
            plain = _EXTENSION.sub("", unquote(segment))
            if plain and not re.fullmatch(r"[a-z_]{1,16}", plain) and not self._harmless(plain, ""):
                self.patterns(plain)
                if not (_SERIAL.fullmatch(plain) or _MAC.fullmatch(plain)):
                    self._learn("text", plain)
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            if value and not self._harmless(value, name):
                self._learn("secret" if _SECRETS.fullmatch(name) else "text", value)

    def _address(self, ip: str) -> None:
        if ip in _COMMON_IPS or ip.startswith("255.") or ip in self._fakes:
            return
        if ":" in ip:
            self._learn("address", ip)
            return
        fake = self._free(ip, "address", lambda n: f"10.{n // 64_000 % 256}.{n // 250 % 256}.{1 + n % 250}")
        self._keep(ip, fake, "address")

    def _mac(self, mac: str) -> None:
        bare = re.sub(r"[:-]", "", mac).upper()
        if any(form in self._fakes for form in (mac, bare)):
            return
        fake = self._free(
            bare,
            "MAC",
            lambda number: f"0200000000{number + 1:02X}" if number < 255 else f"020000{number:06X}",
        )
        for separator in ("", ":", "-"):
            pairs = [separator.join(x[i : i + 2] for i in range(0, 12, 2)) for x in (bare, fake)]
            for change in (str.upper, str.lower):
                self._fakes.setdefault(change(pairs[0]), change(pairs[1]))
                self._used.add(change(pairs[1]))
        for change in (str.upper, str.lower):
            self._fakes.setdefault(f"SUNMI_{change(bare[-4:])}", f"SUNMI_{change(fake[-4:])}")
            self._fakes.setdefault(f"SUNMI-{change(bare[-4:])}", f"SUNMI-{change(fake[-4:])}")
        self.replaced["MAC"] = self.replaced.get("MAC", 0) + 1
        self._pattern = None

    def _learn(self, kind: str, value: str) -> None:
        if value in self._fakes or value.strip().lower() in _WORDS or not value.strip():
            return
        # A camera called "Zoom" tells nobody anything; replaced, it would take the fields of that name with it.
        if kind != "secret" and value.strip().lower() in _vocabulary()[0]:
            return
        if kind == "secret":
            fake = re.sub(r"[a-z]", "x", re.sub(r"[A-Z]", "X", re.sub(r"\d", "0", value)))
            # A secret of ten noughts is its own fake, as every fake is: so the dump of a replayed dump is that
            # dump again, and nobody can tell such a secret from a fake.
            if not any(c.isalnum() for c in value):
                fake = "x" * len(value)
            self._keep(value, fake, kind)
            if any(c.isalpha() and not c.isascii() for c in value):
                self._fakes[value] = re.sub(r"[^\x00-\x7f]", "x", self._fakes[value])
            return
        match = _SERIAL.fullmatch(value)
        if kind == "serial number" and match:
            self._keep(value, self._free(value, kind, lambda number: f"{match[1]}{number + 1:05d}"), kind)
            for change in (str.upper, str.lower):
                self._fakes.setdefault(change(value), change(self._fakes[value]))
            return
        number = self._next(kind)
        for attempt in range(1000):
            fake = _same_form(value, f"{kind}/{number}/{attempt}")
            if fake not in self._used and fake not in self._fakes and fake.lower() not in _WORDS:
                break
        self._keep(value, fake, kind)

    def _next(self, kind: str) -> int:
        number = self._counts.get(kind, 0)
        self._counts[kind] = number + 1
        return number

    def _free(self, value: str, kind: str, make: Callable[[int], str]) -> str:
        """The next fake of a row that is nobody's real one; a value may be its own (see :meth:`_learn`)."""
        while (fake := make(self._next(kind))) in self._fakes and fake != value:
            pass
        return fake

    def _keep(self, value: str, fake: str, kind: str) -> None:
        self._fakes[value] = fake
        self._used.add(fake)
        self._pattern = None
        self.replaced[kind] = self.replaced.get(kind, 0) + 1

    # -- cleaning ---------------------------------------------------------------------------------

    def clean(self, value: Any) -> Any:
        """*value* with fakes in place of everything that was learnt, keys included."""
        if isinstance(value, Mapping):
            return {self.text(str(k)): self.clean(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean(inner) for inner in value]
        if isinstance(value, bool) or value is None or isinstance(value, float):
            return value
        if isinstance(value, int):
            return int(self._fakes[str(value)]) if str(value) in self._fakes else value
        return self.text(str(value))

    def text(self, text: str, depth: int = 0) -> str:
        """*text* with fakes in place of everything that was learnt."""
        if not text:
            return text
        if text in self._fakes:
            return self._fakes[text]
        inner, rest = _document(text) if depth < _DEPTH else (None, "")
        if inner is not None:
            return self._json(text[: len(text) - len(rest)], depth) + self.text(rest, depth + 1)
        text = self._plain(text)
        if depth >= _DEPTH and ("\\" in text or _PERCENT.search(text) or _BASE64.search(text)):
            return _same_form(text, "deep")  # nobody looks deeper, so nobody knows what is there
        if depth < _DEPTH:
            text = _PERCENT.sub(lambda m: self._percent(m[0], depth), text)
            text = _BASE64.sub(lambda m: self._base64(m[0], depth), text)
        return text

    def _plain(self, text: str) -> str:
        pattern = self._compiled()
        return pattern.sub(lambda m: self._fake(m[0]), text) if pattern else text

    def _fake(self, found: str) -> str:
        """What stands for *found*, however its letters are written."""
        if (fake := self._fakes.get(found)) is not None:
            return fake
        fake = self._folded.get(found.casefold())
        if fake is None:  # the pattern takes letters for each other that differ folded: "i" and "İ"
            fake = next(f for word, f in self._fakes.items() if re.fullmatch(_wherever(word), found))
        return fake.upper() if found.isupper() else fake.lower() if found.islower() else fake

    def _compiled(self) -> re.Pattern[str] | None:
        if self._pattern is None and self._fakes:
            words = sorted((w for w in self._fakes if len(w) > 1), key=len, reverse=True)
            self._folded = {w.casefold(): self._fakes[w] for w in reversed(words)}
            self._pattern = re.compile("|".join(map(_wherever, words))) if words else None
        return self._pattern

    def _json(self, text: str, depth: int) -> str:
        """JSON as text: the layout stays as the camera wrote it, for it is what we want to see."""

        def string(match: re.Match[str]) -> str:
            try:
                inner = json.loads(match[0], strict=False)
            except (ValueError, RecursionError):
                return self._plain(match[0])
            new = self.text(inner, depth + 1)
            return match[0] if new == inner else json.dumps(new, ensure_ascii=match[0].isascii())

        def number(match: re.Match[str]) -> str:
            fake = self._fakes.get(match[3], match[3])
            return f'"{match[1]}"{match[2]}{fake}'

        return _STRING.sub(string, _NUMBER_AFTER.sub(number, self._numbers(text)))

    def _numbers(self, text: str) -> str:
        """Numbers in lists, which no name stands before."""
        return _NUMBER_IN_LIST.sub(lambda m: self._fakes.get(m[0], m[0]), text)

    def _percent(self, run: str, depth: int) -> str:
        plain = unquote(run)
        new = self.text(plain, depth + 1)
        return run if new == plain else quote(new, safe="")

    def _base64(self, run: str, depth: int) -> str:
        for plain in _decoded(run):
            new = self.text(plain, depth + 1)
            if new != plain:
                made = base64.b64encode(new.encode()).decode()
                if "-" in run or "_" in run:
                    made = made.replace("+", "-").replace("/", "_")
                return made if run.endswith("=") or len(run) % 4 == 0 else made.rstrip("=")
        return run

    def data(self, raw: bytes) -> bytes:
        """Bytes with fakes of the same length in place of what was learnt."""
        text = raw.decode("latin-1")
        for value, fake in sorted(self._fakes.items(), key=lambda pair: -len(pair[0])):
            if len(value) < 4:
                continue
            for codec in ("utf-8", "utf-16-le", "gb18030"):
                old, new = value.encode(codec, "replace"), fake.encode(codec, "replace")
                text = text.replace(
                    old.decode("latin-1"), new[: len(old)].ljust(len(old), b"x").decode("latin-1")
                )
        return text.encode("latin-1")

    def check(self, document: Any) -> None:
        """Look once more, in another way than :meth:`clean` does.

        Raises:
            Leak: Something that was learnt is in *document*.

        """
        whole = json.dumps(document, ensure_ascii=False)
        again = [whole, json.dumps(document), unquote(whole), unquote(unquote(whole))]
        again += [plain for run in _BASE64.findall(whole) for plain in _decoded(run)]
        fakes = set(self._fakes.values())
        for value in self._fakes:
            if len(value) < 6 or value in fakes or value.lower() in _vocabulary()[1]:
                continue
            for text in again:
                if value in text and not any(value in fake for fake in fakes if fake in text):
                    raise Leak(f"a {len(value)}-character value is still in the document")


def _same_form(value: str, seed: str) -> str:
    """Letters for letters, digits for digits, the rest as it is."""
    stream = hashlib.sha256(f"{seed}/{len(value)}".encode()).digest()
    while len(stream) < len(value):
        stream += hashlib.sha256(stream).digest()
    hexadecimal = len(value) > 7 and re.fullmatch(r"[0-9a-fA-F]+", value) is not None
    made = []
    for char, number in zip(value, stream, strict=False):
        if char.isdigit() and char.isascii():
            made.append(str(1 + number % 9))
        elif "a" <= char <= "z":
            made.append(chr(97 + number % (6 if hexadecimal else 26)))
        elif "A" <= char <= "Z":
            made.append(chr(65 + number % (6 if hexadecimal else 26)))
        elif char.isalnum():
            made.append(_OTHER_LETTERS[number % len(_OTHER_LETTERS)])
        elif char.isprintable() and ord(char) < 0x3000:
            made.append(char)
        else:
            made.append("·")
    return "".join(made)


def _harmless_long(text: str) -> bool:
    return _TIME.fullmatch(text) is not None


def _decoded(run: str) -> list[str]:
    """The texts that *run* may be in base64; none where it is no text."""
    plain = run.strip().rstrip("=").replace("-", "+").replace("_", "/")
    if len(plain) < 8 or not re.fullmatch(r"[A-Za-z0-9+/]+", plain):
        return []
    try:
        text = base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return []
    return [text] if text and sum(c.isprintable() or c in "\r\n\t" for c in text) == len(text) else []


class _Fraction(str):
    """A number with a point, as it was written."""


class _Object(dict[str, Any]):
    """A JSON object that remembers every one of its fields, also of those that it has twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs: list[tuple[str, Any]] = pairs


_READER = json.JSONDecoder(strict=False, parse_float=_Fraction, object_pairs_hook=_Object)


def _document(text: str) -> tuple[Any, str]:
    """The JSON object or list that *text* begins with, or None; and what follows it."""
    begun = text.lstrip()
    if begun[:1] not in ("{", "["):
        return None, ""
    try:
        value, end = _READER.raw_decode(begun)
    except (ValueError, RecursionError):
        return None, ""
    return (value, begun[end:]) if isinstance(value, dict | list) and value else (None, "")


@cache
def _vocabulary() -> tuple[frozenset[str], str]:
    """The names of the protocol in small letters: one by one, and in one text."""
    from ..protocol.spec import registry

    names = {"code", "data", "payload", "msg"}
    for path, endpoint in registry().items():
        names.update(path.lower().split("/"), (p.wire.lower() for p in endpoint.parameters))
        if endpoint.result is not None:
            names.update(_fields(endpoint.result))
    return frozenset(names), " ".join(sorted(names))


def _fields(model: type) -> Iterator[str]:
    for name, inner in wire_fields(model).items():
        yield name.lower()
        if inner is not None:
            yield from _fields(inner)


def _wherever(word: str) -> str:
    """The pattern that finds *word*: inside other words, too, and however it is written, but for common ones."""
    found = re.escape(word)
    # "AB" must not be taken out of "ABLE", and a camera called "Door" not out of "getDoorLine".
    if len(word) < 4 or word.lower() in _vocabulary()[1]:
        return rf"(?<!\w){found}(?!\w)"
    certain = any(c.isdigit() for c in word) or len(word) > 8
    return f"(?i:{found})" if certain else found


def clean_url(url: str, anonymiser: Anonymiser) -> str:
    """A URL cleaned part by part, so that what stands between the parts stays."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return anonymiser.text(url)
    query = urlencode([(k, anonymiser.text(v)) for k, v in parse_qsl(parts.query, keep_blank_values=True)])
    return urlunsplit(
        parts._replace(netloc=anonymiser.text(parts.netloc), path=anonymiser.text(parts.path), query=query)
    )
