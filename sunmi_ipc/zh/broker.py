"""Messages through a broker."""

from __future__ import annotations

ZH: dict[str, str] = {
    "{topic}: not a topic of this contract": "{topic}：不是本协议的主题",
    "{name}: not a message of this contract: {reason}": "{name}：不是本协议的消息：{reason}",
}
