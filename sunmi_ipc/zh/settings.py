"""Chinese of what is said about settings, networks, lists and time limits."""

ZH: dict[str, str] = {
    "Is there a line break, a full-width or a Chinese character in it? If your network does have it, insist with --as-is.": "其中是否有换行、全角字符或汉字？如果您的网络确实使用该密码，请用 --as-is 坚持发送。",
    "Give it: the whole set is written.": "请提供该值：整组设置会一并写入。",
    "The camera may still be starting: try again in a minute. If it stays: video for recorders (NVR) is a switch in the vendor's app, from firmware 1.2.2 (FM020) and 1.3.0 (FM010) on.": "摄像机可能仍在启动：请一分钟后重试。如果仍然如此：录像机（NVR）视频是厂商应用中的一个开关，固件 1.2.2（FM020）和 1.3.0（FM010）起提供。",
    "To what is not documented; likely to the vendor's digital store: unbind it in the vendor's app first.": "绑定对象没有文档说明，很可能是厂商的数字店铺：请先在厂商应用中解绑。",
    "Use 1 to 32 bytes.": "请使用 1 至 32 字节。",
    "Use 8 to 63 characters or 64 hex digits, or none for an open network; WEP is not supported.": "请使用 8 至 63 个字符或 64 位十六进制数，开放网络则留空；不支持 WEP。",
    "a face attribute is wrong: it was never defined": "人脸属性有误：从未定义",
    "none of the answer's {count} entries of {field} is usable": "应答中 {field} 的 {count} 个条目均无法使用",
    "the camera is bound, activation failed": "摄像机已被绑定，激活失败",
    "the camera says that there are {count} entries, and gives none": "摄像机称有 {count} 个条目，却没有给出任何条目",
    "the timeout is not a number of seconds from {least:g} to {most:g}": "超时不是 {least:g} 到 {most:g} 之间的秒数",
    "the value of a face attribute has the wrong type": "人脸属性的值类型错误",
    "{name}: the camera does not tell it": "{name}：摄像机没有告知该值",
}
