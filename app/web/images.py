"""Images of the data sets, for the pages: taken from the prepared arrays, so without torch."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer import catalog
from trainer.entries import DataError
from trainer.permutation import permutation
from trainer.prepared import Places, ensure_prepared, open_arrays

log = logging.getLogger("runyard.web")


@dataclass(frozen=True)
class Pictures:
    """Test images, uint8 (n, C, H, W), in order and as a net with shuffled pixels sees them."""

    labels: npt.NDArray[np.int64]
    original: npt.NDArray[np.uint8]
    shuffled: npt.NDArray[np.uint8]


def prepare_in_background(places: Places) -> None:
    """Prepare every data set that needs no download, so that its images can be shown before the first run."""

    def prepare() -> None:
        for name in catalog.DATASETS:
            if places.is_on_disk(name) and not places.is_prepared(name):
                try:
                    ensure_prepared(name, places)
                except (DataError, OSError) as error:
                    log.warning("%s could not be prepared: %s", name, error)

    threading.Thread(target=prepare, name="runyard-images", daemon=True).start()


def samples(name: str, places: Places, count: int, permutation_seed: int) -> Pictures | None:
    """`count` test images, as many classes as possible; None while the data set is not prepared."""
    if not places.is_prepared(name):
        return None
    labels = open_arrays(name, places)[3]
    firsts = [int(np.flatnonzero(labels == label)[0]) for label in range(len(catalog.DATASETS[name].classes))]
    return test_images(name, places, (firsts + list(range(count)))[:count], permutation_seed)


def test_images(
    name: str, places: Places, chosen: Sequence[int] | npt.NDArray[np.int64], permutation_seed: int
) -> Pictures | None:
    """The test images at these places of the test set; None while the data set is not prepared."""
    if not places.is_prepared(name):
        return None
    _, _, images, labels = open_arrays(name, places)
    picked = np.array(images[chosen])
    order = permutation(permutation_seed, picked.shape[2] * picked.shape[3])
    shuffled = picked.reshape(*picked.shape[:2], -1)[:, :, order].reshape(picked.shape)
    return Pictures(np.array(labels[chosen]), picked, shuffled)
