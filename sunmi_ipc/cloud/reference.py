"""The table in ``docs/cloud.md``, made from the endpoint table: ``python -m sunmi_ipc.cloud.reference``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from ..protocol.spec import Endpoint, registry
from .spec import SIGNING, CloudEndpoint, in_words

BEGIN, END = "<!-- endpoints: made by python -m sunmi_ipc.cloud.reference -->", "<!-- end of endpoints -->"


def table() -> str:
    """The table, as Markdown."""
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


def updated(page: str) -> str:
    """*page* with its table made anew."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{tail}"


if __name__ == "__main__":
    path: Path = Path("docs/cloud.md")
    path.write_text(updated(path.read_text("utf-8")), "utf-8")
