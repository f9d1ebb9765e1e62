"""Faces from folders of photos: made to fit, each once, with names that this computer keeps."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc import photos
from sunmi_ipc.errors import ParameterError
from sunmi_ipc.face_names import FaceNames
from sunmi_ipc.installation import command
from sunmi_ipc.settings import config_dir
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.simulator.faces import groups

Face = Callable[..., Any]


@pytest.fixture
def face(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch) -> Face:
    for name, value in ready.vendor.environment().items():
        monkeypatch.setenv(name, value)

    def run(*args: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["face", *args, "-c", ready.address], prog_name="ipc")
        assert done.exit_code == code, (args, done.stdout, done.stderr)
        return json.loads(done.stdout) if "--json" in args else done

    return run


def photo(size: tuple[int, int] = (64, 64), kind: str = "JPEG", colour: int = 0, **how: Any) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (colour, 80, 120)).save(made, kind, **how)
    return made.getvalue()


def noise(side: int) -> bytes:
    """A JPEG of more than 1 MB."""
    made = io.BytesIO()
    Image.effect_noise((side, side), 90).convert("RGB").save(made, "JPEG", quality=98)
    assert made.tell() > photos.MAX_PICTURE
    return made.getvalue()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    folder = tmp_path / "people"
    (folder / "floor 2").mkdir(parents=True)
    (folder / "__MACOSX").mkdir()
    (folder / "Zoe.jpg").write_bytes(photo(colour=1))
    (folder / "floor 2" / "王芳.png").write_bytes(photo(kind="PNG", colour=2))
    (folder / "floor 2" / "Copy of Zoe.jpg").write_bytes((folder / "Zoe.jpg").read_bytes())
    (folder / "__MACOSX" / "._Zoe.jpg").write_bytes(b"no picture")
    (folder / "list.txt").write_text("Zoe")
    return folder


def test_folders_names_and_repeats(face: Face, people: Path, ready: VirtualCamera) -> None:
    refused = face("add", str(people), "-g", "VIP", code=5)
    assert "--create" in refused.stderr
    assert "face/addFace" not in ready.state.counts
    rows = face("add", str(people), "-g", "VIP", "--create", "--json")["faces"]
    assert [(Path(row["file"]).name, row["repeated"]) for row in rows] == [
        ("Zoe.jpg", False),
        ("Copy of Zoe.jpg", True),
        ("王芳.png", False),
    ]
    assert ready.state.counts["face/addFace"] == 2
    listed = face("list", "-g", "VIP", "--json")["face_list"]
    assert {row["name"] for row in listed} == {"Zoe", "王芳"}
    shown = face("list", "-g", "VIP").stdout
    assert "NAME" in shown
    assert "王芳" in shown
    again = face("add", str(people), "-g", "VIP")
    assert "0 of 3 added" in again.stdout
    assert "3 were there already" in again.stdout
    assert ready.state.counts["face/addFace"] == 2
    zoe = next(row["faceid"] for row in listed if row["name"] == "Zoe")
    assert face("show", zoe, "--json")["name"] == "Zoe"
    face("delete", zoe, "-g", "VIP", "-y")
    assert "Zoe" not in (config_dir() / "face-names.json").read_text("utf-8")
    # What was deleted is added again, as it is there no longer.
    assert "1 of 3 added" in face("add", str(people), "-g", "VIP").stdout
    face("group", "clear", "VIP", "--yes")
    assert "王芳" not in (config_dir() / "face-names.json").read_text("utf-8")


def test_a_face_that_another_added_is_refused_with_fitting_advice(face: Face, people: Path) -> None:
    face("add", str(people / "Zoe.jpg"), "-g", "regular")
    (config_dir() / "face-names.json").unlink()
    done = face("add", str(people / "Zoe.jpg"), "-g", "regular", code=5)
    assert "code 206" in done.stderr
    assert "'ipc face update'" in done.stderr


def test_names_can_be_said_and_are_for_this_user_alone(face: Face, people: Path) -> None:
    (row,) = face("add", str(people / "Zoe.jpg"), "-g", "regular", "--json")["faces"]
    face("update", row["faceid"], "--name", "Zoe Q.")
    assert face("show", row["faceid"], "--json")["name"] == "Zoe Q."
    file = config_dir() / "face-names.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("no JSON")
    assert "Put it right" in face("list", "-g", "regular", code=2).stderr


def test_attributes_and_gender_in_words(face: Face, people: Path, ready: VirtualCamera) -> None:
    face("attribute", "add", "card", "-g", "regular")
    zoe = str(people / "Zoe.jpg")
    (row,) = face("add", zoe, "-g", "regular", "--attribute", "card=gold", "--gender", "女", "--json")[
        "faces"
    ]
    kept = groups(ready.state)["regular"]["faces"][row["faceid"]]
    assert kept["attributes"] == {"card": "gold"}
    assert face("show", row["faceid"], "--json")["gender"] == 2
    assert "KEY=VALUE" in face("add", zoe, "-g", "regular", "--attribute", "card", code=2).stderr
    assert "--gender x: unknown" in face("add", zoe, "-g", "regular", "--gender", "x", code=2).stderr


def test_photos_are_made_to_fit(face: Face, tmp_path: Path, ready: VirtualCamera) -> None:
    (tmp_path / "large.jpg").write_bytes(noise(1500))
    (tmp_path / "phone.webp").write_bytes(photo((300, 200), "WEBP"))
    rows = face("add", str(tmp_path), "-g", "regular", "--json")["faces"]
    assert [row["error"] for row in rows] == ["", ""]
    small = photo()
    assert photos.fitted(small, "a") is small
    made = photos.fitted(noise(1500), "b")
    assert len(made) < photos.MAX_PICTURE
    assert max(Image.open(io.BytesIO(made)).size) == photos.SIDE
    with pytest.raises(ParameterError, match="neither JPEG nor PNG"):
        photos.fitted(b"a text", "c")


def test_without_pillow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    large = noise(1500)
    monkeypatch.setattr(photos, "has_library", lambda name: False)
    for data in (large, photo(kind="BMP")):
        with pytest.raises(ParameterError) as caught:
            photos.fitted(data, "a")
        assert command("video") in caught.value.hint


def test_an_empty_folder_is_said(face: Face, tmp_path: Path) -> None:
    assert "no picture in this folder" in face("add", str(tmp_path), "-g", "regular", code=2).stderr


def test_people_flow_names_whom_this_computer_knows(
    face: Face, virtual: Callable[..., VirtualCamera], tmp_path: Path
) -> None:
    camera = virtual(people=300)
    where = ["-c", camera.address]
    seen = _ipc("flow", "visitors", "--json", "--from", "yesterday", *where)
    known = json.loads(seen)["face_list"][0]["faceid"]
    book = FaceNames(config_dir() / "face-names.json", camera.sn)
    book.keep(known, "王小明")
    book.save()
    assert "王小明" in _ipc("flow", "visitors", "--from", "yesterday", *where)
    file = tmp_path / "people.csv"
    _ipc("flow", "visitors", "--from", "yesterday", "--csv", str(file), *where)
    head, *rows = file.read_text("utf-8-sig").splitlines()
    assert head.split(",")[:2] == ["face id", "name"]
    assert [row.split(",")[1] for row in rows if known in row] == ["王小明"]
    assert _ipc("flow", "visits", known, "--from", "yesterday", *where).splitlines()[0] == "王小明"


def _ipc(*args: str) -> str:
    done = CliRunner().invoke(app, list(args), prog_name="ipc")
    assert done.exit_code == 0, (args, done.stdout, done.stderr)
    return done.stdout


def test_two_cameras_share_a_file(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "names.json"
    first, second = FaceNames(file, "A00001"), FaceNames(file, "A00002")
    first.keep("1", "Zoe", group="VIP", sha256="x")
    first.save()
    second.keep("1", "Max")
    second.save()
    assert FaceNames(file, "A00001").name("1") == "Zoe"
    assert FaceNames(file, "A00001").added("VIP") == {"x": "1"}
    assert FaceNames(file, "A00002").name("1") == "Max"
    assert not FaceNames(file, "A00003")


def test_the_picture_of_a_face_comes_from_where_the_camera_names_it(
    face: Face, ready: VirtualCamera, tmp_path: Path
) -> None:
    (tmp_path / "Zoe.jpg").write_bytes(photo())
    faceid = face("add", str(tmp_path / "Zoe.jpg"), "-g", "regular", "--json")["faces"][0]["faceid"]
    saved = tmp_path / "of Zoe.jpg"
    told = face("picture", faceid, "-o", str(saved), "--json")
    assert told == {
        "faceid": faceid,
        "pic_url": f"https://{ready.ip}:{ready.port}/face/{faceid}.jpg",
        "kind": "jpeg",
        "file": str(saved),
        "bytes": saved.stat().st_size,
    }
    assert Image.open(io.BytesIO(saved.read_bytes())).format == "JPEG"
    face("picture", faceid, "-o", str(tmp_path / "of Zoe.png"))
    assert Image.open(io.BytesIO((tmp_path / "of Zoe.png").read_bytes())).format == "PNG"
    odd = "a/b ?ö"  # an id may be anything
    groups(ready.state)["regular"]["faces"][odd] = groups(ready.state)["regular"]["faces"][faceid] | {
        "faceid": odd
    }
    face("picture", odd, "-o", str(saved))
    face("delete", faceid, "-g", "regular", "--yes")
    assert "207" in face("picture", faceid, code=5).stderr
