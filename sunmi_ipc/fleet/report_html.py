"""The report as one HTML file: no script, nothing from the network, prints well.

Whatever a camera or the site file says is escaped; pictures stand inside the file.
"""

from __future__ import annotations

import os
import re
import time
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..atomic import whole
from ..i18n import Language, translate
from .report import Row, cells, label, lasted, when

_STYLE = """
:root { color-scheme: light dark; --line: #d5d9de; --dim: #5c6670; --ok: #1a7f37; --bad: #b42318; --warn: #9a6700;
  --ink: #16191d; --paper: #fff; --blank: #e9ecef; --blame: #fdf3f2; }
@media screen and (prefers-color-scheme: dark) {
  :root { --line: #3a4149; --dim: #a3adb8; --ink: #e6e9ec; --paper: #14171a; --blank: #262b31; --blame: #2d1b19; }
  .tag { --dim: #5c6670; }
}
@media not screen { :root { color-scheme: light; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem; color: var(--ink); background: var(--paper); overflow-wrap: break-word;
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.7rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 0; min-width: 0; }
.dim { color: var(--dim); }
.sum { display: flex; flex-wrap: wrap; gap: .75rem; padding: 0; margin: 1.25rem 0; list-style: none; }
.sum b { display: block; font-size: 1.4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
th, .one { white-space: nowrap; }
td { word-break: keep-all; }
th { font-weight: 600; color: var(--dim); }
.sum a { display: block; border: 1px solid var(--line); border-radius: 8px; padding: .5rem .9rem; color: inherit; text-decoration: none; white-space: nowrap; }
.sum a:hover { border-color: var(--dim); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .25rem; }
.tag { white-space: nowrap; border-radius: 99px; padding: .1rem .6rem; font-size: .85rem; font-weight: 600; color: #fff; background: var(--dim); }
.ok { background: var(--ok); } .failed, .absent { background: var(--bad); } .differs, .refused { background: var(--warn); }
article { border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.1rem; margin: 1rem 0; break-inside: avoid; }
article header { display: flex; gap: .75rem; align-items: center; flex-wrap: wrap; margin-bottom: .6rem; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 1.1rem; }
figure { margin: 0; } figure svg { width: 100%; height: auto; border-radius: 6px; background: var(--blank); display: block; }
figcaption { font-size: .85rem; color: var(--dim); margin-top: .25rem; }
article { overflow-wrap: break-word; word-break: keep-all; }
.problem { border-left: 4px solid var(--bad); padding: .3rem .7rem; margin: .5rem 0; background: var(--blame); }
details { margin-top: .6rem; } summary { cursor: pointer; color: var(--dim); }
.two > * { min-width: 0; }
@media (max-width: 40rem) {
  body { padding: 1rem .75rem; }
  .two { grid-template-columns: minmax(0, 1fr); }
  .rows thead { position: absolute; left: -99999px; }
  .rows tr { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; padding: .45rem 0; border-bottom: 1px solid var(--line); }
  .rows td { border: 0; padding: 0; }
  .rows td:empty { display: none; }
  .rows td:first-child { flex: 1 0 auto; }
  .over td:nth-child(2) { order: 4; flex: 1 0 100%; }
  .over td:nth-child(3), .over td:nth-child(5) { order: 5; color: var(--dim); }
  .facts th { padding-right: .5rem; }
  article { padding: .8rem .75rem; }
}
@page { margin: 12mm; }
@media print { h3 { break-after: avoid; } tr, .sum { break-inside: avoid; } body { max-width: none; padding: 0; font-size: 11px; } details > * { display: table; }
  .rows tr { display: table-row; } .rows thead { position: static; }
  article { border-radius: 0; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } a { color: inherit; } }
"""
_FACTS = ("mac", "address", "model", "firmware", "activated", "card", "door_line", "updated")

_LONGEST_WORD = 40
_WORDS = re.compile(r"\s+|\S+")
_PART = re.compile(r".{1,10}", re.DOTALL)


def write_html(path: str | os.PathLike[str], name: str, rows: Sequence[Row], lang: Language) -> None:
    """Write the report of a site called *name*."""
    with whole(Path(path), mode=0o644) as file:
        file.write(page(name, rows, lang).encode("utf-8", "replace"))


def _text(value: str) -> str:
    """*value* for the page; a word as long as no word is may be broken, so that it does not widen the page."""
    return "".join(
        "<wbr>".join(escape(part) for part in _PART.findall(word))
        if len(word) > _LONGEST_WORD
        else escape(word)
        for word in _WORDS.findall(value)
    )


