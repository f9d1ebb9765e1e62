"""The one writer of CSV: nothing in it is a formula, half a file, or half an emoji."""

from __future__ import annotations

import ast
import csv
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sunmi_ipc import csvfile

ROOT = Path(__file__).parents[1]


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("http://x/?"&A1)', '\'=HYPERLINK("http://x/?"&A1)'),
        ("+1+2", "'+1+2"),
        ("-1+2", "'-1+2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "  '=1"),
        ("\u00a0=1", "\u00a0'=1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n@x", "'\n'@x"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\ufe661+1", "'\ufe661+1"),
        ("\u200b\u2060=1", "\u200b\u2060'=1"),
        ("Door;=1+1", "Door;'=1+1"),  # a spreadsheet that takes semicolons
        ("Door\t=1+1", "Door\t'=1+1"),
        ("\ud800", "\ufffd"),
        ("\x1b[2J", "\ufffd[2J"),
        ("Tür - 收银台", "Tür - 收银台"),
        ("a=b", "a=b"),
        ("FS101D8BS00106", "FS101D8BS00106"),
        ("192.168.1.20", "192.168.1.20"),
        ("-0.5", "-0.5"),
        (-3, -3),
        (0.25, 0.25),
        (None, ""),
        ("", ""),
    ],
)
def test_a_cell_is_no_formula(text: Any, cell: Any) -> None:
    assert csvfile.guard(text) == cell


LIVE = ("=", "+", "@", "\uff1d", "\uff0b", "\uff20")


@given(st.text(st.characters(), max_size=30))
def test_whatever_somebody_is_called_no_cell_is_live_in_any_spreadsheet(name: str) -> None:
    stream = io.StringIO(newline="")
    csvfile.Rows(stream, ["name"]).add({"name": name})
    text = stream.getvalue()
    text.encode()
    assert [len(row) for row in csv.reader(io.StringIO(text, newline=""))] in ([1, 1], [1])
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            for cell in row:
                assert not cell.strip().startswith(LIVE)
                assert not cell.strip().startswith("-") or cell.strip("-").replace(".", "").isdigit()


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r\n", "\n\r"])
def test_a_name_does_not_go_on_as_another_row(end: str) -> None:
    """Also where it holds nothing else that would be put into quotes."""
    stream = io.StringIO(newline="")
    csvfile.Rows(stream, ["sn", "name"]).add({"sn": f"FS1{end}FS2", "name": f"Door{end}"})
    csvfile.plain(stream, ";")([f"FS3{end}FS4", "Till"])
    first, second = stream.getvalue().split("\n", 1)[1], stream.getvalue()
    assert [len(row) for row in csv.reader(io.StringIO(second, newline=""))][:2] == [2, 2]
    for line in first.replace("\r\n", "\n").split("\n"):
        assert "\r" not in line  # nothing but what stands within quotes ends a row
    assert sum(1 for _ in csv.reader(io.StringIO(second, newline=""))) == 3


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), max_size=20))
def test_a_guarded_text_can_be_read_back(name: str) -> None:
    if ";" not in name and "|" not in name:
        assert csvfile.unguard(str(csvfile.guard(name))).strip() == name.strip() or name[:1].isspace()


def test_a_file_is_whole_marked_and_kept_as_it_was_allowed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    csvfile.write(path, [{"a": 1, "b": ["x", "y"], "c": "left out"}], ["a", "b"], title={"a": "数量"})
    assert path.read_bytes() == "\ufeff数量,b\n1,x y\n".encode()
    if os.name == "posix":
        path.chmod(0o640)

    def rows() -> Any:
        yield {"a": 2}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        csvfile.write(path, rows(), ["a"])
    assert read(path) == [{"数量": "1", "b": "x y"}]
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]
    csvfile.write(path, [{"a": 3}], ["a"])
    assert read(path) == [{"a": "3"}]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(OSError, match="No such file") as caught:
        csvfile.write(tmp_path / "no" / "x.csv", [], ["a"])
    assert caught.value.filename == str(tmp_path / "no" / "x.csv")


SAY = "from sunmi_ipc import csvfile; csvfile.write('-', [{'n': '门口 😀'}], ['n'])"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_standard_output_is_utf8_whatever_the_code_page(encoding: str, tmp_path: Path) -> None:
    env = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    piped = subprocess.run([sys.executable, "-c", SAY], capture_output=True, env=env, check=True).stdout
    assert piped == "n\n门口 😀\n".encode()  # no mark for a program
    with (tmp_path / "out.csv").open("wb") as file:
        subprocess.run([sys.executable, "-c", SAY], stdout=file, env=env, check=True)
    assert (tmp_path / "out.csv").read_bytes() == "\ufeffn\n门口 😀\n".encode()


@pytest.mark.slow
def test_nothing_else_in_the_tree_writes_csv() -> None:
    found = []
    for path in [*(ROOT / "sunmi_ipc").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("writer", "DictWriter")
                and isinstance(node.value, ast.Name)
                and node.value.id == "csv"
            ):
                found.append(path.relative_to(ROOT).as_posix())
    assert set(found) == {"sunmi_ipc/csvfile.py"}
