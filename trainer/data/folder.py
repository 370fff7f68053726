"""Any folder of images, one folder a class, under the directory of data sets: `folder:NAME`.

`folder:NAME@SIDE` or `folder:NAME@SIDE-grey` says how its images are made alike: cut to a square about their middle,
resized to SIDE × SIDE (32 when absent), in colour or grey. `trainer.layout` finds its classes and what is for the test,
`trainer.decoding` reads an image. What it holds is only known once it was read: until then it is not in the catalogue.

A folder that has changed is read again as a new version: `folder:pets@1`, `folder:pets@2`, …. Runs keep the one that
they were launched on; a name without a version means the newest. No version has the number of a side.
"""

import dataclasses
import hashlib
import itertools
import json
import os
import re
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trainer import layout
from trainer.entries import Arrays, DataError, Dataset

SIDES = (28, 32, 64, 224)
NAME = re.compile(
    r"folder:(?P<folder>[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]*?)"
    r"(?:@(?P<side>28|32|64|224)(?P<grey>-grey)?)?(?:@(?P<version>[1-9][0-9]{0,3}))?"
)
LONGEST_NAME = 200  # bytes: with what is put behind it, it is a file's name
TEST_SHARE, SEED = 0.2, 0
MOST_BYTES = 8 * 2**30  # of all images together, resized
MOST_CLASSES = 1000
MOST_SKIPPED, FEW_SKIPPED = 0.01, 3  # of the files; so many also of fewer, if they are no more than a tenth
MOST_EVEN = 0.1  # of the images may be of nearly one value without a word
MOST_NAMED = 20  # skipped files in a report
DATASETS: tuple[Dataset, ...] = ()
"""None that is known before it was read."""


PREFIX = "folder:"


def is_name(name: object) -> bool:
    """True for `folder:pets`, `folder:pets@64`, `folder:my pets@28-grey`."""
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        return False
    try:
        return len(name.encode()) <= LONGEST_NAME
    except UnicodeEncodeError:
        return False


def place(name: str, datasets: Path) -> Path:
    """Where the folder of such a name is."""
    matched = NAME.fullmatch(name)
    assert matched is not None
    return datasets / matched["folder"]


def stem(name: str) -> str:
    """A name without its version: `folder:pets@64@2` to `folder:pets@64`."""
    return name.removesuffix(f"@{version(name)}") if version(name) else name


def version(name: str) -> int | None:
    """The version in a name; None: it has none."""
    matched = NAME.fullmatch(name)
    return int(matched["version"]) if matched is not None and matched["version"] else None


def canonical(name: str, known: Iterable[str]) -> str:
    """The name with its version: the newest of the `known` ones where none is given, else the first."""
    if not is_name(name) or version(name):
        return name
    return f"{name}@{max(_versions(name, known), default=1)}"


def following(name: str, known: Iterable[str]) -> str:
    """The name of what is read next of a folder, beside the `known` versions of it."""
    after = max(_versions(stem(name), known), default=0) + 1
    return f"{stem(name)}@{next(one for one in itertools.count(after) if one not in SIDES)}"


def _versions(of: str, known: Iterable[str]) -> list[int]:
    return [version(one) or 0 for one in known if is_name(one) and stem(one) == of]


def state(dataset: Dataset, datasets: Path) -> Literal["as read", "changed", "gone"] | None:
    """What became of the folder since it was read; None: it is none, or that was not noted then."""
    if dataset.fingerprint is None:
        return None
    now = layout.fingerprint(place(dataset.name, datasets))
    return "gone" if now is None else "as read" if now == dataset.fingerprint else "changed"


def folders(datasets: Path) -> list[str]:
    """Names of the folders that hold images, one folder a class, in the directory of data sets."""
    found = sorted(datasets.iterdir()) if datasets.is_dir() else []
    named = [path for path in found if path.is_dir() and is_name(f"folder:{path.name}")]
    whole = [path for path in named if place(f"folder:{path.name}", datasets) == path]
    return [f"folder:{path.name}" for path in whole if layout.holds_classes(path)]


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
    kept = ("classes", "train_size", "test_size", "mean", "std")
    if any(getattr(again, name) != getattr(dataset, name) for name in kept):
        raise DataError(
            f"{stem(dataset.name)} holds other images than when it was read as {dataset.name}: put the old ones back, "
            f"or read it again as a new version (runyard data {stem(dataset.name)} --again)"
        )
    return arrays


def read(name: str, datasets: Path) -> tuple[Dataset, Arrays]:
    """Read a folder: its entry and its arrays; a name without a version is that of the first. Raises DataError with
    what is wrong and what to do."""
    matched = _matched(name, datasets)
    folder, side = place(name, datasets), int(matched["side"] or 32)
    channels = 1 if matched["grey"] else 3
    if not folder.is_dir():
        raise DataError(f"{folder} does not exist: put the images there, one folder a class")
    fingerprint, when = layout.fingerprint(folder), datetime.now(UTC)  # before it is read: what changes then is noticed
    lies = layout.find(folder)
    parts, names = lies.parts, lies.classes
    files = sum(len(part) for part in parts)
    _refuse_too_much(folder, names, files, files * channels * side * side)
    skipped: list[tuple[Path, str]] = []
    arrays: list[npt.NDArray[Any]] = []
    for part in parts:
        arrays += _load(part, names, channels, side, skipped)
    if len(skipped) > max(MOST_SKIPPED * files, min(FEW_SKIPPED, 0.1 * files)):
        raise DataError(
            f"{folder} has {len(skipped):,} of {files:,} files that can't be used: {_named(skipped, folder)}; "
            "mend or delete them"
        )
    _refuse_without_training(folder, names, arrays[1])
    images, labels, test_images, test_labels = arrays if len(parts) == 2 else _split(*arrays)
    if not len(test_images):
        raise DataError(f"{folder} has no image for the test that can be read: add some, one folder a class")
    mean, std = _brightness(images)
    dataset = Dataset(
        name=canonical(name, ()),
        title=title(name),
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
        fingerprint=fingerprint,
        read_at=when.isoformat(timespec="seconds"),
        notes=(*_left_out(skipped, folder), *lies.notes, *_odd(images, test_images)),
    )
    return dataset, (images, labels, test_images, test_labels)


