"""The picture of virtual cameras."""

from __future__ import annotations

ZH: dict[str, str] = {
    "These cameras have no picture. Run: pip install 'sunmi-ipc[video]'": (
        "这些虚拟摄像机没有画面。请运行：pip install 'sunmi-ipc[video]'"
    ),
}
