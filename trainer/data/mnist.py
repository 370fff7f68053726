"""MNIST and Fashion-MNIST: torchvision downloads, unpacks and reads them; each file is checked against its MD5."""

import hashlib
from pathlib import Path

import numpy as np

from trainer import catalog
from trainer.data.prepared import Arrays, DataError


def prepare(name: str, datasets: Path, download: bool = True) -> Arrays:
    """60,000 training and 10,000 test images. Raises DataError with the way out."""
    from torchvision.datasets import MNIST, FashionMNIST

    dataset = catalog.DATASETS[name]
    assert dataset.folder is not None
    folder = datasets / dataset.folder
    kind = {"mnist": MNIST, "fashion-mnist": FashionMNIST}[name]
    try:
        parts = [kind(str(datasets), train=train, download=download) for train in (True, False)]
        for file, md5 in dataset.files:
            _check(folder / file, md5)
    except DataError:
        raise
    except (RuntimeError, OSError, EOFError) as error:
        damaged = [file for file, md5 in dataset.files if (folder / file).exists() and not _intact(folder / file, md5)]
        if damaged:
            raise _damaged(folder / damaged[0]) from error
        names = ", ".join(f"{file}.gz" for file, _ in dataset.files)
        raise DataError(
            f"{name} could not be downloaded ({_last_line(error)}): put {names} into {folder}, "
            "or use the data set digits, which needs no download"
        ) from error
    except (AssertionError, ValueError) as error:  # torchvision's reader met bytes it doesn't understand
        broken = next((file for file, md5 in dataset.files if not _intact(folder / file, md5)), dataset.files[0][0])
        raise _damaged(folder / broken) from error
    train, test = parts
    return (
        train.data.numpy()[:, np.newaxis],
        train.targets.numpy().astype(np.int64),
        test.data.numpy()[:, np.newaxis],
        test.targets.numpy().astype(np.int64),
    )


def _check(path: Path, md5: str) -> None:
    if not _intact(path, md5):
        raise _damaged(path)


def _intact(path: Path, md5: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest() == md5


def _damaged(path: Path) -> DataError:
    return DataError(
        f"{path} is damaged (its checksum differs): delete it and {path.name}.gz, they are downloaded again, "
        "or put a good copy there"
    )


def _last_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
