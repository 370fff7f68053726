"""The embedded data set: scikit-learn's 8×8 digits, placed in 28×28 images.

Split first, so that no digit is in both parts; then each is enlarged to 20×20 (bilinear) and pasted at five seeded
positions. Placed, the digits show what MNIST shows: a CNN, which looks for a shape wherever it is, beats a fully
connected net, and loses its advantage when the pixels are shuffled. Enlarged to fill the image they don't.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainer.entries import Arrays, Dataset

SIDE, DIGIT, POSITIONS, TEST_SOURCES, SEED = 28, 20, 5, 360, 0


def prepare(_: Dataset, __: Path) -> Arrays:
    """7,185 training and 1,800 test images."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    train, test, train_labels, test_labels = train_test_split(
        digits.images, digits.target, test_size=TEST_SOURCES, stratify=digits.target, random_state=SEED
    )
    generator = np.random.default_rng(SEED)
    images, labels = _placed(train, train_labels, generator)
    test_images, test_labels = _placed(test, test_labels, generator)
    return images, labels, test_images, test_labels


def _placed(
    sources: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], generator: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Each 8×8 source (values 0 to 16) at `POSITIONS` positions: images (n·5, 1, 28, 28), labels (n·5,)."""
    from PIL import Image

    placed = np.zeros((len(sources) * POSITIONS, 1, SIDE, SIDE), np.uint8)
    corners = generator.integers(0, SIDE - DIGIT + 1, size=(len(placed), 2))
    for index, source in enumerate(sources):
        grey = Image.fromarray(np.round(source * (255 / 16)).astype(np.uint8))
        enlarged = np.asarray(grey.resize((DIGIT, DIGIT), Image.Resampling.BILINEAR))
        for place in range(index * POSITIONS, (index + 1) * POSITIONS):
            top, left = corners[place]
            placed[place, 0, top : top + DIGIT, left : left + DIGIT] = enlarged
    return placed, np.repeat(labels.astype(np.int64), POSITIONS)


DATASETS = (
    Dataset(
        name="digits",
        title="Digits",
        version=1,
        description="The 1,797 handwritten digits of 8×8 pixels that come with scikit-learn, split first "
        "(stratified, 1,437 to train, 360 to test), then each enlarged to 20×20 and pasted at five seeded "
        "positions of a 28×28 image. Nothing is downloaded; its figures don't stand for MNIST.",
        citation="Alpaydin, Kaynak: Optical Recognition of Handwritten Digits, UCI, 1998",
        shape=(1, SIDE, SIDE),
        classes=tuple("0123456789"),
        train_size=7185,
        test_size=1800,
        mean=(0.1560,),
        std=(0.2775,),
        prepare=prepare,
        rank=1,
    ),
)
