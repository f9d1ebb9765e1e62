"""What the site adds to the pages: links out of the docs folder lead to the text's place in the copy at hand."""

from __future__ import annotations

import re
from typing import Any

#: Pages that stand outside docs/, by what links call them, and the page of the site that has their matter.
ELSEWHERE = {
    "../SECURITY.md": "security.md",
    "../certs/README.md": "install.md",
    "../README.md": "index.md",
    "../README.zh-CN.md": "index.md",
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Lead links to pages outside docs/ to their matter on the site; drop the line that leads to the other language."""
    for outside, inside in ELSEWHERE.items():
        markdown = markdown.replace(f"]({outside})", f"]({inside})")
    # The site has a menu for that; on a page of a repository the line is the way.
    return re.sub(r"^\[(?:中文|English)\]\([\w.-]+\)\n\n", "", markdown, count=1, flags=re.M)
