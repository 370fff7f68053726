"""CIFAR-10 and CIFAR-100."""

from pathlib import Path

import numpy as np

from trainer.entries import Arrays, Dataset


def prepare(dataset: Dataset, datasets: Path) -> Arrays:
    """50,000 training and 10,000 test images."""
    from trainer import downloads

    theirs = downloads.torchvision_datasets()
    kind = {"cifar10": theirs.CIFAR10, "cifar100": theirs.CIFAR100}[dataset.name]

    def read() -> Arrays:
        train, test = (kind(str(datasets), train=train, download=True) for train in (True, False))
        return (
            np.ascontiguousarray(train.data.transpose(0, 3, 1, 2)),
            np.array(train.targets, np.int64),
            np.ascontiguousarray(test.data.transpose(0, 3, 1, 2)),
            np.array(test.targets, np.int64),
        )

    return downloads.read(dataset, datasets, read)


FINE = (
    "apple, aquarium fish, baby, bear, beaver, bed, bee, beetle, bicycle, bottle, bowl, boy, bridge, bus, butterfly, "
    "camel, can, castle, caterpillar, cattle, chair, chimpanzee, clock, cloud, cockroach, couch, crab, crocodile, "
    "cup, dinosaur, dolphin, elephant, flatfish, forest, fox, girl, hamster, house, kangaroo, keyboard, lamp, lawn "
    "mower, leopard, lion, lizard, lobster, man, maple tree, motorcycle, mountain, mouse, mushroom, oak tree, orange, "
    "orchid, otter, palm tree, pear, pickup truck, pine tree, plain, plate, poppy, porcupine, possum, rabbit, "
    "raccoon, ray, road, rocket, rose, sea, seal, shark, shrew, skunk, skyscraper, snail, snake, spider, squirrel, "
    "streetcar, sunflower, sweet pepper, table, tank, telephone, television, tiger, tractor, train, trout, tulip, "
    "turtle, wardrobe, whale, willow tree, wolf, woman, worm"
)
"""The classes of CIFAR-100, by their numbers."""

DATASETS = (
    Dataset(
        name="cifar10",
        title="CIFAR-10",
        version=1,
        description="60,000 colour photographs of 32×32 pixels: 50,000 to train with, 10,000 to test with.",
        citation="Krizhevsky: Learning multiple layers of features from tiny images, 2009",
        shape=(3, 32, 32),
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        train_size=50_000,
        test_size=10_000,
        # As in most recipes: the means of all pixels, and the mean over the images of each one's own deviation
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2023, 0.1994, 0.2010),
        prepare=prepare,
        folder="cifar-10-batches-py",
        files=(
            ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
            ("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
            ("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
            ("data_batch_4", "634d18415352ddfa80567beed471001a"),
            ("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
            ("test_batch", "40351d587109b95175f43aff81a1287e"),
            ("batches.meta", "5ff9c542aee3614f3951f8cda6e48888"),
        ),
        archives=("cifar-10-python.tar.gz",),
        download_mb=170,
        rank=10,
    ),
    Dataset(
        name="cifar100",
        title="CIFAR-100",
        version=1,
        description="60,000 colour photographs of 32×32 pixels: 500 of each class to train with, 100 to test with.",
        citation="Krizhevsky: Learning multiple layers of features from tiny images, 2009",
        shape=(3, 32, 32),
        classes=tuple(FINE.split(", ")),
        train_size=50_000,
        test_size=10_000,
        mean=(0.5071, 0.4865, 0.4409),
        std=(0.2673, 0.2564, 0.2762),
        prepare=prepare,
        folder="cifar-100-python",
        files=(
            ("train", "16019d7e3df5f24257cddd939b257f8d"),
            ("test", "f0ef6b0ae62326f3e7ffdfab6717acfc"),
            ("meta", "7973b15100ade9c7d40fb424638fde48"),
        ),
        archives=("cifar-100-python.tar.gz",),
        download_mb=169,
        rank=11,
    ),
)
