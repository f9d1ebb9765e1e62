"""Fleet: site files, runs, reports."""

from __future__ import annotations

#: Words that are put together at run time: steps, settings, standings, columns.
WORDS: dict[str, str] = {
    "reach": "连接",
    "wifi": "Wi-Fi",
    "activate": "激活",
    "sd card": "SD 卡",
    "sdcard": "SD 卡",
    "settings": "设置",
    "door line": "进店划线",
    "faces": "人脸",
    "subscriptions": "事件订阅",
    "verify": "核对",
    "hotspot": "热点",
    "name": "名称",
    "ir": "夜视",
    "led": "指示灯",
    "rotation": "画面旋转",
    "detection": "动态侦测",
    "lens": "镜头",
    "ip": "IP",
    "door_line": "进店划线",
    "face_groups": "人脸分组",
    "move_rule": "转为熟客的规则",
    "format": "格式化",
    "format if blank": "空白则格式化",
    "ok": "符合要求",
    "differs": "有差异",
    "refused": "不支持部分设置",
    "failed": "失败",
    "absent": "未找到",
    "stopped": "已中断",
    "not begun": "未开始",
    "begun": "已开始",
    "done": "完成",
    "undone": "未执行",
    "none": "无",
    "blank": "空白",
    "normal": "正常",
    "broken": "无法识别",
    "unknown": "未知",
    "yes": "是",
    "no": "否",
    "cameras": "台摄像机",
    "{count} {standing}": "{count} 台{standing}",
    "{cameras}, {parts}": "{cameras}：{parts}",
    "1 camera": "1 台摄像机",
    "camera": "摄像机",
    "address": "地址",
    "model": "型号",
    "standing": "状态",
    "when": "时间",
    "problem": "问题",
    "sn": "序列号",
    "mac": "MAC",
    "firmware": "固件版本",
    "activated": "已激活",
    "card": "SD 卡",
    "steps": "步骤",
    "step": "步骤",
    "problems": "问题",
    "next steps": "下一步",
    "Next step": "下一步",
    "updated": "更新时间",
    "began": "开始",
    "lasted": "用时",
    "state": "状态",
    "snapshot": "截图",
    "Cameras": "摄像机",
    "Hand-over report": "交付报告",
    "to do": "待办",
    "not on this model": "此型号没有",
    "no picture": "无图片",
    "the camera was not reached": "未连接到摄像机",
    "another camera is at this address": "该地址上是另一台摄像机",
    "the camera gave none": "摄像机没有提供",
}

