"""The picture of virtual cameras."""

from __future__ import annotations

ZH: dict[str, str] = {
    "These cameras have no picture, for want of PyAV.": "这些虚拟摄像机没有画面，因为缺少 PyAV。",
}
