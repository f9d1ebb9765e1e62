"""The card's label: ``SUNMI-XXXX``, XXXX = the last two bytes of the camera's MAC in upper case."""

from __future__ import annotations

import re
import unicodedata

from ..errors import CardError, ParameterError

_FORM = re.compile(r"SUNMI-[0-9A-F]{4}")
#: What people type, or an input method makes, in place of the plain hyphen; U+30FC is a Japanese one.
_ALIKE = frozenset("\u00ad\u02d7\u2043\u2212\u30fc\uff70\uff0d\ufe63\ufe58")


def label_for(mac: str) -> str:
    """The label that the camera with this MAC looks for.

    Args:
        mac: Twelve hex digits, with or without ``:``, ``-`` or ``.`` between them.

    Raises:
        ParameterError: It is not a MAC.

    """
    digits = re.sub(r"[:.\s-]", "", mac).upper()
    if not re.fullmatch(r"[0-9A-F]{12}", digits):
        raise ParameterError(
            "{name}: not a MAC",
            name="mac",
            hint="It stands on the label at the camera's back, twelve digits like 02:53:4D:10:4A:5B.",
        )
    return f"SUNMI-{digits[-4:]}"


def _is_hyphen(character: str) -> bool:
    return character != "-" and (unicodedata.category(character) == "Pd" or character in _ALIKE)


def problem(label: str, wanted: str = "") -> CardError | None:
    """What is wrong with a card's label; None where nothing is.

    Args:
        label: As the volume has it.
        wanted: The label that the camera looks for; empty where any camera's will do.

    """
    if label == wanted or (not wanted and _FORM.fullmatch(label)):
        return None
    told = wanted or "SUNMI-XXXX"
    if not label.strip():
        return CardError("the card has no label, the camera looks for {wanted}", wanted=told)
    hyphen = next(filter(_is_hyphen, label), "")
    plain = "".join("-" if _is_hyphen(c) else c for c in label)
    narrow = unicodedata.normalize("NFKC", plain).strip()
    right = narrow.upper()
    facts: dict[str, str] = {"label": label, "wanted": told}
    if hyphen:
        facts |= {"character": unicodedata.name(hyphen, "?"), "number": f"U+{ord(hyphen):04X}"}
    if right == wanted or (not wanted and _FORM.fullmatch(right)):
        if narrow != plain:
            return CardError(
                "the card's label {label} has full-width characters or blanks, the camera looks for {wanted}",
                **facts,
            )
        if hyphen and narrow != right:
            return CardError(
                "the card's label {label} has another hyphen ({character}, {number}) and lower-case letters, "
                "the camera looks for {wanted}",
                **facts,
            )
        if hyphen:
            return CardError(
                "the card's label {label} has another hyphen ({character}, {number}) than the plain one of "
                "{wanted}",
                **facts,
            )
        return CardError(
            "the card's label {label} has lower-case letters, the camera looks for {wanted}", **facts
        )
    if right.replace("_", "-") == wanted or re.fullmatch(r"SUNMI_[0-9A-F]{4}", right):
        return CardError(
            "the card's label {label} has an underscore, as the camera's own network; the card's has a hyphen: "
            "{wanted}",
            **facts,
        )
    if _FORM.fullmatch(right):
        return CardError("the card's label {label} is another camera's, this one looks for {wanted}", **facts)
    return CardError("the card's label is {label}, the camera looks for {wanted}", **facts)