ZH: dict[str, str] = WORDS | {
    "'ipc fleet init' writes one from a scan.": "'ipc fleet init' 可通过扫描生成一个。",
    "'ipc fleet schema' prints what there is.": "'ipc fleet schema' 可列出所有可用的键。",
    "A shop's cameras from one file.": "用一个文件管理整店的摄像机。",
    "First join each camera's own access point SUNMI_XXXX and tell it the Wi-Fi.": (
        "先逐台连接摄像机自己的热点 SUNMI_XXXX 进行配网。"
    ),
    "joining the cameras' access points needs NetworkManager (nmcli), or a terminal to guide you on": (
        "加入摄像机热点需要 NetworkManager（nmcli），或在终端中按提示操作"
    ),
    "Run it on a terminal, or leave --via-hotspots out.": "请在终端中运行，或不用 --via-hotspots。",
    "Looking for the cameras' access points …": "正在查找摄像机热点……",
    "{count} access points of cameras are in reach. This computer leaves its Wi-Fi meanwhile.": (
        "附近有 {count} 个摄像机热点。配网期间，本机会暂时断开当前的 Wi-Fi。"
    ),
    "Joining {ssid} …": "正在加入 {ssid}……",
    "This computer is back in its own network.": "本机已回到原来的网络。",
    "For each camera: join its network SUNMI_XXXX with this computer (it is open; XXXX are the last four "
    "digits of the MAC on its label).": (
        "对每台摄像机：用本机加入它的网络 SUNMI_XXXX（无密码；XXXX 是标签上 MAC 的后四位）。"
    ),
    "Enter = joined, q = all cameras are done": "回车 = 已加入，q = 全部完成",
    "Now join the shop's network again, then press Enter": "现在请重新加入门店网络，然后按回车",
    "{ssid}: {sn} joins the shop's Wi-Fi.": "{ssid}：{sn} 正在加入门店 Wi-Fi。",
    "{ssid}: {problem}": "{ssid}：{problem}",
    "this computer has no Wi-Fi device": "本机没有 Wi-Fi 设备",
    "Plug one in, or use a cable.": "请插入一个，或使用网线。",
    "NetworkManager refuses: {reason}": "NetworkManager 拒绝：{reason}",
    "Try it with 'nmcli device wifi'; your user may lack the permission.": (
        "请用 'nmcli device wifi' 试一下；当前用户可能没有权限。"
    ),
    "no camera answers on its access point {ssid}": "热点 {ssid} 上没有摄像机应答",
    "Go nearer, and try again; its LED blinks green while it waits.": (
        "请靠近一些再试；等待设置时其指示灯为绿色闪烁。"
    ),
    "the camera {sn} is not in the site file; it was left alone": "摄像机 {sn} 不在门店文件中；未作改动",
    "Add it to the site file, if it is yours.": "如果是您的，请将其加入门店文件。",
    "the site file names no Wi-Fi for {key}": "门店文件没有为 {key} 指定 Wi-Fi",
    "Add wifi to the camera, to one of its groups or to the defaults.": "请在该摄像机、其组或默认值中加入 wifi。",
    "Allow secrets in the site file.": "允许在门店文件中直接写机密信息。",
    "Ask the cameras for a snapshot each.": "向每台摄像机截一张图。",
    "Cameras talked to at once; default 64.": "同时处理的摄像机数；默认 64。",
    "Check that its folder is on a local disk and yours to write, or name another with --journal.": (
        "请检查其文件夹位于本地磁盘且可写，或用 --journal 另指定一个。"
    ),
    "Columns: {columns}.": "可用的列：{columns}。",
    "Correct the address in the site file, or leave it out.": "请更正门店文件中的地址，或将其删去。",
    "Do not plan and ask first.": "不先列出计划并询问。",
    "Its firmware may name it differently: 'ipc protocol probe' finds out, 'ipc protocol import-postman FILE' reads the vendor's collection.": (
        "其固件可能使用别的名称：'ipc protocol probe' 可以查明，'ipc protocol import-postman 文件' 可读取厂商的集合。"
    ),
    "Keep it with: keyring set SERVICE USER; and write keyring:SERVICE/USER.": (
        "用 keyring set 服务名 用户名 保存，并写作 keyring:服务名/用户名。"
    ),
    "Name another file, or say --force to write over it.": "请另指定文件，或用 --force 覆盖。",
    "Raise activation_quota in the site file, if the vendor's quota allows it.": (
        "若厂商的配额允许，请在门店文件中调高 activation_quota。"
    ),
    "Run 'ipc fleet apply' again in a minute.": "请一分钟后再次运行 'ipc fleet apply'。",
    "Say what to write.": "请用 --csv 或 --html 指定要生成的报告。",
    "Set the environment variable {name}.": "请设置环境变量 {name}。",
    "Taking pictures …": "正在截图……",
    "The file {path} cannot be read: {reason}.": "无法读取文件 {path}：{reason}。",
    "The site file, TOML or CSV.": "门店文件，TOML 或 CSV。",
    "The site's name.": "门店名称。",
    "Update sunmi-ipc, or name another journal with --journal.": (
        "请升级 sunmi-ipc，或用 --journal 另指定日志。"
    ),
    "Wait until it is done, or end it; its work is not lost.": "请等它完成，或结束它；已做的工作不会丢失。",
    "What is nowhere given is left as it is. Lines with # are examples.": (
        "没有写明的设置保持原样。以 # 开头的行是示例。"
    ),
    "Where steps are recorded; default: beside the site file.": "步骤日志的位置；默认在门店文件旁边。",
    "Write a CSV file.": "写 CSV 文件。",
    "Write env:NAME, keyring:SERVICE/USER or file:PATH, or allow it: inline_secrets = true under [apply].": (
        "请写 env:变量名、keyring:服务名/用户名 或 file:路径，或在 [apply] 下写 inline_secrets = true 予以允许。"
    ),
    "Write one HTML file, to hand over.": "写一个可交付的 HTML 文件。",
    "Write over a file that is there.": "覆盖已有文件。",
    "Written: {path}": "已写入：{path}",
    "another camera is at this address: {sn}": "该地址上是另一台摄像机：{sn}",
    "another process is at work on {path}": "另一个进程正在使用 {path}",
    "en or zh; default: yours.": "en 或 zh；默认使用您的语言。",
    "the camera does not keep {setting}: it has {now} instead of {wanted}": (
        "摄像机没有保存 {setting}：现为 {now}，应为 {wanted}"
    ),
    "the journal {path} cannot be used: {reason}": "日志 {path} 无法使用：{reason}",
    "the journal {path} is of version {version}; this program knows version {known}": (
        "日志 {path} 的版本为 {version}；本程序支持版本 {known}"
    ),
    "the quota of {quota} activations is used up": "{quota} 次激活的配额已用完",
    "the secret {reference} is not there": "找不到机密信息 {reference}",
    "the secret {reference} needs the system keyring, which is not installed": (
        "机密信息 {reference} 需要系统钥匙串，但没有安装"
    ),
    "the site file {path} cannot be read: {reason}": "无法读取门店文件 {path}：{reason}",
    "whether the activation was carried out is not known yet": "尚不清楚激活是否已执行",
    "{activate} cameras would be activated (which deletes every face group on their SD cards), "
    "and {cards} blank SD cards formatted.": (
        "将激活 {activate} 台摄像机（会删除其 SD 卡上的所有人脸分组），并格式化 {cards} 张空白 SD 卡。"
    ),
    "{count} cameras written to {path}. Say in it what you want, then: ipc fleet plan": (
        "已将 {count} 台摄像机写入 {path}。请在其中写明要求，然后运行：ipc fleet plan"
    ),
    "{count} more under way": "另有 {count} 台进行中",
    "{count} not as wanted": "{count} 台不符合要求",
    "The run has ended early: {reason}. {step} {done} of {total} cameras are as wanted; what was done to the others is in the journal. 'ipc fleet apply' goes on where this ended.": (
        "运行提前结束：{reason}。{step}已有 {done}/{total} 台摄像机符合要求；对其余摄像机所做的操作记录在日志文件中。'ipc fleet apply' 会从中断处继续。"
    ),
    "{done} of {total} cameras were done. 'ipc fleet apply' goes on where this ended.": (
        "{total} 台中已完成 {done} 台。'ipc fleet apply' 会从中断处继续。"
    ),
    "Ending the calls under way … (Ctrl-C again: at once)": "正在结束进行中的调用……（再按 Ctrl-C 立即退出）",
    "{path} is there already": "{path} 已存在",
    "nobody was asked about this camera: it was not in reach, or different, when the plan was made": (
        "此摄像机的操作未经您确认：列计划时无法连接，或状态不同"
    ),
    "Run 'ipc fleet apply' again.": "请再次运行 'ipc fleet apply'。",
    "the entry {key} of the site file is the same camera": "门店文件中的条目 {key} 是同一台摄像机",
    "Leave one of the two out of the site file.": "请从门店文件中删去两者之一。",
    "Is it on and in this network? If another has taken its place: 'ipc fleet forget {sn}'.": (
        "它是否已开机并在此网络中？如果已换成另一台：'ipc fleet forget {sn}'。"
    ),
    "The system keyring does not answer ({reason}). Unlock it, or use env: or file:.": (
        "系统钥匙串没有响应（{reason}）。请解锁，或改用 env: 或 file:。"
    ),
    "it is no database": "它不是数据库",
    "it is the database of another program": "它是另一个程序的数据库",
    "Serial number of the camera that was replaced.": "被更换的摄像机的序列号。",
    'Free an "any" entry from the camera it has, so that the next apply gives it another.': (
        "解除“any”条目与现有摄像机的绑定，下次 apply 时为它分配另一台。"
    ),
    'no "any" entry has the camera {sn}': "没有“any”条目绑定摄像机 {sn}",
    "They have: {known}.": "已绑定：{known}。",
    'No "any" entry has a camera yet.': "还没有“any”条目绑定摄像机。",
    "{entry} is free for another camera: 'ipc fleet apply' looks for it.": (
        "{entry} 已可分配给另一台摄像机：'ipc fleet apply' 会自动查找。"
    ),
    "A text with a comma or semicolon in it needs quotes around it.": "含逗号或分号的文本须加引号。",
    "{where}: {key}: more cells than columns": "{where}：{key}：单元格多于列数",
    "{where}: {key}: not CSV: {reason}": "{where}：{key}：不是 CSV：{reason}",
    "{where}: {key}: this column is there twice": "{where}：{key}：此列出现两次",
    "{where}: {key}: a secret stands in the file itself": "{where}：{key}：文件中直接写了机密信息",
    "{where}: {key}: an address goes with a serial number or a MAC": "{where}：{key}：地址须与序列号或 MAC 一起使用",
    "{where}: {key}: another camera of this file has the same": "{where}：{key}：本文件中另一台摄像机与此相同",
    "{where}: {key}: missing": "{where}：{key}：缺失",
    "{where}: {key}: not TOML: {reason}": "{where}：{key}：不是 TOML：{reason}",
    "{where}: {key}: not UTF-8": "{where}：{key}：不是 UTF-8",
    "{where}: {key}: not allowed": "{where}：{key}：不允许的值",
    "{where}: {key}: not an address": "{where}：{key}：不是地址",
    "{where}: {key}: the secret {reference} is not there": "{where}：{key}：找不到机密信息 {reference}",
    "{where}: {key}: there is no such column": "{where}：{key}：没有这一列",
    "{where}: {key}: there is no such group": "{where}：{key}：没有这个组",
    "{where}: {key}: there is no such key": "{where}：{key}：没有这个键",
    "{where}: {key}: wrong type, {wanted} is needed": "{where}：{key}：类型不对，应为{wanted}",
}

