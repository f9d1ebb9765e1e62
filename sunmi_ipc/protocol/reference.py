"""The reference of the endpoint table, as Markdown; ``docs/endpoints.md`` is made by it."""

from __future__ import annotations

from typing import Any

from .seen import proven
from .spec import ALL_MODELS, Endpoint, Evidence, Sign, registry

_HEAD = """# Endpoints

Generated from the endpoint table by `python -m sunmi_ipc.protocol.reference`; a test holds it current.

*Evidence*: `documented` by the vendor; `sdk`: named in the vendor's SDK; `inferred` by us; `proven` by a real camera, with its model and firmware. The second word, where there is one, is for the parameters. Inferred facts can be corrected without a release: `ipc protocol import-postman FILE`, or `overrides.toml` in the config directory.
"""


def evidence(endpoint: Endpoint[..., Any]) -> str:
    """How sure path and parameters are."""
    if shown := proven(endpoint.path):
        return shown
    path, params = str(endpoint.evidence), str(endpoint.params_evidence)
    return path if path == params else f"{path}, {params}"


def markdown() -> str:
    """The whole page."""
    lines = [_HEAD]
    group = ""
    for endpoint in registry().values():
        if endpoint.group != group:
            group = endpoint.group
            lines += [f"\n## {group}\n"]
        lines.append(_section(endpoint))
    return "\n".join(lines).rstrip() + "\n"


def _section(endpoint: Endpoint[..., Any]) -> str:
    result = endpoint.result.__name__ if endpoint.result else "nothing"
    models = "all models" if endpoint.models == ALL_MODELS else ", ".join(sorted(endpoint.models))
    signed = "" if endpoint.sign is Sign.SECRET else f" Signed with: {endpoint.sign}."
    lost = f" **Destroys {endpoint.destroys}.**" if endpoint.destroys else ""
    lines = [
        f"### `{endpoint.key}`",
        "",
        f"`{endpoint.path}` · {evidence(endpoint)} · {models} · returns {result}",
        "",
        f"{endpoint.summary}{signed}{lost}",
        "",
    ]
    if endpoint.parameters:
        lines += ["| parameter | on the wire | type | allowed | what |", "|---|---|---|---|---|"]
        for p in endpoint.parameters:
            name = f"`{p.name}`" + ("" if p.required else " (optional)")
            lines.append(f"| {name} | `{p.wire}` | {p.base.__name__} | {p.bounds or ' '} | {p.help} |")
        lines.append("")
    codes = ", ".join(str(int(code)) for code in sorted(endpoint.codes))
    known = "documented" if endpoint.codes_evidence is Evidence.DOC else "inferred"
    lines += [f"Codes ({known}): {codes}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    from pathlib import Path

    Path("docs/endpoints.md").write_text(markdown(), "utf-8")
