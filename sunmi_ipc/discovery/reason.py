"""Something worth telling a person, in their language."""

from __future__ import annotations

from ..i18n import Language, language, translate

__all__ = ["Reason"]


class Reason:
    """What happened, and what to do about it.

    Args:
        template: English, a ``str.format`` template.
        hint: What to do, likewise a template.
        values: What fills them.

    """

    template: str
    hint_template: str
    values: dict[str, object]

    def __init__(self, template: str, *, hint: str = "", **values: object) -> None:
        self.template, self.hint_template, self.values = template, hint, values

    def localized(self, lang: Language | None = None) -> tuple[str, str]:
        """Message and hint in *lang*; default: the user's."""
        lang = lang or language()
        hint = translate(self.hint_template, lang, self.values) if self.hint_template else ""
        return translate(self.template, lang, self.values), hint

    def __str__(self) -> str:
        return self.localized("en")[0]

    def __repr__(self) -> str:
        return f"Reason({self!s})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reason) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]
