"""Where the images of a folder lie: which folders are its classes, which are for the test, what is left alone."""

import contextlib
import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trainer.entries import DataError

TRAIN = ("train", "training")
TEST = ("test", "testing", "val", "valid", "validation", "eval", "dev")
"""Names of folders in any case; of those for the test the first one that is there and has images in classes."""
SURELY_TEST = TEST[:5]
NO_IMAGES = frozenset(
    [
        *(".txt", ".json", ".jsonl", ".xml", ".csv", ".tsv", ".md", ".rst", ".yaml", ".yml", ".toml", ".ini", ".db"),
        *(".log", ".html", ".htm", ".pdf", ".py", ".ipynb", ".sh", ".npy", ".npz", ".mat", ".pkl", ".pt", ".pth"),
        *(".h5", ".parquet", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".lnk", ".url", ".tmp"),
    ]
)
"""Endings of files that lie beside images, and are no images themselves: they are left alone without a word."""
MOST_NAMED = 20  # files or classes in a note
MOST_LINES = 1_000_000  # of Tiny ImageNet's annotations
MOST_LOOKED_AT = 2_000  # entries of a folder, for telling whether it holds classes
MOST_DEEP = 20  # folders within each other

Part = list[tuple[str, Path]]
"""(class, file) of each image."""


@dataclass
class Layout:
    """What lies where in a folder of images."""

    parts: list[Part]
    """All files; or those for training and those for the test."""
    classes: list[str]
    notes: list[str] = field(default_factory=list)
    """What is left alone, a sentence each."""


@dataclass
class _Seen:
    """What was met and left alone on the way."""

    root: Path
    outside: list[Path] = field(default_factory=list)
    """Links that lead out of the folder, or nowhere."""
    empty: list[str] = field(default_factory=list)
    """Class folders without an image."""


def find(folder: Path) -> Layout:
    """The layout of a folder. Raises DataError with what is wrong and what to do."""
    seen = _Seen(folder.resolve())
    inner = _inner(folder, seen)
    train, tests = _splits(folder, inner)
    notes = []
    if train is None:
        parts = [_by_class(inner, seen)]
    else:
        parts = [_by_class(_inner(train, seen), seen)]
        test, unused = _test_part(tests, seen)
        parts += [test] if test else []
        others = [one.name for one in inner if one != train and one not in tests] + unused
        if others:
            notes.append(f"Beside {train.name}, and not used: {_listed(others)}.")
        if tests and not test:
            notes.append(f"{tests[0].name} is empty: a fifth of each class is for the test.")
    beside = _loose(train or folder)
    classes = sorted({label for label, _ in parts[0]})
    _refuse_wrong_classes(folder, train, parts, classes, beside, seen)
    if beside:
        notes.append(f"Beside the folders of the classes, and not used: {_listed([path.name for path in beside])}.")
    if seen.outside:
        notes.append(f"Links that lead out of the folder are not followed: {_links(folder, seen)}.")
    empty = [name for name in dict.fromkeys(seen.empty) if name not in classes]
    if empty:
        notes.append(f"Without an image, and left out: {_listed(empty)}.")
    return Layout(parts, classes, notes)


def fingerprint(folder: Path) -> str | None:
    """Of the names, sizes and times of all that lies in a folder; None: it is not there."""
    found = hashlib.sha256()
    if not folder.is_dir():
        return None
    for place, inner, files in os.walk(folder):
        inner.sort()
        for name in sorted([*inner, *files]):
            path = os.path.join(place, name)
            with contextlib.suppress(OSError):  # it has just gone
                seen = os.lstat(path)
                size = 0 if name in inner else seen.st_size  # a folder has the time of what is in it
                said = f"{os.path.relpath(path, folder)}\0{size}\0{0 if name in inner else seen.st_mtime_ns}\n"
                found.update(said.encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def holds_classes(folder: Path) -> bool:
    """Whether two of its folders hold a file, as far as a bounded look can tell: it may be a link to a whole disk."""
    looks, classes = MOST_LOOKED_AT, 0
    for inner in itertools.islice(_folders(_train_of(folder)), MOST_LOOKED_AT):
        below = [inner]
        while below and looks > 0:
            with contextlib.suppress(OSError):  # it can't be looked into
                for path in itertools.islice(below.pop().iterdir(), looks):
                    looks -= 1
                    if path.is_dir() and not path.is_symlink():
                        below.append(path)
                    elif is_wanted(path):
                        classes, below = classes + 1, []
                        break
        if classes > 1 or looks <= 0:
            break
    return classes > 1


def is_wanted(path: Path) -> bool:
    """By its name an image may be in this file."""
    return not path.name.startswith(".") and path.suffix.lower() not in NO_IMAGES


def shown(text: object) -> str:
    """A name as it can be printed and kept: what is not UTF-8, or a control character, as an escape."""
    plain = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in plain)


def _folders(folder: Path) -> Iterator[Path]:
    """Those in it; one whose name begins with a dot is none."""
    with contextlib.suppress(OSError):
        yield from (one for one in folder.iterdir() if not one.name.startswith(".") and one.is_dir())


def _train_of(folder: Path) -> Path:
    found = [one for one in itertools.islice(_folders(folder), MOST_LOOKED_AT) if one.name.lower() in TRAIN]
    return found[0] if found else folder


