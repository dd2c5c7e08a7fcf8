"""A set leaves and comes back in kohya's layout; hostile folders and zips do no harm."""

from __future__ import annotations

import json
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.dataset.archives import pack, unpack
from studio.dataset.folders import LONGEST, read_folder, write_folder
from studio.dataset.types import DataSet, Entry
from studio.errors import InputError, StorageError
from studio.images import open_photo
from studio.segmentation.mask_files import read_mask


@pytest.fixture
def mine(tmp_path: Path) -> DataSet:
    """Three garment pictures, one of them held out, and a regularisation picture."""
    source = tmp_path / "source"
    source.mkdir()
    rng = np.random.default_rng(4)
    for name, size in (("a", (96, 128)), ("b", (128, 96)), ("c", (80, 80)), ("r", (90, 90))):
        Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), np.uint8)).save(source / f"{name}.png")
        mask = np.zeros((size[1], size[0]), np.uint8)
        mask[20:60, 10:50] = 255
        Image.fromarray(mask).save(source / f"{name}-mask.png")
    entries = (
        Entry(source / "a.png", source / "a-mask.png", "zkv17 coat, front view", "front", repeats=3),
        Entry(source / "r.png", None, "a coat", kind="prior"),
        Entry(
            source / "b.png",
            source / "b-mask.png",
            "zkv17 coat, naïve “quotes”, 外套",
            "back",
            repeats=2,
            held_out=True,
        ),
        Entry(source / "c.png", None, "zkv17 coat, side view", "side", repeats=3, flip=False),
    )
    return DataSet("zkv17", entries, "long coat")


def test_a_set_comes_back_as_it_went(mine: DataSet, tmp_path: Path) -> None:
    written = write_folder(mine, tmp_path / "set")
    assert read_folder(tmp_path / "set") == written
    assert (written.trigger, written.class_word) == (mine.trigger, mine.class_word)
    for before, after in zip(mine.entries, written.entries, strict=True):
        assert replace(after, image=before.image, mask=before.mask) == before
        np.testing.assert_array_equal(np.asarray(open_photo(before.image)), np.asarray(open_photo(after.image)))
        assert (before.mask is None) == (after.mask is None)
        if before.mask is not None and after.mask is not None:
            size = open_photo(before.image).size
            np.testing.assert_array_equal(read_mask(before.mask, size=size), read_mask(after.mask, size=size))


def test_the_layout_is_kohyas(mine: DataSet, tmp_path: Path) -> None:
    write_folder(mine, tmp_path / "set")
    files = sorted(p.relative_to(tmp_path / "set").as_posix() for p in (tmp_path / "set").rglob("*") if p.is_file())
    assert files == [
        "3_zkv17 long coat/0001.png", "3_zkv17 long coat/0001.txt",
        "3_zkv17 long coat/0004.png", "3_zkv17 long coat/0004.txt",
        "dataset.json",
        "held_out/1_zkv17 long coat/0003.png", "held_out/1_zkv17 long coat/0003.txt",
        "masks/0001.png", "masks/0003.png",
        "reg/1_long coat/0002.png", "reg/1_long coat/0002.txt",
    ]  # fmt: skip
    # What kohya's scripts train on: folders whose name starts with a number, at the top.
    numbered = [p.name for p in (tmp_path / "set").iterdir() if p.name.split("_")[0].isdigit()]
    assert numbered == ["3_zkv17 long coat"]


def test_a_folder_that_somebody_made_for_kohya_is_read_by_its_names(tmp_path: Path) -> None:
    folder = tmp_path / "5_zkv17 red dress"
    folder.mkdir()
    for name in ("x.png", "y.JPG", "z.png"):
        Image.new("RGB", (64, 64), "red").save(folder / name, "PNG" if name.endswith("png") else "JPEG")
    (folder / "x.txt").write_text("\ufeffzkv17 dress,\tfront\nsecond line", encoding="utf-8")
    (folder / "y.caption").write_text("zkv17 dress, back")
    (folder / "notes.pdf").write_bytes(b"%PDF")
    read = read_folder(tmp_path)
    assert (read.trigger, read.class_word) == ("zkv17", "red dress")
    assert [(e.image.name, e.caption, e.repeats, e.view) for e in read.entries] == [
        ("x.png", "zkv17 dress, front", 5, "unsure"),
        ("y.JPG", "zkv17 dress, back", 5, "unsure"),
        ("z.png", "zkv17 red dress", 5, "unsure"),
    ]


