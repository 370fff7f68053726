"""Data sets prepared once: plain arrays in a folder, memory-mapped by workers and server alike.

`RUNYARD_HOME/prepared/NAME-VERSION/` holds `train_images.npy`, `train_labels.npy`, `test_images.npy`,
`test_labels.npy` (images uint8 N×C×H×W, labels int64 N) and `checksums.json` (SHA-256 of each). Of a folder of images,
`prepared/folder-NAME.json` has what was found in it.
NumPy only: the server shows images without importing torch.
"""

import errno
import fcntl
import hashlib
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer import catalog
from trainer.data import folder as image_folder
from trainer.entries import Arrays, DataError

PARTS = ("train_images", "train_labels", "test_images", "test_labels")
_CHECKSUMS = "checksums.json"
LONGEST_SECONDS = 4 * 3600.0
"""Of reading one data set, its download with it."""


@dataclass(frozen=True)
class Places:
    """Where data sets lie: `datasets` as they were downloaded (torchvision's layout), `prepared` as arrays."""

    datasets: Path
    prepared: Path

    def folder(self, name: str) -> Path:
        version = catalog.DATASETS[name].version if name in catalog.DATASETS else 1
        return self.prepared / f"{_plain(name)}-{version}"

    def description(self, name: str) -> Path:
        """Of a folder of images: what was found in it."""
        return self.prepared / f"{_plain(name)}.json"

    def is_prepared(self, name: str) -> bool:
        return name in catalog.DATASETS and (self.folder(name) / _CHECKSUMS).is_file()

    def is_on_disk(self, name: str) -> bool:
        """True if it can be prepared without a download."""
        if image_folder.is_name(name):
            return image_folder.place(name, self.datasets).is_dir()
        dataset = catalog.DATASETS[name]
        if dataset.folder is None:
            return True
        folder, archives = self.datasets / dataset.folder, itertools.cycle(dataset.archives)  # one each, or one for all
        return all(
            (folder / file).is_file() or (self.datasets / archive).is_file()
            for (file, _), archive in zip(dataset.files, archives, strict=False)
        )


def register_folders(places: Places) -> list[str]:
    """Add the folders of images that were read to the catalogue; what is wrong with descriptions that are damaged."""
    wrong = []
    for path in sorted(places.prepared.glob("folder-*.json")):
        try:
            catalog.add_dataset(image_folder.entry(path.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            wrong.append(f"{path} can't be read ({error}): delete it and read the folder again")
    return wrong


def load(name: str, places: Places) -> Arrays:
    """The data set's arrays, memory-mapped and checked against their checksums; prepared first where needed.

    Raises DataError when a file is absent and can't be downloaded, or is damaged.
    """
    name = catalog.canonical(name)
    ensure_prepared(name, places)
    folder = places.folder(name)
    sums = json.loads((folder / _CHECKSUMS).read_text())
    for part in PARTS:
        if _sha256(folder / f"{part}.npy") != sums.get(part):
            raise DataError(
                f"{folder / part}.npy is damaged (its checksum differs): delete the folder {folder}, "
                "it is made again when next needed"
            )
    return open_arrays(name, places)


def open_arrays(name: str, places: Places) -> Arrays:
    """The arrays of a prepared data set, memory-mapped, unchecked (for showing images)."""
    folder = places.folder(name)
    images, labels, test_images, test_labels = (np.load(folder / f"{part}.npy", mmap_mode="r") for part in PARTS)
    return images, labels, test_images, test_labels


def ensure_prepared(name: str, places: Places, progress: Callable[[str], None] | None = None) -> None:
    """Prepare the data set if that was not done yet, in a process of its own, once for all who wait.

    `progress` is given what that process says meanwhile, such as the progress bar of a download; without it, that goes
    to this process's own standard error. A folder's name without a version means the newest. Raises DataError.
    """
    name = catalog.canonical(name)
    if places.is_prepared(name):
        return
    places.prepared.mkdir(parents=True, exist_ok=True)
    with (places.prepared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if places.is_prepared(name):
            return
        command = [sys.executable, "-m", "trainer", "prepare", name, "--ends-with-parent"]
        folders = ["--datasets", str(places.datasets), "--prepared", str(places.prepared)]
        errors = None if progress is None else subprocess.PIPE
        with subprocess.Popen(
            [*command, *folders], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:
            assert process.stdout is not None
            overdue = threading.Timer(LONGEST_SECONDS, process.kill)
            overdue.start()
            for line in process.stderr or ():  # a bar that goes back to the start of its line counts as many lines
                assert progress is not None
                progress(line.strip())
            said = process.stdout.read()
            process.wait()  # before its input is closed, which would end it
            overdue.cancel()
        if process.returncode:
            last = (said.strip().splitlines() or [f"ended with exit code {process.returncode}"])[-1]
            raise DataError(last)
        if image_folder.is_name(name):
            catalog.add_dataset(image_folder.entry(places.description(name).read_text()))


def save(name: str, places: Places, arrays: Arrays) -> None:
    """Write the arrays beside their place and rename the folder into it. Raises DataError, also of a full disk."""
    dataset, folder = catalog.DATASETS[name], places.folder(name)
    if (len(arrays[0]), len(arrays[2])) != (dataset.train_size, dataset.test_size):
        raise DataError(f"{name} has {len(arrays[0])} + {len(arrays[2])} images, not the number it should have")
    places.prepared.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=places.prepared, prefix=f".{name}-"))
    try:
        for part, array in enumerate(arrays):
            np.save(beside / f"{PARTS[part]}.npy", np.asarray(array))
        sums = {part: _sha256(beside / f"{part}.npy") for part in PARTS}
        (beside / _CHECKSUMS).write_text(json.dumps(sums))
        shutil.rmtree(folder, ignore_errors=True)
        if image_folder.is_name(name):
            described = beside / places.description(name).name
            described.write_text(image_folder.describe(dataset))
            described.rename(places.description(name))
        beside.rename(folder)
    except OSError as error:  # NumPy, which writes past Python, says only that not all was written
        is_full = error.errno in (None, errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "the disk is full" if is_full else (error.strerror or "").lower()
        way_out = "free some space there" if is_full else "make the directory writable"
        raise DataError(
            f"{name} can't be kept in {places.prepared} ({why}): {way_out}, then prepare it again"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _plain(name: str) -> str:
    """As a file's name: `folder:pets@64` -> `folder-pets@64`."""
    return name.replace(":", "-")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"{path} can't be read ({error.strerror}): delete the folder {path.parent}, "
            "it is made again when next needed"
        ) from None
