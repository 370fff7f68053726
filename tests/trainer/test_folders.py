"""Folders of images as people have them, one a line: read rightly, or refused in a sentence with the way out."""

import dataclasses
import json
import os
import re
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from typer.testing import CliRunner

from trainer import catalog, hardware
from trainer.__main__ import cli
from trainer.data import folder
from trainer.prepared import Places, open_arrays, register_folders
from trainer.spec import SpecError, parse

SIDE = 32
Pixels = npt.NDArray[np.uint8]


def pattern(at: int) -> Pixels:
    """Image number `at` of a set, (32, 32): smooth, from black to white, and no two of its eight turns alike."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    values = (7 * x + 3 * y + 11 * at) % 256 * 0 + 4.0 * x + 3.5 * np.maximum(y - 2 * (at % 7), 0)
    return np.clip(values + at, 0, 255).astype(np.uint8)


def grey(at: int) -> Image.Image:
    return Image.fromarray(pattern(at))


def colour(at: int) -> Image.Image:
    """Its channels differ."""
    one = pattern(at)
    return Image.fromarray(np.stack([one, one[::-1], one[:, ::-1]], -1))


def save(path: Path, image: Image.Image, form: str | None = None, **more: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, form, **more)


def fill(folder: Path, count: int = 6, first: int = 0, suffix: str = "png") -> None:
    for at in range(first, first + count):
        save(folder / f"{at:03}.{suffix}", colour(at))


def two_classes(root: Path, count: int = 6, first: int = 0) -> None:
    fill(root / "cat", count, first)
    fill(root / "dog", count, first + 50)


# Ways to keep an image: how it is written, and what is to be read

Written = Callable[[Path, int], None]


@dataclasses.dataclass(frozen=True)
class Kept:
    """`write` an image number at a place that has no ending yet; read, it has the pixels `shows` (H, W, 3)."""

    what: str
    suffix: str
    write: Callable[[Path, int], None]
    shows: Callable[[int], Pixels]
    off: int = 0
    """By how much a pixel may differ."""


def of_grey(at: int) -> Pixels:
    return np.stack([pattern(at)] * 3, -1)


def of_colour(at: int) -> Pixels:
    return np.asarray(colour(at))


def inverted(at: int) -> Pixels:
    return np.asarray(255 - of_grey(at), np.uint8)


def two_valued(at: int) -> Pixels:
    return np.where(of_grey(at) > 127, 255, 0).astype(np.uint8)


def with_alpha(ink: int) -> Callable[[int], Image.Image]:
    """One colour all over; what is drawn is in the transparency alone."""
    return lambda at: Image.merge("LA", (Image.new("L", (SIDE, SIDE), ink), grey(at)))


def sixteen(at: int) -> npt.NDArray[np.uint16]:
    return pattern(at).astype(np.uint16) * 257


def palette(at: int) -> Image.Image:
    return colour(at).quantize(200)


def rgb_of_16_bits(path: Path, at: int) -> None:
    """A PNG that Pillow can read and not write."""
    values = np.asarray(colour(at)).astype(">u2") * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 16, 2, 0, 0, 0)
    ends = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(ends))


def pgm_of_16_bits(path: Path, at: int) -> None:
    path.write_bytes(f"P5 {SIDE} {SIDE} 65535\n".encode() + sixteen(at).astype(">u2").tobytes())


def several(form: str, **more: object) -> Written:
    """The first of three pictures is the image."""
    others = [Image.new("RGB", (SIDE, SIDE), shade) for shade in ("red", "green")]
    return lambda path, at: save(path, colour(at), form, save_all=True, append_images=others, **more)


def turned(orientation: int, odd: bool = False) -> Written:
    """Kept as a camera does that was held otherwise: brought upright it is the image."""
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }

    def write(path: Path, at: int) -> None:
        image = colour(at).transpose(back[orientation]) if orientation in back else colour(at)
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = exif.tobytes()
        if odd:  # a second entry, a resolution's unit as a fraction, which the standard has as a short
            entries = struct.pack("<HHII", 0x0112, 3, 1, orientation) + struct.pack("<HHIf", 0x0128, 11, 1, 2.0)
            data = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + b"\0\0\0\0"
        save(path, image, "JPEG", quality=98, subsampling=0, exif=data)

    return write


def png(make: Callable[[int], Image.Image]) -> Written:
    return lambda path, at: save(path, make(at), "PNG")


def tiff(make: Callable[[int], Image.Image], **more: object) -> Written:
    return lambda path, at: save(path, make(at), "TIFF", **more)


def jpeg(make: Callable[[int], Image.Image], **more: object) -> Written:
    return lambda path, at: save(path, make(at), "JPEG", quality=98, subsampling=0, **more)


def numbers(scale: float, kind: type = np.float32) -> Callable[[int], Image.Image]:
    return lambda at: Image.fromarray((pattern(at).astype(float) * scale).astype(kind))


KEPT = [
    Kept("PNG, grey", "png", png(grey), of_grey),
    Kept("PNG, colour", "png", png(colour), of_colour),
    Kept("PNG, 1 bit", "png", png(lambda at: grey(at).point(lambda one: 255 * (one > 127)).convert("1")), two_valued),
    Kept("PNG, palette", "png", png(palette), lambda at: np.asarray(palette(at).convert("RGB"))),
    Kept("PNG, 16 bits", "png", png(lambda at: Image.fromarray(sixteen(at))), of_grey),
    Kept("PNG, 16 bits, colour", "png", rgb_of_16_bits, of_colour),
    Kept("PNG, opaque", "png", png(lambda at: colour(at).convert("RGBA")), of_colour),
    Kept("PNG, black ink in the alpha channel", "png", png(with_alpha(0)), inverted),
    Kept("PNG, white ink in the alpha channel", "png", png(with_alpha(255)), of_grey),
    Kept("PNG, black ink, RGBA", "png", png(lambda at: with_alpha(0)(at).convert("RGBA")), inverted),
    Kept(
        *("PNG, palette with transparency", "png"),
        lambda path, at: save(path, palette(at), "PNG", transparency=0),
        lambda at: np.where(
            np.asarray(palette(at))[..., None] == 0, 255, np.asarray(palette(at).convert("RGB"))
        ).astype(np.uint8),
    ),
    Kept("PNG, animated", "png", several("PNG"), of_colour),
    Kept("JPEG, grey", "jpg", jpeg(grey), of_grey, 6),
    Kept("JPEG, colour", "jpg", jpeg(colour), of_colour, 8),
    Kept("JPEG, progressive", "jpeg", jpeg(colour, progressive=True), of_colour, 8),
    Kept("JPEG, CMYK", "jpg", jpeg(lambda at: colour(at).convert("CMYK")), of_colour, 10),
    Kept("JPEG, subsampled", "JPG", lambda path, at: save(path, grey(at).convert("RGB"), "JPEG"), of_grey, 14),
    *(Kept(f"JPEG, orientation {at}", "jpg", turned(at), of_colour, 8) for at in range(9)),
    Kept("JPEG, odd EXIF", "jpg", turned(6, odd=True), of_colour, 8),
    Kept("WebP", "webp", lambda path, at: save(path, colour(at), "WEBP", lossless=True), of_colour),
    Kept("WebP, lossy", "webp", lambda path, at: save(path, grey(at).convert("RGB"), "WEBP", quality=95), of_grey, 14),
    Kept("WebP, transparent", "webp", lambda path, at: save(path, with_alpha(0)(at), "WEBP", lossless=True), inverted),
    Kept("WebP, animated", "webp", several("WEBP", lossless=True), of_colour),
    Kept("TIFF, grey", "tif", tiff(grey), of_grey),
    Kept("TIFF, colour", "tiff", tiff(colour, compression="tiff_lzw"), of_colour),
    Kept("TIFF, CMYK", "tiff", tiff(lambda at: colour(at).convert("CMYK")), of_colour, 2),
    Kept("TIFF, 16 bits", "tif", tiff(lambda at: Image.fromarray(sixteen(at))), of_grey),
    Kept("TIFF, 32 bits up to 255", "tif", tiff(numbers(1, np.int32)), of_grey),
    Kept("TIFF, 32 bits up to 65,535", "tif", tiff(numbers(257, np.int32)), of_grey),
    Kept("TIFF, fractions of 1", "tif", tiff(numbers(1 / 255)), of_grey, 1),
    Kept("TIFF, fractions up to 255", "tif", tiff(numbers(1.0)), of_grey),
    Kept("TIFF, several pages", "tif", several("TIFF"), of_colour),
    Kept("GIF", "gif", lambda path, at: save(path, grey(at), "GIF"), of_grey),
    Kept("GIF, animated", "gif", several("GIF"), of_colour, 40),
    Kept("BMP", "bmp", lambda path, at: save(path, colour(at), "BMP"), of_colour),
    Kept("PGM", "pgm", lambda path, at: save(path, grey(at), "PPM"), of_grey),
    Kept("PGM, 16 bits", "pgm", pgm_of_16_bits, of_grey),
    Kept("PPM", "ppm", lambda path, at: save(path, colour(at), "PPM"), of_colour),
    Kept("a JPEG that is called PNG", "png", jpeg(colour), of_colour, 8),
    Kept("no ending", "", png(colour), of_colour),
    Kept("ending in capitals", "PNG", png(colour), of_colour),
]


@dataclasses.dataclass
class Outcome:
    """What `python -m trainer prepare` did, and what is there then."""

    code: int
    said: str
    images: Pixels | None = None
    labels: npt.NDArray[np.int64] | None = None
    test_images: Pixels | None = None
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@pytest.fixture(autouse=True)
def _this_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command in this process: without the bound on memory, with a catalogue of its own."""
    monkeypatch.setattr(hardware, "bound_memory", lambda: 2**31)
    monkeypatch.setattr(catalog, "DATASETS", dict(catalog.DATASETS))


