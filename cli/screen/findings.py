"""What was found out about a camera's answers and events, in words."""

from __future__ import annotations

import re

from sunmi_ipc.i18n import later, tr

#: How findings say what varies; what stands in the gaps is names of the protocol, or one of these again.
_SAYINGS = (
    "it is {path}",
    "{name} is {other}",
    "none of the names tried was taken: {said}",
    "refused whatever they are called: {said}",
    "cannot tell: the camera answers {path} with {said}",
    "{said}, which is of its subject",
    "present: {names}",
    "absent: {names}",
    "unknown: {names}",
    "types: {names}",
    "no effect was seen of: {names}",
    "code {number}",
)
_GAP = re.compile(r"\{(\w+)\}")


def detail_word(text: str) -> str:
    """A finding's detail, or why a probe stopped, for people; names of the protocol stay as they are."""
    if (whole := tr(text)) != text:
        return whole
    if "; " in text:
        return tr("; ").join(detail_word(part) for part in text.split("; "))
    for saying in _SAYINGS:
        form = "".join(
            f"(?P<{part}>[^:]+)" if odd else re.escape(part) for odd, part in _alternating(_GAP.split(saying))
        )
        if match := re.fullmatch(form, text):
            if "other" in match.groupdict() and ", " in text:
                return tr(", ").join(detail_word(part) for part in text.split(", "))
            given = match.groupdict()
            if "said" in given:
                given["said"] = detail_word(given["said"])
            if saying.startswith("types: "):
                given["names"] = _typed(given["names"])
            return tr(saying, **given)
    return text


def _alternating(parts: list[str]) -> list[tuple[bool, str]]:
    return [(bool(number % 2), part) for number, part in enumerate(parts)]


#: JSON's kinds of values.
_KINDS = {
    "number": later("a number"),
    "text": later("a text"),
    "text of digits": later("a text of digits"),
    "list": later("a list"),
    "object": later("an object"),
    "boolean": later("a boolean"),
    "null": later("no value"),
}


def _typed(names: str) -> str:
    """``name=kind, ...``, the kinds in the user's language; in English as they are kept."""

    def word(part: str) -> str:
        name, equals, kind = part.partition("=")
        known = _KINDS.get(kind, kind)
        return name + equals + (kind if tr(known) == known else tr(known))

    return ", ".join(word(part) for part in names.split(", "))
