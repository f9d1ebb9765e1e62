"""Chinese of what the trust in cameras and certificates says."""

ZH: dict[str, str] = {
    "Only the camera itself is asked for what it offers.": "只会向摄像机本身获取内容。",
    "the camera gave a link of the kind {scheme!r}, which is not followed": "摄像机给出的链接类型是 {scheme!r},不予访问",
    "the camera gave a link that is no URL": "摄像机给出的链接不是有效的 URL",
    "the camera gave a link to another host, {host}, which is not followed": "摄像机给出的链接指向别的主机 {host},不予访问",
    "the camera gave a link with a user name in it, which is not followed": "摄像机给出的链接中带有用户名,不予访问",
}
