"""The pictures of the console in README and docs: which there are, and what they show.

``tests/console/test_pictures.py`` makes each of them in Chromium. To have those of README and docs made anew::

    SUNMI_IPC_PICTURES=docs/images python -m pytest -q -n 0 -m browser tests/console/test_pictures.py

Other virtual cameras on the machine would be on them; as root, ``unshare --net sh -c "ip link set lo up; ..."`` has none.
"""

from __future__ import annotations

from dataclasses import dataclass

PHONE, DESK = (390, 844), (1280, 800)
#: Between pages that stand beside each other, and around them.
GAP = 16


@dataclass(frozen=True)
class Picture:
    """One file below docs/images: pages side by side, as high as *height*.

    Attributes:
        size: Of the window.
        lang: Of the browser.
        pages: The console's pages; ``{door}`` and ``{new}`` are cameras.
        height: How much of each page is shown, in pixels of the page.
        scale: Pixels of the file for one of the page.

    """

    size: tuple[int, int]
    lang: str
    pages: tuple[str, ...]
    height: int
    scale: float = 1.0

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of the file."""
        width = len(self.pages) * self.size[0] + (len(self.pages) - 1) * GAP
        return round(width * self.scale), round(self.height * self.scale)


_PHONE = ("/", "/camera/{door}?tab=line", "/setup/{new}")
_DESK = ("/camera/{door}?tab=line",)
PICTURES = {
    "console.png": Picture(PHONE, "en-GB", _PHONE, 800, 0.8),
    "console.zh-CN.png": Picture(PHONE, "zh-CN", _PHONE, 800, 0.8),
    "console-desktop.png": Picture(DESK, "en-GB", _DESK, 800),
    "console-desktop.zh-CN.png": Picture(DESK, "zh-CN", _DESK, 800),
}
