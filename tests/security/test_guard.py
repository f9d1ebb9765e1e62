"""Links, file names and texts that a camera gives: where they may lead, and what comes out of them."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sunmi_ipc.errors import ReplyError
from sunmi_ipc.link.guard import addresses, file_name, own_url, same_host
from sunmi_ipc.redact import printable

HOSTS = ("10.0.0.9", "fe80::1")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "of the kind 'file'"),
        ("file://10.0.0.9/etc/passwd", "of the kind 'file'"),
        ("ftp://10.0.0.9/x", "of the kind 'ftp'"),
        ("gopher://10.0.0.9/x", "of the kind 'gopher'"),
        ("data:text/html,x", "of the kind 'data'"),
        ("//10.0.0.9/x", "of the kind ''"),
        ("/etc/passwd", "of the kind ''"),
        ("", "of the kind ''"),
        ("http://10.0.0.10/x", "another host, 10.0.0.10"),
        ("http://169.254.169.254/latest/meta-data", "another host"),
        ("http://localhost/x", "another host"),
        ("http://127.0.0.1/x", "another host"),
        ("http://0/x", "another host"),
        ("http://[::ffff:10.0.0.10]/x", "another host"),
        ("http://10.0.0.9.evil.example/x", "another host"),
        ("http://167772169/x", "another host"),  # 10.0.0.9 as one number: parsers disagree, so it is refused
        ("http:///x", "another host, -"),
        ("http://10.0.0.9@evil.example/x", "user name"),
        ("http://a:b@10.0.0.9/x", "user name"),
        ("http://10.0.0.9:0x50/x", "no URL"),
        ("http://10.0.0.9:99999/x", "no URL"),
        ("http://[::1/x", "no URL"),
        ("http://10.0.0.9\\@evil.example/x", "no URL"),
        ("http://evil.example\\.10.0.0.9/x", "no URL"),
        ("http://10.0.0.9/x\r\nHost: evil.example", "no URL"),
        ("ht\ttp://10.0.0.9/x", "no URL"),
        (" http://10.0.0.9/x", "no URL"),
        ("http://10.0.0.9/\x1b]0;owned\x07", "no URL"),
        ("http://10.0.0.9/" + "a" * 5000, "no URL"),
    ],
)
def test_links_that_are_refused(url: str, reason: str) -> None:
    with pytest.raises(ReplyError, match=reason) as caught:
        own_url(url, HOSTS)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.9/a%20b?x=1",
        "https://10.0.0.9:8443/",
        "http://[::ffff:10.0.0.9]/",
        "HTTP://[FE80::1]/图.jpg",
    ],
)
def test_links_that_are_followed(url: str) -> None:
    parts = own_url(url, HOSTS)
    assert any(same_host(parts.hostname or "", host) for host in HOSTS)


def test_schemes_are_the_callers() -> None:
    assert own_url("rtsp://10.0.0.9/x/live_hd.sdp", HOSTS, schemes=("rtsp",)).hostname == "10.0.0.9"
    with pytest.raises(ReplyError, match="of the kind 'http'"):
        own_url("http://10.0.0.9/", HOSTS, schemes=("rtsp",))


def test_a_camera_known_by_name_is_known_by_its_addresses() -> None:
    assert addresses("127.0.0.9") == ("127.0.0.9",)
    assert "127.0.0.1" in addresses("localhost")
    assert own_url("http://127.0.0.1/x", addresses("localhost"))
    assert addresses("\udcff.bad") == ("\udcff.bad",)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("clip.mp4", "clip.mp4"),
        ("门口.jpg", "门口.jpg"),
        ("../../etc/passwd", "passwd"),
        ("/etc/cron.d/x", "x"),
        ("..\\..\\Windows\\x.exe", "x.exe"),
        ("C:evil", "C_evil"),
        ("a.mp4:stream", "a.mp4_stream"),
        ("..", "file"),
        ("", "file"),
        ("a/..", "file"),
        ("\x00\x1b[2J", "[2J"),
        (".bashrc", "bashrc"),
        ("con.mp4", "_con.mp4"),
        ("NUL", "_NUL"),
        ("x. .", "x"),
        ("a\u202egpj.exe", "agpj.exe"),
    ],
)
def test_file_names(given: str, expected: str) -> None:
    assert file_name(given) == expected


@given(st.text(max_size=300) | st.text("./\\:\0 ~$con", max_size=30))
def test_a_file_name_never_leaves_its_folder(text: str) -> None:
    name = file_name(text)
    assert name
    assert PurePosixPath(name).name == PureWindowsPath(name).name == name
    assert name not in (".", "..")
    assert name.isprintable()
    assert len(os.fsencode(name)) <= 121
    folder = Path("/shop/videos")
    assert Path(os.path.normpath(folder / name)).parent == folder


@given(st.text(max_size=100))
def test_text_cannot_steer_the_terminal(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(text, 20).isprintable()
    if text.isprintable():
        assert shown == text


def test_escapes_are_shown_not_dropped() -> None:
    assert printable("\x1b]0;owned\x07\u202e") == "\\x1b]0;owned\\x07\\u202e"
    assert printable("a" * 30, 10) == "a" * 9 + "…"
