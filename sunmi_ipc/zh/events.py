"""Events: receiver, spool, forwarding."""

from __future__ import annotations

ZH: dict[str, str] = {
    "'-vv' shows which camera sent it.": "用 '-vv' 可看到是哪台摄像机发送的。",
    "the event is not UTF-8": "事件不是 UTF-8 编码",
    "the event is empty": "事件内容为空",
    "the event holds a value that is not JSON": "事件中有 JSON 不能表示的值",
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
    "{name}: must not be empty": "{name}：不能为空",
    "no secret key to verify events with": "没有用来验证事件的密钥",
    "Set SUNMI_IPC_APP_ID and SUNMI_IPC_SECRET_KEY, or allow unsigned events.": (
        "请设置 SUNMI_IPC_APP_ID 和 SUNMI_IPC_SECRET_KEY，或允许未签名的事件。"
    ),
    "cannot listen on {host} port {port}: {reason}": "无法监听 {host} 端口 {port}：{reason}",
    "Is the address this computer's, and the port free?": "该地址是本机的吗？端口是否空闲？",
}
