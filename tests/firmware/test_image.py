"""Images: files, archives, and what is neither."""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from sunmi_ipc.errors import CardError
from sunmi_ipc.firmware import image, read_image

CONTENT = random.Random(1).randbytes(300_001)


def zipped(path: Path, files: dict[str, bytes], **options: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def whole(path: Path, *, as_is: bool = False) -> bytes:
    return b"".join(read_image(path, as_is=as_is).chunks(65_536))


def test_a_plain_file(tmp_path: Path) -> None:
    path = tmp_path / "SUNMI_FM020_1.8.4.bin"
    path.write_bytes(CONTENT)
    read = read_image(path)
    assert (read.kind, read.member, read.size, set(read.models)) == ("file", "", len(CONTENT), {"FM020"})
    assert whole(path) == CONTENT


BESIDE = {
    "fw/readme.txt": b"hello",
    "fw/image.bin": CONTENT,
    "fw/image.md5": b"0" * 32,
    "__MACOSX/fw/._image.bin": b"x" * 100,
}


def test_one_candidate_in_a_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path / "FM010.zip", BESIDE)
    read = read_image(path)
    assert (read.kind, read.member, read.size) == ("zip", "fw/image.bin", len(CONTENT))
    assert set(read.models) == {"FM010"}
    assert whole(path) == CONTENT


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
def test_one_candidate_in_a_tar(tmp_path: Path, mode: str) -> None:
    path = tarred(tmp_path / "image.dat", BESIDE, mode)  # by content, whatever its name
    assert read_image(path).member == "fw/image.bin"
    assert whole(path) == CONTENT


def test_a_renamed_archive_is_still_one(tmp_path: Path) -> None:
    path = zipped(tmp_path / "up.bin", {"fm-020.bin": CONTENT})
    assert whole(path) == CONTENT
    assert set(read_image(path).models) == {"FM020"}
    assert whole(path, as_is=True) == path.read_bytes()


def test_a_single_file_without_the_suffix(tmp_path: Path) -> None:
    assert (
        read_image(zipped(tmp_path / "a.zip", {"firmware": CONTENT, "notes.md": b"x"})).member == "firmware"
    )


@pytest.mark.parametrize("make", [zipped, tarred])
def test_none_or_several_candidates(tmp_path: Path, make: type[zipped]) -> None:  # type: ignore[valid-type]
    with pytest.raises(CardError, match=r"2 files .*: FM010\.bin, FM020\.bin"):
        read_image(make(tmp_path / "both", {"FM010.bin": CONTENT, "FM020.bin": CONTENT}))
    with pytest.raises(CardError, match="holds no image"):
        read_image(make(tmp_path / "none", {"readme.txt": b"x"}))
    with pytest.raises(CardError, match="is empty"):
        read_image(make(tmp_path / "empty", {"up.bin": b""}))


def test_names_in_archives_are_no_paths(tmp_path: Path) -> None:
    """Nothing is ever unpacked under a member's name; control characters are not obeyed."""
    for name in ("../../evil.bin", "/etc/evil.bin", "C:\\evil.bin"):
        for path in (
            zipped(tmp_path / "a.zip", {name: CONTENT}),
            tarred(tmp_path / "a.tar", {name: CONTENT}),
        ):
            assert whole(path) == CONTENT
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tar", "a.zip"]
    two = zipped(tmp_path / "b.zip", {"a\x1b[2J.bin": b"1", "b.bin": b"2"})
    with pytest.raises(CardError) as caught:
        read_image(two)
    assert "\x1b" not in str(caught.value)


def test_links_are_no_candidates(tmp_path: Path) -> None:
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo("up.bin")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    with pytest.raises(CardError, match="holds no image"):
        read_image(path)
    link = tmp_path / "link.zip"
    with zipfile.ZipFile(link, "w") as archive:
        entry = zipfile.ZipInfo("up.bin")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(CardError, match="holds no image"):
        read_image(link)


