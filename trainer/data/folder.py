"""Any folder of images, one folder a class, under the directory of data sets: `folder:NAME`.

`folder:NAME@SIDE` or `folder:NAME@SIDE-grey` says how its images are made alike: cut to a square about their middle,
resized to SIDE × SIDE (32 when absent), in colour or grey. The images are split by folders `train` and `test` (or
`val`, also in Tiny ImageNet's layout) where there are such, else a fifth of each class, drawn by a fixed seed, is for
the test. What it holds is only known once it was read: until then it is not in the catalogue.
"""

import contextlib
import dataclasses
import itertools
import json
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.entries import Arrays, DataError, Dataset

NAME = re.compile(r"folder:(?P<folder>[A-Za-z0-9][A-Za-z0-9._-]{0,79})(?:@(?P<side>28|32|64|224)(?P<grey>-grey)?)?")
SIDES = (28, 32, 64, 224)
TEST_SHARE, SEED = 0.2, 0
MOST_PIXELS = 50_000_000  # of one image: more is taken for a mistake, or an attack
MOST_BYTES = 8 * 2**30  # of all images together, resized
MOST_CLASSES = 1000
LARGE_PIXELS = 4_000_000  # of one image: of larger ones one at a time is decoded, so that memory stays bounded
MOST_FILE_BYTES = 256 * 2**20  # of one image
MOST_LOOKED_AT = 2_000  # entries of a folder, for telling whether it holds classes
MOST_SKIPPED = 0.01  # of the files
MOST_NAMED = 20  # skipped files in a report
MOST_LINES = 1_000_000  # of Tiny ImageNet's annotations
_one_large_at_a_time = threading.Lock()
DATASETS: tuple[Dataset, ...] = ()
"""None that is known before it was read."""


def is_name(name: object) -> bool:
    """True for `folder:pets`, `folder:pets@64`, `folder:pets@28-grey`."""
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def place(name: str, datasets: Path) -> Path:
    """Where the folder of such a name is."""
    matched = NAME.fullmatch(name)
    assert matched is not None
    return datasets / matched["folder"]


def folders(datasets: Path) -> list[str]:
    """Names of the folders that hold images, one folder a class, in the directory of data sets."""
    found = sorted(datasets.iterdir()) if datasets.is_dir() else []
    named = [path for path in found if path.is_dir() and is_name(f"folder:{path.name}")]
    return [f"folder:{path.name}" for path in named if _has_classes(_train(path))]


def _has_classes(folder: Path) -> bool:
    """Whether two of its folders hold a file, as far as a bounded look can tell: it may be a link to a whole disk."""
    looks, classes = MOST_LOOKED_AT, 0
    for inner in itertools.islice(folder.iterdir(), MOST_LOOKED_AT):
        if not inner.is_dir() or inner.is_symlink() or inner.name.startswith("."):
            continue
        below = [inner]
        while below and looks > 0:
            with contextlib.suppress(OSError):  # it can't be looked into
                for path in itertools.islice(below.pop().iterdir(), looks):
                    looks -= 1
                    if _is_wanted(path, inner):
                        classes, below = classes + 1, []
                        break
                    if path.is_dir() and not path.is_symlink():
                        below.append(path)
        if classes > 1 or looks <= 0:
            break
    return classes > 1


def describe(dataset: Dataset) -> str:
    """An entry as JSON, for `entry`."""
    kept = {
        field.name: getattr(dataset, field.name) for field in dataclasses.fields(dataset) if field.name != "prepare"
    }
    return json.dumps(kept, ensure_ascii=False, indent=1)


def entry(described: str) -> Dataset:
    """The catalogue entry of a folder that was read. Raises ValueError, KeyError or TypeError for what is none."""
    kept = json.loads(described)
    lists = ("shape", "classes", "mean", "std", "files", "archives", "notes")
    return Dataset(**{**kept, **{name: tuple(kept[name]) for name in lists}, "prepare": prepare})


def prepare(dataset: Dataset, datasets: Path) -> Arrays:
    """Its arrays, read again. Raises DataError when the folder no longer holds what it held."""
    again, arrays = read(dataset.name, datasets)
    if (again.classes, again.train_size, again.test_size) != (dataset.classes, dataset.train_size, dataset.test_size):
        raise DataError(
            f"{dataset.name} holds other images than when it was first read: "
            "put the old ones back, or copy the folder under a new name and use that"
        )
    return arrays


