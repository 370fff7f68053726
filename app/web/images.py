"""Images of the data sets, for the pages: taken from the prepared arrays, so without torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer import catalog
from trainer.permutation import permutation
from trainer.prepared import Places, open_arrays


@dataclass(frozen=True)
class Pictures:
    """Test images, uint8 (n, C, H, W), in order and as a net with shuffled pixels sees them."""

    labels: npt.NDArray[np.int64]
    original: npt.NDArray[np.uint8]
    shuffled: npt.NDArray[np.uint8]


def samples(name: str, places: Places, count: int, permutation_seed: int) -> Pictures | None:
    """`count` test images, or all there are, of as many classes as possible; None while it is not prepared."""
    if not places.is_prepared(name):
        return None
    labels = open_arrays(name, places)[3]
    firsts = np.unique(labels, return_index=True)[1]
    others = np.setdiff1d(np.arange(min(count, len(labels))), firsts)
    return test_images(name, places, np.concatenate([firsts, others])[:count], permutation_seed)


def test_images(
    name: str, places: Places, chosen: Sequence[int] | npt.NDArray[np.int64], permutation_seed: int
) -> Pictures | None:
    """The test images at these places of the test set; None while the data set is not prepared."""
    if not places.is_prepared(name):
        return None
    _, _, images, labels = open_arrays(name, places)
    picked = np.array(images[chosen])
    pixels = picked.shape[2] * picked.shape[3]  # said, since of no image it can't be worked out
    order = permutation(permutation_seed, pixels)
    shuffled = picked.reshape(*picked.shape[:2], pixels)[:, :, order].reshape(picked.shape)
    return Pictures(np.array(labels[chosen]), picked, shuffled)


def by_class(name: str, places: Places, first: int, classes: int, count: int, seed: int) -> list[Pictures] | None:
    """Up to `count` training images, drawn by `seed`, of each of `classes` classes from class `first` on; None while
    the data set is not prepared."""
    if not places.is_prepared(name):
        return None
    images, labels, _, _ = open_arrays(name, places)
    found = []
    for label in range(first, min(first + classes, len(catalog.DATASETS[name].classes))):
        of_it = np.flatnonzero(labels == label)
        # seed 0: as they stand in the set
        chosen = of_it if seed == 0 else np.random.default_rng([seed, label]).permutation(of_it)
        picked = np.array(images[np.sort(chosen[:count])])
        found.append(Pictures(np.full(len(picked), label), picked, picked))
    return found