ZH |= {
    "{count} cameras claim the MAC {what}: {cameras}": "有 {count} 台摄像机自称 MAC 为 {what}：{cameras}",
    "{count} cameras of model {what} answer, and the site file has {entries} entries for them: {cameras}": (
        "有 {count} 台 {what} 应答，而门店文件中只有 {entries} 个条目：{cameras}"
    ),
    "Name the right ones by serial number (sn = …); which is which only you can know.": (
        "请用序列号（sn = …）指定正确的摄像机；只有您知道哪台是哪台。"
    ),
    "the camera that answers has another MAC: {mac}": "应答的摄像机 MAC 不同：{mac}",
    "Name the camera by its serial number; somebody answers under its MAC.": (
        "请用序列号指定摄像机；有其他设备以该 MAC 应答。"
    ),
}

ZH |= {
    "{where}: {key}: there is no camera in the file": "{where}：{key}：文件中没有摄像机",
    "{where}: {key}: what is written here can be read in several ways": (
        "{where}：{key}：此处文字的编码无法确定"
    ),
    "Save the file as 'CSV UTF-8' (Excel), or with character set Unicode (UTF-8) (LibreOffice).": (
        "请将文件另存为“CSV UTF-8”（Excel），或选择字符集 Unicode (UTF-8)（LibreOffice）。"
    ),
}

