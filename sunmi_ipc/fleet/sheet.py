"""A site as a CSV file: what people make in a spreadsheet, in whatever language and form it saves."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import csvfile
from ..errors import SiteError
from ..i18n import Language
from .encoding import Uncertain, decode
from .positions import Path as Keys

_PLAIN = ("sn", "mac", "any", "address", "name", "activation_code", "sdcard", "ir")
_NESTED = {
    "wifi_ssid": ("wifi", "ssid"),
    "wifi_password": ("wifi", "password"),
    "wifi_hidden": ("wifi", "hidden"),
    "motion": ("detection", "motion"),
    "sound": ("detection", "sound"),
    "days": ("detection", "days"),
    "from": ("detection", "from"),
    "to": ("detection", "to"),
    "zoom": ("lens", "zoom"),
    "focus": ("lens", "focus"),
    "ip": ("ip", "address"),
    "netmask": ("ip", "netmask"),
    "gateway": ("ip", "gateway"),
    "dns": ("ip", "dns"),
}
COLUMNS = (*_PLAIN, *_NESTED, "count", "led", "rotation", "door_line", "face_groups", "events", "callback")  # fmt: skip
_SWITCH = {"1": True, "on": True, "yes": True, "true": True, "0": False, "off": False, "no": False, "false": False}  # fmt: skip


#: What the columns are called in Chinese; both are read, whatever the language.
CHINESE = {
    "sn": "序列号", "mac": "MAC", "any": "型号", "count": "数量", "address": "地址", "name": "名称",
    "activation_code": "激活码", "wifi_ssid": "Wi-Fi 名称", "wifi_password": "Wi-Fi 密码", "wifi_hidden": "Wi-Fi 隐藏",
    "sdcard": "SD 卡",
    "ir": "夜视", "led": "指示灯", "rotation": "画面旋转", "motion": "动态侦测灵敏度", "sound": "声音侦测灵敏度",
    "days": "侦测日", "from": "开始时间", "to": "结束时间", "zoom": "缩放", "focus": "聚焦",
    "door_line": "进店划线", "face_groups": "人脸分组", "events": "事件", "callback": "回调地址", "ip": "IP 地址",
    "netmask": "子网掩码", "gateway": "网关", "dns": "DNS",
}  # fmt: skip
_ALSO = {
    "serial number": "sn", "serial": "sn", "s/n": "sn", "model": "any", "camera": "name", "ssid": "wifi_ssid",
    "wi-fi": "wifi_ssid", "wifi": "wifi_ssid", "wi-fi name": "wifi_ssid", "wi-fi password": "wifi_password",
    "sd card": "sdcard", "night mode": "ir", "number": "count", "序号": "#", "设备序列号": "sn", "摄像机名称": "name",
    "设备名称": "name", "mac 地址": "mac", "mac地址": "mac", "wifi名称": "wifi_ssid", "wifi密码": "wifi_password",
    "无线名称": "wifi_ssid", "无线密码": "wifi_password", "拌线": "door_line", "变焦": "zoom", "对焦": "focus", "备注": "#", "note": "#", "notes": "#",
}  # fmt: skip


def _folded(heading: str) -> str:
    return re.sub(r"[\s_]+", "", heading).lower().replace("：", ":")


_BY_HEADING = (
    {_folded(name): name for name in COLUMNS}
    | {_folded(heading): name for name, heading in CHINESE.items()}
    | {_folded(heading): name for heading, name in _ALSO.items()}
)
#: Values as people write them in Chinese.
_WORDS = {
    "ir": {"开": "on", "打开": "on", "关": "off", "关闭": "off", "自动": "auto"},
    "sdcard": {"忽略": "ignore", "必须": "require", "格式化空白卡": "format-blank"},
    "led": {"开": "on", "打开": "on", "是": "on", "关": "off", "关闭": "off", "否": "off"},
    "wifi_hidden": {"是": "yes", "否": "no"},
    "days": {"每天": "everyday", "始终": "always", "全天": "always"},
}


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]], names: Iterable[str], lang: Language) -> None:
    """A site file as CSV, for spreadsheets; headings that begin with ``#`` are not read again.

    Raises:
        OSError: It cannot be written.

    """
    titles = {name: CHINESE.get(name, name) for name in COLUMNS} if lang == "zh" else {}
    csvfile.write(path, rows, list(names), title=titles)


def read_csv(raw: bytes, path: Path) -> tuple[dict[str, Any], dict[Keys, int]]:
    """The document that a CSV file is, and the line of every key; raises SiteError."""
    try:
        text = decode(raw)
    except Uncertain as error:
        raise SiteError(
            "{where}: {key}: what is written here can be read in several ways",
            where=f"{path.name}:{error.line}", key="-",
            hint="Save the file as 'CSV UTF-8' (Excel), or with character set Unicode (UTF-8) (LibreOffice).",
        ) from None  # fmt: skip
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.partition("\n")
    skipped = 0
    if re.fullmatch(r"sep=.", first.strip(), re.IGNORECASE):  # a line for Excel
        text, first, skipped = rest, rest.partition("\n")[0], 1
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        rows = [(skipped + reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise SiteError(
            "{where}: {key}: not CSV: {reason}",
            where=f"{path.name}:{skipped + reader.line_num}", key="-", reason=str(error),
        ) from None  # fmt: skip
    header = [column(cell) for cell in rows[0][1]] if rows else []
    for name in header:
        if name and header.count(name) > 1:
            raise SiteError(
                "{where}: {key}: this column is there twice", where=f"{path.name}:{1 + skipped}", key=name
            )
        if name and name not in COLUMNS:
            raise SiteError(
                "{where}: {key}: there is no such column", where=f"{path.name}:{1 + skipped}", key=name,
                hint="Columns: {columns}.", columns=", ".join(COLUMNS),
            )  # fmt: skip
    cameras: list[dict[str, Any]] = []
    lines: dict[Keys, int] = {("cameras",): 1}
    for line, cells in rows[1:]:
        if any(cell.strip() for cell in cells[len(header) :]):
            raise SiteError(
                "{where}: {key}: more cells than columns", where=f"{path.name}:{line}", key="-",
                hint="A text with a comma or semicolon in it needs quotes around it.",
            )  # fmt: skip
        # Blanks belong to a network's name and password, and to nothing else.
        row = {
            k: v if k.startswith("wifi_") else v.strip()
            for k, v in zip(header, cells, strict=False)
            if k and v.strip()
        }
        if not row:
            continue
        entry = _entry(row, f"{path.name}:{line}")
        lines[("cameras", len(cameras))] = line
        for key, value in entry.items():
            lines[("cameras", len(cameras), key)] = line
            if isinstance(value, dict):
                lines |= {("cameras", len(cameras), key, inner): line for inner in value}
        cameras.append(entry)
    return {"cameras": cameras}, lines


def column(heading: str) -> str:
    """The column that a heading means, empty for a remark; what is none stays as it was written."""
    plain = heading.strip().lstrip("\ufeff")
    known = _BY_HEADING.get(_folded(plain), plain.lower())
    return "" if known.startswith("#") else known


def _entry(row: dict[str, str], where: str) -> dict[str, Any]:
    """One row as the table that TOML would have."""
    row = {key: _WORDS.get(key, {}).get(value, value) for key, value in row.items()}
    if "name" in row:
        row["name"] = csvfile.unguard(row["name"])
    for key in ("from", "to"):
        if key in row:
            row[key] = _of_day(row[key])
    entry: dict[str, Any] = {key: row[key] for key in _PLAIN if key in row}
    for column, (table, key) in _NESTED.items():
        if column in row:
            entry.setdefault(table, {})[key] = _number(row[column])
    if "wifi" in entry:
        entry["wifi"] = {k: row[f"wifi_{k}"] for k in ("ssid", "password") if f"wifi_{k}" in row}
        if "wifi_hidden" in row:
            hidden = row["wifi_hidden"].strip().lower()
            entry["wifi"]["hidden"] = _SWITCH.get(hidden, hidden)
    if "ip" in entry:
        entry["ip"]["dhcp"] = False
    if "days" in row:
        days = row["days"].lower()
        entry["detection"]["days"] = days if days in ("always", "everyday") else re.split(r"[\s,;]+", days)
    for column in ("count", "rotation"):
        if column in row:
            entry[column] = _number(row[column])
    if "led" in row:
        entry["led"] = _SWITCH.get(row["led"].lower(), row["led"])
    if "door_line" in row:
        entry["door_line"] = [_number(part) for part in re.split(r"[\s,;]+", row["door_line"])]
    if "face_groups" in row:
        entry["face_groups"] = []
        for part in map(str.strip, re.split(r"[,;]", row["face_groups"])):
            name, colon, capacity = part.rpartition(":")
            if not colon:
                raise SiteError(
                    "{where}: {key}: not allowed", where=where, key="face_groups",
                    hint="Allowed: {bounds}.", bounds="VIP:100; Staff:50",
                )  # fmt: skip
            entry["face_groups"].append({"name": name.strip(), "capacity": _number(capacity)})
    if "events" in row or "callback" in row:
        wish = {"events": re.split(r"[\s,;]+", row["events"])} if "events" in row else {}
        entry["subscriptions"] = [wish | ({"callback": row["callback"]} if "callback" in row else {})]
    return entry


def _number(text: str) -> int | str:
    return int(text) if text.strip().isascii() and text.strip().isdecimal() and len(text) < 10 else text


def _of_day(text: str) -> str:
    """A time of day; a spreadsheet that shows a number has it as part of a day."""
    if re.fullmatch(r"0?[.,]\d{1,17}", text):
        minutes = round(float(text.replace(",", ".")) * 1440)
        return f"{minutes // 60}:{minutes % 60:02}"
    return text
