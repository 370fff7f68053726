"""Example images of the data sets, for the pages: taken from the prepared arrays, so without torch."""

import logging
import threading
from dataclasses import dataclass

import numpy as np

from trainer import catalog
from trainer.entries import DataError
from trainer.permutation import permutation
from trainer.prepared import Places, ensure_prepared, open_arrays

log = logging.getLogger("runyard.web")


@dataclass(frozen=True)
class Samples:
    """The first test image of each class in turn: (n, C, H, W) as bytes, in order and shuffled."""

    labels: list[str]
    original: bytes
    shuffled: bytes


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


def samples(name: str, places: Places, count: int, permutation_seed: int) -> Samples | None:
    """`count` test images, as many classes as possible; None while the data set is not prepared."""
    if not places.is_prepared(name):
        return None
    dataset = catalog.DATASETS[name]
    _, _, images, labels = open_arrays(name, places)
    firsts = [int(np.flatnonzero(labels == label)[0]) for label in range(len(dataset.classes))]
    chosen = (firsts + list(range(count)))[:count]
    picked = np.array(images[chosen])
    order = permutation(permutation_seed, dataset.shape[1] * dataset.shape[2])
    shuffled = picked.reshape(len(picked), dataset.shape[0], -1)[:, :, order]
    return Samples([dataset.classes[labels[index]] for index in chosen], picked.tobytes(), shuffled.tobytes())
