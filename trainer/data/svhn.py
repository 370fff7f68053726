"""Street View House Numbers, the cropped digits."""

from pathlib import Path

import numpy as np

from trainer.entries import Arrays, Dataset


def prepare(dataset: Dataset, datasets: Path) -> Arrays:
    """73,257 training and 26,032 test images."""
    from trainer import downloads

    kind = downloads.torchvision_datasets().SVHN

    def read() -> Arrays:
        train, test = (kind(str(datasets / "svhn"), split=split, download=True) for split in ("train", "test"))
        return train.data, np.array(train.labels, np.int64), test.data, np.array(test.labels, np.int64)

    return downloads.read(dataset, datasets, read)


DATASETS = (
    Dataset(
        name="svhn",
        title="SVHN",
        version=1,
        description="99,289 digits of house numbers, photographed from the street, in colour, 32×32 pixels; "
        "neighbouring digits are often in the picture. Its classes are not balanced: ones are most frequent.",
        citation="Netzer and others: Reading digits in natural images with unsupervised feature learning, 2011",
        shape=(3, 32, 32),
        classes=tuple("0123456789"),
        train_size=73_257,
        test_size=26_032,
        mean=(0.4377, 0.4438, 0.4728),
        std=(0.1980, 0.2010, 0.1970),
        prepare=prepare,
        folder="svhn",
        files=(
            ("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
            ("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
        ),
        archives=("svhn/train_32x32.mat", "svhn/test_32x32.mat"),
        download_mb=246,
        rank=12,
    ),
)