def read(name: str, datasets: Path) -> tuple[Dataset, Arrays]:
    """Read a folder: its entry and its arrays. Raises DataError with what is wrong and what to do."""
    matched = NAME.fullmatch(name)
    if matched is None:
        raise DataError(
            f"data set is {name!r}: give folder:NAME, folder:NAME@SIDE or folder:NAME@SIDE-grey, "
            f"SIDE one of {', '.join(map(str, SIDES))}, NAME of letters, digits, dots, dashes and underscores"
        )
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # an image's size is looked at here, before it is decoded
    folder, side = place(name, datasets), int(matched["side"] or 32)
    channels = 1 if matched["grey"] else 3
    if not folder.is_dir():
        raise DataError(f"{folder} does not exist: put the images there, one folder a class")
    parts = _parts(folder)
    names = sorted({label for part in parts for label, _ in part})
    empty = [one for one in _classes(_train(folder), empty=True) if one not in names]
    files = sum(len(part) for part in parts)
    _refuse_too_much(folder, names, files, files * channels * side * side)
    skipped: list[tuple[Path, str]] = []
    arrays: list[npt.NDArray[Any]] = []
    for part in parts:
        arrays += _load(part, names, channels, side, skipped)
    if len(skipped) > MOST_SKIPPED * files:
        raise DataError(f"{folder}: {_counted(skipped, folder)}: more than 1% of {files:,}; delete or mend them")
    images, labels, test_images, test_labels = arrays if len(parts) == 2 else _split(*arrays)
    trained = np.unique(labels)
    if len(trained) < len(names):  # a class whose every file was skipped
        raise DataError(
            f"{folder}: class {names[int(np.setdiff1d(range(len(names)), trained)[0])]} has no training image"
        )
    notes = [f"{_counted(skipped, folder)}."] if skipped else []
    if empty:
        shown = ", ".join(empty[:MOST_NAMED])
        notes.append(f"Without an image, and left out: {shown}{', …' if len(empty) > MOST_NAMED else ''}.")
    mean, std = _brightness(images)
    dataset = Dataset(
        name=name,
        title=name.removeprefix("folder:"),
        version=1,
        description=f"{len(images) + len(test_images):,} images from the folder {folder.name}, cut to squares of "
        f"{side}×{side} pixels, {'grey' if channels == 1 else 'in colour'}; "
        + ("split by its own folders." if len(parts) == 2 else "a fifth of each class is for the test."),
        citation="Your own folder of images",
        shape=(channels, side, side),
        classes=tuple(names),
        train_size=len(images),
        test_size=len(test_images),
        mean=mean,
        std=std,
        prepare=prepare,
        rank=90,
        notes=tuple(notes),
    )
    return dataset, (images, labels, test_images, test_labels)


def _train(folder: Path) -> Path:
    """The folder whose folders are the classes."""
    return folder / "train" if (folder / "train").is_dir() else folder


def _classes(folder: Path, *, empty: bool = False) -> list[str]:
    """Folders with a file in them, or with `empty` all; those whose name begins with a dot are no class."""
    inner = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return [path.name for path in inner if empty or any(_is_wanted(file, path) for file in path.rglob("*"))]


def _files(folder: Path) -> Iterator[Path]:
    """Files of a class, at any depth, in a fixed order; hidden ones, texts and links to elsewhere are left alone."""
    return (path for path in sorted(folder.rglob("*")) if _is_wanted(path, folder))


def _is_wanted(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts) or path.name == "Thumbs.db"
    return not hidden and path.suffix != ".txt" and not path.is_symlink() and path.is_file()


Part = list[tuple[str, Path]]
"""(class, file) of each image."""


def _parts(folder: Path) -> list[Part]:
    """Training and test files where the folder has them apart, else all in one."""
    if not (folder / "train").is_dir():
        return [_by_folder(folder)]
    test = next((folder / name for name in ("test", "val") if (folder / name).is_dir()), None)
    annotations, images = folder / "val" / "val_annotations.txt", folder / "val" / "images"
    if annotations.is_file():  # Tiny ImageNet: its test images have no labels
        with annotations.open() as lines:
            labels = [line.rstrip("\n").split("\t")[:2] for line in itertools.islice(lines, MOST_LINES) if "\t" in line]
        return [_by_folder(folder / "train"), [(label, images / Path(file).name) for file, label in labels]]
    return [_by_folder(folder / "train"), *([_by_folder(test)] if test else [])]


