"""Streams: what the camera's video service answers, and what came of a recording."""

from __future__ import annotations

ZH: dict[str, str] = {
    "the camera's video service sends us elsewhere (RTSP {status}), which is not followed": "摄像机的视频服务把请求转往别处（RTSP {status}），已拒绝跟随",
    "the camera's video service does not have this stream (RTSP {status})": "摄像机的视频服务没有此视频流（RTSP {status}）",
    "the camera's video service sends its stream in no way that is known here (RTSP {status})": "摄像机的视频服务不支持本工具的任何传输方式（RTSP {status}）",
    "the camera's video service cannot give the stream now (RTSP {status})": "摄像机的视频服务现在无法提供视频流（RTSP {status}）",
    "TCP and UDP were offered.": "TCP 和 UDP 都已尝试。",
    "It may have as many viewers as it can serve: close others, and try again in a minute.": "观看者可能已达上限：请关闭其他观看者，一分钟后再试。",
    "Access for recorders (RTSP) is a switch of the camera, in the vendor's app, from firmware 1.2.2 (FM020) or 1.3.0 (FM010) on. After a start its video service takes a minute.": "录像机接入（RTSP）是摄像机的一个开关，在厂商的应用中设置，固件 1.2.2（FM020）或 1.3.0（FM010）起支持。开机后视频服务需要约一分钟。",
    "no picture came within {seconds:.3g} s": "{seconds:.3g} 秒内没有收到画面",
    "no key frame came within {seconds:.3g} s": "{seconds:.3g} 秒内没有收到关键帧",
    "The stream may have sound alone, or the camera may be busy: try again.": "视频流可能只有声音，或摄像机正忙：请再试一次。",
    "no complete answer in time": "未在时限内收到完整回答",
    "not an answer in RTSP": "回答不是 RTSP",
    "the connection broke": "连接中断",
    "nothing came in time": "时限内没有收到数据",
    "the camera ended it": "摄像机结束了传输",
    "what comes is no video that is known here": "收到的不是已知的视频格式",
    "it comes in a way that is not known here": "传输方式未知",
    "the stream ended": "视频流已结束",
    "the stream ended after {got:.1f} of {wanted:g} s: {reason}": "视频流在 {wanted:g} 秒中的第 {got:.1f} 秒结束：{reason}",
    "the stream ended after {got} of {wanted} frames: {reason}": "只得到 {wanted} 帧中的 {got} 帧：{reason}",
    "What came is in the file.": "已收到的内容已保存在文件中。",
    "What came is saved.": "已收到的内容已保存。",
    "The stream's sound ({codec}) does not fit into an MP4 file and is left out; name the file .mkv to keep it.": "视频流的声音（{codec}）无法存入 MP4 文件，已略去；如需保留，请把文件名改为 .mkv。",
    "This computer shows no windows. Open this address on another; '--url-only' prints it with user and password.": "本机没有图形界面。请在其他电脑上打开此地址；'--url-only' 会打印带用户名和密码的地址。",
}
