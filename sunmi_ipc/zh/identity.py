"""Chinese of what is said about serial numbers, addresses and what strangers send."""

ZH: dict[str, str] = {
    "Activation needs the serial number itself.": "激活需要序列号本身。",
    "{name}: that camera's serial number is {sn}": "{name}：该摄像机的序列号是 {sn}",
    "it holds a number that cannot be used": "其中有无法使用的数字",
    "it holds too much to be read at once": "内容过多，无法一次读取",
    "it is nested too deeply": "嵌套过深",
    "it is not JSON": "不是 JSON",
    "the answer holds a number that cannot be used": "应答中有无法使用的数字",
    "It stands on the camera's label, such as FS101D8BS00106; 'ipc scan' lists them.": "序列号印在摄像机标签上，例如 FS101D8BS00106；'ipc scan' 可列出。",
    "{name}: not a serial number": "{name}：不是序列号",
    "{where}: {key}: not a serial number": "{where}：{key}：不是序列号",
    "the camera {sn} was not found; {other} at {ip} only bears that as its name": "未找到摄像机 {sn}；位于 {ip} 的 {other} 只是以此为名称",
}