def test_bombs_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "MAX_IMAGE", 1_000_000)
    monkeypatch.setattr(image, "_MAX_UNPACKED", 2_000_000)
    zeros = bytes(3_000_000)
    with pytest.raises(CardError, match="larger"):
        read_image(zipped(tmp_path / "big.zip", {"up.bin": zeros}))
    with pytest.raises(CardError, match="more than an image"):
        read_image(tarred(tmp_path / "big.tar.gz", {"up.bin": zeros}))
    with pytest.raises(CardError, match="more than an image"):
        read_image(tarred(tmp_path / "beside.tar.gz", {"a.txt": zeros, "up.bin": CONTENT}))
    with pytest.raises(CardError, match="larger"):
        read_image(tmp_path / "big.bin") if (tmp_path / "big.bin").write_bytes(zeros) else None
    many = {f"{n}.txt": b"" for n in range(1_001)}
    for path in (zipped(tmp_path / "many.zip", many), tarred(tmp_path / "many.tar", many, "w")):
        with pytest.raises(CardError, match="more than an image"):
            read_image(path)


def test_a_zip_that_lies_about_its_size(tmp_path: Path) -> None:
    path = zipped(tmp_path / "liar.zip", {"up.bin": CONTENT})
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 1000)  # the size that the directory claims
    path.write_bytes(data)
    assert read_image(path).size == 1000
    with pytest.raises(CardError, match="broken"):
        whole(path)


def test_a_header_that_wants_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 1 << 31
    path = tmp_path / "pax.tar"
    path.write_bytes(info.tobuf() + bytes(10_240))
    with pytest.raises(CardError, match="broken"):
        read_image(path)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.bz2", "a.tar"])
def test_damage_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    """Every byte may be wrong, and the end may be missing: the answer is one kind of error, or the image."""
    path = tmp_path / name
    if name.endswith("zip"):
        zipped(path, {"up.bin": CONTENT[:3000]})
    else:
        tarred(path, {"up.bin": CONTENT[:3000]}, "w:" + name.removeprefix("a.tar").lstrip("."))
    good, die = path.read_bytes(), random.Random(name)
    for _ in range(150):
        data = bytearray(good[: die.choice([len(good), die.randrange(len(good))])])
        for _ in range(die.randrange(4) if data else 0):
            data[die.randrange(len(data))] = die.randrange(256)
        path.write_bytes(data)
        with contextlib.suppress(CardError):
            whole(path)


def test_what_is_no_image(tmp_path: Path) -> None:
    for content, word in (
        (b"Rar!\x1a\x07\x01\x00", "RAR"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\r\n<!DOCTYPE html><html>", "web page"),
        (b"", "empty"),
        (gzip.compress(CONTENT), "no archive of files"),
    ):
        path = tmp_path / "file"
        path.write_bytes(content)
        with pytest.raises(CardError, match=word):
            read_image(path)
    with pytest.raises(CardError, match="not a file"):
        read_image(tmp_path)
    with pytest.raises(CardError, match="No such file"):
        read_image(tmp_path / "nothing")
    locked = zipped(tmp_path / "locked.zip", {"up.bin": CONTENT})
    data = bytearray(locked.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    locked.write_bytes(data)
    with pytest.raises(CardError, match="password"):
        read_image(locked)


@pytest.mark.parametrize(
    ("name", "model", "fits"),
    [
        ("SUNMI_FM020_1.8.4.bin", "FM020", True),
        ("SUNMI_FM020_1.8.4.bin", "FM010", False),
        ("fm-010 v2.bin", "fm010", True),
        ("fm010v2.bin", "FM020", False),
        ("FM010_FM020.bin", "FM020", False),
        ("update.bin", "FM020", True),
        ("FM020.bin", "", True),
        ("FM0201.bin", "FM010", True),
    ],
)
def test_the_other_models_image_is_refused(tmp_path: Path, name: str, model: str, fits: bool) -> None:
    path = tmp_path / name
    path.write_bytes(CONTENT)
    read = read_image(path)
    if fits:
        read.require_model(model)
    else:
        with pytest.raises(CardError, match="not interchangeable"):
            read.require_model(model)
