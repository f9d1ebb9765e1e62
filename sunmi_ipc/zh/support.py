"""``ipc support``: the archive for a bug report."""

from __future__ import annotations

ZH: dict[str, str] = {
    "One archive for a bug report, without secrets.": "生成用于报告问题的压缩包，不含机密信息。",
    "Make one archive for a bug report: versions, settings, checks, logs; no secrets, nobody's names.\n\n"
    "It is shown before it is written, and sent to nobody. Cameras that -c names are asked what they really say.": (
        "生成用于报告问题的压缩包：版本、设置、检查结果、日志；不含机密信息，也不含任何人的名称。\n\n"
        "写入前会先展示内容，不会发送给任何人。用 -c 指定的摄像机会被询问其真实应答。"
    ),
    "Print all that would be in it, and write nothing.": "打印其中的全部内容，不写入文件。",
    "A site file whose journal belongs to the problem.": "与问题有关的门店文件（使用其日志）。",
    "A station file whose audit belongs to the problem.": "与问题有关的站点服务文件（使用其审计记录）。",
    "Look at this computer and the cameras in reach.": "检查本机和可达的摄像机。",
    "this program, its libraries and this computer": "本程序、所用的库和本机",
    "what is configured, secrets masked": "设置内容，机密信息已隐藏",
    "names and sizes of the files that are kept": "所保存文件的名称和大小",
    "what 'ipc doctor' says": "'ipc doctor' 的结果",
    "the last steps of 'ipc fleet apply'": "'ipc fleet apply' 的最近步骤",
    "the station's audit, the newest first": "站点服务的审计记录，最新的在前",
    "the log of the last command that ran with -v": "上一次带 -v 运行的命令的日志",
    "what the system's log has of the station": "系统日志中与站点服务有关的内容",
    "what could not be gathered": "未能收集的内容",
    "what a camera says ('ipc dump')": "摄像机的应答（'ipc dump'）",
    "the archive was not made: something that identifies you could not be replaced": (
        "未生成压缩包：有可识别身份的内容无法替换"
    ),
    "Send what 'ipc doctor' prints instead, without what you do not want to show.": (
        "请改为发送 'ipc doctor' 的输出，并去掉不想公开的内容。"
    ),
    "{name}: nobody is here to look at it before it is written": "{name}：写入前没有人可以查看内容",
    "Say --yes to write it unseen, or --show to print it.": "加 --yes 直接写入，或加 --show 打印内容。",
    "Nothing was written.": "未写入任何内容。",
    "Asking camera {number} …": "正在询问第 {number} 台摄像机……",
    "Write {path}? v shows all of it.": "写入 {path} 吗？输入 v 查看全部内容。",
}
