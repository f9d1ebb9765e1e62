"""How to add what is missing to this copy."""

from __future__ import annotations

ZH: dict[str, str] = {
    "Run: {install}": "请运行：{install}",
    "This package cannot take it in: install with uv or pipx instead, as its page on installing says.": (
        "此安装包无法添加组件：请改用 uv 或 pipx 安装，见安装说明。"
    ),
    "Leave [http] out of the station file, or run: {install}": "请在站点服务文件中去掉 [http]，或运行：{install}",
    "To have it made to fit, run: {install}": "要自动转换和缩小，请运行：{install}",
    "For a frame of the live picture in its place, run: {install}": "要用实时画面的一帧代替，请运行：{install}",
    "These cameras have no picture.": "这些虚拟摄像机没有画面。",
    "Write an offset like +08:00, or run: {install}": "请写成 +08:00 这样的时差，或运行：{install}",
    "Allow UDP port {port}, out and in: {command}": "请放行 UDP 端口 {port} 的收发：{command}",
    "Allow Python in private networks, as administrator: {command}": "请以管理员身份允许 Python 访问专用网络：{command}",
}