def title(name: str) -> str:
    """`pets@64`, and from the second version on `pets@64, version 2`."""
    number = version(name) or 1
    return stem(name).removeprefix(PREFIX) + (f", version {number}" if number > 1 else "")


def _matched(name: str, datasets: Path) -> re.Match[str]:
    """The parts of a name. Raises DataError for what is none."""
    matched = NAME.fullmatch(name)
    if matched is not None and is_name(name):
        return matched
    given = layout.shown(name.removeprefix("folder:"))
    if "/" in given or "\\" in given:
        raise DataError(f"{given} is a path: put the folder, or a link to it, into {datasets} and give its name alone")
    if len(os.fsencode(name)) > LONGEST_NAME:
        raise DataError(f"the name of the folder has {len(os.fsencode(name))} bytes: at most {LONGEST_NAME}, rename it")
    raise DataError(
        f"data set is {given!r}: give folder:NAME, folder:NAME@SIDE or folder:NAME@SIDE-grey, SIDE one of "
        f"{', '.join(map(str, SIDES))}, NAME one that is UTF-8 and does not begin with a dot"
    )


def _refuse_too_much(folder: Path, names: Sequence[str], files: int, size: int) -> None:
    if len(names) > MOST_CLASSES:
        raise DataError(f"{folder} has {len(names):,} folders: at most {MOST_CLASSES:,} classes can be trained")
    if size > MOST_BYTES:
        raise DataError(
            f"{folder} has {files:,} images, {size / 2**30:.1f} GiB when resized: at most {MOST_BYTES / 2**30:.0f} GiB "
            "fit; choose a smaller side"
        )


def _fingerprint(image: npt.NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()


def _refuse_without_training(folder: Path, names: Sequence[str], labels: npt.NDArray[np.int64]) -> None:
    """A class whose every file was skipped."""
    missing = np.setdiff1d(range(len(names)), np.unique(labels))
    if len(missing):
        name = names[int(missing[0])]
        raise DataError(f"{folder} has no training image of class {name} that can be read: mend or delete its files")


def _load(
    part: layout.Part, names: Sequence[str], channels: int, side: int, skipped: list[tuple[Path, str]]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (n, C, side, side) and labels (n,) of the files that can be read; the others are added to `skipped`."""
    from trainer import decoding

    def read_one(file: tuple[str, Path]) -> npt.NDArray[np.uint8] | str:
        try:
            return decoding.square(file[1], channels, side)
        except decoding.Unreadable as unreadable:
            return str(unreadable)

    number = {name: at for at, name in enumerate(names)}
    images = np.empty((len(part), channels, side, side), np.uint8)
    labels = np.empty(len(part), np.int64)
    filled = 0
    with warnings.catch_warnings(), ThreadPoolExecutor() as pool:
        warnings.simplefilter("ignore")  # what a decoder finds odd and reads all the same
        for (label, path), found in zip(part, pool.map(read_one, part), strict=True):
            if isinstance(found, str):
                skipped.append((path, found))
                continue
            images[filled], labels[filled] = found, number[label]
            filled += 1
    return images[:filled], labels[:filled]


def _left_out(skipped: Sequence[tuple[Path, str]], folder: Path) -> list[str]:
    """`2 files can't be used and are left out: cats/a.png (no PNG, …), …`"""
    count = "1 file can't be used and is" if len(skipped) == 1 else f"{len(skipped):,} files can't be used and are"
    return [f"{count} left out: {_named(skipped, folder)}."] if skipped else []


def _named(skipped: Sequence[tuple[Path, str]], folder: Path) -> str:
    named = [f"{layout.shown(path.relative_to(folder))} ({why})" for path, why in skipped[:MOST_NAMED]]
    more = len(skipped) - len(named)
    return f"{', '.join(named)}{f' and {more:,} more' if more else ''}"


def _odd(images: npt.NDArray[np.uint8], test_images: npt.NDArray[np.uint8]) -> list[str]:
    """What whoever trains on these images would want to know."""
    from trainer import decoding

    notes = []
    every = [*images, *test_images]
    even = sum(map(decoding.is_even, every))
    if even > MOST_EVEN * len(every):
        notes.append(
            f"{even:,} of {len(every):,} images are of nearly one value, so that nothing can be seen in them: look at "
            "the samples."
        )
    trained = set(map(_fingerprint, images))
    again = sum(_fingerprint(image) in trained for image in test_images)
    if again:
        are = "are" if again > 1 else "is"
        notes.append(
            f"{again:,} of {len(test_images):,} test images {are} also among those for training, pixel for pixel: the "
            "accuracy is not of new images alone."
        )
    return notes


def _split(
    images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """A share of each class for the test, at least one image where a class has two."""
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        of_it = np.random.default_rng([SEED, int(label)]).permutation(np.flatnonzero(labels == label))
        test[of_it[: max(round(len(of_it) * TEST_SHARE), min(1, len(of_it) - 1))]] = True
    if not test.any():
        raise DataError("no class has two images that can be read: nothing would be left for the test")
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
