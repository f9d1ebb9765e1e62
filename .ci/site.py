"""What the site adds to the pages: links out of the docs folder lead to the text's place in the copy at hand.

The threat model stands beside the README, where people look for it; the site shows it at the top of its page on
security. Chinese has no blanks between words: for the search they are put in here, word by word, and taken out of
what the search shows.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
#: Pages that stand outside docs/, by what links call them, and the page of the site that has their matter.
ELSEWHERE = {
    "../SECURITY.md": "security.md",
    "../SECURITY.zh-CN.md": "security.md",
    "../certs/README.md": "install.md",
    "../README.md": "index.md",
    "../README.zh-CN.md": "index.md",
}
#: The page on security, and the threat model that belongs to it.
MODELS = {"security.md": "SECURITY.md", "security.zh-CN.md": "SECURITY.zh-CN.md"}


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links to pages outside docs/ to their matter on the site; drop the line that leads to the other language."""
    if model := MODELS.get(page.file.src_uri):
        markdown = _with_model(markdown, (ROOT / model).read_text("utf-8"), model)
    for outside, inside in ELSEWHERE.items():
        markdown = markdown.replace(f"]({outside})", f"]({inside})")
    # The site has a menu for that; on a page of a repository the line is the way.
    return re.sub(r"^\[(?:中文|English)\]\([\w.-]+\)\n\n", "", markdown, count=1, flags=re.M)


def _with_model(page: str, model: str, name: str) -> str:
    """The *page* on security below the threat *model*: one page with one title."""
    title, _, threats = page.partition("\n")
    heading, _, text = model.partition("\n")
    text = re.sub(r"^\n\[(?:中文|English)\]\([\w.-]+\)\n", "", text, count=1)
    text = re.sub(r"\]\(docs/", "](", text)
    threats = re.sub(r"^\n\[(?:中文|English)\]\([\w.-]+\)\n", "", threats, count=1)
    # The table's own sections are parts of it here.
    threats = re.sub(r"^## ", "### ", threats, flags=re.M)
    return f"{heading}\n{text}\n## {title.removeprefix('# ')}\n{threats}".replace(
        f"](../{name})", "](security.md)"
    )
