"""Finding cameras, and why none was found."""

from __future__ import annotations

ZH: dict[str, str] = {
    # -- rejected packets ---------------------------------------------------------------------
    "too long": "过长",
    "wrong magic": "标识不符",
    "wrong CRC": "CRC 校验不符",
    "{count} packets rejected: {reason} (from {senders})": "拒绝了 {count} 个数据包：{reason}（来自 {senders}）",
    "too many cameras": "摄像机数量过多",
    "{sn} was announced at {ip} by another computer; nothing connects there unless you name that address.": (
        "另一台计算机宣告 {sn} 位于 {ip}；除非您直接指定该地址，否则不会连接。"
    ),
    "What {ip} calls its serial number is none: {sn}. Name it by its address.": (
        "{ip} 所报的序列号并不是序列号：{sn}。请改用地址指定。"
    ),
    "{ip} answers in an unusual way ('-v' says how). Name it by its address.": (
        "{ip} 的应答方式不寻常（用 -v 查看详情）。请改用地址指定。"
    ),
    "{sn} is claimed by more than one camera, at {addresses}": "有多台摄像机自称 {sn}，位于 {addresses}",
    "Name the right one by its address (-c ADDRESS); the other is a stranger's, or was copied.": (
        "请用地址指定正确的那台（-c 地址）；另一台是他人的，或是冒充的。"
    ),
    "the camera {sn} was not found in this network; somebody says that it is at {address}": (
        "在本网络中未找到摄像机 {sn}；有人声称它位于 {address}"
    ),
    "If you know that address, name it: -c {address}.": "如果您确认该地址，请直接指定：-c {address}。",
    # -- notes --------------------------------------------------------------------------------
    "{interface} cannot be used: {reason}": "{interface} 无法使用：{reason}",
    "{interface}: another program holds UDP port {port}; answers to that port go to it": (
        "{interface}：UDP 端口 {port} 被其他程序占用，发往该端口的应答会被它收走"
    ),
    "no link: the cable is not plugged in, or the Wi-Fi not joined ({interfaces})": (
        "没有链路：网线未插好，或未连接 Wi-Fi（{interfaces}）"
    ),
    "Plug in the cable at both ends, or join the cameras' Wi-Fi, and scan again.": (
        "请插好网线两端，或连接摄像机所在的 Wi-Fi，然后重新扫描。"
    ),
    "only {started} of {count} virtual cameras could be started: {reason}": (
        "{count} 台虚拟摄像机中只启动了 {started} 台:{reason}"
    ),
    "Start fewer, or allow more open files (ulimit -n).": "请减少台数，或提高可打开文件数的上限（ulimit -n）。",
    "End the program that holds the UDP port.": "请结束占用该 UDP 端口的程序。",
    "mDNS cannot be used: {reason}": "无法使用 mDNS：{reason}",
    "{sn} says that its address is {claimed}, but answers from {ip}; {ip} is used.": (
        "{sn} 声称地址是 {claimed}，却从 {ip} 应答；将使用 {ip}。"
    ),
    "{sn} is claimed by more than one camera: {mac} at {ip}. Name it by its address.": (
        "不止一台摄像机声称是 {sn}：{ip} 处的 {mac}。请改用地址指定。"
    ),
    "{sn} is on this wire, but its address {ip} is outside this computer's network. "
    "To reach it, give {interface} an address in the camera's network.": (
        "{sn} 与本机在同一线路上，但其地址 {ip} 不在本机网络内。"
        "要连接它，请给 {interface} 设置一个摄像机所在网络的地址。"
    ),
    "For scripts: --jsonl.": "脚本请用 --jsonl。",
    "{sn} answers from {addresses}.": "{sn} 从这些地址应答：{addresses}。",
    "{name}: out of range": "{name}：超出范围",
    "several cameras are called {name}: {cameras}": "有多台摄像机名为 {name}：{cameras}",
    "Name one by its serial number.": "请用序列号指定一台。",
    # -- scan ---------------------------------------------------------------------------------
    "Seconds at most (2.4 if not given); with --watch, how long to watch.": (
        "最多等待的秒数（默认 2.4）；与 --watch 合用时为观察时长。"
    ),
    "Leave mDNS out.": "不使用 mDNS。",
    "Go on, and tell when cameras come, change or go.": "持续观察，报告摄像机的上线、变化和离线。",
    "Seconds between two looks of --watch.": "--watch 每次查看的间隔秒数。",
    "{name}: choose one form of output": "{name}：只能选择一种输出格式",
    "{name}: not with --watch": "{name}：不能与 --watch 合用",
    "Watching for cameras; Ctrl-C ends it.": "正在观察摄像机；按 Ctrl-C 结束。",
    "online": "上线",
    "changed": "变化",
    "offline": "离线",
    "(was {old})": "（原为 {old}）",
    # -- reasons ------------------------------------------------------------------------------
    "{count} packets came that are no camera's answer": "收到 {count} 个不是摄像机应答的数据包",
    "'ipc scan -v' says what was wrong with them, and who sent them.": (
        "'ipc scan -v' 可查看它们的问题和发送者。"
    ),
    "nothing on this computer stands in the way": "本机没有发现障碍",
    "Is a camera on, and in this network? Guest Wi-Fi and some switches keep devices apart; "
    "across a router, 'ipc scan --target' asks addresses one by one.": (
        "摄像机通电了吗？在同一网络中吗？访客 Wi-Fi 和某些交换机会隔离设备；"
        "跨路由器时可用 'ipc scan --target' 逐个询问地址。"
    ),
    "only loopback was scanned": "只扫描了回环接口",
    "That finds virtual cameras alone; for real ones, leave --interface and SUNMI_IPC_INTERFACE out.": (
        "这样只能找到虚拟摄像机；查找真实摄像机时请不要设置 --interface 和 SUNMI_IPC_INTERFACE。"
    ),
    "only point-to-point links ({interfaces}): no broadcast reaches a camera through them": (
        "只有点对点连接（{interfaces}）：广播无法通过它们到达摄像机"
    ),
    "Join the cameras' network by cable or Wi-Fi, or ask addresses with --target.": (
        "请用网线或 Wi-Fi 接入摄像机所在网络，或用 --target 询问地址。"
    ),
    "{interface}: a firewall on this computer does not let the request out": (
        "{interface}：本机防火墙不允许发出请求"
    ),
    "{interface}: a firewall on this computer drops what comes in for UDP port {port}": (
        "{interface}：本机防火墙丢弃发往 UDP 端口 {port} 的数据包"
    ),
    "Allow UDP port {port}, out and in.": "请放行 UDP 端口 {port} 的收发。",
    "UDP port {port} is held by {program}": "UDP 端口 {port} 被 {program} 占用",
    "UDP port {port} is held by another program": "UDP 端口 {port} 被其他程序占用",
    "End that program if cameras are missing: some answer to that port alone.": (
        "如果缺少摄像机，请结束该程序：有些摄像机只向该端口应答。"
    ),
    "a VPN ({interface}) holds the default route": "默认路由由 VPN（{interface}）占用",
    "Many VPNs cut off the local network: leave it, or allow local access, and scan again.": (
        "许多 VPN 会切断本地网络：请断开它或允许访问本地网络，然后重新扫描。"
    ),
    "this computer is on a camera's access point": "本机已连接到摄像机的热点",
    "'ipc scan --ap' asks 192.168.200.1, the camera's address there.": (
        "'ipc scan --ap' 会询问摄像机在热点中的地址 192.168.200.1。"
    ),
    "a camera's access point is in reach: {ssid}": "附近有摄像机的热点：{ssid}",
    "That camera waits to be set up: join {ssid}, then 'ipc wifi set SSID - -c 192.168.200.1'.": (
        "该摄像机等待设置：请连接 {ssid}，然后运行 'ipc wifi set SSID - -c 192.168.200.1'。"
    ),
}

