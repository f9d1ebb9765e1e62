"""Events: receiver, spool, forwarding."""

from __future__ import annotations

ZH: dict[str, str] = {
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
    "Move the folder away and start again; keep it, as most of it can still be read with sqlite3's .recover.": (
        "请移走该文件夹再启动；请保留它，其中大部分内容可用 sqlite3 的 .recover 读出。"
    ),
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
}
