"""Chinese of what is said about serial numbers and addresses."""

ZH: dict[str, str] = {
    "It stands on the camera's label, such as FS101D8BS00106; 'ipc scan' lists them.": "序列号印在摄像机标签上，例如 FS101D8BS00106；'ipc scan' 可列出。",
    "{name}: not a serial number": "{name}：不是序列号",
    "{where}: {key}: not a serial number": "{where}：{key}：不是序列号",
    "the camera {sn} was not found; {other} at {ip} only bears that as its name": "未找到摄像机 {sn}；位于 {ip} 的 {other} 只是以此为名称",
}