def _inner(folder: Path, seen: _Seen) -> list[Path]:
    """Its folders, in order."""
    found = []
    for path in sorted(_folders(folder)):
        if _leads_out(path, seen):
            seen.outside.append(path)
            continue
        try:
            path.name.encode()
        except UnicodeEncodeError:
            raise DataError(f"{shown(path)} has a name that is not UTF-8: rename the folder") from None
        found.append(path)
    return found


def _splits(folder: Path, inner: Sequence[Path]) -> tuple[Path | None, list[Path]]:
    """The folder with the classes for training, and those that may be for the test, most likely first."""
    trains = [one for one in inner if one.name.lower() in TRAIN]
    tests = sorted((one for one in inner if one.name.lower() in TEST), key=lambda one: TEST.index(one.name.lower()))
    if len(trains) > 1:
        names = " and ".join(one.name for one in trains)
        raise DataError(f"{folder} has {names}: put the images for training into one of them")
    sure = [one for one in tests if one.name.lower() in SURELY_TEST]
    if not trains and sure:
        raise DataError(
            f"{folder} has {sure[0].name} but no train: put the images for training into train, one folder a class, or "
            f"rename {sure[0].name} if it is a class"
        )
    return (trains[0], tests) if trains else (None, [])


def _test_part(tests: Sequence[Path], seen: _Seen) -> tuple[Part, list[str]]:
    """The files for the test, and the names of folders that were passed over for them."""
    for path in tests:  # Tiny ImageNet's images of `test` have no labels, those of `val` are labelled in a file
        if (annotations := path / "val_annotations.txt").is_file():
            return _annotated(annotations, path / "images", seen), []
    flat = None
    for at, path in enumerate(tests):
        part = _by_class(_inner(path, seen), seen)
        if part:
            return part, [one.name for one in tests[at + 1 :]]
        flat = flat or next((path for file in path.iterdir() if is_wanted(file) and file.is_file()), None)
    if flat is not None:
        raise DataError(
            f"{flat} has images but no folders of classes: sort them into the same folders as those for training, or "
            f"move {flat.name} away, so that a fifth of each class is for the test"
        )
    return [], []


def _annotated(annotations: Path, images: Path, seen: _Seen) -> Part:
    with annotations.open(encoding="utf-8", errors="replace") as lines:
        labels = [line.rstrip("\n").split("\t")[:2] for line in itertools.islice(lines, MOST_LINES) if "\t" in line]
    part = []
    for file, label in labels:
        path = images / Path(file).name  # never elsewhere, whatever the line says
        if path.is_symlink() and _leads_out(path, seen):
            seen.outside.append(path)
        else:
            part.append((label, path))
    return part


def _by_class(inner: Sequence[Path], seen: _Seen) -> Part:
    part: Part = []
    for path in inner:
        files = [(path.name, file) for file in _files(path, seen, MOST_DEEP)]
        part += files
        if not files:
            seen.empty.append(path.name)
    return part


def _files(folder: Path, seen: _Seen, deep: int) -> Iterator[Path]:
    """Files of a class, at any depth, in a fixed order; hidden ones are left alone."""
    try:
        entries = sorted(os.scandir(folder), key=lambda one: one.name)
    except OSError as error:
        raise DataError(f"{shown(folder)} can't be read ({error.strerror}): make it readable") from None
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and _leads_out(path, seen):
            seen.outside.append(path)
        elif entry.is_dir():
            if deep and not (entry.is_symlink() and folder.resolve().is_relative_to(path.resolve())):
                yield from _files(path, seen, deep - 1)
        elif is_wanted(path):
            yield path


def _leads_out(path: Path, seen: _Seen) -> bool:
    """Out of the folder, or nowhere."""
    try:
        return not path.resolve(strict=True).is_relative_to(seen.root)
    except (OSError, RuntimeError):  # it is broken, or leads to itself
        return True


def _loose(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_wanted(path) and path.is_file())


def _refuse_wrong_classes(
    folder: Path, train: Path | None, parts: Sequence[Part], classes: Sequence[str], beside: Sequence[Path], seen: _Seen
) -> None:
    where = train or folder
    if len(classes) < 2:
        links = f" (links that lead out of it are not followed: {_links(folder, seen)})" if seen.outside else ""
        loose = f" and {len(beside):,} files beside them" if beside else ""
        below = _nested(where)
        way = (
            f"move the folders of {below} up, into {where}"
            if below is not None
            else "put the images of each class into a folder of its own"
        )
        raise DataError(f"{where} has {len(classes)} folder(s) with images{loose}{links}: {way}")
    unknown = sorted({label for label, _ in parts[-1]} - set(classes))
    if unknown:
        raise DataError(
            f"{folder} has no training image of {_listed(unknown)}, which the images for the test have: name the "
            "folders of a class alike, or add images for training"
        )


def _nested(folder: Path) -> Path | None:
    """The one folder in it, where that holds the classes: as when an archive was unpacked into a folder of its name."""
    inner = list(itertools.islice(_folders(folder), 2))
    return inner[0] if len(inner) == 1 and holds_classes(inner[0]) else None


def _links(folder: Path, seen: _Seen) -> str:
    return _listed([str(path.relative_to(folder)) for path in seen.outside])


def _listed(names: Sequence[str]) -> str:
    """`a, b and 3 more`"""
    named = ", ".join(shown(name) for name in names[:MOST_NAMED])
    return f"{named} and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else named
