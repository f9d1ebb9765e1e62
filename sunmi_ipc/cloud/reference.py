"""The table in ``docs/cloud.md``, made from the endpoint table: ``python -m sunmi_ipc_cli.reference``."""

from __future__ import annotations

import re
from typing import Any, cast

from ..i18n import Language
from ..protocol.spec import Endpoint, registry
from .spec import SIGNING, CloudEndpoint, in_words

BEGIN, END = "<!-- endpoints: made by python -m sunmi_ipc_cli.reference -->", "<!-- end of endpoints -->"


_CHINESE = (
    ("| method | path | parameters | answers | codes |", "| 方法 | 路径 | 参数 | 结果 | 返回码 |"),
    ("in development", "开发中"),
    ("no shop", "不需要门店"),
    ("ends before today", "在今天之前结束"),
    (r"at most (\d+) days", r"最多 \1 天"),
    (r"at most (\d+) weeks", r"最多 \1 周"),
    (r"at most (\d+) months", r"最多 \1 个月"),
    (r"at most (\d+) hours", r"最多 \1 小时"),
    (r"at most (\d+) seconds", r"最多 \1 秒"),
    ("\\| nothing \\|", "| 无 |"),
)


def table(lang: Language = "en") -> str:
    """The table, as Markdown."""
    text = _table()
    if lang == "zh":
        text = text.replace(*_CHINESE[0])
        for english, chinese in _CHINESE[1:]:
            text = re.sub(english, chinese, text)
    return text


def _table() -> str:
    lines = [
        "| method | path | parameters | answers | codes |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(endpoint) for endpoint in registry("cloud").values()]
    return "\n".join(lines)


def _row(endpoint: Endpoint[..., Any]) -> str:
    cloud = cast("CloudEndpoint[..., Any]", endpoint)
    parameters = ", ".join(f"`{p.wire}`" + ("" if p.required else "?") for p in endpoint.parameters)
    marks = ["in development"] if cloud.in_development else []
    marks += [] if cloud.shop else ["no shop"]
    marks += [f"at most {in_words(cloud.longest)}"] if cloud.longest else []
    marks += ["ends before today"] if cloud.past else []
    notes = f" ({'; '.join(marks)})" if marks else ""
    result = endpoint.result.__name__ if endpoint.result else "nothing"
    codes = " ".join(str(code) for code in sorted(endpoint.codes - SIGNING - {0}))
    return f"| `{endpoint.key}` | `/{endpoint.path}`{notes} | {parameters} | {result} | {codes} |"


def updated(page: str, lang: Language = "en") -> str:
    """*page* with its table made anew."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table(lang)}\n\n{END}{tail}"
