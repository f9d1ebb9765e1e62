"""On which line of a TOML file a key stands: the standard library's reader does not tell."""

from __future__ import annotations

Path = tuple[str | int, ...]


class Lines(dict[Path, int]):
    """The line of each key; ``files`` has the names of other files that keys came from."""

    def __init__(self, lines: dict[Path, int] | None = None) -> None:
        super().__init__(lines or {})
        self.files: dict[Path, str] = {}


def toml_lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every table, key, and entry of an array in *text*, which is good TOML."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of *path*, else of what it stands in; 1 where nothing of it is there."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def place_of(lines: dict[Path, int], file: str, path: Path) -> str:
    """``FILE:LINE`` of *path*, else of what it stands in; *file* where nothing says that it is another's."""
    for length in range(len(path), 0, -1):
        if (key := path[:length]) in lines:
            return f"{getattr(lines, 'files', {}).get(key, file)}:{lines[key]}"
    return f"{file}:1"


class _Scanner:
    """Walks over valid TOML. What is not needed to find keys is skipped, not understood."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.line = text.replace("\r\n", "\n") + "\n", 0, 1
        self.lines: dict[Path, int] = {}
        self._arrays: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while self._blank():
            if self._take("[["):
                table = self._header(array=True)
                self._take("]]")
            elif self._take("["):
                table = self._header(array=False)
                self._take("]")
            else:
                self._pair(table)

    def _header(self, *, array: bool) -> Path:
        *outer, last = self._key()
        path: Path = ()
        for part in outer:
            path = (*path, part)
            if path in self._arrays:
                path = (*path, self._arrays[path])
        path = (*path, last)
        if array:
            self.lines.setdefault(path, self.line)
            self._arrays[path] = self._arrays.get(path, -1) + 1
            path = (*path, self._arrays[path])
        self.lines.setdefault(path, self.line)
        return path

    def _pair(self, table: Path) -> None:
        path = (*table, *self._key())
        for length in range(len(table) + 1, len(path) + 1):
            self.lines.setdefault(path[:length], self.line)
        self._take("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        self._blank()
        self.lines.setdefault(path, self.line)
        if self._take("["):
            index = 0
            while self._blank() and not self._take("]"):
                self._value((*path, index))
                index += 1
                self._blank()
                self._take(",")
        elif self._take("{"):
            while self._blank() and not self._take("}"):
                self._pair(path)
                self._blank()
                self._take(",")
        elif self.text[self.at] in "\"'":
            self._string()
        else:
            while self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._spaces()
            if self.text[self.at] in "\"'":
                parts.append(self._string())
            else:
                start = self.at
                while self.text[self.at].isalnum() or self.text[self.at] in "-_":
                    self.at += 1
                parts.append(self.text[start : self.at])
            self._spaces()
            if not self._take("."):
                return parts

    def _string(self) -> str:
        quote = self.text[self.at]
        end = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(end)
        start = self.at
        while not self.text.startswith(end, self.at):
            self._step(2 if quote == '"' and self.text[self.at] == "\\" else 1)
        while len(end) == 3 and self.text.startswith(end, self.at + 1):
            self.at += 1  # up to two quotes may stand before the closing three
        text = self.text[start : self.at]
        self.at += len(end)
        return text

    def _step(self, count: int) -> None:
        self.line += self.text.count("\n", self.at, self.at + count)
        self.at += count

    def _take(self, word: str) -> bool:
        found = self.text.startswith(word, self.at)
        self.at += len(word) if found else 0
        return found

    def _spaces(self) -> None:
        while self.text[self.at] in " \t":
            self.at += 1

    def _blank(self) -> bool:
        """Skip blanks, ends of lines and comments; whether anything is left."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                self.at = self.text.index("\n", self.at)
            elif self.text[self.at].isspace():
                self._step(1)
            else:
                return True
        return False
