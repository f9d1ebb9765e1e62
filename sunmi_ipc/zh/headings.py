"""Chinese of column headings, those included that are names of the wire, and of next steps."""

ZH: dict[str, str] = {
    "All as wanted. A report to hand over: {command}": "全部符合要求。生成交付报告：{command}",
    "The camera pushes nothing yet. 'ipc events listen --subscribe EVENT' receives what it sees.": "摄像机尚未推送任何事件。'ipc events listen --subscribe 事件' 可订阅并接收。",
    "To make it so: {command}": "执行更改：{command}",
    "No room for: {names}; see --json.": "窗口太窄，未显示：{names}；见 --json。",
    ", ": "、",
    ": ": "：",
    "{name}: {count}": "{name}：{count}",
    "{name}: {text}": "{name}：{text}",
}
