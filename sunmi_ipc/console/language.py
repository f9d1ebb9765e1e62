"""Which language a browser asks for."""

from __future__ import annotations

import re

from ..errors import SunmiIpcError, TlsError
from ..i18n import Language, later, translate


def preferred(header: str) -> Language:
    """Chinese where the browser asks for it before English (``Accept-Language``)."""
    wishes = []
    for place, part in enumerate(header.split(",")[:20]):
        name, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.partition("q=")[2] or 1)
        except ValueError:
            weight = 0.0
        wishes.append((-weight, place, name.lower()))
    for _, _, name in sorted(wishes):
        if name.startswith("zh"):
            return "zh"
        if name.startswith("en"):
            return "en"
    return "en"


#: What is typed into a terminal helps nobody on a phone: the part of a sentence that names a command is left out.
_CLAUSE = re.compile(r"(?<=[.;:,!?])\s+|(?<=[。；：，！？])")
_COMMAND = re.compile(r"'ipc\b|^ipc [a-z]|--[a-z]|SUNMI_IPC_")
#: Only mentioned beside what is to be done: the rest of the sentence holds without it.
_BESIDE = re.compile(r"\s?[(（](?:see )?SUNMI_IPC_[A-Z0-9_]+[)）]")
_LOOSE = re.compile(r"(?:\b(?:then|and|or)|然后|再|并|或)$")


def without_commands(hint: str) -> str:
    """A hint without the parts that name commands or the environment; empty where nothing else is left."""
    hint = _BESIDE.sub("", hint)
    parts = [part for part in _CLAUSE.split(hint) if part]
    kept = [part for part in parts if not _COMMAND.search(part)]
    if len(kept) == len(parts):
        return hint
    chinese = any("\u4e00" <= c <= "\u9fff" for c in hint)
    text = ("" if chinese else " ").join(kept).strip().rstrip(",;:，；：")
    text = _LOOSE.sub("", text).rstrip(",;，； ")
    return text if not text or text[-1] in ".!?。！？" else text + ("。" if chinese else ".")


#: What only who runs a network understands, as a page says it to whoever stands in the shop; by the beginning of a template.
_PLAIN: dict[str, str] = {
    "the camera's certificate is not from the CA": later(
        "this camera is not trusted: its certificate is not the vendor's"
    ),
    "the camera's certificate has changed": later(
        "this camera is not trusted: it shows another certificate than before"
    ),
    "the connection was refused": later("the camera does not answer"),
    "the connection failed": later("the camera does not answer"),
    "no key frame came within": later("the camera has sent no whole picture for {seconds:.3g} s"),
}


def message_of(error: SunmiIpcError) -> str:
    """The message's template as a page gives it."""
    return next((own for begin, own in _PLAIN.items() if error.template.startswith(begin)), error.template)


def told(error: SunmiIpcError, lang: Language) -> str:
    """The message as a page gives it, in *lang*."""
    own = message_of(error)
    return translate(own, lang, error.values) if own != error.template else error.localized(lang)[0]


def hint_of(error: SunmiIpcError) -> str:
    """The hint's template as a page gives it: what can be done there."""
    if isinstance(error, TlsError) and "known" in error.values:
        return later(
            "If the camera was replaced or reset by you, trust its new certificate on its Trust tab. "
            "If not, somebody may stand between you and the camera."
        )
    if isinstance(error, TlsError) and error.template.startswith("the camera's certificate is "):
        return later("What it shows, and how it can be trusted all the same, is on its Trust tab.")
    return error.hint_template
