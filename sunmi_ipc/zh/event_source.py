"""Events of virtual cameras."""

from __future__ import annotations

ZH: dict[str, str] = {
    "{name}: not a play of events": "{name}：不是有效的事件设置",
    "Use RATE[,KEY=VALUE]..., KEY one of {keys}.": "请写成 速率[,键=值]...，键为 {keys} 之一。",
    "Post events to whoever has subscribed: so many a second from each camera, e.g. 0.5 or "
    "5,burst=10,repeat=0.1,reorder=0.1,bad=0.1,unreachable=0.1,layout=json.": (
        "向订阅者推送事件：每台摄像机每秒的数量，例如 0.5 或 "
        "5,burst=10,repeat=0.1,reorder=0.1,bad=0.1,unreachable=0.1,layout=json。"
    ),
}
