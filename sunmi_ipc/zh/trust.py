"""Chinese of what the trust in cameras and certificates says."""

ZH: dict[str, str] = {
    "Check this computer's clock. If it is right, leave the CA out (SUNMI_IPC_CA): the camera's certificate is then pinned at the first contact instead.": "请检查本机时钟。如果时钟正确,请去掉 CA(SUNMI_IPC_CA):摄像机证书将在首次连接时记录。",
    "Either it does not take our client certificate (see SUNMI_IPC_P12), or it speaks an old TLS: if it is of 2019 or 2020, allow that with --tls legacy (SUNMI_IPC_TLS=legacy).": "可能是它不接受我们的客户端证书(请检查 SUNMI_IPC_P12),也可能是它只支持旧版 TLS:如果是 2019 或 2020 年的摄像机,可用 --tls legacy(SUNMI_IPC_TLS=legacy)允许。",
    "A camera is trusted by what this list says: make the folder writable, or give the vendor's CA (SUNMI_IPC_CA).": "是否信任摄像机取决于这个列表:请让文件夹可写,或提供厂商的 CA(SUNMI_IPC_CA)。",
    "If this camera is of 2019 or 2020, allow it with --tls legacy (SUNMI_IPC_TLS=legacy).": "如果是 2019 或 2020 年的摄像机,可用 --tls legacy(SUNMI_IPC_TLS=legacy)允许。",
    "If you asked for many entries or a long time, ask for less.": "如果请求了很多条目或很长的时间段,请减少。",
    "It is of an old kind: allow it with --tls legacy (SUNMI_IPC_TLS=legacy), or ask the vendor for a new openapi.p12.": "它的类型过旧:可用 --tls legacy(SUNMI_IPC_TLS=legacy)允许,或向厂商索取新的 openapi.p12。",
    "Only the camera itself is asked for what it offers.": "只会向摄像机本身获取内容。",
    "the answer holds too much to be read at once": "应答内容过多,无法一次读取",
    "the answer's head, or what surrounds its body, is too large": "应答的头部或正文之外的内容过大",
    "the camera broke off the handshake ({reason})": "摄像机中断了握手({reason})",
    "the camera gave a link of the kind {scheme!r}, which is not followed": "摄像机给出的链接类型是 {scheme!r},不予访问",
    "the camera gave a link that is no URL": "摄像机给出的链接不是有效的 URL",
    "the camera gave a link to another host, {host}, which is not followed": "摄像机给出的链接指向别的主机 {host},不予访问",
    "the camera gave a link with a user name in it, which is not followed": "摄像机给出的链接中带有用户名,不予访问",
    "the camera's certificate is not valid today: {reason}": "摄像机证书当前无效:{reason}",
    "the camera's certificate is of an old kind that is off by default ({reason})": "摄像机证书的类型过旧,默认不允许({reason})",
    "the list of known cameras {path} cannot be written: {reason}": "无法写入已知摄像机列表 {path}:{reason}",
    "the client certificate cannot be used ({reason})": "客户端证书无法使用({reason})",
}
