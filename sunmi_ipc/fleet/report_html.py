"""The report as one HTML file: no script, nothing from the network, prints well.

Whatever a camera or the site file says is escaped; pictures stand inside the file.
"""

from __future__ import annotations

import os
import time
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..i18n import Language
from .report import Row, cells, counts, label, lasted, when

_STYLE = """
:root { --line: #d5d9de; --dim: #5c6670; --ok: #1a7f37; --bad: #b42318; --warn: #9a6700; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem; color: #16191d; background: #fff;
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.7rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 0; }
.dim { color: var(--dim); }
.sum { display: flex; flex-wrap: wrap; gap: .75rem; padding: 0; margin: 1.25rem 0; list-style: none; }
.sum li { border: 1px solid var(--line); border-radius: 8px; padding: .5rem .9rem; }
.sum b { display: block; font-size: 1.4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; color: var(--dim); }
.tag { border-radius: 99px; padding: .1rem .6rem; font-size: .85rem; font-weight: 600; color: #fff; background: var(--dim); }
.ok { background: var(--ok); } .failed, .absent { background: var(--bad); } .differs, .refused { background: var(--warn); }
article { border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.1rem; margin: 1rem 0; break-inside: avoid; }
article header { display: flex; gap: .75rem; align-items: center; flex-wrap: wrap; margin-bottom: .6rem; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 1.1rem; }
figure { margin: 0; } figure svg { width: 100%; height: auto; border-radius: 6px; background: #e9ecef; display: block; }
figcaption { font-size: .85rem; color: var(--dim); margin-top: .25rem; }
.problem { border-left: 4px solid var(--bad); padding: .3rem .7rem; margin: .5rem 0; background: #fdf3f2; }
details { margin-top: .6rem; } summary { cursor: pointer; color: var(--dim); }
@media (max-width: 40rem) { .two { grid-template-columns: 1fr; } }
@media print { body { max-width: none; padding: 0; font-size: 11px; } details > * { display: table; }
  article { border-radius: 0; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } a { color: inherit; } }
"""
_FACTS = ("mac", "address", "model", "firmware", "activated", "card", "door_line", "updated")


def write_html(path: str | os.PathLike[str], name: str, rows: Sequence[Row], lang: Language) -> None:
    """Write the report of a site called *name*."""
    Path(path).write_text(page(name, rows, lang), "utf-8")


def page(name: str, rows: Sequence[Row], lang: Language) -> str:
    """The report's HTML."""

    def t(word: str) -> str:
        return escape(label(word, lang))

    title = escape(name) or t("Cameras")
    tags = "".join(f"<li><b>{count}</b>{t(word)}</li>" for word, count in counts(rows).items())
    overview = "".join(_overview(row, lang) for row in rows)
    head = "".join(f"<th>{t(word)}</th>" for word in ("sn", "name", "address", "standing", "card"))
    cards = "\n".join(_card(row, lang) for row in rows)
    return f"""<!DOCTYPE html>
<html lang="{"zh-CN" if lang == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p class="dim">{t("Hand-over report")}, {when(time.time())}</p>
<ul class="sum"><li><b>{len(rows)}</b>{t("cameras")}</li>{tags}</ul>
<table><thead><tr>{head}</tr></thead><tbody>
{overview}</tbody></table>
{cards}
</body>
</html>
"""


def _standing(row: Row) -> str:
    return str(row.outcome.standing) if row.updated else "begun"


def _overview(row: Row, lang: Language) -> str:
    text = {key: escape(value) for key, value in cells(row, lang).items()}
    tag = f'<span class="tag {_standing(row)}">{text["standing"]}</span>'
    return (
        f'<tr><td><a href="#{escape(row.slot.key, quote=True)}">{text["sn"]}</a></td><td>{text["name"]}</td>'
        f"<td>{text['address']}</td><td>{tag}</td><td>{text['card']}</td></tr>\n"
    )


def _card(row: Row, lang: Language) -> str:
    def t(word: str) -> str:
        return escape(label(word, lang))

    text = {key: escape(value) for key, value in cells(row, lang).items()}
    facts = "".join(f"<tr><th>{t(key)}</th><td>{text[key]}</td></tr>" for key in _FACTS if text[key])
    problems = "".join(
        f'<div class="problem"><b>{t(p.setting or p.step)}</b>: {escape(p.message(lang))}'
        + (f"<br>{t('Next step')}: {escape(p.hint(lang))}" if p.hint(lang) else "")
        + "</div>"
        for p in row.outcome.problems
    )
    notes = ""
    if row.outcome.notes:
        listed = ", ".join(t(note) for note in row.outcome.notes)
        notes = f'<p class="dim">{t("not on this model")}: {listed}</p>'
    steps = "".join(
        f"<tr><td>{t(s.setting or s.step)}</td><td>{when(s.began)}</td><td>{lasted(s)}</td><td>{t(s.state)}</td></tr>"
        for s in row.steps
    )
    if steps:
        head = "".join(f"<th>{t(word)}</th>" for word in ("step", "began", "lasted", "state"))
        steps = (
            f"<details open><summary>{t('steps')}</summary><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{steps}</tbody></table></details>"
        )
    return (
        f'<article id="{escape(row.slot.key, quote=True)}"><header><h2>{text["name"] or text["sn"]}</h2>'
        f'<span class="dim">{text["sn"]}</span><span class="tag {_standing(row)}">{text["standing"]}</span></header>'
        f'<div class="two"><table><tbody>{facts}</tbody></table>{_picture(row, lang)}</div>{problems}{notes}{steps}</article>'
    )


def _picture(row: Row, lang: Language) -> str:
    """The snapshot with the door line over it; the line alone where there is no picture."""
    missing = ""
    if row.missing:
        missing = escape(": ".join(label(word, lang) for word in ("no picture", row.missing)))
    if not row.picture and row.line is None:
        return f'<p class="dim">{missing}</p>'
    image = line = ""
    if row.picture:
        data = b64encode(row.picture).decode("ascii")
        image = f'<image href="data:image/{row.kind};base64,{data}" width="1920" height="1080" preserveAspectRatio="none"/>'
    if row.line is not None:
        x1, y1, x2, y2 = row.line
        ends = "".join(f'<circle cx="{x}" cy="{y}" r="16" fill="#ff3b30"/>' for x, y in ((x1, y1), (x2, y2)))
        line = (
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#fff" stroke-width="16"/>'
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#ff3b30" stroke-width="9"/>{ends}'
        )
    words = [word for word, there in (("snapshot", row.picture), ("door_line", row.line)) if there]
    caption = ", ".join(escape(label(word, lang)) for word in words)
    if missing:
        caption += f" ({missing})"
    return (
        f'<figure><svg viewBox="0 0 1920 1080" role="img" aria-label="{caption}">{image}{line}</svg>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