def _by_folder(folder: Path) -> Part:
    return [(name, path) for name in _classes(folder) for path in _files(folder / name)]


def _refuse_too_much(folder: Path, names: Sequence[str], files: int, size: int) -> None:
    if len(names) < 2:
        raise DataError(
            f"{folder} has {len(names)} folder(s) with images: put the images of each class into a folder of its own"
        )
    if len(names) > MOST_CLASSES:
        raise DataError(f"{folder} has {len(names):,} folders: at most {MOST_CLASSES:,} classes can be trained")
    if size > MOST_BYTES:
        raise DataError(
            f"{folder} has {files:,} images, {size / 2**30:.1f} GiB when resized: at most {MOST_BYTES / 2**30:.0f} GiB "
            "fit; choose a smaller side"
        )


def _load(
    part: Part, names: Sequence[str], channels: int, side: int, skipped: list[tuple[Path, str]]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (n, C, side, side) and labels (n,) of the files that can be read; the others are added to `skipped`."""
    number = {name: at for at, name in enumerate(names)}
    images = np.empty((len(part), channels, side, side), np.uint8)
    labels = np.empty(len(part), np.int64)
    filled = 0
    with ThreadPoolExecutor() as pool:
        for (label, path), found in zip(part, pool.map(lambda one: _image(one[1], channels, side), part), strict=True):
            if isinstance(found, str):
                skipped.append((path, found))
                continue
            images[filled], labels[filled] = found, number[label]
            filled += 1
    return images[:filled], labels[:filled]


def _image(path: Path, channels: int, side: int) -> npt.NDArray[np.uint8] | str:
    """One image, (C, side, side); or why it can't be read."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        if not path.is_file():  # a pipe or a device would be waited for, or read, for ever
            return "not a file"
        if path.stat().st_size > MOST_FILE_BYTES:
            return f"over {MOST_FILE_BYTES // 2**20} MiB"
        with Image.open(path) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                return f"{width:,} × {height:,} pixels are too many"
            with _one_large_at_a_time if width * height > LARGE_PIXELS else contextlib.nullcontext():
                upright = ImageOps.exif_transpose(image).convert("L" if channels == 1 else "RGB")
                square = ImageOps.fit(upright, (side, side), Image.Resampling.BILINEAR)
                del upright
    except UnidentifiedImageError:
        return "not an image"
    except (OSError, ValueError, SyntaxError, EOFError) as error:  # what Pillow raises for a file that is cut off
        return f"broken ({str(error).strip() or type(error).__name__})"
    return np.asarray(square, np.uint8).reshape(side, side, channels).transpose(2, 0, 1)


def _counted(skipped: Sequence[tuple[Path, str]], folder: Path) -> str:
    """`2 files can't be used and are left out: cats/a.png (not an image), …`"""
    named = [f"{path.relative_to(folder)} ({why})" for path, why in skipped[:MOST_NAMED]]
    more = len(skipped) - len(named)
    files = (
        "1 file can't be used and is left out"
        if len(skipped) == 1
        else f"{len(skipped):,} files can't be used and are left out"
    )
    return f"{files}: {', '.join(named)}{f' and {more:,} more' if more else ''}"


def _split(
    images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """A share of each class for the test, at least one image where a class has two."""
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        of_it = np.random.default_rng([SEED, int(label)]).permutation(np.flatnonzero(labels == label))
        test[of_it[: max(round(len(of_it) * TEST_SHARE), min(1, len(of_it) - 1))]] = True
    if not test.any():
        raise DataError("no class has two images: nothing would be left for the test")
    return images[~test], labels[~test], images[test], labels[test]


def _brightness(images: npt.NDArray[np.uint8]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of each channel, of values scaled to 0..1, rounded to four places."""
    values = np.arange(256) / 255
    mean, std = [], []
    for channel in range(images.shape[1]):
        counts = sum(np.bincount(part.reshape(-1), minlength=256) for part in np.array_split(images[:, channel], 64))
        average = float(np.average(values, weights=counts))
        mean.append(round(average, 4))
        std.append(round(max(float(np.sqrt(np.average((values - average) ** 2, weights=counts))), 1e-3), 4))
    return tuple(mean), tuple(std)