def test_an_edited_caption_is_what_counts_not_the_record(mine: DataSet, tmp_path: Path) -> None:
    written = write_folder(mine, tmp_path / "set")
    written.entries[0].image.with_suffix(".txt").write_text("zkv17, edited elsewhere")
    assert read_folder(tmp_path / "set").entries[0].caption == "zkv17, edited elsewhere"


def test_pictures_are_written_upright_without_metadata_and_at_most_2048_long(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a secret"  # turned by a quarter; a description
    Image.new("RGB", (3000, 1000), "navy").save(tmp_path / "turned.jpg", exif=exif)
    mask = np.zeros((3000, 1000), np.uint8)
    mask[:1500] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    entry = Entry(tmp_path / "turned.jpg", tmp_path / "mask.png", "zkv17 coat")
    (written,) = write_folder(DataSet("zkv17", (entry,)), tmp_path / "set").entries
    with Image.open(written.image) as picture:
        assert picture.size == (683, LONGEST) and not picture.getexif() and "secret" not in str(picture.info)
    assert written.mask is not None
    half = read_mask(written.mask, size=(683, LONGEST))
    assert half[:1000].all() and not half[1050:].any()


def test_a_folder_in_use_is_left_alone_and_a_set_is_replaced_whole_or_not(mine: DataSet, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    for replacing in (False, True):
        with pytest.raises(InputError) as caught:
            write_folder(mine, tmp_path / "other", replace=replacing)
        assert caught.value.code == "dataset_folder_taken"
    assert (tmp_path / "other" / "letter.txt").read_text() == "dear"
    write_folder(mine, tmp_path / "set")
    broken = replace(mine, entries=(*mine.entries, Entry(tmp_path / "none.png", None, "zkv17")))
    with pytest.raises(InputError) as caught:
        write_folder(broken, tmp_path / "set", replace=True)
    assert caught.value.code == "photo_not_found"
    assert len(read_folder(tmp_path / "set").entries) == 4
    smaller = replace(mine, entries=mine.entries[:1])
    assert len(write_folder(smaller, tmp_path / "set", replace=True).entries) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other", "set", "source"]
    with pytest.raises(StorageError):
        write_folder(mine, tmp_path / "no" / "set")


def test_links_and_names_in_the_record_open_nothing_outside(mine: DataSet, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the password")
    written = write_folder(mine, tmp_path / "set")
    caption = written.entries[0].image.with_suffix(".txt")
    caption.unlink()
    caption.symlink_to(secret)
    (tmp_path / "set" / "masks" / "0004.png").symlink_to(tmp_path / "source" / "a-mask.png")
    (tmp_path / "set" / "9_zkv17 coat").symlink_to(tmp_path / "source")
    (written.entries[0].image.parent / "9999.png").symlink_to(tmp_path / "source" / "a.png")
    record = json.loads((tmp_path / "set" / "dataset.json").read_text())
    record["pictures"]["../../secret"] = {"view": "front"}
    record["pictures"]["0001"]["image"] = "/etc/passwd"
    (tmp_path / "set" / "dataset.json").write_text(json.dumps(record))
    read = read_folder(tmp_path / "set")
    assert read.entries[0].caption == "zkv17 long coat"
    assert read.entries[3].mask is None and len(read.entries) == 4
    assert all(tmp_path / "set" in e.image.parents for e in read.entries)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda root: (root / "dataset.json").write_text("[]"), "dataset_record_invalid"),
        (
            lambda root: (root / "dataset.json").write_text('{"format": 1, "pictures": {"a": 3}}'),
            "dataset_record_invalid",
        ),
        (lambda root: (root / "3_zkv17 long coat" / "0001.txt").write_bytes(b"\xff\xfe\x00"), "caption_invalid"),
        (lambda root: (root / "3_zkv17 long coat" / "0001.txt").write_text("x" * 20_000), "caption_invalid"),
        (lambda root: (root / "3_zkv17 long coat" / "0001.txt").write_text("x" * 1001), "caption_invalid"),
    ],
)
def test_a_spoilt_set_is_refused_by_name(mine: DataSet, tmp_path: Path, spoil, code: str) -> None:  # type: ignore[no-untyped-def]
    write_folder(mine, tmp_path / "set")
    spoil(tmp_path / "set")
    with pytest.raises(InputError) as caught:
        read_folder(tmp_path / "set")
    assert caught.value.code == code


