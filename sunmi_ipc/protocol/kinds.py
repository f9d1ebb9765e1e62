"""Types as people call them: what an error says is needed."""

from __future__ import annotations

_WORDS = {
    "bool": "true or false",
    "str": "a text",
    "string": "a text",
    "Secret": "a text",
    "int": "a whole number",
    "float": "a number",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "dict": "a table",
    "mapping": "a table",
    "model": "a table",
    "date": "a date",
    "datetime": "a date with a time",
    "time": "a time of day",
    "timedelta": "a length of time",
    "bytes": "the content of a file",
}


def wanted(kind: str) -> str:
    """A type of Python's, or a kind of pydantic's errors (``bool_parsing``), in words; they have a Chinese."""
    for ending in ("_type", "_parsing", "_unicode", "_instance_of", "_attributes"):
        kind = kind.removesuffix(ending)
    return _WORDS.get(kind, "one of the allowed values")
