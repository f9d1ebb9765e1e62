"""Video: times, recordings, downloads, live picture."""

from __future__ import annotations

ZH: dict[str, str] = {
    "Start: 14:00, yesterday 14:00, -2h, 2026-11-24, 2026-11-24T14:00; default: today.": (
        "开始：14:00、昨天 14:00、-2h、2026-11-24、2026-11-24T14:00；默认为今天。"
    ),
    "End, likewise; 15:00 is on the start's day; default: now.": (
        "结束，写法相同；15:00 指开始那一天；默认为现在。"
    ),
    "Time zone of the times, as Asia/Shanghai or +08:00; default: this computer's, as cameras do not tell theirs.": (
        "时间所在时区，如 Asia/Shanghai 或 +08:00；默认为本机时区，因为摄像机不告知自己的时区。"
    ),
    "{name}: not a time zone": "{name}：不是时区",
    "Write it like Asia/Shanghai, UTC or +08:00.": "请写成 Asia/Shanghai、UTC 或 +08:00。",
    "Write 14:00, yesterday 14:00, -2h, or 2026-11-24T14:00.": (
        "请写成 14:00、昨天 14:00、-2h 或 2026-11-24T14:00。"
    ),
}
