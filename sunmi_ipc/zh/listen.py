"""Listening to events, replaying them, subscriptions that stay."""

from __future__ import annotations

ZH: dict[str, str] = {
    "'ipc events listen' makes it; --spool names another folder.": (
        "'ipc events listen' 会创建它；可用 --spool 指定其他文件夹。"
    ),
    "Address to listen on; default: every one of this computer.": "监听的地址；默认：本机的所有地址。",
    "Also subscribe to this event, renew it, and unsubscribe at the end; may be repeated.": (
        "同时订阅此事件并保持续订，结束时退订；可重复使用。"
    ),
    "Begins every MQTT topic.": "所有 MQTT 主题的前缀。",
    "Check the network, or name the callback.": "请检查网络，或指定回调地址。",
    "Days that events are kept.": "事件保留的天数。",
    "Home Assistant's discovery prefix; empty publishes no discovery.": (
        "Home Assistant 的发现前缀；留空则不发布发现消息。"
    ),
    "How many of --exec run at once; 1 keeps the order.": "--exec 同时运行的数量；1 表示保持顺序。",
    "It only listens: --subscribe EVENT subscribes at {camera}.": (
        "目前仅监听：用 --subscribe 事件 可在 {camera} 上订阅。"
    ),
    "Listening at {where}; events are kept in {folder}. Ctrl-C ends it.": (
        "正在监听 {where}；事件保存在 {folder}。按 Ctrl-C 结束。"
    ),
    "Megabytes above which the oldest events go once delivered.": (
        "超过此大小（MB）时，删除最旧的已送达事件。"
    ),
    "Of this camera only.": "仅此摄像机的。",
    "Of this type only.": "仅此类型的。",
    "PEM file that signs the broker's certificate.": "签发消息服务器证书的 PEM 文件。",
    "Port of the callback that is worked out; 8480.": "自动得出的回调地址的端口；默认 8480。",
    "Port to listen on; 0 takes a free one.": "监听的端口；0 表示任选空闲端口。",
    "Post each event to this URL as JSON.": "将每个事件以 JSON 格式 POST 到此地址。",
    "Print each event as one line of JSON.": "每个事件打印为一行 JSON。",
    "Publish events to this broker: mqtt[s]://[USER@]HOST[:PORT].": (
        "将事件发布到此消息服务器：mqtt[s]://[用户@]主机[:端口]。"
    ),
    "Reader, as 'ipc events status' names it: jsonl, webhook, …": (
        "读取方，名称见 'ipc events status'：jsonl、webhook……"
    ),
    "Run this for each event, the event as JSON on its standard input.": (
        "对每个事件运行此命令，事件以 JSON 格式写入其标准输入。"
    ),
    "Save pictures and clips in this folder.": "将图片和视频片段保存到此文件夹。",
    "Stop after so many new events; 0: never.": "收到这么多新事件后停止；0：不停止。",
    "Stop after so many seconds; 0: never.": "这么多秒后停止；0：不停止。",
    "Subscribe at this camera; may be repeated, or 'all'; default: the one of -c.": (
        "在此摄像机上订阅；可重复使用，或写 'all'；默认：-c 指定的摄像机。"
    ),
    "Take events without a signature: anybody can then invent them.": (
        "接受未签名的事件：这样任何人都能伪造事件。"
    ),
    "URL that reaches this computer; default: worked out from the route to the camera.": (
        "能到达本机的地址；默认：根据到摄像机的路由得出。"
    ),
    "URL that the camera can reach; default: where 'ipc events listen' listens on this computer.": (
        "摄像机能访问的地址；默认：本机 'ipc events listen' 监听的地址。"
    ),
    "Whatever the callback: also other programs' subscriptions.": "不论回调地址：包括其他程序的订阅。",
    "not subscribed: {camera}: {reason}": "未能订阅：{camera}：{reason}",
    "another camera, {sn}, is at this address now": "该地址现在是另一台摄像机 {sn}",
    "there is no event spool in {path}": "{path} 中没有事件库",
    "there is no route to the camera, so the callback's address cannot be worked out": (
        "没有到摄像机的路由，无法得出回调地址"
    ),
    "{count} subscriptions end.": "将结束 {count} 个订阅。",
    "{name} has {backlog} events to read yet.": "{name} 还有 {backlog} 个事件没有读取。",
    "{name}: needs {other}": "{name}：需要 {other}",
    "{name}: there is no such reader": "{name}：没有这个读取方",
    "{name}: {delivered} events delivered, {given_up} given up.": (
        "{name}：已送达 {delivered} 个事件，放弃 {given_up} 个。"
    ),
    "{name}: {left} not delivered yet, they follow at the next start; {given_up} given up.": (
        "{name}：还有 {left} 个未送达，下次启动时继续；放弃 {given_up} 个。"
    ),
    "{stored} events kept, {repeated} repeats, {refused} refused.": (
        "已保存 {stored} 个事件，{repeated} 个重复，{refused} 个被拒绝。"
    ),
}
