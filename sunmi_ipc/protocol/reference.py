"""The reference of the endpoint table, as Markdown, in both languages: ``docs/endpoints.md`` is made by it."""

from __future__ import annotations

import re
from typing import Any

from ..i18n import Language, translate
from .seen import proven
from .spec import ALL_MODELS, Endpoint, Evidence, Sign, registry

_HEAD: dict[Language, str] = {
    "en": """# Endpoints

Generated from the endpoint table by `python -m sunmi_ipc_cli.reference`; a test holds it current.

*Evidence*: `documented` by the vendor; `sdk`: named in the vendor's SDK; `inferred` by us; `proven` by a real camera, with its model and firmware. The second word, where there is one, is for the parameters. Inferred facts can be corrected without a release: `ipc protocol probe --write`, `ipc protocol import-postman FILE`, or `overrides.toml` in the config directory.

The heading is the name in the library: `device.info` is `camera.device.info()`. The results' fields are on [the models' page](models.md), the codes' meanings on [the errors' page](errors.md).
""",
    "zh": """# 接口

本页由 `python -m sunmi_ipc_cli.reference` 根据接口表生成，有测试保证它与代码一致。

*依据*：`documented` 表示厂商文档写明；`sdk` 表示厂商 SDK 中有此名称；`inferred` 表示由我们推断；`proven` 表示由真实的摄像机证实，并注明型号和固件。有两个词时，第二个针对参数。推断的内容不必等新版本就能修正：`ipc protocol probe --write`、`ipc protocol import-postman 文件`，或配置文件夹中的 `overrides.toml`。

标题是库中的名称：`device.info` 即 `camera.device.info()`。结果的字段见[数据模型](models.md)，返回码的含义见[错误](errors.md)。
""",
}
_WORDS: dict[str, str] = {
    "all models": "所有型号",
    "returns": "结果",
    "nothing": "无",
    "documented": "文档写明",
    "inferred": "推断",
    "Codes": "返回码",
    "optional": "可选",
    "| parameter | on the wire | type | allowed | what |": "| 参数 | 传输名称 | 类型 | 允许的值 | 说明 |",
    "Signed with": "签名用",
    "activation code": "激活码",
    "none": "不签名",
    "Destroys": "会删除",
}
_BOUNDS = (
    (r"^from (\d+)(?: (.+))?$", r"不小于 \1 \2"),
    (r"^at most (\d+) bytes$", r"最多 \1 字节"),
    (r"^(\d+-\d+) (.+)$", r"\1 \2"),
)
_UNITS = {
    "characters": "个字符",
    "Unix seconds": "Unix 秒",
    "percent": "%",
    "pixels": "像素",
    "years": "岁",
    "degrees": "度",
    "seconds": "秒",
    "steps": "步",
    "days": "天",
    "minutes": "分钟",
}


def evidence(endpoint: Endpoint[..., Any]) -> str:
    """How sure path and parameters are."""
    if shown := proven(endpoint.path):
        return shown
    path, params = str(endpoint.evidence), str(endpoint.params_evidence)
    return path if path == params else f"{path}, {params}"


def said(text: str, lang: Language) -> str:
    """*text* of a docstring in *lang*, as Markdown."""
    return re.sub(r"``(.+?)``", r"`\1`", translate(text, lang, {}))


def allowed(bounds: str, lang: Language) -> str:
    """The bounds of a parameter in words."""
    if lang == "en" or not bounds:
        return bounds
    for pattern, text in _BOUNDS:
        bounds = re.sub(pattern, text, bounds)
    for unit, text in _UNITS.items():
        bounds = re.sub(rf"\b{unit}$", text, bounds)
    return bounds.strip()


def markdown(lang: Language = "en") -> str:
    """The whole page."""
    lines = [_HEAD[lang]]
    group = ""
    for endpoint in registry().values():
        if endpoint.group != group:
            group = endpoint.group
            lines += [f"\n## {group}\n"]
        lines.append(_section(endpoint, lang))
    return "\n".join(lines).rstrip() + "\n"


def _section(endpoint: Endpoint[..., Any], lang: Language) -> str:
    def word(text: str) -> str:
        return text if lang == "en" else _WORDS[text]

    stop, colon, blank = ("。", "：", "") if lang == "zh" else (".", ": ", " ")
    result = (
        f"[`{endpoint.result.__name__}`](models.md#{endpoint.result.__name__.lower()})"
        if endpoint.result
        else word("nothing")
    )
    models = word("all models") if endpoint.models == ALL_MODELS else ", ".join(sorted(endpoint.models))
    signed = (
        ""
        if endpoint.sign is Sign.SECRET
        else f"{blank}{word('Signed with')}{colon}{word(str(endpoint.sign))}{stop}"
    )
    lost = (
        f"{blank}**{word('Destroys')}{blank}{said(endpoint.destroys, lang)}{stop}**"
        if endpoint.destroys
        else ""
    )
    lines = [
        f"### `{endpoint.key}`",
        "",
        f"`{endpoint.path}` · {evidence(endpoint)} · {models} · {word('returns')} {result}",
        "",
        f"{said(endpoint.summary, lang)}{signed}{lost}",
        "",
    ]
    if endpoint.parameters:
        lines += [word("| parameter | on the wire | type | allowed | what |"), "|---|---|---|---|---|"]
        optional = f"（{word('optional')}）" if lang == "zh" else f" ({word('optional')})"
        for p in endpoint.parameters:
            name = f"`{p.name}`" + ("" if p.required else optional)
            bounds = allowed(p.bounds, lang) or " "
            lines.append(f"| {name} | `{p.wire}` | {p.base.__name__} | {bounds} | {said(p.help, lang)} |")
        lines.append("")
    codes = ", ".join(str(int(code)) for code in sorted(endpoint.codes))
    known = word("documented" if endpoint.codes_evidence is Evidence.DOC else "inferred")
    head = f"{word('Codes')}（{known}）：" if lang == "zh" else f"{word('Codes')} ({known}): "
    lines += [f"{head}{codes}", ""]
    return "\n".join(lines)
