"""Chinese of what ``ipc doctor`` finds on cameras."""

ZH: dict[str, str] = {
    "Looking at the camera …": "正在检查摄像机 …",
    "Looking at {count} cameras …": "正在检查 {count} 台摄像机 …",
    "no camera to look at": "没有可检查的摄像机",
    "✗ {name}: {message}": "✗ {name}：{message}",
    "{mark} {name}: {message}": "{mark} {name}：{message}",
    "{sn}: {message}": "{sn}：{message}",
    "certificate": "证书",
    "{count} cameras answer": "{count} 台摄像机有应答",
    "not set": "未设置",
    "right": "准确",
    "cannot be read": "无法读取",
    "none set (cable)": "未设置（有线）",
    "valid until {date}": "有效期至 {date}",
    "expired on {date}": "已于 {date} 过期",
    "the camera does not tell its time": "摄像机未告知时间",
    "{offset:+.0f} s off, the camera says {when}": "偏差 {offset:+.0f} 秒，摄像机显示 {when}",
    "A camera takes its time from the internet: does it have a way there?": "摄像机从互联网校时：它能上网吗？",
    "Leave the CA out (SUNMI_IPC_CA): the certificate is then pinned instead.": "请去掉 CA（SUNMI_IPC_CA）：证书将改为首次连接时记录。",
    "People flow and faces need the card.": "客流统计和人脸功能需要 SD 卡。",
    "Without it people are not counted: 'ipc doorline set X1 Y1 X2 Y2'.": "没有它就不统计客流：'ipc doorline set X1 Y1 X2 Y2'。",
}
