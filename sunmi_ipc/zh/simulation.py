"""Virtual cameras: how they are started, and what they keep."""

from __future__ import annotations

ZH: dict[str, str] = {
    "FM010 or FM020, or by their older names SS1 and FS1.": "FM010 或 FM020，也可用旧名 SS1 和 FS1。",
    "'factory' (out of the box; where nothing is said), 'wired' (out of the box, on a cable) or 'ready' (set up; where nothing is said with --from).": "'factory'（刚开箱；不指定时的默认值）、'wired'（刚开箱，已接网线）或 'ready'（已配置好；使用 --from 且不指定时的默认值）。",
    "What it does otherwise than documented: short-pages, no-total, repeated-pages, neighbours, unknown-fields, missing-fields, flv, any-parameters, slow-format.": "与文档不同之处：short-pages、no-total、repeated-pages、neighbours、unknown-fields、missing-fields、flv、any-parameters、slow-format。",
    "Keep secrets, certificates, cards and settings there, over restarts.": "把密钥、证书、SD 卡内容和设置保存在那里，重启后仍在。",
    "Write a profile for them, so that 'ipc -p NAME …' works; 'sim' on a terminal, '' for none.": "为它们写入一个配置档，之后可用 'ipc -p 名称 …'；在终端上默认为 'sim'，'' 表示不写。",
    "Start virtual cameras; stop them with Ctrl-C. Prints a table, or one JSON line where it is piped.": "启动虚拟摄像机；按 Ctrl-C 停止。在终端上显示表格，用管道时输出一行 JSON。",
    "{count} virtual cameras are running. In another terminal try: ipc -p {profile} scan. Ctrl-C stops them.": "{count} 台虚拟摄像机正在运行。可在另一个终端试试：ipc -p {profile} scan。按 Ctrl-C 停止。",
    "{count} virtual cameras are running. Ctrl-C stops them.": "{count} 台虚拟摄像机正在运行。按 Ctrl-C 停止。",
    "{path} is not what a virtual camera keeps": "{path} 不是虚拟摄像机保存的内容",
    "Remove it, or name another --state-dir.": "请删除它，或另选 --state-dir。",
    "the camera's list has no end": "摄像机的列表没有尽头",
}
