"""Events: receiver, spool, forwarding."""

from __future__ import annotations

ZH: dict[str, str] = {
    "Nobody reads it so far.": "目前没有读取方。",
    "face or motion; with --all, none means both.": "face 或 motion；用 --all 时可不写，表示两者。",
    "'-vv' shows which camera sent it.": "用 '-vv' 可看到是哪台摄像机发送的。",
    "the event is not UTF-8": "事件不是 UTF-8 编码",
    "the event is empty": "事件内容为空",
    "the event has a field twice": "事件中有重复的字段",
    "the event is nested too deeply": "事件嵌套过深",
    "the event is not JSON": "事件不是 JSON",
    "the event is JSON, but not an object": "事件是 JSON，但不是对象",
    "the event is neither a form nor JSON": "事件既不是表单也不是 JSON",
    "the event has no type and no field that shows one": "事件没有类型，也没有能看出类型的字段",
    "the event's {field} is missing or not usable": "事件的 {field} 缺失或不可用",
    "the event spool {path} cannot take another event: the disk is full or failing": (
        "事件库 {path} 无法再存入事件：磁盘已满或有故障"
    ),
    "Free space on that disk, or give a smaller limit. Cameras are told to try again.": (
        "请在该磁盘上腾出空间，或设置更小的上限。已通知摄像机稍后重试。"
    ),
    "the event spool {path} cannot be used: {reason}": "事件库 {path} 无法使用：{reason}",
    "Check that the folder is on a local disk and yours to write; else name another folder.": (
        "请检查该文件夹位于本地磁盘且可写；否则请另选文件夹。"
    ),
    "the event spool {path} is of version {version}; this program knows version {known}": (
        "事件库 {path} 的版本为 {version}；本程序支持版本 {known}"
    ),
    "Update sunmi-ipc, or name another folder.": "请升级 sunmi-ipc，或另选文件夹。",
    "the event spool {path} is closed": "事件库 {path} 已关闭",
    "{name}: a value is not JSON": "{name}：有 JSON 不能表示的值",
    "another program takes {name}'s events from the spool {path}": "另一个程序正在从事件库 {path} 为 {name} 取事件",
    "End it, or name another folder (--spool): each event would go out twice.": (
        "请结束那个程序，或用 --spool 另选文件夹：否则每个事件会发出两次。"
    ),
    "{name}: must not be empty": "{name}：不能为空",
    "no secret key to verify events with": "没有用来验证事件的密钥",
    "Set SUNMI_IPC_APP_ID and SUNMI_IPC_SECRET_KEY, or allow unsigned events.": (
        "请设置 SUNMI_IPC_APP_ID 和 SUNMI_IPC_SECRET_KEY，或允许未签名的事件。"
    ),
    "cannot listen on {host} port {port}: {reason}": "无法监听 {host} 端口 {port}：{reason}",
    "Is the address this computer's, and the port free?": "该地址是本机的吗？端口是否空闲？",
    "the command's quotes are not closed": "命令中的引号没有闭合",
    "Check the command.": "请检查命令。",
    "the command {command} does not exist or may not be run": "命令 {command} 不存在或不能运行",
    "Give its full path, and check that it is executable.": "请写出完整路径，并确认它可以执行。",
    "the webhook is no http or https URL": "webhook 不是 http 或 https 地址",
    "For example https://example.org/hook.": "例如 https://example.org/hook。",
    "the broker is no mqtt or mqtts URL": "消息服务器不是 mqtt 或 mqtts 地址",
    "For example mqtt://192.168.1.2:1883.": "例如 mqtt://192.168.1.2:1883。",
    "the MQTT prefix is no topic": "MQTT 前缀不能作为主题",
    "Leave out '+' and '#'.": "请去掉 '+' 和 '#'。",
    "MQTT needs paho-mqtt, which is not installed": "MQTT 需要 paho-mqtt，但没有安装",
    "Name a PEM file that signs the broker's certificate.": "请指定签发消息服务器证书的 PEM 文件。",
    "the event spool {path} is damaged: {reason}": "事件库 {path} 已损坏：{reason}",
    "the event spool {path} was opened for reading": "事件库 {path} 是只读打开的",
    "the event has a value that could be read as two fields": "事件中有一个值可被读成两个字段",
    "the camera {name} is not known yet, and a link does not make it so": (
        "尚不认识摄像机 {name}，事件中的链接不能使其受信任"
    ),
    "Call it once ('ipc -c {name} info'), then its pictures are fetched.": (
        "请先访问它一次（'ipc -c {name} info'），之后即可下载其图片。"
    ),
    "the event holds too much to be read at once": "事件内容过多，无法一次读取",
    "the event holds a number that cannot be used": "事件中有无法使用的数字",
    "'ipc events salvage' saves what can be read of it; 'ipc events listen' and 'ipc serve' do so at their start.": "'ipc events salvage'可救回其中还能读出的内容；'ipc events listen'和'ipc serve'启动时会自动这样做。",
    "another program uses the event spool {path}": "另有程序正在使用事件库 {path}",
    "End it first: 'ipc events listen', 'ipc serve' or a program of yours.": "请先结束它：'ipc events listen'、'ipc serve'或您自己的程序。",
    "The event spool was damaged: {count} events were saved.": "事件库已损坏：已救回 {count} 个事件。",
    "At most {count} events could not be read (numbers {first} to {last}; some of them may have been removed before).": "最多有 {count} 个事件无法读出（编号 {first} 至 {last}；其中一些可能早已删除）。",
    "Part of what else the spool knew is gone: an event may come twice, and readers that are not listed here begin at the oldest event: {readers}.": "事件库的其他部分记录已丢失：事件可能重复出现；未在此列出的读取方将从最早的事件开始：{readers}。",
    "The damaged file is kept: {path}": "损坏的文件保留在：{path}",
    "The spool in {folder} is read through and written anew.": "将通读 {folder} 中的事件库并重新写入。",
    "Reading the spool …": "正在读取事件库……",
    "{count} events saved": "已救回 {count} 个事件",
    "Save what can be read of a damaged spool. The damaged file is kept beside the new one.": "救回已损坏事件库中还能读出的内容。损坏的文件保留在新文件旁。",
    "'ipc events listen' and 'ipc serve' do this by themselves when they start.": "'ipc events listen'和'ipc serve'启动时会自动执行。",
    "Show the first event of each type as it came, redacted, and how it was read.": "显示每种事件的第一个原文（已脱敏），以及其读法。",
    "Put that into a file of 'ipc dump', too.": "同时写入'ipc dump'的文件。",
    "First event of type {type} (answered {status}), as it came, redacted:": "类型为 {type} 的第一个事件（应答 {status}），原文如下（已脱敏）：",
    "  Content-Type: {value}": "  Content-Type：{value}",
    "  {body}": "  {body}",
    "  {fields}": "  {fields}",
    "  read as: {form}; fields {place}; signature: {signature}": "  读作：{form}；字段{place}；签名：{signature}",
    "form": "表单",
    "json": "JSON",
    "unreadable": "无法读出",
    "at the top": "在顶层",
    "under data": "在 data 下",
    "under data, as text": "在 data 下（文本）",
    "under payload": "在 payload 下",
    "under payload, as text": "在 payload 下（文本）",
    "of another app_id": "属于另一个 app_id",
    "over the fields as they came": "覆盖收到的各字段",
    "over the event's own fields, unfolded": "覆盖展开后的事件字段",
    "over a value that could be read as two fields": "覆盖了一个可读作两个字段的值",
    "fits nothing that was tried": "与尝试过的各种方式都不符",
}
