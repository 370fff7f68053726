"""MNIST, Fashion-MNIST and KMNIST, which have one format."""

from pathlib import Path
from typing import Any

import numpy as np

from trainer.entries import Arrays, Dataset

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def prepare(dataset: Dataset, datasets: Path) -> Arrays:
    """60,000 training and 10,000 test images."""
    from trainer import downloads

    theirs = downloads.torchvision_datasets()
    kind = {"mnist": theirs.MNIST, "fashion-mnist": theirs.FashionMNIST, "kmnist": theirs.KMNIST}[dataset.name]

    def read() -> Arrays:
        train, test = (kind(str(datasets), train=train, download=True) for train in (True, False))
        return (
            train.data.numpy()[:, np.newaxis],
            train.targets.numpy().astype(np.int64),
            test.data.numpy()[:, np.newaxis],
            test.targets.numpy().astype(np.int64),
        )

    return downloads.read(dataset, datasets, read)


def _files(folder: str, *md5: str | None) -> dict[str, Any]:
    """What both have in common, and where their files lie."""
    return {
        "version": 1,
        "shape": (1, 28, 28),
        "train_size": 60_000,
        "test_size": 10_000,
        "prepare": prepare,
        "folder": folder,
        "files": tuple(zip(FILES, md5, strict=True)),
        "archives": tuple(f"{folder}/{file}.gz" for file in FILES),
    }


DATASETS = (
    Dataset(
        name="mnist",
        title="MNIST",
        description="70,000 handwritten digits of 28×28 pixels: 60,000 to train with, 10,000 to test with.",
        citation="LeCun, Cortes, Burges: The MNIST database of handwritten digits, 1998",
        classes=tuple("0123456789"),
        mean=(0.1307,),
        std=(0.3081,),
        download_mb=12,
        rank=2,
        **_files(
            "MNIST/raw",
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
    ),
    Dataset(
        name="fashion-mnist",
        title="Fashion-MNIST",
        description="70,000 pictures of clothes in MNIST's format, harder to tell apart than digits.",
        citation="Xiao, Rasul, Vollgraf: Fashion-MNIST, arXiv:1708.07747, 2017",
        classes=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        mean=(0.2860,),
        std=(0.3530,),
        download_mb=31,
        rank=3,
        **_files(
            "FashionMNIST/raw",
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
    ),
    Dataset(
        name="kmnist",
        title="KMNIST",
        description="70,000 cursive Japanese characters of ten kinds in MNIST's format.",
        citation="Clanuwat and others: Deep learning for classical Japanese literature, 2018",
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        mean=(0.1918,),
        std=(0.3483,),
        download_mb=21,
        rank=4,
        **_files("KMNIST/raw", None, None, None, None),
    ),
)
