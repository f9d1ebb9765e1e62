"""Keeping and passing on events: where, how long, and what a person may ask for."""

from __future__ import annotations

ZH: dict[str, str] = {
    "Folder that keeps the events, on a local disk; default: in the state folder.": (
        "存放事件的文件夹，须在本地磁盘；默认在状态文件夹中。"
    ),
    "Where a new sink begins: with what comes from now on, or at the oldest event that is kept.": (
        "新的接收方从哪里开始：now 从现在起收到的事件，oldest 从保存的最早事件。"
    ),
    ", ": "、",
    " (not signed)": "（未签名）",
    "Send again what sinks gave up, and forget it once it is sent.": "重新发送各接收方放弃的事件，发出后不再保留。",
    "With --given-up: what this sink gave up.": "与 --given-up 合用：仅该接收方放弃的事件。",
    "With --given-up: what a sink refused for good, out of the file that 'ipc events status' names.": (
        "使用 --given-up 时：发送接收方最终拒绝的事件，取自 'ipc events status' 所列的文件。"
    ),
    "{count} events were given up ({sinks}); they are in {file}. 'ipc events replay --given-up' with the "
    "sink's option sends them again.": (
        "已放弃 {count} 个事件（{sinks}），保存在 {file}。用 'ipc events replay --given-up' 加上接收方选项可重新发送。"
    ),
    "Remove what is kept about faces: events, what was given up, and saved pictures. It cannot be brought back.": (
        "删除保存的人脸信息：事件、已放弃的事件和保存的图片。删除后无法恢复。"
    ),
    "What was forwarded already is not reached: ask there as well.": "已转发出去的内容不受影响：请在接收处另行要求删除。",
    "Events about faces, and their saved pictures.": "人脸事件及其保存的图片。",
    "Of this face only, for a person's request.": "仅该人脸，用于答复本人的请求。",
    "{name}: say what is to be removed": "{name}：请说明要删除什么",
    "--faces, or --face ID.": "--faces 或 --face ID。",
    "face {id}": "人脸 {id}",
    "all faces": "所有人脸",
    "What is kept in {folder} about {what} is removed for good.": "将永久删除 {folder} 中关于{what}的全部内容。",
    "No camera was found yet; they are looked for every minute.": "尚未找到摄像机；将每分钟查找一次。",
    "{camera} has come, and is subscribed.": "{camera} 已出现，并已订阅。",
    "The shop's time zone, in which people of a day are counted.": "门店所在时区，按此统计一天的客流。",
    "{name}: not a time zone": "{name}：不是时区",
    "For example Asia/Shanghai.": "例如 Asia/Shanghai。",
    "Days that events about faces are kept: personal data.": "人脸事件保留的天数：属于个人信息。",
    "Days that saved pictures and clips are kept.": "保存的图片和短片保留的天数。",
    "Megabytes for saved pictures; each camera has its share.": "保存图片可用的空间（MB），每台摄像机各占一份。",
}