def prepared(root: Path, name: str = "x") -> Outcome:
    """Read `root/datasets/NAME` by the command."""
    places = Places(root / "datasets", root / "prepared")
    places.datasets.mkdir(exist_ok=True)
    words = ["prepare", f"folder:{name}", "--datasets", str(places.datasets), "--prepared", str(places.prepared)]
    done = CliRunner().invoke(cli, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    if done.exit_code:
        return Outcome(done.exit_code, done.stdout.strip())
    assert register_folders(places) == []
    read = catalog.canonical(f"folder:{name}")
    images, labels, test_images, _ = open_arrays(read, places)
    dataset = catalog.DATASETS[read]
    assert len(test_images)
    return Outcome(0, done.stdout, images, labels, test_images, dataset.classes, dataset.notes)


@pytest.mark.parametrize("kept", KEPT, ids=lambda one: one.what)
def test_an_image_is_read_as_it_looks(tmp_path: Path, kept: Kept) -> None:
    root = tmp_path / "datasets" / "x"
    for part, numbers_ in (("train", range(4)), ("test", range(10, 12))):
        for at in numbers_:
            place = root / part / "cat" / (f"{at:03}.{kept.suffix}" if kept.suffix else f"{at:03}")
            place.parent.mkdir(parents=True, exist_ok=True)
            kept.write(place, at)
        fill(root / part / "dog", 3, first=numbers_[0] + 50)
    found = prepared(tmp_path)
    assert (found.code, found.notes) == (0, ()), found.said
    assert found.images is not None
    for at in range(4):
        read = found.images[at].transpose(1, 2, 0).astype(int)
        off = np.abs(read - kept.shows(at).astype(int))
        assert off.max() <= kept.off, (at, off.max())
        assert np.ptp(read) > 100


# Layouts and names: what is made, and what is said of it


def rename(root: Path, old: str, new: str) -> None:
    (root / old).rename(root / new)


def splits(root: Path, train: str, *tests: str) -> None:
    two_classes(root / train)
    for at, test in enumerate(tests):
        two_classes(root / test, 3, first=100 + 10 * at)


def flat_test(root: Path) -> None:
    two_classes(root / "train")
    fill(root / "test")


def link(root: Path, place: str, target: str | Path) -> None:
    (root / place).symlink_to(target)


def outside(root: Path) -> Path:
    """A folder beside the folders of images."""
    found = root.parent.parent / "elsewhere"
    fill(found, 3, first=200)
    return found


def non_utf8_class(root: Path) -> None:
    two_classes(root)
    os.rename(root / "dog", os.fsencode(root) + b"/caf\xe9")


def non_utf8_file(root: Path) -> None:
    two_classes(root, 30)
    os.rename(root / "dog" / "050.png", os.fsencode(root) + b"/dog/\xe9.png")
    Path(os.fsdecode(os.fsencode(root) + b"/dog/broken-\xe9.png")).write_bytes(b"x")


def flat_alpha(root: Path) -> None:
    for label in ("cat", "dog"):
        for at in range(6):
            save(root / label / f"{at}.png", Image.new("RGB", (40, 40), (10 * at, 0, 0)))


def among(root: Path, name: str, content: bytes, count: int = 30) -> None:
    """Two classes of so many images, and one more file."""
    two_classes(root, count)
    (root / "cat" / name).parent.mkdir(parents=True, exist_ok=True)
    (root / "cat" / name).write_bytes(content)


def cut_off(root: Path, share: float, count: int = 30, broken: int = 1) -> None:
    two_classes(root, count)
    for path in sorted((root / "dog").iterdir())[:broken]:
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def everything_broken(root: Path) -> None:
    for label in ("cat", "dog"):
        for at in range(5):
            (root / label).mkdir(parents=True, exist_ok=True)
            (root / label / f"{at}.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")


def beyond(root: Path, values: npt.NDArray[np.generic]) -> None:
    """One image of sixty with values that no picture has."""
    two_classes(root, 30)
    save(root / "cat" / "odd.tif", Image.fromarray(values))


def doubled(root: Path) -> None:
    splits(root, "train", "test")
    (root / "test" / "cat" / "again.png").write_bytes((root / "train" / "cat" / "000.png").read_bytes())


GHOSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
Case = tuple[str, Callable[[Path], None], str, tuple[str, ...]]
READ: list[Case] = [  # what it is, how it is made, its name, words of its notes: one a note
    ("a folder a class", two_classes, "x", ()),
    ("train and test", lambda root: splits(root, "train", "test"), "x", ()),
    ("Train and Test", lambda root: splits(root, "Train", "Test"), "x", ()),
    ("TRAIN and VAL", lambda root: splits(root, "TRAIN", "VAL"), "x", ()),
    ("training and testing", lambda root: splits(root, "training", "testing"), "x", ()),
    ("train and valid", lambda root: splits(root, "train", "valid"), "x", ()),
    ("training and validation", lambda root: splits(root, "Training", "Validation"), "x", ()),
    ("train, valid and test", lambda root: splits(root, "train", "valid", "test"), "x", ("and not used: valid.",)),
    ("train alone", lambda root: splits(root, "train"), "x", ()),
    (
        *("an empty test", lambda root: (splits(root, "train"), (root / "test").mkdir())),
        *("x", ("test is empty: a fifth of each class is for the test.",)),
    ),
    (
        *("a class beside train", lambda root: (splits(root, "train", "test"), fill(root / "bird"))),
        *("x", ("Beside train, and not used: bird.",)),
    ),
    (
        *("a class not tested", lambda root: (splits(root, "train", "test"), fill(root / "train" / "emu", 3, 80))),
        *("x", ()),
    ),
    ("images deep within", lambda root: (fill(root / "cat/a/b/c"), fill(root / "dog/d", 6, 50)), "x", ()),
    ("loose images", lambda root: (two_classes(root), fill(root, 2)), "x", ("not used: 000.png, 001.png.",)),
    ("an empty class", lambda root: (two_classes(root), (root / "emu").mkdir()), "x", ("left out: emu.",)),
    ("desktop.ini among sixty", lambda root: among(root, "desktop.ini", b"[ViewState]"), "x", ()),
    ("Thumbs.db", lambda root: among(root, "Thumbs.db", b"\xd0\xcf"), "x", ()),
    ("what a Mac leaves", lambda root: (among(root, ".DS_Store", b"\0"), among(root, "._000.png", b"\0")), "x", ()),
    (
        *("an archive of a Mac", lambda root: among(root, "../__MACOSX/._000.png", b"\0")),
        *("x", ("Without an image, and left out: __MACOSX.",)),
    ),
    ("a notebook's copies", lambda root: fill(two_classes(root) or root / "cat" / ".ipynb_checkpoints"), "x", ()),
    ("labels beside", lambda root: among(root, "labels.csv", b"a,b") or among(root, "a.json", b"{}"), "x", ()),
    ("one cut off of sixty", lambda root: cut_off(root, 0.5), "x", ("dog/050.png (broken (",)),
    ("an empty file", lambda root: cut_off(root, 0), "x", ("dog/050.png (no PNG, JPEG",)),
    ("PostScript called PNG", lambda root: among(root, "a.png", GHOSTSCRIPT), "x", ("cat/a.png (no PNG, JPEG",)),
    ("SVG", lambda root: among(root, "a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "x", ("a.svg (no PNG",)),
    ("HEIC", lambda root: among(root, "a.heic", b"\0\0\0\x18ftypheic"), "x", ("a.heic (no PNG",)),
    ("a text called JPEG", lambda root: among(root, "a.jpg", b"404: not found"), "x", ("a.jpg (no PNG",)),
    ("not a number", lambda root: beyond(root, np.full((9, 9), np.nan, np.float32)), "x", ("values from nan to nan",)),
    ("below 0", lambda root: beyond(root, np.full((9, 9), -5, np.int32)), "x", ("values from -5 to -5: keep",)),
    ("over 255", lambda root: beyond(root, np.full((9, 9), 1e4, np.float32)), "x", ("values from 10000 to",)),
    ("a space in its name", two_classes, "my pets", ()),
    ("another script", two_classes, "形状", ()),
    ("accents and signs", two_classes, "Łódź + côte (2)", ()),
    ("a picture in its name", two_classes, "🐈", ()),
    ("an @ in its name", two_classes, "a@b", ()),
    ("classes of any name", lambda root: (fill(root / "gut & böse"), fill(root / "猫 1", 6, 50)), "x", ()),
    ("a file's name that is not UTF-8", non_utf8_file, "x", (r"dog/broken-\udce9.png (no PNG",)),
    ("links within", lambda root: (two_classes(root), link(root, "cat/z.png", "../dog/050.png")), "x", ()),
    (
        *("a class that is a link within", lambda root: (two_classes(root), link(root, "emu", "dog"))),
        *("x", ("test images",)),
    ),
    (
        *("a link out", lambda root: (two_classes(root), link(root, "cat/z.png", outside(root) / "200.png"))),
        *("x", ("Links that lead out of the folder are not followed: cat/z.png.",)),
    ),
    (
        *("a class that is a link out", lambda root: (two_classes(root), link(root, "emu", outside(root)))),
        *("x", ("are not followed: emu.",)),
    ),
    ("a link to nowhere", lambda root: (two_classes(root), link(root, "cat/z.png", "no.png")), "x", ("cat/z.png.",)),
    ("links in a circle", lambda root: (two_classes(root), link(root, "cat/up", "..")), "x", ()),
    ("nothing to be seen", flat_alpha, "x", ("12 of 12 images are of nearly one value", "2 of 2 test images are also")),
    ("tested on what it was trained on", doubled, "x", ("1 of 7 test images is also among those for training",)),
]  # fmt: skip


@pytest.mark.parametrize(("make", "name", "notes"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_a_folder_is_read_and_what_was_left_alone_is_said(
    tmp_path: Path, make: Callable[[Path], None], name: str, notes: tuple[str, ...]
) -> None:
    root = tmp_path / "datasets" / name
    root.mkdir(parents=True)
    make(root)
    found = prepared(tmp_path, name)
    assert found.code == 0, found.said
    assert len(found.notes) == len(notes), found.notes
    for note, words in zip(found.notes, notes, strict=True):
        assert words in note
    assert found.images is not None
    assert found.labels is not None
    assert len(found.classes) >= 2
    assert set(found.labels.tolist()) == set(range(len(found.classes)))
    json.dumps(found.notes, ensure_ascii=False).encode()


REFUSED: list[tuple[str, Callable[[Path], object], str, str]] = [  # what it is, how it is made, its name, the sentence
    ("not there", lambda root: root.rmdir(), "x", "x does not exist: put the images there, one folder a class"),
    ("a file", lambda root: (root.rmdir(), root.write_text("x")), "x", "x does not exist: put the images there"),
    ("empty", lambda _: None, "x", "x has 0 folder(s) with images: put the images of each class into a folder"),
    ("images alone", fill, "x", "x has 0 folder(s) with images and 6 files beside them: put the images of each class"),
    ("one class", lambda root: fill(root / "cat"), "x", "x has 1 folder(s) with images: put the images of each class"),
    ("a folder in it", lambda root: two_classes(root / "pets"), "x", r"move the folders of .*x/pets up, into .*x"),
    ("a flat test", flat_test, "x", "test has images but no folders of classes: sort them into the same folders"),
    ("test without train", lambda root: two_classes(root / "test"), "x", "has test but no train: put the images for"),
    ("train twice", lambda root: splits(root, "train", "Training"), "x", "has Training and train: put the images for"),
    (
        *("a class in test alone", lambda root: (splits(root, "train", "test"), fill(root / "test" / "emu", 2))),
        *("x", "x has no training image of emu, which the images for the test have: name the folders of a class alike"),
    ),
    (
        *("a class that can't be read", lambda root: cut_off(root, 0.1, 100, 100)),
        *("x", "x has 100 of 200 files that can't be used: dog/050.png .* and 80 more; mend or delete them"),
    ),
    ("nothing can be read", everything_broken, "x", "x has 10 of 10 files that can't be used: cat/0.png"),
    ("many cut off", lambda root: cut_off(root, 0.5, 30, 10), "x", "x has 10 of 60 files that can't be used"),
    ("an image a class", lambda root: two_classes(root, 1), "x", "no class has two images that can be read"),
    (
        *("a class of one file that is none", lambda root: among(root, "../emu/a.png", b"x", 60)),
        *("x", "x has no training image of class emu that can be read: mend or delete its files"),
    ),
    ("a class not in UTF-8", non_utf8_class, "x", r"x/caf\\udce9 has a name that is not UTF-8: rename the folder"),
    (
        *("links alone", lambda root: link(root, "cat", outside(root))),
        *("x", r"has 0 folder\(s\) with images \(links that lead out of it are not followed: cat\)"),
    ),
    ("a path", two_classes, "../x", "../x is a path: put the folder, or a link to it, into .* and give its name alone"),
    ("an absolute path", two_classes, "/data/x", "/data/x is a path: put the folder, or a link to it, into"),
    ("hidden", two_classes, ".x", "give folder:NAME"),
    ("a long name", two_classes, "x" * 230, "at most 200, rename it"),
    ("no name", two_classes, "", "give folder:NAME"),
]


@pytest.mark.parametrize(("make", "name", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_folder_is_refused_in_a_sentence_with_the_way_out(
    tmp_path: Path, make: Callable[[Path], object], name: str, words: str
) -> None:
    root = tmp_path / "datasets" / "x"
    root.mkdir(parents=True)
    make(root)
    found = prepared(tmp_path, name)
    assert found.code == 1
    assert "\n" not in found.said
    assert re.search(words.replace("(s)", r"\(s\)") if r"\(s" not in words else words, found.said), found.said
    assert ": " in found.said or ";" in found.said


# Folders that change


def places_of(root: Path) -> Places:
    return Places(root / "datasets", root / "prepared")


def exchange(root: Path) -> None:
    """Another image in the place of one, of the same size."""
    one, other = root / "cat" / "000.png", root / "dog" / "050.png"
    content = other.read_bytes()
    one.write_bytes((content + one.read_bytes())[: one.stat().st_size])


def add(root: Path) -> None:
    fill(root / "cat", 4, 300)


def leave_out(root: Path) -> None:
    (root / "dog" / "051.png").unlink()


@pytest.mark.parametrize("change", [exchange, add, leave_out], ids=lambda one: one.__name__)
def test_a_folder_that_changed_is_noticed_and_read_again_as_a_new_version(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    root, places = tmp_path / "datasets" / "x", places_of(tmp_path)
    two_classes(root)
    first = prepared(tmp_path)
    dataset = catalog.DATASETS["folder:x@1"]
    assert (dataset.title, folder.state(dataset, places.datasets)) == ("x", "as read")
    assert parse({"dataset": "folder:x"}).dataset == "folder:x@1"
    change(root)
    assert folder.state(dataset, places.datasets) == "changed"
    assert "holds other images than when it was read as folder:x@1: put the old" in prepared(tmp_path).said
    again = prepared(tmp_path, "x@2")
    assert again.code == 0, again.said
    assert catalog.DATASETS["folder:x@2"].title == "x, version 2"
    assert parse({"dataset": "folder:x"}).dataset == "folder:x@2"
    assert parse({"dataset": "folder:x@1"}).dataset == "folder:x@1", "runs keep theirs"
    assert folder.state(catalog.DATASETS["folder:x@2"], places.datasets) == "as read"
    assert first.images is not None
    assert np.array_equal(open_arrays("folder:x@1", places)[0], first.images)
    with pytest.raises(SpecError, match="no such version; choose folder:x@1 or folder:x@2"):
        parse({"dataset": "folder:x@7"})
    assert "folder:x@9 is no version of folder:x: the next to be read is folder:x@3" in prepared(tmp_path, "x@9").said
    shutil.rmtree(root)
    assert folder.state(dataset, places.datasets) == "gone"


def test_no_version_has_the_number_of_a_side() -> None:
    known = [f"folder:x@{number}" for number in range(1, 28)]
    assert folder.following("folder:x", known) == "folder:x@29"
    assert folder.canonical("folder:x@64", [*known, "folder:x@64@2"]) == "folder:x@64@2"
    assert folder.canonical("digits", known) == "digits"