def test_folders_without_a_set_say_what_is_missing(tmp_path: Path) -> None:
    for place, code in ((tmp_path / "none", "dataset_folder_missing"), (tmp_path, "dataset_empty")):
        with pytest.raises(InputError) as caught:
            read_folder(place)
        assert caught.value.code == code
    for name in ("3_one coat", "3_two coat"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (64, 64)).save(tmp_path / name / "x.png")
    with pytest.raises(InputError) as caught:
        read_folder(tmp_path)
    assert caught.value.code == "dataset_triggers_differ"


def test_a_set_travels_as_a_zip(mine: DataSet, tmp_path: Path) -> None:
    written = write_folder(mine, tmp_path / "set")
    pack(tmp_path / "set", tmp_path / "set.zip")
    out = unpack(tmp_path / "set.zip", tmp_path / "out")
    assert out.skipped == () and out.folder == tmp_path / "out"
    back = read_folder(out.folder)
    assert [replace(e, image=Path(), mask=None) for e in back.entries] == [
        replace(e, image=Path(), mask=None) for e in written.entries
    ]
    assert back.entries[0].image.read_bytes() == written.entries[0].image.read_bytes()


def test_a_zip_of_the_folder_itself_and_with_strange_company_is_taken(mine: DataSet, tmp_path: Path) -> None:
    write_folder(mine, tmp_path / "set")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as zipped:
        for path in sorted((tmp_path / "set").rglob("*")):
            zipped.write(path, Path("my set") / path.relative_to(tmp_path / "set"))
        zipped.writestr("my set/3_zkv17 long coat/0001.npz", b"latents of kohya's")
        zipped.writestr("my set/run.py", b"print()")
        zipped.writestr("__MACOSX/my set/._0001.png", b"")
    out = unpack(tmp_path / "set.zip", tmp_path / "out")
    assert len(read_folder(out.folder).entries) == 4
    assert set(out.skipped) == {"my set/3_zkv17 long coat/0001.npz", "my set/run.py", "__MACOSX/my set/._0001.png"}
    assert not list((tmp_path / "out").rglob("*.py"))


def _zip(path: Path, names: list[str], *, mode: int = 0o644 | stat.S_IFREG, size: int = 10) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in names:
            info = zipfile.ZipInfo("placeholder.png")
            info.filename = info.orig_filename = name
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(info, b"\0" * size)
    return path


@pytest.mark.parametrize(
    "name",
    ["../evil.png", "1_a/../../evil.png", "/etc/evil.png", "C:\\evil.png", "1_a\\..\\evil.png", "1_a/x\x01.png",
     "1_a/x:y.png", "a/b/c/d/e/f.png", "1_a/" + "x" * 300 + ".png"],
)  # fmt: skip
def test_a_zip_with_a_name_that_leads_out_is_refused_whole(tmp_path: Path, name: str) -> None:
    path = _zip(tmp_path / "evil.zip", ["1_a b/good.png", name])
    with pytest.raises(InputError) as caught:
        unpack(path, tmp_path / "out")
    assert caught.value.code == "archive_name_refused"
    assert [p.name for p in tmp_path.iterdir()] == ["evil.zip"]


def test_links_twins_bombs_and_rubbish_are_refused(tmp_path: Path) -> None:
    cases = {
        "archive_name_refused": [
            _zip(tmp_path / "link.zip", ["1_a b/x.png"], mode=0o777 | stat.S_IFLNK),
            _zip(tmp_path / "twins.zip", ["1_a b/x.png", "1_a b/X.png"]),
        ],
        "archive_too_large": [
            _zip(tmp_path / "bomb.zip", ["1_a b/x.png"], size=26 * 2**20),
            _zip(tmp_path / "many.zip", [f"1_a b/{i}.png" for i in range(8001)], size=0),
        ],
        "archive_damaged": [tmp_path / "rubbish.zip"],
    }
    (tmp_path / "rubbish.zip").write_bytes(b"PK\x03\x04 and no more")
    for code, paths in cases.items():
        for path in paths:
            with pytest.raises(InputError) as caught:
                unpack(path, tmp_path / "out")
            assert caught.value.code == code, path.name
            assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


def test_a_zip_that_lies_about_its_sizes_is_stopped_while_it_is_read(tmp_path: Path) -> None:
    path = _zip(tmp_path / "liar.zip", ["1_a b/x.png"], size=26 * 2**20)
    data = bytearray(path.read_bytes())
    # The central directory's uncompressed size: 24 bytes into its record.
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        unpack(path, tmp_path / "out")
    assert caught.value.code in ("archive_too_large", "archive_damaged")
    assert not (tmp_path / "out").exists()