def page(name: str, rows: Sequence[Row], lang: Language) -> str:
    """The report's HTML."""

    def t(word: str) -> str:
        return escape(label(word, lang))

    title = escape(name) or t("Cameras")
    colon = translate(": ", lang, {})
    stop = "，" if lang == "zh" else ", "  # not the mark of a list
    # What needs somebody comes first.
    order = {word: place for place, word in enumerate(_ORDER)}
    groups: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: order.get(_word(row), 0)):
        groups.setdefault(_word(row), []).append(row)
    tags = "".join(
        f'<li><a href="#{_anchor(word)}"><b>{len(of)}</b>{t(word)}</a></li>' for word, of in groups.items()
    )
    overview = "".join(_overview(row, lang) for of in groups.values() for row in of)
    head = "".join(f"<th>{t(word)}</th>" for word in ("sn", "name", "address", "standing", "card"))
    cards = "\n".join(
        f'<section id="{_anchor(word)}"><h3>{t(word)}{colon}{len(of)}</h3>\n'
        + "\n".join(_card(row, lang) for row in of)
        + "</section>"
        for word, of in groups.items()
    )
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
<h1>{_text(name) or t("Cameras")}</h1>
<p class="dim">{t("Hand-over report")}{stop}{when(time.time())}</p>
<ul class="sum"><li><a href="#overview"><b>{len(rows)}</b>{t("cameras")}</a></li>{tags}</ul>
<table class="rows over" id="overview"><thead><tr>{head}</tr></thead><tbody>
{overview}</tbody></table>
{cards}
</body>
</html>
"""


#: Standings in the order of who needs somebody.
_ORDER = ("failed", "absent", "refused", "differs", "stopped", "not begun", "ok")


def _word(row: Row) -> str:
    return str(row.outcome.standing) if row.updated else "not begun"


def _anchor(word: str) -> str:
    return f"standing-{word.replace(' ', '-')}"


def _standing(row: Row) -> str:
    return str(row.outcome.standing) if row.updated else "begun"


def _overview(row: Row, lang: Language) -> str:
    text = {key: _text(value) for key, value in cells(row, lang).items()}
    tag = f'<span class="tag {_standing(row)}">{text["standing"]}</span>'
    return (
        f'<tr><td class="one"><a href="#{escape(row.slot.key, quote=True)}">{text["sn"]}</a></td><td>{text["name"]}</td>'
        f'<td class="one">{text["address"]}</td><td class="one">{tag}</td><td class="one">{text["card"]}</td></tr>\n'
    )


def _card(row: Row, lang: Language) -> str:
    def t(word: str) -> str:
        return escape(label(word, lang))

    colon = translate(": ", lang, {})
    text = {key: _text(value) for key, value in cells(row, lang).items()}
    facts = "".join(f"<tr><th>{t(key)}</th><td>{text[key]}</td></tr>" for key in _FACTS if text[key])
    problems = "".join(
        f'<div class="problem"><b>{t(p.setting or p.step)}</b>{colon}{_text(p.message(lang))}'
        + (f"<br>{t('Next step')}{colon}{_text(p.hint(lang))}" if p.hint(lang) else "")
        + "</div>"
        for p in row.outcome.problems
    )
    notes = ""
    if row.outcome.notes:
        listed = translate(", ", lang, {}).join(t(note) for note in row.outcome.notes)
        notes = f'<p class="dim">{t("not on this model")}{colon}{listed}</p>'
    steps = "".join(
        f'<tr><td>{t(s.setting or s.step)}</td><td class="one">{when(s.began)}</td>'
        f'<td class="one">{lasted(s, lang)}</td><td class="one">{t(s.state)}</td></tr>'
        for s in row.steps
    )
    if steps:
        head = "".join(f"<th>{t(word)}</th>" for word in ("step", "began", "lasted", "state"))
        steps = (
            f'<details open><summary>{t("steps")}</summary><table class="rows"><thead><tr>{head}</tr></thead>'
            f"<tbody>{steps}</tbody></table></details>"
        )
    number = f'<span class="dim one">{text["sn"]}</span>' if text["name"] else ""
    return (
        f'<article id="{escape(row.slot.key, quote=True)}"><header><h2>{text["name"] or text["sn"]}</h2>{number}'
        f'<span class="tag {_standing(row)}">{text["standing"]}</span></header>'
        f'<div class="two"><table class="facts"><tbody>{facts}</tbody></table>{_picture(row, lang)}</div>{problems}{notes}{steps}</article>'
    )


def _picture(row: Row, lang: Language) -> str:
    """The snapshot with the door line over it; the line alone where there is no picture."""
    missing = ""
    if row.missing:
        missing = escape(
            translate(": ", lang, {}).join(label(word, lang) for word in ("no picture", row.missing))
        )
    if not row.picture and row.line is None:
        return f'<p class="dim">{missing}</p>'
    image = line = ""
    width, height = row.size or (1920, 1080)
    tall = round(1920 * height / width)  # an FM010's picture is square; lines are in pixels of 1920
    if row.picture:
        data = b64encode(row.picture).decode("ascii")
        image = f'<image href="data:image/{row.kind};base64,{data}" width="1920" height="{tall}"/>'
    if row.line is not None:
        x1, y1, x2, y2 = row.line
        ends = "".join(f'<circle cx="{x}" cy="{y}" r="16" fill="#ff3b30"/>' for x, y in ((x1, y1), (x2, y2)))
        line = (
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#fff" stroke-width="16"/>'
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#ff3b30" stroke-width="9"/>{ends}'
        )
    words = [word for word, there in (("snapshot", row.picture), ("door_line", row.line)) if there]
    caption = translate(", ", lang, {}).join(escape(label(word, lang)) for word in words)
    if missing:
        caption += f"（{missing}）" if lang == "zh" else f" ({missing})"
    return (
        f'<figure><svg viewBox="0 0 1920 {tall}" role="img" aria-label="{caption}">{image}{line}</svg>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
