"""A net and a data set of one's own: softmax regression, and stripes that lie or stand."""

import math

import numpy as np

from trainer.entries import SMALL_IMAGES, Dataset, Model


def build(shape, classes):
    from torch import nn  # inside: the server reads this file and never imports torch

    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), classes))


def stripes(dataset, directory):
    labels = np.arange(2400) % 2
    images = np.random.default_rng(1).integers(0, 128, (2400, 1, 28, 28), np.uint8)
    for image, label, first in zip(images[:, 0], labels, np.arange(2400) // 2 % 4, strict=True):
        (image if label == 0 else image.T)[first::4] += 127
    return images[:2000], labels[:2000], images[2000:], labels[2000:]


LINEAR = Model("linear", "Linear", "Softmax regression: one linear layer on the pixels.", "Textbook", SMALL_IMAGES,
               lambda knobs, shape, classes: (math.prod(shape) + 1) * classes, build)  # fmt: skip
STRIPES = Dataset("stripes", "Stripes", 1, "Noise with stripes that lie or stand.", "Made up", (1, 28, 28),
                  ("lying", "standing"), 2000, 400, (0.37,), (0.27,), stripes)  # fmt: skip