ZH |= {
    "Take Wi-Fi names and passwords that no Wi-Fi should have.": "接受不符合 Wi-Fi 规范的名称和密码。",
}

ZH |= {
    "{count} cameras claim it: {cameras}": "有 {count} 台摄像机自称这个序列号：{cameras}",
    "{sn}: {count} cameras claim it ({addresses}). Look at their labels: one of them is another.": (
        "{sn}：有 {count} 台摄像机自称这个序列号（{addresses}）。请核对机身标签，其中有一台不是。"
    ),
    "{count} cameras written to {path}. Say in it what you want, then: {command}": (
        "已将 {count} 台摄像机写入 {path}。请在其中写明要求，然后运行：{command}"
    ),
    "Write down the settings that each camera has now.": "同时写入每台摄像机当前的设置。",
    "Write a site file from a scan: TOML with its schema, or CSV where the name ends so.": (
        "扫描并写出门店文件：TOML（附 schema），或按扩展名写 CSV。"
    ),
    "{name}: a CSV file cannot hold them": "{name}：CSV 文件无法容纳",
    "Name a file that ends in .toml.": "请使用以 .toml 结尾的文件名。",
    "Reading the settings of {count} cameras …": "正在读取 {count} 台摄像机的设置……",
    "Reading the settings of {name} …": "正在读取 {name} 的设置……",
    "{sn}: its settings could not be read: {reason}": "{sn}：无法读取其设置：{reason}",
    "This is what the last run found, {age} ago. 'ipc fleet verify' looks now.": (
        "以上是 {age}前最近一次运行的结果。'ipc fleet verify' 可立即核对。"
    ),
    "In the network and not in the site file: {cameras}. To add them: {command}": (
        "网络中有、门店文件中没有：{cameras}。添加：{command}"
    ),
    "all {count} of these:": "以上 {count} 台均为：",
    "{count} d": "{count} 天",
    "{count} h": "{count} 小时",
    "{count} min": "{count} 分钟",
    "{count} s": "{count} 秒",
    "since": "距今",
    "setting": "设置项",
    "Add the cameras in the network that the site file does not have; what it says stays as it is.": (
        "将网络中、门店文件里没有的摄像机加入文件；原有内容保持不变。"
    ),
    "Only this serial number; may be repeated.": "仅此序列号；可重复指定。",
    "{count} cameras would be added: {cameras}.": "将添加 {count} 台摄像机：{cameras}。",
    "{count} cameras added to {path}.": "已将 {count} 台摄像机加入 {path}。",
    "Every camera that answers is in {path} already.": "所有应答的摄像机均已在 {path} 中。",
    "Put a new camera in the place of an old one: the next apply gives it all that the old one should have.": (
        "用新摄像机替换旧摄像机：下次 apply 会按旧摄像机的要求设置它。"
    ),
    "Serial number of the camera in its place.": "替换后的摄像机序列号。",
    "{sn} is in the site file already": "{sn} 已在门店文件中",
    "Name a camera that is not in it yet: 'ipc fleet add' shows those that answer.": "请指定一台尚未在其中的摄像机：'ipc fleet add' 会列出有应答的。",
    "{sn} has the entry {key} already": "{sn} 已占用条目 {key}",
    "{sn} stands in the site file by its MAC {mac}": "{sn} 在门店文件中以 MAC {mac} 登记",
    "Write the new camera's serial number or MAC there.": "请在该处写入新摄像机的序列号或 MAC。",
    "{sn} is not in the site file": "{sn} 不在门店文件中",
    "'ipc fleet status' lists its cameras.": "'ipc fleet status' 列出其中的摄像机。",
    "{new} is in the place of {old}: 'ipc fleet apply' sets it up.": "{new} 已替换 {old}：'ipc fleet apply' 会进行设置。",
    "Show in which settings two cameras differ; exit code 7 if they do.": "显示两台摄像机的设置差异；有差异时退出码为 7。",
    "A camera: address, serial number or name.": "一台摄像机：地址、序列号或名称。",
    "The other one.": "另一台摄像机。",
    "No setting differs.": "所有设置均相同。",
    "{path} has no column for serial numbers": "{path} 没有序列号列",
    "Add a column called sn.": "请添加名为 sn（序列号）的列。",
    "{path} cannot be changed by this program": "本程序无法修改 {path}",
    "{path} cannot be changed by this program: {reason}": "本程序无法修改 {path}：{reason}",
    "Change it with an editor.": "请用编辑器修改。",
    "Every camera of this site file whose certificate has changed.": "该门店文件中证书已变更的所有摄像机。",
    "{name}: not with a serial number": "{name}：不能与序列号合用",
    "Name a camera, or a site file with --all-of.": "请指定摄像机，或用 --all-of 指定门店文件。",
    "Looking at {count} certificates …": "正在查看 {count} 个证书……",
    "The certificates of {count} cameras have changed.": "{count} 台摄像机的证书已变更。",
    "Not reached: {cameras}.": "无法连接：{cameras}。",
    "{count} cameras are trusted with their new certificates.": "已信任 {count} 台摄像机的新证书。",
}
