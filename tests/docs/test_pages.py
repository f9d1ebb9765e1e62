"""The documentation as a whole: both languages, links and anchors, commands that exist, a reference that is current."""

from __future__ import annotations

import re
import runpy
import shlex
import struct
import subprocess
import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli import reference
from sunmi_ipc_cli.main import _WITH_VALUE, COMMANDS
from sunmi_ipc_cli.main import load as fresh

from sunmi_ipc import errors
from sunmi_ipc.codes.cloud import CloudCode
from sunmi_ipc.codes.device import DeviceCode
from sunmi_ipc.protocol.spec import registry

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: One page in both languages.
BILINGUAL = {"glossary"}
ENGLISH = sorted(page.stem for page in DOCS.glob("*.md") if not page.name.endswith(".zh-CN.md"))
PAGES = sorted(page.name for page in DOCS.glob("*.md"))
SITE = (ROOT / "mkdocs.yml").read_text("utf-8")


load = cache(fresh)


def text(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def prose(source: str) -> str:
    """A page without its code."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", source, flags=re.M | re.S))


@cache
def anchors(path: Path) -> set[str]:
    """What a link may point at on a page, as the site names it."""
    found: dict[str, int] = {}
    source = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.M | re.S)
    for heading in re.findall(r"^#{1,6} (.+)$", source, re.M):
        if given := re.search(r"\{#([\w-]+)\}$", heading):
            found[given[1]] = 1
            continue
        plain = re.sub(r"`|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", unicodedata.normalize("NFC", plain)).strip().lower().replace(" ", "-")
        count = found.get(slug, 0)
        found[slug] = count + 1
        if count:
            found[f"{slug}_{count}"] = 1
    return set(found)


# -- two languages


@pytest.mark.parametrize("name", [name for name in ENGLISH if name not in BILINGUAL])
def test_every_page_has_its_chinese(name: str) -> None:
    english, chinese = text(f"{name}.md"), text(f"{name}.zh-CN.md")
    assert f"]({name}.zh-CN.md)" in english
    assert f"]({name}.md)" in chinese
    words = prose(chinese)
    han = len(re.findall(r"[\u4e00-\u9fff]", words))
    latin = len(
        re.findall(r"[A-Za-z]{2,}", re.sub(r"\]\([^)]*\)|https?://\S+|^:::.*$", "", words, flags=re.M))
    )
    assert han > latin, "this is not Chinese"


def test_no_chinese_page_stands_alone() -> None:
    chinese = {name.removesuffix(".zh-CN.md") for name in PAGES if name.endswith(".zh-CN.md")}
    assert chinese == set(ENGLISH) - BILINGUAL


def test_a_page_of_the_index_is_one_of_the_folder() -> None:
    nav = SITE.partition("\nnav:")[2]
    listed = re.findall(r": ([\w-]+)\.md$", nav, re.M)
    assert sorted(listed) == ENGLISH, "mkdocs.yml, nav"
    titles = re.findall(r"^ +- ([^:]+):", nav, re.M)
    block = re.search(r"nav_translations:\n((?: {12}.+\n)+)", SITE)
    assert block
    translated = {line.partition(":")[0].strip() for line in block[1].splitlines()}
    assert [title for title in titles if title not in translated] == []


#: What stands beside docs/ in both languages, too.
TWINS = [*(name for name in ENGLISH if name not in BILINGUAL), "../README", "../SECURITY"]


def parts(source: str) -> list[tuple[int, str]]:
    """The shape of a page: for each heading its level, and what stands below it, a letter each.

    P is a paragraph, L3 a list of three, C code, T5 a table of five lines, I an image.
    """

    def kind(block: str) -> str:
        first = block.lstrip()
        if first.startswith("|"):
            return f"T{len(block.splitlines())}"
        if first.startswith("!["):
            return "I"
        if re.match(r"(?:[-*]|\d+\.) ", first):
            return f"L{len(re.findall(r'^ *(?:[-*]|[0-9]+[.]) ', block, re.M))}"
        return "C" if first.startswith("\x00") else "P"

    plain = re.sub(r"^ *```.*?^ *```$", "\x00", source, flags=re.M | re.S)
    sections = re.split(r"^(#{1,6}) .*$", plain, flags=re.M)
    return [
        (len(level), " ".join(kind(block) for block in re.split(r"\n\s*\n", text.strip()) if block.strip()))
        for level, text in zip(["", *sections[1::2]], sections[0::2], strict=True)
    ]


@pytest.mark.parametrize("name", TWINS)
def test_a_page_and_its_chinese_have_the_same_parts(name: str) -> None:
    """A paragraph, list, table, row, picture or block that is added to one page and not to the other shows here."""
    english, chinese = parts(text(f"{name}.md")), parts(text(f"{name}.zh-CN.md"))
    assert english == chinese


@pytest.mark.parametrize("name", TWINS)
def test_a_page_and_its_chinese_have_the_same_code(name: str) -> None:
    """Line by line, but for remarks and for lines that have Chinese in them."""

    def lines(source: str) -> list[list[str]]:
        found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", source, re.M | re.S)
        return [
            [kind, *(re.sub(r"(?:^|\s+)#.*$", "", line) for line in code.splitlines())]
            for kind, code in found
        ]

    english, chinese = lines(text(f"{name}.md")), lines(text(f"{name}.zh-CN.md"))
    assert [len(block) for block in english] == [len(block) for block in chinese]
    for one, other in zip(english, chinese, strict=True):
        said = [
            (a, b)
            for a, b in zip(one, other, strict=True)
            if not re.search(r"[\u3000-\u9fff\uff00-\uffef]", b)
        ]
        assert [a for a, _ in said] == [b for _, b in said]


def test_both_tables_of_threats_name_the_same_tests() -> None:
    english, chinese = (
        [re.findall(r"`tests/[\w/.:]+`", line) for line in text(name).splitlines() if line.startswith("| ")]
        for name in ("security.md", "security.zh-CN.md")
    )
    assert [row for row in english if row] == [row for row in chinese if row]


@pytest.mark.parametrize("name", ["contributing.md", "contributing.zh-CN.md"])
def test_every_room_is_on_the_map(name: str) -> None:
    rows = "\n".join(line for line in text(name).splitlines() if line.startswith("| `"))
    rooms = {path.parent.name for path in (ROOT / "sunmi_ipc").glob("*/__init__.py")}
    assert {
        room for room in rooms if f"`sunmi_ipc/{room}/`" not in rows and f"`{room}/`" not in rows
    } == set()


# -- the index by task, and help by symptom


@pytest.mark.parametrize("name", ["index.md", "index.zh-CN.md"])
def test_the_index_leads_to_every_page_by_a_task(name: str) -> None:
    rows = [line for line in text(name).splitlines() if line.startswith("| ")][1:]
    assert all(re.match(r"\| [^|\[]+ \| \[", row) for row in rows), "a task, then pages"
    assert {link for row in rows for link in re.findall(r"\]\(([\w-]+)\.md\)", row)} == set(ENGLISH) - {
        "index"
    }


SYMPTOMS = ("Not found", "Refused", "Code 5", "Clock", "SD card", "No counts", "No events", "No picture")


@pytest.mark.parametrize(("name", "says"), [("troubleshooting.md", r"The command that tells[^:]*: `(ipc [^`]+)`"),
                                            ("troubleshooting.zh-CN.md", r"用 `(ipc [^`]+)` ?[的查]")])  # fmt: skip
def test_every_symptom_has_the_command_that_tells(name: str, says: str) -> None:
    sections = re.split(r"^## ", text(name), flags=re.M)[1:]
    assert [section.partition("\n")[0] for section in sections if not re.search(says, section)] == []
    if name == "troubleshooting.md":
        headings = [section.partition("\n")[0] for section in sections]
        assert [s for s in SYMPTOMS if not any(heading.startswith(s) for heading in headings)] == []


# -- links


@pytest.mark.parametrize(
    "name",
    [
        *PAGES,
        "../README.md",
        "../README.zh-CN.md",
        "../SECURITY.md",
        "../SECURITY.zh-CN.md",
        "../certs/README.md",
    ],
)
def test_links_lead_somewhere(name: str) -> None:
    page = (DOCS / name).resolve()
    for link in re.findall(
        r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    ):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), link
        if anchor and path.suffix == ".md":
            # On the Chinese site a link leads to the page in Chinese.
            own = path.with_name(path.name.replace(".md", ".zh-CN.md"))
            there = (
                own
                if page.name.endswith(".zh-CN.md") and own.exists() and ".zh-CN" not in path.name
                else path
            )
            assert anchor in anchors(there), link


# -- pictures


def test_pictures_are_those_that_the_browser_tests_make() -> None:
    """Each page shows those of its language; none is left over, none was made by hand: ``.ci/pictures`` puts them there."""
    made = runpy.run_path(str(ROOT / ".ci" / "pictures"))
    source = (ROOT / "tests" / "console" / "test_pictures.py").read_text("utf-8")
    taken = set(re.findall(r'^    \("(\w+)", (?:PHONE|DESK), "/', source, re.M))
    assert {page for pages in made["CHOSEN"].values() for page in pages} <= taken
    expected = {f"{name}{suffix}.png": suffix for name in made["CHOSEN"] for suffix in made["LANGUAGES"]}
    assert sorted(expected) == sorted(path.name for path in (DOCS / "images").iterdir())
    shown = set()
    for name in (*PAGES, "../README.md", "../README.zh-CN.md"):
        for alt, link in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text(name)):
            assert alt
            target = ((DOCS / name).resolve().parent / link).resolve()
            assert target.parent == (DOCS / "images").resolve()
            assert expected[target.name] == (".zh-CN" if name.endswith(".zh-CN.md") else ""), name
            shown.add(target.name)
    assert shown == set(expected)
    for name in expected:
        head = (DOCS / "images" / name).read_bytes()[:24]
        assert head.startswith(b"\x89PNG"), name
        pages = made["CHOSEN"][name.partition(".")[0]]
        width = (
            made["DESK"]
            if pages[0] in ("desk", "fleet")
            else len(pages) * (made["PHONE"] + made["GAP"]) - made["GAP"]
        )
        assert struct.unpack(">I", head[16:20]) == (width,), name


@pytest.mark.parametrize("name", ["../README.md", "../README.zh-CN.md", "console.md", "console.zh-CN.md"])
def test_a_phone_and_a_computer_are_shown(name: str) -> None:
    suffix = ".zh-CN" if "zh-CN" in name else ""
    for picture in ("console", "console-desk"):
        assert f"images/{picture}{suffix}.png)" in text(name)


# -- commands


def commands_in(source: str) -> list[str]:
    fenced = re.findall(r"^```(?:console|sh)\n(.*?)^```", source, re.M | re.S)
    lines = [line for block in fenced for line in re.findall(r"^(?:\$ )?(ipc .+)$", block, re.M)]
    return lines + re.findall(r"`(ipc [a-z-][^`\n]*)`", source)


@pytest.mark.parametrize(
    "name", [*(n for n in PAGES if "reference" not in n), "../README.md", "../README.zh-CN.md"]
)
def test_every_command_and_option_exists(name: str) -> None:
    for line in commands_in(text(name)):
        line = re.split(r" \||…|\.\.\.|\\\|", line)[0]
        try:
            words = shlex.split(re.split(r"[;&>]", line)[0], comments=True)[1:]
        except ValueError:
            continue
        allowed = {"--help", *(o for p in reference.app_command().params for o in p.opts)}
        while words and words[0].startswith("-"):
            option = words.pop(0)
            assert (option if option.startswith("--") else option[:2]) in allowed, line  # -vv
            if option in _WITH_VALUE and words:
                words.pop(0)
        if not words or words[0] in ("help", "COMMAND", "命令"):
            continue
        if words[0] in {"dev"} or not re.fullmatch(r"[a-z-]+", words[0]):
            continue
        assert words[0] in COMMANDS, line
        command: Any = load(words[0])
        rest = words[1:]
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]
        assert not (
            getattr(command, "commands", {}) and rest and re.fullmatch(r"[a-z][a-z-]{2,}", rest[0])
        ), line
        # What stands for a file may be the argument of a command that is not spelled out ('ipc serve FILE').
        many = [command, *getattr(command, "commands", {}).values()]
        known = allowed | {o for c in many for p in c.params for o in (*p.opts, *p.secondary_opts)}
        given = {
            word.partition("=")[0]
            for word in rest
            if re.match(r"--?[a-z]", word) and not re.match(r"-\d", word)
        }
        assert given <= known, (line, given - known)


# -- the reference


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    for name in ("cloud.md", "cloud.zh-CN.md"):
        if (DOCS / name).exists():
            (folder / name).write_text(text(name), "utf-8")
    # In a process of its own: the help of what this one has imported is in the language of some earlier test.
    subprocess.run([sys.executable, "-m", "sunmi_ipc_cli.reference", str(folder)], check=True)
    return folder


def test_the_reference_is_current(made: Path) -> None:
    for page in sorted(made.iterdir()):
        assert page.read_text("utf-8") == text(page.name), f"{page.name}: python -m sunmi_ipc_cli.reference"


@pytest.mark.parametrize("suffix", [".md", ".zh-CN.md"])
def test_everything_is_in_the_reference(suffix: str) -> None:
    def spoken(command: Any, words: str) -> list[str]:
        if getattr(command, "hidden", False):
            return []
        return [
            words,
            *(w for n, sub in getattr(command, "commands", {}).items() for w in spoken(sub, f"{words} {n}")),
        ]

    headings = set(re.findall(r"^#+ `(.+)`$", text("command-reference" + suffix), re.M))
    assert headings == {f"ipc {words}" for name in COMMANDS for words in spoken(load(name), name)}
    keys = set(re.findall(r"^### `(.+)`$", text("endpoints" + suffix), re.M))
    assert keys == {endpoint.key for endpoint in registry().values()}
    cloud = set(re.findall(r"^\| `([\w.]+)` \| `/", text("cloud" + suffix), re.M))
    assert cloud == {endpoint.key for endpoint in registry("cloud").values()}
    rows = set(re.findall(r"^\| (`?\w+`?) \|", text("errors" + suffix), re.M))
    assert {f"`{name}`" for name in errors.__all__} <= rows
    assert {str(int(code)) for code in (*DeviceCode, *CloudCode)} <= rows
    results = re.findall(r"^### `(.+)`$", text("models" + suffix), re.M)
    assert results == [kind.__name__ for _, kind in reference.results()]
    fields = re.findall(r"^\| `(\w+)` \|", text("models" + suffix), re.M)
    assert fields == [name for _, kind in reference.results() for name in kind.model_fields]


def test_the_chinese_reference_is_chinese() -> None:
    """Every sentence that the declarations bring has its Chinese."""
    for name in ("endpoints", "errors", "models"):
        for cell in re.findall(r"\| ([A-Z][a-z]+ [a-z]+ [a-z]+[^|]*) \|$", text(f"{name}.zh-CN.md"), re.M):
            pytest.fail(f"{name}: {cell}")
    for endpoint in registry().values():
        assert re.search(r"[\u4e00-\u9fff]", reference.endpoints.said(endpoint.summary, "zh")), endpoint.key
    for _, kind in reference.results():
        assert re.search(r"[\u4e00-\u9fff]", reference.endpoints.said(reference.summary(kind), "zh")), kind
    for error in reference.error_classes():
        assert re.search(r"[\u4e00-\u9fff]", reference.endpoints.said(reference.summary(error), "zh")), error


@pytest.mark.parametrize("name", ["library.md", "library.zh-CN.md"])
def test_what_a_loop_may_repeat_is_what_errors_say(name: str) -> None:
    rows = [
        line.split(" | ") for line in text(name).splitlines() if re.match(r"\| `\w+`", line) and " | " in line
    ]
    named = [[error for row in rows for error in re.findall(r"`(\w+)`", row[side])] for side in (0, 1)]
    assert len(named[0]) > 4
    assert len(named[1]) > 6
    for side, transient in ((0, True), (1, False)):
        assert [n for n in named[side] if getattr(errors, n).transient is not transient] == []
