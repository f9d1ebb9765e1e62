"""What a camera says is untrusted: where its links may lead, what its names may do to us.

One place for every link, file name and text that comes from a camera (or from whoever answers in
its name). Nothing here asks the network, but for :func:`addresses`.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from ..errors import ReplyError
from ..redact import printable

__all__ = ["addresses", "file_name", "own_url", "plain_address", "printable", "same_host"]

_MAX_URL = 4096
# Names that Windows keeps for devices, with or without a suffix.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")
# What no file system that an installer has takes in a name, and what has a meaning to one.
_UNSAFE = re.compile(r'[/\\:*?"<>|]')


def file_name(text: str, *, default: str = "file", limit: int = 120) -> str:
    """A name for a file in a folder of ours, made of what a camera calls it.

    No path, drive, stream, hidden file, device or control character comes out of it, whatever goes
    in; letters of every language stay. It is the same on every system.

    Args:
        text: From a camera: a name, a path or the path of a URL (of which the last part counts).
        default: Where nothing usable is left.
        limit: Longest name in bytes of UTF-8; file systems allow 255.

    """
    last = re.split(r"[/\\]", text)[-1]
    kept = "".join(c for c in last if c.isprintable())
    name = _UNSAFE.sub("_", kept).strip(" .")
    name = name.encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore").strip(" .")
    if not name:
        return default
    return f"_{name}" if _RESERVED.match(name) else name


def plain_address(address: str) -> str:
    """An IP address in its one spelling (no zone, no IPv4 in IPv6); raises ValueError for anything else."""
    ip = ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return str(mapped or ip)


def same_host(one: str, other: str) -> bool:
    """Whether two hosts are the same: as addresses, else as names letter by letter."""
    try:
        return plain_address(one) == plain_address(other)
    except ValueError:
        return bool(one) and one.rstrip(".").lower() == other.rstrip(".").lower()


def addresses(host: str) -> tuple[str, ...]:
    """*host* and, where it is a name, the addresses that it stands for: what :func:`own_url` compares."""
    try:
        return (plain_address(host),)
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return (host,)
    return (host, *dict.fromkeys(plain_address(str(item[4][0])) for item in found))


def own_url(url: str, hosts: Collection[str], *, schemes: Collection[str] = ("http", "https")) -> SplitResult:
    """A link that a camera gave, where it leads to one of *hosts*; anything else is refused.

    Args:
        url: From a camera.
        hosts: Addresses (or names) of that camera and no other machine; see :func:`addresses`.
        schemes: What the caller can follow, in lower case.

    Returns: its parts; ``hostname`` is one of *hosts*, ``port`` is valid, no user or password is in it.

    Raises:
        ReplyError: Another host, a name, another scheme (``file:``), credentials, or no URL at all.

    """
    # urlsplit drops tabs and line breaks in silence, and parsers disagree on backslashes. A blank within
    # the path is sloppy, not dangerous.
    if len(url) > _MAX_URL or not url.isprintable() or "\\" in url or url[:1] == " ":
        raise ReplyError("the camera gave a link that is no URL")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ReplyError("the camera gave a link that is no URL") from None
    if " " in parts.netloc:
        raise ReplyError("the camera gave a link that is no URL")
    if parts.scheme not in schemes:
        raise ReplyError(
            "the camera gave a link of the kind {scheme!r}, which is not followed", scheme=parts.scheme[:20]
        )
    if "@" in parts.netloc:
        raise ReplyError("the camera gave a link with a user name in it, which is not followed")
    if not any(same_host(host, known) for known in hosts):
        raise ReplyError(
            "the camera gave a link to another host, {host}, which is not followed",
            hint="Only the camera itself is asked for what it offers.",
            host=printable(host, 80) or "-",
        )
    return parts