ZH |= {
    "{interfaces} has only an address that it gave itself: nobody hands out addresses here": (
        "{interfaces} 只有自行分配的地址：此处没有设备分配地址"
    ),
    "Plug the camera and this computer into the shop's router, or give this computer an address "
    "in the camera's network by hand.": (
        "请将摄像机和本机接入门店路由器，或手动为本机设置一个摄像机所在网络的地址。"
    ),
    "this runs in a container ({kind}): its network is not the shop's, and no broadcast crosses over": (
        "程序运行在容器（{kind}）中：容器网络不是门店网络，广播无法到达"
    ),
    "Start the container with --network host (Linux), or ask addresses with --target.": (
        "请以 --network host 启动容器（Linux），或用 --target 逐个询问地址。"
    ),
    "this runs in Windows' Linux (WSL): its network is not the shop's, unless it is mirrored": (
        "程序运行在 WSL 中：除非启用镜像网络，否则其网络不是门店网络"
    ),
    "Write networkingMode=mirrored under [wsl2] in .wslconfig, use Python for Windows, or ask "
    "addresses with --target.": (
        "请在 .wslconfig 的 [wsl2] 下写入 networkingMode=mirrored，或使用 Windows 版 Python，或用 --target 逐个询问地址。"
    ),
    "{ip} was heard on {heard}, but this computer's way there goes by {way}": (
        "{ip} 的应答来自 {heard}，但本机到该地址的路由经过 {way}"
    ),
    "Two interfaces have the same network, or a route leads elsewhere: take {way} down, or correct the route.": (
        "两个接口处于同一网络，或路由指向别处：请停用 {way}，或更正路由。"
    ),
    "whether this computer's firewall lets answers in could not be asked": "无法查询本机防火墙是否放行应答",
    "Look in its settings: allow Python to receive in private networks.": (
        "请查看防火墙设置：允许 Python 在专用网络中接收数据。"
    ),
    "this computer's firewall is on; whether it lets Python receive was not tried": (
        "本机防火墙已开启；未测试是否允许 Python 接收数据"
    ),
    "Allow Python in private networks; on macOS allow the terminal under Privacy, Local Network, too.": (
        "请允许 Python 访问专用网络；在 macOS 上还需在“隐私-本地网络”中允许终端。"
    ),
    "a camera was found, but calls to it go another way": "找到了摄像机，但对它的调用走了另一条路由",
}

ZH |= {
    "{name}: this computer has no time zone database": "{name}：本机没有时区数据库",
}

ZH |= {"cable": "网线", "Wi-Fi": "Wi-Fi"}
